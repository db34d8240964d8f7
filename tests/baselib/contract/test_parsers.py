"""Parsers: the text of a variable becomes a value, or ValueError and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.contract import VARIABLES, parsers


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_whatever_a_variable_holds_a_parser_answers_or_raises_value_error(name: str) -> None:
    parse = VARIABLES[name].parse

    @settings(deadline=None, max_examples=100)
    @given(st.one_of(st.text(), st.text(alphabet="0123456789.:/@[]%#?htps ", max_size=30)))
    def holds(value: str) -> None:
        try:
            parsed = parse(value)
        except ValueError:
            return
        assert "\n" not in str(parsed)
        assert "\r" not in str(parsed)

    holds()


@pytest.mark.parametrize(
    ("parse", "value", "parsed"),
    [
        (parsers.port, "1", 1),
        (parsers.port, "65535", 65535),
        (parsers.port, "08000", 8000),
        (parsers.seconds, "0", 0.0),
        (parsers.seconds, "120", 120.0),
        (parsers.seconds, "0.5", 0.5),
        (parsers.host, "localhost", "localhost"),
        (parsers.host, "10.0.0.1", "10.0.0.1"),
        (parsers.host, "::1", "::1"),
        (parsers.host, "statsd.prod.internal", "statsd.prod.internal"),
        (parsers.url("http"), "http://host", "http://host"),
        (parsers.url("http"), "http://[::1]:80/a", "http://[::1]:80/a"),
        (parsers.token, "0123456789abcdef", "0123456789abcdef"),
    ],
)
def test_a_good_value_is_parsed(parse: Callable[[str], Any], value: str, parsed: object) -> None:
    assert parse(value) == parsed


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (parsers.port, "0"),
        (parsers.port, "65536"),
        (parsers.port, "-1"),
        (parsers.port, "+1"),
        (parsers.port, "1e3"),
        (parsers.port, "8_000"),
        (parsers.port, " 80"),
        (parsers.port, "80\n"),
        (parsers.port, "٨٠"),
        (parsers.port, "9" * 5000),
        (parsers.seconds, "-1"),
        (parsers.seconds, "121"),
        (parsers.seconds, "120.001"),
        (parsers.seconds, "nan"),
        (parsers.seconds, "inf"),
        (parsers.seconds, "1e1"),
        (parsers.seconds, "5\n"),
        (parsers.seconds, "\N{ARABIC-INDIC DIGIT FIVE}"),
        (parsers.host, ""),
        (parsers.host, "a b"),
        (parsers.host, "host:8125"),
        (parsers.host, "http://host"),
        (parsers.host, "host\n"),
        (parsers.host, "-host"),
        (parsers.host, ":"),
        (parsers.host, "a..b"),
        (parsers.host, "a" * 64),
        (parsers.url("http"), "http://"),
        (parsers.url("http"), "https://host"),
        (parsers.url("http"), "http://host:0"),
        (parsers.url("http"), "http://host:99999"),
        (parsers.url("http"), "http://host:port"),
        (parsers.url("http"), "http://[::1"),
        (parsers.url("http"), "http://ho st"),
        (parsers.url("http"), " http://host"),
        (parsers.url("http"), "http://host\n"),
        (parsers.url("http"), "http://ho\u2028st"),
        (parsers.url("http"), "host"),
        (parsers.token, "0123456789abcde"),
        (parsers.token, "0123456789abcdef\n"),
        (parsers.token, "a" * 4097),
        (parsers.text, ""),
        (parsers.text, " "),
        (parsers.text, "a\nb"),
        (parsers.text, "a\x1b[31m"),
    ],
)
def test_a_bad_value_is_refused(parse: Callable[[str], Any], value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is never shown
        parse(value)


@pytest.mark.parametrize(
    ("environ", "expected"), [({"PORT": "8000"}, 8000), ({}, 5000), ({"PORT": "x"}, 5000), ({"PORT": "70000"}, 5000)]
)
def test_the_port_to_ask_at_is_the_variables_or_the_default(environ: dict[str, str], expected: int) -> None:
    assert parsers.port_in(environ, "PORT", 5000) == expected
