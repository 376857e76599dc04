"""gunicorn's threaded worker, and who takes the next request."""

import socket
import time

from gunicorn.workers.gthread import ThreadWorker

LONGEST = 0.004  # seconds


class FewestFirst(ThreadWorker):
    """Of several workers on one socket, the one with the fewest requests in hand takes the next.

    A request that a busy worker has accepted cannot move to an idle one. So before it accepts, a worker holds back for
    a millisecond for each request that it has; one with fewer is quicker, and the socket is then empty.
    """

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, unless another worker has by then."""
        time.sleep(min(self.nr_conns / 1000, LONGEST))
        super().accept(listener)
