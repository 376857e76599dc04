"""A request that is still coming in: how much of it is here, and when the rest must be."""

import re
from collections import deque
from dataclasses import dataclass, field

MAX_CHUNK_LINE = 256
MAX_HEAD = 64 * 1024  # bytes of request line and headers; the parser's own limits are narrower
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,15})[ \t]*\r$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:.*chunked")
_EXPECT = re.compile(rb"(?im)^expect:[ \t]*100-continue[ \t]*\r\n")


@dataclass(eq=False)
class Arrival:
    """What of one request has come in so far.

    Parameters
    ----------
    max_body : int
        Bytes; a body that is announced to be larger is not waited for.
    began, last : float
        When the first byte of it came, or the connection was free for it, and when the last came; monotonic seconds.
    """

    max_body: int
    began: float
    last: float
    size: int = 0
    kept: bool = False  # whether the connection has carried a request before
    announced: bool = False  # whether the client waits to be told that it may send the body
    too_long: bool = False
    whole: bool = False
    pieces: deque = field(default_factory=deque)  # of bytes-like pieces, in order
    _need: int | None = None  # bytes of head and body; none while unknown, or in a chunked body
    _chunk: int = 0  # where the next chunk of a chunked body begins; 0 outside of one

    def add(self, data: bytes, now: float) -> None:
        "Take in what has come."
        if not self.size:
            self.began = now
        self.last = now
        self.size += len(data)
        if self._chunk:
            self.pieces[0].extend(data)
        else:
            self.pieces.append(data)
        if self.headless:
            self._read_head()
        if self._chunk:
            self._walk(self.pieces[0])
        elif self._need is not None:
            self.whole = self.size >= self._need

    @property
    def headless(self) -> bool:
        "Whether the headers are not here yet."
        return self._need is None and not self._chunk

    def _read_head(self) -> None:
        data = b"".join(self.pieces)
        self.pieces = deque([data])
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head = data[:end]
        if _EXPECT.search(head):  # answered by who waits here; the parser must not answer again
            self.announced = True
            head = _EXPECT.sub(b"", head, count=1)
            data = head + data[end:]
            self.pieces, self.size = deque([data]), len(data)
        if _CHUNKED.search(head):
            self._chunk = len(head)
            self.pieces = deque([bytearray(data)])
            return
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        self.too_long = length > self.max_body
        self._need = len(head) + (0 if self.too_long else length)

    def _walk(self, data: bytearray) -> None:
        "Go over the chunks; what is no chunk is left to the parser to refuse."
        while not self.whole:
            self.too_long = self.whole = len(data) > 2 * self.max_body
            end = data.find(b"\r\n", self._chunk)
            if end < 0:
                self.whole = self.whole or len(data) - self._chunk > MAX_CHUNK_LINE
                return
            try:
                length = int(bytes(data[self._chunk : end]).split(b";")[0], 16)
            except ValueError:
                self.whole = True
                return
            if length <= 0:
                self.whole = self.whole or data.find(b"\r\n\r\n", end) >= 0 or len(data) - end > MAX_HEAD
                return
            if end + length + 4 > len(data):
                return
            self._chunk = end + length + 4
