"""Identifiers: the caller's where they are harmless, fresh ones where not."""

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.telemetry.identifiers import budget_from, new_request_id, request_id_from, trace_id_from

FRESH = re.compile(r"[0-9a-f]{32}")
ROOT = "1-67891233-abcdef012345678912345678"


def test_fresh_ids_differ() -> None:
    ids = {new_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(FRESH.fullmatch(fresh) for fresh in ids)


@pytest.mark.parametrize("given_id", ["a", "a" * 128, "0b1e-4:5/6+7=8@9._", "1-67891233-abc"])
def test_a_harmless_id_is_kept(given_id: str) -> None:
    assert request_id_from(given_id) == given_id


@pytest.mark.parametrize(
    "given_id",
    [
        None,
        "",
        "a" * 129,
        "a b",
        "a\n",
        "a\r\nX-Evil: 1",
        "ä",
        "\N{FULLWIDTH DIGIT ONE}",
        '"',
        "a\0",
        "\x1b[31m",
        "<script>",
        "a\u2028",
    ],
)
def test_a_harmful_id_is_replaced(given_id: str | None) -> None:
    replaced = request_id_from(given_id)
    assert replaced != given_id
    assert FRESH.fullmatch(replaced)


@settings(deadline=None, max_examples=200)
@given(st.none() | st.text())
def test_whatever_comes_an_id_can_stand_in_a_header_and_a_log_line(given_id: str | None) -> None:
    taken = request_id_from(given_id)
    assert taken.isascii()
    assert taken.isprintable()
    assert " " not in taken
    assert 0 < len(taken) <= 128


@pytest.mark.parametrize(
    "header",
    [
        f"Root={ROOT}",
        f"Self=1-67891234-12456789abcdef012345678;Root={ROOT}",
        f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1",
        f"Self=1-a; Root={ROOT} ;CalledFrom=app",
    ],
)
def test_the_root_of_a_trace_is_found(header: str) -> None:
    assert trace_id_from(header) == ROOT


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Root=",
        "Root=1-67891233-short",
        f"NotRoot={ROOT}",
        f"Root={ROOT}0",
        f"Root={ROOT}\nX: 1",
        "Root=1-٦٧٨٩١٢٣٣-abcdef012345678912345678",
        "Self=1-67891233-abcdef012345678912345678",
    ],
)
def test_a_header_without_a_root_has_no_trace(header: str | None) -> None:
    assert trace_id_from(header) is None


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="Root=1-abcdef0;\n ,", max_size=80))
def test_a_trace_id_is_never_anything_else(header: str) -> None:
    found = trace_id_from(header)
    assert found is None or re.fullmatch(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}", found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 60.0),
        ("", 60.0),
        ("1500", 1.5),
        ("0", 0.0),
        ("60001", 60.0),
        ("999999999999999999", 60.0),
        ("-5", 60.0),
        ("1.5", 60.0),
        ("1e3", 60.0),
        (" 5", 60.0),
        ("٣", 60.0),
        ("5\r\nX: 1", 60.0),
    ],
)
def test_a_budget_is_the_callers_where_it_makes_sense_and_never_more_than_the_services_own(
    value: str | None, expected: float
) -> None:
    assert budget_from(value, 60.0) == expected


def test_a_forked_process_gives_out_other_ids() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_request_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reader, 100).decode()
    os.close(reader)
    os.close(writer)
    assert FRESH.fullmatch(told)
    assert told != new_request_id()
