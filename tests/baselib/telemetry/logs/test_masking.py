"""Masking: no secret in a line, wherever in a value it is, and whoever logs it."""

import argparse
import io
import json
import logging
import types
from collections import OrderedDict, UserDict, deque, namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, ClassVar

import pydantic
import pytest
from werkzeug.datastructures import Headers, MultiDict

from baselib.contract import Settings
from baselib.contract.settings import LogFormat
from baselib.telemetry.logs import configure_logs, log_handler
from baselib.telemetry.logs.masking import Masking

SECRET = "hunter2"

Pair = namedtuple("Pair", "user password")


@dataclass
class Login:
    password: str = SECRET
    user: str = "shown"
    kind: ClassVar[str] = "login"


@dataclass(frozen=True, slots=True)
class Kept:
    user: str = "shown"
    own_word: str = field(default=SECRET, repr=False)


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    user: str = "shown"
    api_key: str = SECRET


class Own(dict[str, str]):
    def items(self) -> Any:
        return []


def _headers() -> Message:
    headers = Message()
    headers["Authorization"] = SECRET
    headers["Accept"] = "shown"
    return headers


VALUES: dict[str, Callable[[], Any]] = {
    "dict": lambda: {"password": SECRET, "user": "shown"},
    "nested": lambda: {"a": [{"b": ({"password": SECRET},)}], "user": "shown"},
    "whole dict": lambda: {"credentials": {"a": SECRET}, "user": "shown"},
    "list": lambda: ["shown", {"token": SECRET}],
    "pairs": lambda: [("Authorization", SECRET), ("Accept", "shown")],
    "pairs of bytes": lambda: [(b"authorization", SECRET.encode()), (b"accept", b"shown")],
    "key of bytes": lambda: {b"cookie": SECRET, b"accept": "shown"},
    "other keys": lambda: {1: {"pin": SECRET}, (1, 2): "shown"},
    "ordered": lambda: OrderedDict(password=SECRET, user="shown"),
    "deque": lambda: deque([{"password": SECRET}, "shown"]),
    "user's dict": lambda: UserDict(password=SECRET, user="shown"),
    "read only": lambda: types.MappingProxyType({"password": SECRET, "user": "shown"}),
    "dict that lies": lambda: Own(password=SECRET, user="shown"),
    "namespace": lambda: types.SimpleNamespace(password=SECRET, user="shown"),
    "arguments": lambda: {"parsed": argparse.Namespace(password=SECRET).__dict__, "user": "shown"},
    "named tuple": lambda: Pair("shown", SECRET),
    "dataclass": Login,
    "dataclass in a dict": lambda: {"a": [Login()]},
    "dataclass with a hidden field": Kept,
    "model": Model,
    "model with more": lambda: Model.model_validate({"password": SECRET}),
    "werkzeug's dict": lambda: MultiDict([("password", SECRET), ("user", "shown")]),
    "werkzeug's headers": lambda: Headers([("Authorization", SECRET), ("Accept", "shown")]),
    "headers": _headers,
    "address": lambda: f"shown postgres://me:{SECRET}@database:5432/shop",
    "address without user": lambda: f"shown redis://:{SECRET}@cache",
    "password with an @": lambda: f"shown amqp://me:{SECRET}@{SECRET}@queue/",
    "signed address": lambda: f"shown https://bucket/key?X-Amz-Signature={SECRET}&x=1",
    "second address": lambda: f"shown http://a/b and http://a/?a=1&access_token={SECRET}#top",
    "address in a list": lambda: [{"shown": f"http://me:{SECRET}@host"}],
    "error with an address": lambda: {"shown": OSError(f"http://me:{SECRET}@host")},
}


@pytest.fixture(params=sorted(VALUES))
def value(request: pytest.FixtureRequest) -> Any:
    return VALUES[request.param]()


def _logged(form: LogFormat, *message: Any, **more: Any) -> str:
    stream = io.StringIO()
    logger = logging.Logger("shop")  # noqa: LOG001
    logger.addHandler(log_handler({}, form, stream))
    logger.error(*message, **more)
    text = stream.getvalue()
    if form == "json":
        json.loads(text)
    return text


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_in_a_field_is_shown(form: LogFormat, value: Any) -> None:
    text = _logged(form, "login", extra={"field": value})
    assert SECRET not in text
    assert "shown" in text


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("message", ["got %s", "got %r"])
def test_no_secret_in_an_argument_is_shown(form: LogFormat, message: str, value: Any) -> None:
    text = _logged(form, message, value)
    assert SECRET not in text
    assert "shown" in text


def test_no_secret_in_a_message_that_is_a_value_is_shown(value: Any) -> None:
    text = _logged("json", value)
    assert SECRET not in text
    assert "shown" in text


def test_what_is_logged_is_not_changed(value: Any) -> None:
    before = repr(value)
    _logged("json", "%s", value, extra={"field": value})
    assert repr(value) == before


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_field_with_such_a_name_is_masked_whatever_it_holds(form: LogFormat) -> None:
    fields = {"password": SECRET, "apiKey": [SECRET], "X-Api-Key": {"a": SECRET}, "pin": 80706050, "amount": 3}
    text = _logged(form, "login", extra=fields)
    assert SECRET not in text
    assert "80706050" not in text
    assert "***" in text


def test_arguments_by_name_are_masked_in_the_message() -> None:
    line = json.loads(_logged("json", "%(user)s has %(password)s", {"user": "ann", "password": SECRET}))
    assert line["message"] == "ann has ***"


def test_whether_there_is_one_is_shown() -> None:
    line = json.loads(_logged("json", "login", extra={"password": None, "token": True}))
    assert line["password"] is None
    assert line["token"] is True


def test_an_exceptions_text_and_stack_show_no_password() -> None:
    try:
        raise OSError(f"cannot reach postgres://me:{SECRET}@database/shop")
    except OSError:
        for form in ("json", "console"):
            text = _logged(form, "failed", exc_info=True)
            assert "me:***@database" in text
            # The stack has the source line as well, in which the name stands and not the value.
            assert SECRET not in text


@pytest.mark.parametrize(
    "text",
    [
        "http://host:80/path@x",
        "ssh://git@github.com/a",
        "mail to ann@example.com: a:b@c",
        "http://host/?page=2&size=3",
        "://@",
        "a://:@b?=&=",
    ],
)
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert Masking().text(text) == text


def test_a_value_without_a_secret_is_the_same_object() -> None:
    for value in ({"a": [1, ("b", 2.0)]}, [{"a": None}], Pair(1, None), {1, 2}, object()):
        assert Masking().value(value) is value


def test_a_value_that_contains_itself_ends() -> None:
    endless: dict[str, Any] = {"password": SECRET}
    endless["left"], endless["right"] = [endless, endless], endless
    text = _logged("json", "%s", endless, extra={"field": endless})
    assert SECRET not in text
    assert len(text) < 1_000_000


def test_what_is_too_deep_or_too_much_to_look_at_is_left_out() -> None:
    deep: Any = {"password": SECRET}
    for _ in range(1000):
        deep = [deep]
    many = [{"password": SECRET} for _ in range(20_000)]
    for value in (deep, many, {"a": many}):
        assert SECRET not in _logged("json", "%s", value, extra={"field": value})


@pytest.mark.parametrize("value", [list(range(20_000)), dict.fromkeys(range(20_000)), {"a": [0] * 20_000}])
def test_a_value_without_end_does_not_make_a_line_without_end(value: Any) -> None:
    text = _logged("json", "many", extra={"field": value})
    assert "..." in text
    assert len(text) < 1000


def test_a_value_that_cannot_be_looked_at_is_not_shown() -> None:
    class Broken(Mapping[str, str]):
        def __getitem__(self, name: str) -> str:
            raise RuntimeError(SECRET)

        def __iter__(self) -> Any:
            return iter(["password"])

        def __len__(self) -> int:
            return 1

        def __repr__(self) -> str:
            return SECRET

    line = json.loads(_logged("json", "login", extra={"field": Broken()}))
    assert line["field"] == "<Broken without text>"


def test_a_service_says_which_fields_it_masks_besides() -> None:
    stream = io.StringIO()
    settings = Settings(
        product="duolingo", service="api", owner="platform", log_format="json", log_masked_fields=("nickname",)
    )
    configure_logs(settings, stream)
    logging.getLogger("shop").error("login", extra={"user": {"nickName": SECRET}})
    assert json.loads(stream.getvalue())["user"] == {"nickName": "***"}
