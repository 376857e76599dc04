"""A request is whole when its last byte is here, however it was cut on the way."""

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebml_app.site.guard.arrival import Arrival

HEADS = {
    "plain": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b""),
    "length": (b"POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 12\r\n\r\n", b"a\r\n\r\nb\r\n0\r\n\r"),
    "chunks": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3\r\nabc\r\nA;x=y\r\n0\r\n\r\n12345\r\n0\r\n\r\n",
    ),
    "trailers": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n0\r\nA: b\r\n\r\n"),
}


@given(st.sampled_from(sorted(HEADS)), st.lists(st.integers(1, 40), min_size=1))
def test_it_is_whole_with_its_last_byte_and_not_before(name, sizes):
    head, body = HEADS[name]
    sent, arrival, place = head + body, Arrival(1000, 0, 0), 0
    while place < len(sent):
        assert not arrival.whole
        assert arrival.headless == (place < len(head))
        size = sizes[place % len(sizes)]
        arrival.add(sent[place : place + size], place)
        place += size
    assert arrival.whole
    assert b"".join(arrival.pieces) == sent
    assert arrival.size == len(sent)


def test_who_asks_before_sending_is_told_once():
    arrival = Arrival(1000, 0, 0)
    arrival.add(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 1)
    assert arrival.announced and not arrival.whole
    arrival.add(b"abc", 2)
    assert arrival.whole
    assert b"".join(arrival.pieces) == b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n",  # the app says that it is too large
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 400,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 400,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + urllib.parse.quote("x" * 70_000).encode(),
    ],
)
def test_what_need_not_be_waited_for_is_not(sent):
    arrival = Arrival(1000, 0, 0)
    arrival.add(sent, 0)
    assert arrival.whole
