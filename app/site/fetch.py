"""Fetch one photograph from an address that a stranger wrote, without becoming the stranger's way into the network."""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from urllib.parse import urljoin, urlsplit

import urllib3

from celebml.addresses import is_public

from .problems import ProblemError

MAX_REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}
Resolver = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    "Addresses of a host, as the system's resolver gives them."
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def allowed_host(host: str, hosts: Sequence[str]) -> bool:
    "Whether a host is on the allow-list: itself, below a `.example.org`, or any for `*`."
    return any(rule == "*" or host == rule or (rule.startswith(".") and host.endswith(rule)) for rule in hosts)


def check_url(url: str, hosts: Sequence[str], resolver: Resolver = resolve) -> tuple[str, str, int, str, str]:
    "Scheme, host, port, path and the one address to connect to. Raises `ProblemError`."
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").rstrip(".").encode("idna").decode().lower()
        port = parts.port
    except (ValueError, UnicodeError) as error:
        raise ProblemError("fetch-refused", "This is not a web address.") from error
    if parts.scheme not in _PORTS or not host or parts.username or parts.password:
        raise ProblemError("fetch-refused", "Only plain http and https addresses are fetched.")
    if port not in (None, _PORTS[parts.scheme]):
        raise ProblemError("fetch-refused", "Only the usual ports 80 and 443 are fetched from.")
    if not allowed_host(host, hosts):
        raise ProblemError("fetch-refused", f"{host} is not on this server's list of sites.")
    port = _PORTS[parts.scheme]
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise ProblemError("fetch-failed", f"{host} has no address.") from error
    if not addresses or not all(map(is_public, addresses)):
        raise ProblemError("fetch-refused", f"{host} is not on the public internet.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port, path, addresses[0]


def fetch(
    url: str,
    hosts: Sequence[str],  # allow-list; empty for fetching turned off
    max_bytes: int,
    seconds: float,  # for everything, redirects included
    resolver: Resolver = resolve,
    connect: Callable[[str, str, int, str, float], urllib3.connectionpool.HTTPConnectionPool] | None = None,
) -> bytes:
    "The bytes at an address, each redirect checked like the first address. Raises `ProblemError`."
    if not hosts:
        raise ProblemError("fetch-off")
    deadline = time.monotonic() + seconds
    for _ in range(MAX_REDIRECTS + 1):
        scheme, host, port, path, address = check_url(url, hosts, resolver)
        left = deadline - time.monotonic()
        if left <= 0:
            raise ProblemError("fetch-failed", f"{host} took longer than {seconds:g} seconds.")
        with (connect or _pool)(scheme, address, port, host, left) as pool:
            target = _get(pool, host, path, max_bytes, deadline)
        if isinstance(target, bytes):
            return target
        url = urljoin(url, target)
    raise ProblemError("fetch-failed", f"There were more than {MAX_REDIRECTS} redirects.")


def _pool(scheme: str, address: str, port: int, host: str, seconds: float) -> urllib3.connectionpool.HTTPConnectionPool:
    "A connection to the address that was checked; the name is used for TLS alone and is not resolved again."
    timeout = urllib3.Timeout(connect=min(3.0, seconds), read=min(5.0, seconds))
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address, port, timeout=timeout, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED"
    )


def _get(
    pool: urllib3.connectionpool.HTTPConnectionPool, host: str, path: str, limit: int, deadline: float
) -> bytes | str:
    "The body, or the address of a redirect."
    headers = {"Host": host, "Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "celebml"}
    try:
        response = pool.request(
            "GET", path, headers=headers, redirect=False, retries=False, preload_content=False, assert_same_host=False
        )
        with closing(response):
            return _read(response, host, limit, deadline)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ProblemError("fetch-failed", f"{host} could not be reached.") from error


def _read(response: urllib3.BaseHTTPResponse, host: str, limit: int, deadline: float) -> bytes | str:
    if response.status in (301, 302, 303, 307, 308) and response.headers.get("Location"):
        return str(response.headers["Location"])
    if response.status != 200:
        raise ProblemError("fetch-failed", f"{host} answered {response.status}.")
    too_large = ProblemError("too-large", f"The file at {host} is larger than {limit / 1e6:.0f} MB.")
    if int(response.headers.get("Content-Length") or 0) > limit:
        raise too_large
    data = bytearray()
    while chunk := response.read1(65536):
        data += chunk
        if len(data) > limit:
            raise too_large
        if time.monotonic() > deadline:
            raise ProblemError("fetch-failed", f"{host} took too long.")
    return bytes(data)
