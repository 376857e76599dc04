"""To wait for what another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

import urllib3

Found = TypeVar("Found")


def until(holds: Callable[[], Found], seconds: float = 90) -> Found:
    """What `holds` gives as soon as it counts as true.

    Raises:
        AssertionError: It did not come about.
    """
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


def answers(address: str) -> bytes:
    """What stands at an address, or nothing as long as nobody answers there with a page."""
    try:
        answer = urllib3.request("GET", address, timeout=5, retries=False)
    except urllib3.exceptions.HTTPError:
        return b""
    return answer.data if answer.status == 200 else b""
