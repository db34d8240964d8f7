"""Logs: whatever is logged becomes one whole line, in which the caller cannot forge a line or a field."""

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from baselib.contract import Settings
from baselib.contract.settings import LogFormat
from baselib.telemetry.logs import configure_logs, log_handler
from baselib.telemetry.span import Span, observed

IDENTITY = {"product": "duolingo", "service": "api", "owner": "platform", "environment": "prod", "release": "1.2.3"}
FIRST_FIELDS = ["timestamp", "level", "logger", "message", *IDENTITY]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Output:
    """A logger with one handler that writes bytes, as standard output does, so that encoding is part of the test."""

    def __init__(self, form: LogFormat = "json", identity: Mapping[str, str] = IDENTITY) -> None:
        self._bytes = io.BytesIO()
        # What Python makes of standard output in a container: UTF-8, and an error for what UTF-8 cannot hold.
        self._stream = io.TextIOWrapper(self._bytes, encoding="utf-8", errors="strict", newline="\n")
        self.logger = logging.Logger("test.logs")  # noqa: LOG001 - not to be found in the process's tree of loggers
        self.logger.addHandler(log_handler(identity, form, self._stream))

    def text(self) -> str:
        self._stream.flush()
        return self._bytes.getvalue().decode("utf-8")

    def lines(self) -> list[str]:
        """The lines as anybody may cut them, not only at line feeds."""
        return self.text().splitlines()

    def line(self) -> dict[str, Any]:
        """The one line, as strict JSON."""
        text = self.text()
        assert text.endswith("\n"), f"no line was written: {text!r}"
        assert text.count("\n") == 1, text
        assert len(text.splitlines()) == 1, text
        parsed: dict[str, Any] = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_without_doubles)
        return parsed


def _no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Only the outermost object is the contract's; a dict with keys 1 and "1" inside a field is the caller's affair.
    if pairs and pairs[0][0] == "timestamp":
        assert len({name for name, _ in pairs}) == len(pairs), "a field is there twice"
    return dict(pairs)


@pytest.fixture(autouse=True)
def _a_lost_line_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(handler: logging.Handler, record: logging.LogRecord) -> NoReturn:
        raise AssertionError("a line was lost") from sys.exc_info()[1]

    monkeypatch.setattr(logging.Handler, "handleError", lost)


class _ReprRaises:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class _StrRaises:
    def __str__(self) -> str:
        raise AttributeError("no str")


class _WithoutTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def _self_containing_list() -> list[Any]:
    inner: list[Any] = [1]
    inner.append(inner)
    return inner


def _self_containing_dict() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    inner["self"] = {"again": inner}
    return inner


def _deep() -> list[Any]:
    inner: list[Any] = []
    for _ in range(100_000):
        inner = [inner]
    return inner


HOSTILE: dict[str, Callable[[], Any]] = {
    "line feed": lambda: 'a\n{"level":"CRITICAL"}',
    "carriage return": lambda: "a\r\nb",
    "line separator": lambda: "a\u2028b\u2029c",
    "next line": lambda: "a\x85b",
    "form feed and separators": lambda: "a\x0b\x0c\x1c\x1d\x1eb",
    "nul": lambda: "a\0b",
    "escape": lambda: "\x1b[2J\x1b]0;title\x07",
    "C1 escape": lambda: "\x9b31m",
    "right to left": lambda: "\u202eabc",
    "lone surrogate": lambda: "a\ud800b",
    "file name that is no text": lambda: b"caf\xe9".decode("utf-8", "surrogateescape"),
    "quotes": lambda: '","level":"CRITICAL","x":"',
    "bytes": lambda: b"\xff\n",
    "nan": lambda: float("nan"),
    "infinity": lambda: [float("-inf")],
    "huge number": lambda: 10**5000,
    "set": lambda: {1},
    "class": lambda: _ReprRaises,
    "repr that raises": _ReprRaises,
    "repr that raises, nested": lambda: {"a": [_ReprRaises()]},
    "str that raises": _StrRaises,
    "error without text": _WithoutTextError,
    "self-containing list": _self_containing_list,
    "self-containing dict": _self_containing_dict,
    "deep list": _deep,
    "tuple as key": lambda: {(1, 2): 3},
    "object as key": lambda: {_ReprRaises(): 3},
    "number as key": lambda: {1: 2, None: 3, False: 4},
    "surrogate as key": lambda: {"\ud800": 1},
}


@pytest.fixture(params=sorted(HOSTILE))
def hostile(request: pytest.FixtureRequest) -> Any:
    """Something that nobody should log and somebody will."""
    return HOSTILE[request.param]()


def test_a_hostile_field_is_one_whole_line(hostile: Any) -> None:
    output = _Output()
    output.logger.error("happened", extra={"field": hostile, "other": "kept"})
    line = output.line()
    assert line["message"] == "happened"
    assert line["other"] == "kept"
    assert "field" in line


def test_a_hostile_message_is_one_whole_line(hostile: Any) -> None:
    output = _Output()
    output.logger.error(hostile)
    assert output.line()["level"] == "ERROR"


def test_a_hostile_argument_is_one_whole_line(hostile: Any) -> None:
    output = _Output()
    output.logger.error("got %s", hostile)
    assert output.line()["level"] == "ERROR"


def test_a_hostile_field_is_one_line_on_a_console(hostile: Any) -> None:
    output = _Output("console")
    output.logger.error("happened", extra={"field": hostile})
    (line,) = output.lines()
    assert line.isprintable()
    assert "happened" in line


def test_a_hostile_message_is_one_line_on_a_console(hostile: Any) -> None:
    output = _Output("console")
    output.logger.error(hostile)
    (line,) = output.lines()
    assert line.isprintable()


_NAMES = st.one_of(
    st.text(max_size=8),
    st.sampled_from([*FIRST_FIELDS, "request_id", "trace_id", "error.type", "error.message", "error.stack", "error."]),
)
_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.text(alphabet='\n\r\u2028\u2029\x85\0\x1b\ud800\udfff"\\', max_size=6),
        st.binary(max_size=4),
        st.builds(_ReprRaises),
        st.builds(object),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers(), st.tuples(st.integers())), inner, max_size=3),
    ),
    max_leaves=6,
)
_RESERVED_BY_LOGGING = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@settings(deadline=None, max_examples=300)
@given(
    message=st.one_of(st.text(), _VALUES),
    fields=st.dictionaries(_NAMES.filter(lambda name: name not in _RESERVED_BY_LOGGING), _VALUES, max_size=4),
    spanned=st.booleans(),
)
@example(message="a\u2028b", fields={}, spanned=False)
def test_every_record_is_one_line_with_the_contracts_fields_first(
    message: Any, fields: dict[str, Any], spanned: bool
) -> None:
    output = _Output()
    span = Span("request", "/", request_id="the-request", trace_id="the-trace")
    try:
        raise KeyError("key")
    except KeyError:
        if spanned:
            with observed(span, ()):
                output.logger.exception(message, extra=fields)
        else:
            output.logger.exception(message, extra=fields)
    line = output.line()
    identifiers = ["request_id", "trace_id"] if spanned else []
    assert list(line)[: len(FIRST_FIELDS) + len(identifiers)] == [*FIRST_FIELDS, *identifiers]
    assert line["level"] == "ERROR"
    assert line["logger"] == "test.logs"
    assert {name: line[name] for name in IDENTITY} == IDENTITY
    assert line["error.type"] == "KeyError"
    assert line["error.message"] == "'key'"
    assert line["error.stack"].startswith("Traceback")
    if spanned:
        assert (line["request_id"], line["trace_id"]) == ("the-request", "the-trace")


@settings(deadline=None, max_examples=200)
@given(message=st.text(), name=st.text(max_size=8), value=st.text(), logger=st.text())
def test_every_record_is_one_printable_line_on_a_console(message: str, name: str, value: str, logger: str) -> None:
    output = _Output("console")
    output.logger.name = logger
    extra = {name: value} if name not in _RESERVED_BY_LOGGING else {}
    output.logger.info("%s", message, extra=extra)
    (line,) = output.lines()
    assert line.isprintable()


@pytest.mark.parametrize("name", ["timestamp", "level", "logger", *IDENTITY, "request_id", "trace_id"])
def test_a_callers_field_does_not_replace_one_of_the_contracts(name: str) -> None:
    output, plain = _Output(), _Output()
    with observed(Span("request", "/", request_id="the-request", trace_id="the-trace"), ()):
        plain.logger.info("happened")
        output.logger.info("happened", extra={name: "forged"})
    line = output.line()
    assert line[name] != "forged"
    assert line[f"{name}_"] == "forged"
    if name != "timestamp":
        assert line[name] == plain.line()[name]


@pytest.mark.parametrize("name", ["error.type", "error.message", "error.stack"])
@pytest.mark.parametrize("failed", [True, False])
def test_a_callers_field_cannot_pretend_an_error(name: str, failed: bool) -> None:
    output = _Output()
    output.logger.info("happened", extra={name: "forged"}, exc_info=ValueError("real") if failed else None)
    line = output.line()
    assert line.get(name) != "forged"
    assert line[f"{name}_"] == "forged"


def test_no_field_of_the_callers_is_lost_to_another() -> None:
    output = _Output()
    output.logger.info("happened", extra={"level_": "first", "level": "second"})
    line = output.line()
    assert {"first", "second"} <= {value for value in line.values() if isinstance(value, str)}


def test_a_field_whose_name_is_no_text_is_one_whole_line() -> None:
    output = _Output()
    extra: Any = {5: "five", (1, 2): "pair", "other": "kept"}
    output.logger.info("happened", extra=extra)
    assert output.line()["other"] == "kept"


def test_plain_values_keep_their_types() -> None:
    output = _Output()
    output.logger.info("sold", extra={"amount": 3, "fine": True, "share": 0.5, "none": None, "list": [1, {"a": "é"}]})
    line = output.line()
    assert [line[name] for name in ("amount", "fine", "share", "none")] == [3, True, 0.5, None]
    assert line["list"] == [1, {"a": "é"}]


def test_one_field_that_is_no_json_leaves_the_others_as_they_are() -> None:
    output = _Output()
    output.logger.info("sold", extra={"bad": object(), "amount": 3})
    line = output.line()
    assert line["amount"] == 3
    assert line["bad"].startswith("<object object at")


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("%s and %s", ("one",)),
        ("no place", ("one", "two")),
        ("%d", ("one",)),
        ("%(name)s", ({"other": 1},)),
        ("%d", (float("inf"),)),
        ("%c", (0x110000,)),
        ("100%", ("one",)),
        ("%z", ("one",)),
        ("%s", (_StrRaises(),)),
        ("%r", (_ReprRaises(),)),
        ("%s", (10**5000,)),
    ],
)
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_mistake_in_a_log_call_does_not_lose_the_line(
    form: LogFormat, message: str, arguments: tuple[object, ...]
) -> None:
    output = _Output(form)
    output.logger.info(message, *arguments)
    (line,) = output.lines()
    assert message in (json.loads(line)["message"] if form == "json" else line)


def test_arguments_are_put_into_the_message() -> None:
    output = _Output()
    output.logger.info("%s of %d", "one", 2)
    assert output.line()["message"] == "one of 2"


def test_an_exception_becomes_type_message_and_stack() -> None:
    output = _Output()
    try:
        try:
            raise OSError("disk\nfull")
        except OSError as cause:
            raise json.JSONDecodeError("bad", "doc", 0) from cause
    except ValueError:
        output.logger.exception("could not read")
    line = output.line()
    assert line["error.type"] == "json.decoder.JSONDecodeError"
    assert line["error.message"] == "bad: line 1 column 1 (char 0)"
    assert "OSError: disk\nfull" in line["error.stack"]
    assert "test_lines.py" in line["error.stack"]


def test_a_group_of_exceptions_becomes_one_line() -> None:
    output = _Output()
    output.logger.error("both", exc_info=ExceptionGroup("two", [ValueError("a"), TypeError("b")]))
    line = output.line()
    assert line["error.type"] == "ExceptionGroup"
    assert "ValueError: a" in line["error.stack"]


def test_an_exception_without_text_does_not_lose_the_line() -> None:
    output = _Output()
    output.logger.error("failed", exc_info=_WithoutTextError())
    line = output.line()
    assert line["error.type"].endswith("_WithoutTextError")
    assert "Traceback" in line["error.stack"] or "_WithoutTextError" in line["error.stack"]


def test_exception_without_an_exception_is_a_plain_line() -> None:
    output = _Output()
    output.logger.exception("nothing is wrong")  # noqa: LOG004 - a mistake that callers make
    assert "error.type" not in output.line()


@pytest.mark.parametrize(
    ("created", "stamp"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1700000000.9999, "2023-11-14T22:13:20.999Z"),
        (1700000000.0, "2023-11-14T22:13:20.000Z"),
        (4102444800.5, "2100-01-01T00:00:00.500Z"),
    ],
)
def test_the_timestamp_is_rfc_3339_in_utc_with_milliseconds(created: float, stamp: str) -> None:
    output = _Output()
    record = logging.makeLogRecord({"name": "a", "levelname": "INFO", "levelno": 20, "msg": "m", "created": created})
    output.logger.handlers[0].handle(record)
    assert output.line()["timestamp"] == stamp


def test_a_line_outside_of_a_span_has_no_ids_and_a_line_inside_has() -> None:
    outside, inside, untraced = _Output(), _Output(), _Output()
    outside.logger.info("a")
    with observed(Span("request", "/", request_id="r", trace_id="t"), ()):
        inside.logger.info("a")
    with observed(Span("request", "/", request_id="r"), ()):
        untraced.logger.info("a")
    assert not {"request_id", "trace_id"} & outside.line().keys()
    assert (inside.line()["request_id"], inside.line()["trace_id"]) == ("r", "t")
    assert "trace_id" not in untraced.line()


def test_a_console_shows_level_logger_message_fields_and_request() -> None:
    output = _Output("console")
    with observed(Span("request", "/", request_id="the-request"), ()):
        output.logger.warning("sold %d", 3, extra={"amount": 3})
    (line,) = output.lines()
    assert "WARNING" in line
    assert line.endswith("test.logs: sold 3 amount=3 request_id=the-request")
    assert "\x1b" not in line


def test_a_console_shows_a_stack_indented_and_without_escapes() -> None:
    output = _Output("console")
    try:
        raise ValueError("a\x1b[31m\nTraceback forged")
    except ValueError:
        output.logger.exception("failed")
    first, *stack = output.lines()
    assert "failed" in first
    assert all(line.startswith("    ") and line.isprintable() for line in stack)
    assert any("ValueError: a\\x1b[31m" in line for line in stack)


def test_a_terminal_gets_colours_for_the_level_only() -> None:
    terminal = _Terminal()
    logger = logging.Logger("a")  # noqa: LOG001
    logger.addHandler(log_handler(IDENTITY, "console", terminal))
    logger.error("\x1b[32mfine", extra={"field": "\x1b[32m"})
    text = terminal.getvalue()
    assert text.count("\x1b") == 2
    assert "\x1b[31mERROR   \x1b[0m" in text


def _settings(**more: Any) -> Settings:
    return Settings(product="duolingo", service="api", owner="platform", environment="prod", release="1.2.3", **more)


@pytest.mark.parametrize(
    ("log_format", "stream", "expected"),
    [
        (None, io.StringIO, "json"),
        (None, _Terminal, "console"),
        ("json", _Terminal, "json"),
        ("console", io.StringIO, "console"),
    ],
)
def test_the_form_is_what_is_asked_for_or_what_suits_the_stream(
    log_format: LogFormat | None, stream: type[io.StringIO], expected: str
) -> None:
    target = stream()
    configure_logs(_settings(log_format=log_format), target)
    logging.getLogger("shop").warning("sold")
    assert target.getvalue().startswith("{") == (expected == "json")


def test_configuring_twice_does_not_double_the_lines() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logs(_settings(), first)
    configure_logs(_settings(), second)
    configure_logs(_settings(), second)
    logging.getLogger("shop").warning("sold")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_handlers_of_somebody_else_are_left_alone() -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    configure_logs(_settings(), io.StringIO())
    assert other in logging.getLogger().handlers


def test_the_level_is_the_settings() -> None:
    stream = io.StringIO()
    configure_logs(_settings(log_level="WARNING"), stream)
    logging.getLogger("shop").info("quiet")
    logging.getLogger("shop").warning("loud")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_standard_output_is_where_lines_go_when_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(_settings())
    logging.getLogger("shop").warning("sold")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["message"] == "sold"
    assert captured.err == ""


def test_warnings_become_lines() -> None:
    stream = io.StringIO()
    # pytest has put its own showwarning in place, which captureWarnings keeps and gives back.
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logs(_settings(), stream)
        warnings.warn("old\nway", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    (text,) = stream.getvalue().splitlines()
    line = json.loads(text)
    assert line["logger"] == "py.warnings"
    assert line["level"] == "WARNING"
    assert "UserWarning: old\nway" in line["message"]


def test_many_threads_write_whole_lines() -> None:
    output = _Output()

    def write(number: int) -> None:
        for count in range(100):
            output.logger.info("x" * 200, extra={"writer": number, "count": count})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    told = {(line["writer"], line["count"]) for line in map(json.loads, output.lines())}
    assert len(told) == 800
