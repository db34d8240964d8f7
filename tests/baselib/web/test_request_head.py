"""Heads of requests, judged whole and in pieces."""

from http import HTTPStatus

import pytest

from baselib.web.request_head import COMPLETE, LONGEST_HEAD_BYTES, LONGEST_LINE_BYTES, field, judge, path_of

HEAD = b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-Request-Id:  mine \r\n\r\n"
HEADS = [
    HEAD,
    b"\r\n" + HEAD,
    b"GET / HTTP/1.0\r\n\r\n",
    HEAD[:-4] + b"\r\nX: " + b"a" * LONGEST_LINE_BYTES + b"\r\n\r\n",
    HEAD + b"and \n a body \x00",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_head_is_complete_with_its_last_byte_however_it_comes(head: bytes, size: int) -> None:
    end = head.index(b"\r\n\r\n") + 4
    known = 0
    for arrived in [*range(size, end, size), end]:
        verdict = judge(head[:arrived], known)
        assert verdict is (COMPLETE if arrived == end else None)
        known = arrived


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\nHost: a", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nX: \x00", b"\n", b"GET / HTTP/1.1\r\nX: a\n"],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_can_never_be_a_head_is_not_waited_for(head: bytes, size: int) -> None:
    known, verdict = 0, None
    for arrived in [*range(size, len(head), size), len(head)]:
        verdict = verdict or judge(head[:arrived], known)
        known = arrived
    assert verdict is HTTPStatus.BAD_REQUEST


def test_the_limits_count_for_heads_that_are_complete_and_for_those_that_are_not() -> None:
    line = b"GET /" + b"a" * LONGEST_LINE_BYTES
    large = b"GET / HTTP/1.1\r\n" + b"X: aaaaaaaaaaaaaaa\r\n" * (LONGEST_HEAD_BYTES // 20 + 1)
    for end in (b"", b"\r\n\r\n"):
        assert judge(line + end) is HTTPStatus.REQUEST_URI_TOO_LONG
        assert judge(large + end) is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id"])
def test_a_header_is_found_in_any_case_and_only_in_the_head(name: str) -> None:
    assert field(HEAD, name) == "mine"
    assert field(HEAD.lower(), name) == "mine"
    assert field(b"GET / HTTP/1.1\r\n\r\n\r\nX-Request-Id: of the body\r\n", name) is None


def test_the_path_is_what_stands_before_the_query() -> None:
    assert path_of(HEAD) == path_of(b"\r\n" + HEAD) == ("GET", "/a")
    assert path_of(b"nonsense") == ("nonsense", "")
