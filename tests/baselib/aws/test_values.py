"""Secrets and parameters: read once, renewed in the background, and never shown."""

import json
import logging
import os
import threading
from typing import Any

import pytest

from baselib import aws
from baselib.aws import cached_value, values
from baselib.testing import EmbeddedAws
from tests.baselib.aws.conftest import Configure
from tests.baselib.aws.stub import Answer, Stub, error
from tests.baselib.processes import until

HIDDEN = "hunter2"


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """The clock of secrets and parameters."""
    made = _Clock()
    monkeypatch.setattr(cached_value, "time", made)
    return made


def _secret(text: str) -> Answer:
    return Answer(200, json.dumps({"Name": "key", "SecretString": text}).encode())


@pytest.fixture
def secret(stub: Stub, configure: Configure) -> aws.CachedValue:
    """A secret whose first text is `one`."""
    stub.answer = lambda request: _secret("one")
    configure(stub.url)
    return aws.secret("duolingo-api/key")


def test_a_rotation_is_followed(embedded_aws: EmbeddedAws, configure: Configure) -> None:
    store = embedded_aws.client("secretsmanager")
    store.create_secret(Name="duolingo-api/rotated", SecretString=json.dumps({"user": "api", "password": "one"}))
    configure(embedded_aws.url)
    secret = aws.secret("duolingo-api/rotated", fresh_for=0.0)
    assert secret.json == {"user": "api", "password": "one"}
    store.put_secret_value(SecretId="duolingo-api/rotated", SecretString=json.dumps({"user": "api", "password": "two"}))
    until(lambda: secret.json["password"] == "two", "the new password is there")


def test_a_version_that_is_not_current_yet_is_not_seen(embedded_aws: EmbeddedAws, configure: Configure) -> None:
    store = embedded_aws.client("secretsmanager")
    store.create_secret(Name="duolingo-api/pending", SecretString="one")
    store.put_secret_value(SecretId="duolingo-api/pending", SecretString="two", VersionStages=["AWSPENDING"])
    configure(embedded_aws.url)
    assert aws.secret("duolingo-api/pending").value == "one"


def test_a_parameter_is_decrypted(embedded_aws: EmbeddedAws, configure: Configure) -> None:
    store = embedded_aws.client("ssm")
    store.put_parameter(Name="/duolingo/api/limit", Value="5", Type="String", Overwrite=True)
    store.put_parameter(Name="/duolingo/api/key", Value=HIDDEN, Type="SecureString", Overwrite=True)
    configure(embedded_aws.url)
    assert aws.parameter("/duolingo/api/limit").value == "5"
    assert aws.parameter("/duolingo/api/key").value == HIDDEN
    store.put_parameter(Name="/duolingo/api/limit", Value="6", Type="String", Overwrite=True)
    assert aws.parameter("/duolingo/api/limit").value == "5"
    values.forget_values()
    assert aws.parameter("/duolingo/api/limit").value == "6"


def test_what_is_missing_is_said_by_name(embedded_aws: EmbeddedAws, configure: Configure) -> None:
    configure(embedded_aws.url)
    with pytest.raises(aws.ValueUnavailableError, match=r"^secret 'no/such' does not exist$"):
        _ = aws.secret("no/such").value
    with pytest.raises(aws.ValueUnavailableError, match=r"^parameter '/no/such' does not exist$"):
        _ = aws.parameter("/no/such").value


def test_what_is_denied_says_which_permission_is_missing(stub: Stub, secret: aws.CachedValue) -> None:
    stub.answer = lambda request: error("AccessDeniedException")
    with pytest.raises(aws.ValueUnavailableError, match=r"'duolingo-api/key' may not be read.*GetSecretValue.*Decrypt"):
        _ = secret.value
    stub.answer = lambda request: error("InvalidRequestException")
    with pytest.raises(aws.ValueUnavailableError, match="cannot be read: InvalidRequestException"):
        _ = secret.value
    stub.answer = lambda request: _secret("one")
    assert secret.value == "one"


@pytest.mark.parametrize("name", ["", "duolingo/api/key"])
def test_a_name_that_cannot_be_a_parameters_is_refused_at_once(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        aws.parameter(name)


def test_a_secret_needs_a_name() -> None:
    with pytest.raises(ValueError, match="a secret needs a name"):
        aws.secret("")


def test_a_binary_secret_is_refused(stub: Stub, secret: aws.CachedValue) -> None:
    stub.answer = lambda request: Answer(200, b'{"Name": "key", "SecretBinary": "AAEC"}')
    with pytest.raises(aws.ValueUnavailableError, match="is binary"):
        _ = secret.value


def test_one_object_for_one_name(secret: aws.CachedValue) -> None:
    assert aws.secret("duolingo-api/key") is secret
    assert aws.secret("duolingo-api/other") is not secret
    assert aws.secret("duolingo-api/key", region="us-west-2") is not secret
    for number in range(values._MAXIMUM_VALUES + 10):
        aws.secret(f"key-{number}")
    assert len(values._values) == values._MAXIMUM_VALUES


def test_it_is_read_once_and_then_again_in_the_background(stub: Stub, secret: aws.CachedValue, clock: _Clock) -> None:
    assert [secret.value for _ in range(5)] == ["one"] * 5
    assert len(stub.requests) == 1
    go_on = threading.Event()

    def slow(_: Any) -> Answer:
        go_on.wait(30)
        return _secret("two")

    stub.answer = slow
    clock.now += 299
    assert secret.value == "one"
    assert len(stub.requests) == 1
    clock.now += 2
    assert [secret.value for _ in range(5)] == ["one"] * 5
    until(lambda: len(stub.requests) == 2, "somebody asked")
    assert secret.value == "one"
    go_on.set()
    until(lambda: secret.value == "two", "the new value is there")
    assert len(stub.requests) == 2


def test_an_outage_is_not_noticed(
    stub: Stub, secret: aws.CachedValue, clock: _Clock, caplog: pytest.LogCaptureFixture
) -> None:
    assert secret.value == "one"
    stub.answer = lambda request: error("InternalFailure")
    for round_ in range(1, 4):
        clock.now += 1000
        assert secret.value == "one"
        until(lambda expected=round_: secret._failures == expected, "tried")  # type: ignore[misc]
        until(lambda: not secret._renewing, "given up")
        asked = len(stub.requests)
        # Not again at once.
        assert [secret.value for _ in range(5)] == ["one"] * 5
        assert not secret._renewing
        assert len(stub.requests) == asked
    said = [record for record in caplog.records if record.name == cached_value.__name__]
    assert [record.message for record in said] == ["an old value stays in use"]
    assert said[0].__dict__["aws_value"] == "secret 'duolingo-api/key'"
    stub.answer = lambda request: _secret("two")
    clock.now += 1000
    until(lambda: secret.value == "two", "recovered")
    assert secret._failures == 0


def test_a_refused_secret_is_read_again_on_the_spot(stub: Stub, secret: aws.CachedValue, clock: _Clock) -> None:
    assert secret.value == "one"
    stub.answer = lambda request: _secret("two")
    # It was read a moment ago: a storm of refusals is no storm of calls.
    assert secret.refresh() == "one"
    clock.now += 1.5
    assert [secret.refresh() for _ in range(10)] == ["two"] * 10
    assert secret.value == "two"
    assert len(stub.requests) == 2
    clock.now += 1.5
    stub.answer = lambda request: error("InternalFailure")
    with pytest.raises(aws.ValueUnavailableError):
        secret.refresh()
    assert secret.value == "two"


def test_sixteen_threads_cause_one_call(stub: Stub, secret: aws.CachedValue) -> None:
    go_on, found = threading.Event(), []

    def slow(_: Any) -> Answer:
        go_on.wait(30)
        return _secret("one")

    stub.answer = slow
    threads = [threading.Thread(target=lambda: found.append(secret.value)) for _ in range(16)]
    for thread in threads:
        thread.start()
    until(lambda: stub.requests, "the first has asked")
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert found == ["one"] * 16
    assert len(stub.requests) == 1


def test_it_is_never_shown(stub: Stub, secret: aws.CachedValue, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stub.answer = lambda request: _secret(f'{{"password": "{HIDDEN}"')
    assert HIDDEN in secret.value
    with pytest.raises(aws.ValueUnavailableError, match="does not hold a JSON document") as refusal:
        _ = secret.json
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__
    assert f"{secret!r} {secret} {secret._held!r}".count(HIDDEN) == 0
    assert repr(secret) == "<secret 'duolingo-api/key'>"
    assert HIDDEN not in caplog.text


def test_a_value_that_is_not_text_of_json_is_read_as_it_is(stub: Stub, secret: aws.CachedValue) -> None:
    stub.answer = lambda request: _secret("")
    assert secret.value == ""


# From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_keeps_the_value_and_reads_by_itself(stub: Stub, secret: aws.CachedValue) -> None:
    assert secret.value == "one"
    stub.answer = lambda request: _secret("two")
    with secret._lock:
        child = os.fork()
        if child == 0:
            try:
                kept = secret.value
                secret._held = None
                os._exit(0 if kept == "one" and secret.value == "two" else 1)
            finally:
                os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
