"""A statsd socket that keeps what it gets."""

import socket

from baselib.testing import StatsdReceiver
from tests.baselib.processes import until


def _send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", port))


def test_every_line_of_every_datagram_is_kept_in_order() -> None:
    with StatsdReceiver() as statsd:
        assert statsd.environment == {"STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(statsd.port)}
        _send(statsd.port, b"a:1|c\nb:2|c", b"c:3|c", b"\xff")
        until(lambda: len(statsd.lines) == 4, "four lines")
    assert statsd.lines == ["a:1|c", "b:2|c", "c:3|c", "\N{REPLACEMENT CHARACTER}"]


def test_what_was_sent_before_the_end_is_there_after_it() -> None:
    with StatsdReceiver() as statsd:
        _send(statsd.port, *[b"a:1|c"] * 50)
    assert statsd.lines == ["a:1|c"] * 50


def test_two_receivers_do_not_hear_each_other() -> None:
    with StatsdReceiver() as first, StatsdReceiver() as second:
        _send(first.port, b"a:1|c")
    assert (first.lines, second.lines) == (["a:1|c"], [])
