"""gunicorn's threaded worker, which reads a request whole before it gives a thread to it."""

import selectors
import socket
import struct
import time
import uuid
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import http, util
from gunicorn.workers.gthread import TConn, ThreadWorker

from .guard.arrival import MAX_HEAD, Arrival
from .guard.problems import ProblemError, as_bytes, kind_of_status

LONGEST_HOLD = 0.001  # seconds that a worker with ever so much to do holds back before it accepts
HEAD_SECONDS = 10.0  # for request line and headers
IDLE_SECONDS = 10.0  # for the next bytes of a body
WHOLE_SECONDS = 120.0  # for all of a request
STALL_SECONDS = 10  # for a client to take the next bytes of an answer
LINGER_SECONDS = 2.0  # for a client to close a connection that ends
BUFFER = 64 * 1024 * 1024  # bytes of requests that a worker holds at most
LARGE = 2_000_000  # bytes; requests beyond this are answered two at a time
READ = 256 * 1024
ROOM = 100  # connections that are kept free for others than those that are waited for


class _Source:
    "What was read of a connection already, given to the parser as if it came from the socket; then the socket itself."

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.pieces: deque = deque()

    def recv(self, size: int) -> bytes:
        if not self.pieces:
            return self.sock.recv(size)
        piece = memoryview(self.pieces.popleft())
        if len(piece) > size:
            self.pieces.appendleft(piece[size:])
        return bytes(piece[:size])

    def take(self) -> bytes:
        "All that is left."
        rest = b"".join(self.pieces)
        self.pieces.clear()
        return rest

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


class _Said:
    "Stands for a client, to hear what gunicorn would tell it."

    def __init__(self) -> None:
        self.data = b""

    def gettimeout(self) -> float:
        return 0.0

    def sendall(self, data: bytes) -> None:
        self.data += data


class PatientWorker(ThreadWorker):
    """Waits for requests in one loop, and gives a thread to those that are here whole.

    A client that sends slowly costs a buffer and no thread, with nginx in front or without. Of several workers on one
    socket, the one with the least to do takes the next client, who stays with it for as long as the connection is kept.
    So a worker holds back before it accepts, for longer the more connections and requests it has.
    """

    def __init__(self, *args: Any, **more: Any):
        super().__init__(*args, **more)
        self.arriving: dict[TConn, Arrival] = {}
        self.lingering: dict[TConn, float] = {}
        self.large: deque[TConn] = deque()
        self.in_hand = self.large_in_hand = self.buffered = 0
        self._swept = 0.0
        self._stop_at: float | None = None

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, unless another worker has by then."""
        time.sleep(self._hold())
        try:
            client, address = listener.accept()
        except OSError:  # another worker was quicker, or the client went away
            return
        self.nr_conns += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALL_SECONDS, 0))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", STALL_SECONDS, 0))
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.source = _Source(conn.sock)
        conn.parser = http.get_parser(self.cfg, conn.source, address)
        conn.initialized = conn.data_ready = True
        self._expect(conn)

    def _hold(self) -> float:
        "Seconds to leave a new client to the other workers; none where there are none."
        load = self.nr_conns - len(self.lingering) + self.in_hand
        return LONGEST_HOLD * load / (load + 8) if self.cfg.workers > 1 else 0.0

    def _expect(self, conn: TConn, begun: bytes = b"") -> None:
        "Wait for the next request of a connection, of which something may be here."
        now = time.monotonic()
        limit = getattr(self.wsgi, "config", {}).get("MAX_CONTENT_LENGTH") or 20 * 2**20
        self.arriving[conn] = Arrival(limit, now, now, kept=conn.parser.req_count > 0)
        conn.sock.setblocking(False)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn))
        if begun:
            self._add(conn, begun)
        if conn in self.arriving:
            self._read(conn)
        if len(self.arriving) > self.worker_connections - ROOM:
            self._refuse_slowest()

    def _read(self, conn: TConn, _sock: object = None) -> None:
        try:
            data = conn.sock.recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if data:
            self._add(conn, data)
        else:
            self._forget(conn)
            self._end(conn)

    def _add(self, conn: TConn, data: bytes) -> None:
        arrival = self.arriving[conn]
        before, told = arrival.size, arrival.announced
        arrival.add(data, time.monotonic())
        self.buffered += arrival.size - before
        if arrival.whole:
            self._give(conn, arrival)
        elif arrival.headless and arrival.size > MAX_HEAD:
            self._refuse(conn, "headers-too-large")
        elif arrival.announced and not told:
            try:
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            except OSError:
                self._forget(conn)
                self._end(conn)
        if self.buffered > BUFFER:
            self._refuse_slowest()

    def _refuse_slowest(self) -> None:
        "Room is short: whoever has sent nothing for longest is cut off, those that hold something first."
        if self.arriving:
            conn = min(self.arriving, key=lambda one: (not self.arriving[one].size, self.arriving[one].last))
            self._refuse(conn, "request-timeout")

    def _give(self, conn: TConn, arrival: Arrival) -> None:
        "Hand a whole request to a thread; a large one waits until there is room."
        del self.arriving[conn]
        self.poller.unregister(conn.sock)
        conn.arrival, conn.source.pieces = arrival, arrival.pieces
        if arrival.size > LARGE and self.large_in_hand >= 2:
            self.large.append(conn)
            return
        self._start(conn)

    def _start(self, conn: TConn) -> None:
        self.in_hand += 1
        self.large_in_hand += conn.arrival.size > LARGE
        self.enqueue_req(conn)

    def finish_request(self, conn: TConn, done: Future) -> None:
        """Wait for the connection's next request, or end it."""
        size, self.in_hand = conn.arrival.size, self.in_hand - 1
        self.buffered -= size
        self.large_in_hand -= size > LARGE
        if self.large and self.large_in_hand < 2:
            self._start(self.large.popleft())
        try:
            kept = not done.cancelled() and bool(done.result())
            if kept:
                self._expect(conn, conn.parser.unreader.take_buffered() + conn.source.take())
                return
        except Exception:
            self.log.exception("a connection broke off")
        self._linger(conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        return keepalive and not conn.arrival.too_long and super()._keepalive_after(conn, keepalive)

    def _refuse(self, conn: TConn, kind: str) -> None:
        "Tell a client that its request is not waited for any longer."
        self._forget(conn)
        try:
            conn.sock.send(self._problem(kind, conn.client))
        except OSError:
            self._end(conn)
            return
        self._linger(conn)

    def _problem(self, kind: str, address: Any) -> bytes:
        number = uuid.uuid4().hex
        client = address[0] if isinstance(address, tuple) else ""
        self.log.info("refused", extra={"fields": {"id": number, "problem": kind, "client": client}})
        return as_bytes(ProblemError(kind), number)

    def _forget(self, conn: TConn) -> None:
        arrival = self.arriving.pop(conn)
        self.poller.unregister(conn.sock)
        self.buffered -= arrival.size

    def _linger(self, conn: TConn) -> None:
        "Say that no more comes, and take in what is still sent: a connection closed at once would lose the answer."
        conn.source.pieces.clear()
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError):
            self._end(conn)
            return
        self.lingering[conn] = time.monotonic() + LINGER_SECONDS
        self._drain(conn)

    def _drain(self, conn: TConn, _sock: object = None) -> None:
        try:
            if conn.sock.recv(READ):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._let_go(conn)

    def _let_go(self, conn: TConn) -> None:
        del self.lingering[conn]
        self.poller.unregister(conn.sock)
        self._end(conn)

    def _end(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Cut off those whose time is over (or all if forced)."""
        now = time.monotonic()
        if not force and now - self._swept < 0.25:
            return
        self._swept = now
        for conn in [conn for conn, end in self.lingering.items() if force or end < now]:
            self._let_go(conn)
        for conn, arrival in list(self.arriving.items()):
            if arrival.size and self._is_late(arrival, now):
                self._refuse(conn, "request-timeout")
            elif force or (not arrival.size and self._is_idle(arrival, now)):
                self._forget(conn)
                self._end(conn)

    def _is_late(self, arrival: Arrival, now: float) -> bool:
        if arrival.headless and now - arrival.began > HEAD_SECONDS:
            return True
        return now - arrival.last > IDLE_SECONDS or now - arrival.began > WHOLE_SECONDS

    def _is_idle(self, arrival: Arrival, now: float) -> bool:
        if self._stop_at is not None and now > self._stop_at:
            return True
        return now - arrival.began > (self.cfg.keepalive if arrival.kept else HEAD_SECONDS)

    def _cap_keepalive(self, deadline: float) -> None:
        self._stop_at = deadline

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what gunicorn refuses with a problem, as everything else here."""
        said = _Said()
        super().handle_error(req, said, addr, exc)
        status = int(said.data.split(b" ", 2)[1]) if said.data else 500
        try:
            util.write_nonblock(client, self._problem(kind_of_status(status), addr))
        except OSError:
            self.log.debug("the client did not wait for its answer")
