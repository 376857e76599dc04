"""Fetch a photograph from an address that a visitor typed: the library's fetcher, its errors as the site's problems."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from celebml.errors import FetchError
from celebml.open_web import Connect, Place, RefusedError, Resolver, TooLargeError, ask, check_address

from .problems import ProblemError

MAX_REDIRECTS = 3


def _problem(error: FetchError) -> ProblemError:
    "What went wrong, as a sentence of its own."
    kind = {RefusedError: "fetch-refused", TooLargeError: "too-large"}.get(type(error), "fetch-failed")
    text = str(error)
    begins_with_host = "." in text.split(" ")[0]
    return ProblemError(kind, f"{text if begins_with_host else text[:1].upper() + text[1:]}.")


def check_url(url: str, hosts: Sequence[str], resolver: Resolver | None = None) -> Place:
    "Where an address leads, if it may be fetched. Raises `ProblemError`."
    try:
        return check_address(url, hosts, resolver=resolver)
    except FetchError as error:
        raise _problem(error) from error


def fetch(
    url: str,
    hosts: Sequence[str],  # allow-list; empty for fetching turned off
    max_bytes: int,
    seconds: float,  # for everything, redirects included
    resolver: Resolver | None = None,
    connect: Connect | None = None,
) -> bytes:
    "The bytes at an address, each redirect checked like the first address. Raises `ProblemError`."
    if not hosts:
        raise ProblemError("fetch-off")
    headers = {"Accept": "image/*", "User-Agent": "celebml"}
    plug = {"connect": connect} if connect else {}
    try:
        answer = ask(url, max_bytes, seconds, headers, hosts, redirects=MAX_REDIRECTS, resolver=resolver, **plug)
    except FetchError as error:
        raise _problem(error) from error
    if answer.status != 200:
        raise ProblemError("fetch-failed", f"{urlsplit(answer.url).hostname} answered {answer.status}.")
    return answer.body
