"""One writer at a time, across kernels, the server and the work: a lock that its holder's death frees."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows; there the dashboard is for one page at a time
    fcntl = None


def _take(file: int, wait: bool) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    "Hold a lock while the block runs; waits for whoever holds it."
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(file, wait=True)
        yield
    finally:
        os.close(file)


def try_lock(path: Path) -> int | None:
    "An open file that holds the lock until it is closed, also by a child that inherits it; `None` if somebody has it."
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if _take(file, wait=False):
        return file
    os.close(file)
    return None


def is_locked(path: Path) -> bool:
    "Whether somebody holds the lock."
    if not path.exists():
        return False
    file = try_lock(path)
    if file is None:
        return True
    os.close(file)
    return False
