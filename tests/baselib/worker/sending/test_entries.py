"""What SQS would refuse is refused before it is asked; what it would take is taken."""

import base64
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from baselib.contract import Settings
from baselib.telemetry import Span, observed
from baselib.worker.limits import FORBIDDEN
from baselib.worker.sending import fifo
from baselib.worker.sending.entries import Writer
from baselib.worker.sending.errors import UnsendableError
from baselib.worker.sending.outgoing import Outgoing
from baselib.worker.sending.storage import configure_payloads
from tests.baselib.processes import IDENTITY
from tests.sqs_stub.fifo import content_digest
from tests.sqs_stub.sending import _size as size_at_sqs

LIMIT = 1_048_576
STANDARD = "https://sqs.eu-west-1.amazonaws.com/1/lessons"
FIFO = f"{STANDARD}.fifo"
ACCEPTED = st.characters(exclude_categories=["Cs"]).filter(lambda character: not FORBIDDEN.match(character))
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
# The stub takes the size of bytes from their base64, which is exact for every third.
BYTES = st.binary(min_size=3).map(lambda value: value[: len(value) // 3 * 3])
VALUES = st.one_of(st.text(ACCEPTED, min_size=1), st.integers(), BYTES)


def _writer(url: str = STANDARD, **common: Any) -> Writer:
    return Writer(None, url, Outgoing("", **{"delay": 0, **common}))


def _parameters(given_: object, **common: Any) -> dict[str, Any]:
    return dict(_writer(**common).write(0, given_).parameters)


@given(st.text(ACCEPTED, min_size=1), st.dictionaries(NAMES, VALUES, max_size=10))
@example("aé✓😀", {"name": "ü", "count": -12, "bytes": b"abc"})
def test_the_size_counts_as_sqs_counts_it(body: str, attributes: dict[str, str | int | bytes]) -> None:
    entry = _writer(attributes=attributes).write(0, body)
    on_the_wire = {
        name: {key: base64.b64encode(part).decode() if isinstance(part, bytes) else part for key, part in value.items()}
        for name, value in entry.parameters.get("MessageAttributes", {}).items()
    }
    assert entry.weight == size_at_sqs({"MessageBody": body, "MessageAttributes": on_the_wire})


@given(st.characters())
@example("\x1f")
@example("\x20")
@example("\ud7ff")
@example("\ud800")
@example("\udfff")
@example("\ue000")
@example("\ufffd")
@example("\ufffe")
@example("\uffff")
@example("\U0010ffff")
def test_a_character_is_refused_where_the_documentation_says_so(character: str) -> None:
    code = ord(character)
    accepted = (
        code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    )
    for common, body in (({}, f"a{character}"), ({"attributes": {"name": f"b{character}"}}, "a")):
        if accepted:
            assert _parameters(body, **common)["MessageBody"] == body
        else:
            with pytest.raises(UnsendableError, match=f"holds U\\+{code:04X} at 1"):
                _parameters(body, **common)


@pytest.mark.parametrize("body", ["x" * LIMIT, "é" * (LIMIT // 2)])
def test_a_body_of_exactly_the_limit_is_taken(body: str) -> None:
    assert _writer().write(0, body).weight == LIMIT


@pytest.mark.parametrize(
    ("body", "common"),
    [("x" * (LIMIT + 1), {}), ("é" * (LIMIT // 2 + 1), {}), ("x" * LIMIT, {"attributes": {"a": "b"}})],
)
def test_a_body_above_the_limit_is_told_its_size_and_the_way_out(body: str, common: dict[str, Any]) -> None:
    with pytest.raises(UnsendableError, match=r"it has 10485\d\d bytes.* SQS accepts 1048576; set PAYLOAD_BUCKET"):
        _parameters(body, **common)


REFUSED = [
    ("", {}, "the body is empty"),
    (b"bytes", {}, "the body is of type bytes"),
    (None, {}, "the body is of type NoneType"),
    ({"a": 1}, {}, "the body is of type dict"),
    ("x", {"delay": -1}, "delay is -1: accepted are 0 to 900"),
    ("x", {"delay": 901}, "delay is 901"),
    ("x", {"delay": 1.5}, "delay is 1.5"),
    ("x", {"delay": True}, "delay is True"),
    ("x", {"group": ""}, "group is not 1 to 128"),
    ("x", {"group": "a" * 129}, "group is not 1 to 128"),
    ("x", {"group": "a b"}, "group is not 1 to 128"),
    ("x", {"deduplication_id": "a"}, "is for FIFO queues"),
    ("x", {"url": FIFO}, "group is missing"),
    ("x", {"url": FIFO, "group": "a", "delay": 1}, "only the queue itself has a delay"),
    ("x", {"url": FIFO, "group": "a", "deduplication_id": "ü"}, "deduplication_id is not 1 to 128"),
    ("x", {"attributes": {str(n): "v" for n in range(11)}}, "it has 11 attributes: SQS accepts 10"),
    ("x", {"attributes": {"a": ""}}, "attribute 'a' is empty"),
    ("x", {"attributes": {"a": b""}}, "attribute 'a' is empty"),
    ("x", {"attributes": {"a": None}}, "attribute 'a' is of type NoneType"),
    ("x", {"attributes": {"a": True}}, "attribute 'a' is of type bool"),
    ("x", {"attributes": {"a": 1.5}}, "attribute 'a' is of type float"),
    *[
        ("x", {"attributes": {name: "v"}}, "has a name that SQS refuses")
        for name in ("", ".a", "a.", "a..b", "a b", "ü", "AWS.x", "amazon.x", "a" * 257, "a\n", 1)
    ],
    ("x", {"attributes": {"ExtendedPayloadSize": 1}}, "is reserved"),
    ("x", {"attributes": {"SQSLargePayloadSize": "1"}}, "is reserved"),
]


@pytest.mark.parametrize(("body", "common", "told"), REFUSED)
def test_what_sqs_would_refuse_is_told(body: object, common: dict[str, Any], told: str) -> None:
    with pytest.raises(UnsendableError, match=told):
        _parameters(body, **common)


def test_an_error_holds_nothing_of_the_body() -> None:
    for body in ("secret\x00", "secret" * LIMIT):
        with pytest.raises(UnsendableError) as refused:
            _parameters(body)
        assert "secret" not in str(refused.value)


class Note(BaseModel):
    text: str


def test_the_two_characters_that_json_lets_through_are_escaped_in_a_model() -> None:
    body = _parameters(Note(text="a\uffff\ufffe\x00"))["MessageBody"]
    assert Note.model_validate_json(body).text == "a\uffff\ufffe\x00"
    assert not FORBIDDEN.search(body)


def test_a_model_without_json_is_refused_without_its_value() -> None:
    with pytest.raises(UnsendableError, match="the body, a Note, has no JSON") as refused:
        _parameters(Note.model_construct(text="secret\ud800"))
    assert "secret" not in str(refused.value)


def test_a_message_says_what_differs_from_the_others() -> None:
    own = Outgoing("x", delay=3, group="b", attributes={"b": 2, "c": "own"})
    parameters = _parameters(own, delay=5, group="a", attributes={"a": "1", "c": "common"})
    assert parameters["DelaySeconds"] == 3
    assert parameters["MessageGroupId"] == "b"
    assert {name: value["StringValue"] for name, value in parameters["MessageAttributes"].items()} == {
        "a": "1",
        "b": "2",
        "c": "own",
    }
    assert parameters["MessageAttributes"]["b"]["DataType"] == "Number"


@pytest.mark.parametrize(
    ("body", "attributes", "carried"),
    [
        ("x", {}, True),
        ("x", {str(n): "v" for n in range(9)}, True),
        ("x", {str(n): "v" for n in range(10)}, False),
        ("x" * LIMIT, {}, False),
        ("x" * (LIMIT - len("X-Request-IdStringwork") + 1), {}, False),
        ("x" * (LIMIT - len("X-Request-IdStringwork")), {}, True),
    ],
)
def test_the_request_id_is_left_out_rather_than_the_message_refused(
    body: str, attributes: dict[str, str], carried: bool
) -> None:
    with observed(Span("request", "/", request_id="work"), ()):
        entry = _writer(attributes=attributes).write(0, body)
    assert ("X-Request-Id" in entry.parameters.get("MessageAttributes", {})) is carried
    assert entry.weight <= LIMIT


def test_an_id_that_the_sender_names_is_kept() -> None:
    with observed(Span("request", "/", request_id="work"), ()):
        parameters = _parameters("x", attributes={"X-Request-Id": "own"})
    assert parameters["MessageAttributes"]["X-Request-Id"]["StringValue"] == "own"


@pytest.fixture
def _bucket() -> Any:
    configure_payloads(Settings.from_environment({**IDENTITY, "PAYLOAD_BUCKET": "payloads"}), threshold_bytes=1_000)
    yield
    configure_payloads(None)


@pytest.mark.usefixtures("_bucket")
def test_a_body_above_the_threshold_is_replaced_by_a_pointer() -> None:
    entry = _writer(attributes={"a": "b"}).write(0, "é" * 501)
    assert entry.pointer is not None
    assert entry.parameters["MessageBody"] == (
        '["software.amazon.payloadoffloading.PayloadS3Pointer",'
        f'{{"s3BucketName":"payloads","s3Key":"{entry.pointer.key}"}}]'
    )
    assert entry.pointer.key.startswith(f"{IDENTITY['SERVICE_PRODUCT']}-{IDENTITY['SERVICE_NAME']}/")
    assert entry.parameters["MessageAttributes"]["ExtendedPayloadSize"] == {"DataType": "Number", "StringValue": "1002"}
    assert entry.body == "é" * 501


@pytest.mark.usefixtures("_bucket")
def test_attributes_cannot_go_to_the_bucket() -> None:
    with pytest.raises(UnsendableError, match="only a body can go to S3"):
        _parameters("x", attributes={"a": "v" * LIMIT})
    with pytest.raises(UnsendableError, match="it has 10 attributes: SQS accepts 10, one less"):
        _parameters("x" * 1_000, attributes={str(n): "v" for n in range(10)})


def test_a_threshold_above_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="accepted is 0 to 1048576"):
        configure_payloads(
            Settings.from_environment({**IDENTITY, "PAYLOAD_BUCKET": "payloads"}), threshold_bytes=LIMIT + 1
        )


@pytest.mark.usefixtures("_bucket")
def test_a_body_in_the_bucket_counts_as_content_as_it_would_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fifo._content_based, FIFO, True)
    small, large = "x", "x" * 1_001
    assert "MessageDeduplicationId" not in _parameters(small, url=FIFO, group="a")
    # What SQS makes of a body: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    assert _parameters(large, url=FIFO, group="a")["MessageDeduplicationId"] == content_digest(large)
