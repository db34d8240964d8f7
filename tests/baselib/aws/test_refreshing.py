"""The keys of the task's role: renewed in the background, and used for as long as they are valid."""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import botocore.exceptions
import pytest

from baselib import aws
from baselib.aws import deadlines
from baselib.aws.refreshing import TaskRoleCredentials
from baselib.aws.task_role import Keys, fetch_keys
from tests.baselib.aws.conftest import Configure
from tests.baselib.aws.stub import Answer, Stub, keys, stubbed
from tests.baselib.processes import until

HOUR = 3600.0
START = 1_800_000_000.0


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


Make = Callable[..., TaskRoleCredentials]


@pytest.fixture
def make(stub: Stub, clock: _Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Credentials from the stub, impatient so that the tests are quick."""
    monkeypatch.setattr(TaskRoleCredentials, "first_pause_seconds", 0.005)
    monkeypatch.setattr(TaskRoleCredentials, "longest_pause_while_needed_seconds", 0.05)
    monkeypatch.setattr(TaskRoleCredentials, "patience_seconds", 0.5)
    monkeypatch.setattr("baselib.aws.refreshing._LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("baselib.aws.task_role._READ_SECONDS", 0.1)
    made: list[TaskRoleCredentials] = []

    def make() -> TaskRoleCredentials:
        made.append(TaskRoleCredentials(lambda: fetch_keys(stub.url, {}), clock))
        return made[-1]

    yield make
    for each in made:
        each._renew_at = float("inf")
        each._hurry.set()


def _key(credentials: TaskRoleCredentials) -> str:
    return str(credentials.get_frozen_credentials().access_key)


def test_nothing_is_asked_before_a_key_is_needed(stub: Stub, make: Make, clock: _Clock) -> None:
    stub.answer = lambda request: keys(1, clock.now + 6 * HOUR)
    credentials = make()
    assert stub.requests == []
    frozen = credentials.get_frozen_credentials()
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("AKIA1", "secret-1", "token-1")
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("AKIA1", "secret-1", "token-1")
    assert len(stub.requests) == 1


def test_sixteen_threads_share_the_first_answer(stub: Stub, make: Make, clock: _Clock) -> None:
    stub.answer = lambda request: keys(1, clock.now + 6 * HOUR)
    credentials, together, found = make(), threading.Barrier(16, timeout=30), []

    def get() -> None:
        together.wait()
        found.append(_key(credentials))

    threads = [threading.Thread(target=get) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == ["AKIA1"] * 16
    assert len(stub.requests) == 1


def test_they_are_renewed_before_they_expire(stub: Stub, make: Make, clock: _Clock) -> None:
    stub.answer = lambda request: keys(1, START + HOUR)
    credentials = make()
    assert _key(credentials) == "AKIA1"
    stub.answer = lambda request: keys(2, START + 7 * HOUR)
    clock.now = START + HOUR - 25 * 60
    assert _key(credentials) == "AKIA1"
    clock.now = START + HOUR - 17 * 60
    until(lambda: _key(credentials) == "AKIA2", "the new keys are there")
    # Nobody has to ask for them: the thread looks by itself.
    stub.answer = lambda request: keys(3, START + 20 * HOUR)
    clock.now = START + 7 * HOUR - 17 * 60
    until(lambda: credentials._frozen_credentials.access_key == "AKIA3", "renewed without a call")


@pytest.mark.parametrize(
    "broken",
    [
        Answer(500),
        Answer(hang=True),
        Answer(200, b"<html>"),
        Answer(200, b"{}"),
        keys(7, START - HOUR),
        keys(8, START + 10),
    ],
    ids=["fails", "hangs", "garbage", "empty", "expired", "expires before those that we have"],
)
def test_a_broken_endpoint_is_not_noticed_until_the_true_expiry(
    stub: Stub,
    make: Make,
    clock: _Clock,
    broken: Answer,
    caplog: pytest.LogCaptureFixture,
    captured_metrics: list[str],
) -> None:
    stub.answer = lambda request: keys(1, START + HOUR)
    credentials = make()
    assert _key(credentials) == "AKIA1"
    stub.answer = lambda request: broken
    caplog.set_level(logging.INFO, "baselib.aws")
    # Where botocore would wait, where it would raise, and one second before the end.
    for left in (14 * 60, 9 * 60, 1):
        clock.now = START + HOUR - left
        for _ in range(20):
            assert _key(credentials) == "AKIA1"
    until(lambda: credentials._failures >= 5, "tried again and again")
    assert _key(credentials) == "AKIA1"
    clock.now = START + HOUR
    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="no valid keys of the task role") as refusal:
        _key(credentials)
    assert "secret" not in str(refusal.value)
    said = [record.message for record in caplog.records if record.name.startswith("baselib.aws")]
    assert said == ["keys of the task role cannot be renewed"]
    assert sum("aws.credentials.failures:1" in line for line in captured_metrics) >= 5
    stub.answer = lambda request: keys(2, START + 8 * HOUR)
    until(lambda: credentials._expires > clock.now, "recovered")
    assert _key(credentials) == "AKIA2"
    # Said a moment after the keys are there.
    until(lambda: len([record for record in caplog.records if record.name.startswith("baselib.aws")]) > 1, "said")
    said = [record.message for record in caplog.records if record.name.startswith("baselib.aws")]
    assert said[1:] == ["keys of the task role renewed"]


def test_a_first_fetch_that_fails_once_is_tried_again(stub: Stub, make: Make, clock: _Clock) -> None:
    stub.answer_in_turn(Answer(500), Answer(200, b"{"), keys(1, clock.now + HOUR))
    assert _key(make()) == "AKIA1"


def test_many_calls_wait_together_for_an_endpoint_that_recovers_in_time(
    stub: Stub, make: Make, clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each call hurries the thread: it must not use up the attempts of all of them within a moment.
    monkeypatch.setattr(TaskRoleCredentials, "patience_seconds", 30.0)
    stub.answer = lambda request: Answer(500) if len(stub.requests) < 12 else keys(1, clock.now + HOUR)
    credentials, found = make(), []
    threads = [threading.Thread(target=lambda: found.append(_key(credentials))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == ["AKIA1"] * 40


def test_an_endpoint_that_has_failed_for_long_fails_calls_at_once(
    stub: Stub, make: Make, clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.answer = lambda request: Answer(500)
    credentials = make()
    with pytest.raises(botocore.exceptions.CredentialRetrievalError):
        _key(credentials)
    until(credentials._failing_for_long, "it has failed for long")
    # However long the thread is kept from asking again, a busy machine does not make what it saw old.
    monkeypatch.setattr(TaskRoleCredentials, "longest_pause_while_needed_seconds", 30.0)
    monkeypatch.setattr(
        credentials._changed, "wait_for", lambda condition, timeout: condition() or pytest.fail("waits")
    )
    with pytest.raises(botocore.exceptions.CredentialRetrievalError):
        _key(credentials)


def test_a_first_fetch_that_fails_says_why_and_later_succeeds(stub: Stub, make: Make, clock: _Clock) -> None:
    stub.answer = lambda request: Answer(500)
    credentials = make()
    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="answered with status 500"):
        _key(credentials)
    asked = len(stub.requests)
    assert asked >= 3
    stub.answer = lambda request: keys(1, clock.now + HOUR)
    until(lambda: credentials._expires > 0, "the thread goes on by itself")
    assert _key(credentials) == "AKIA1"


def test_no_call_waits_long_for_an_endpoint_that_never_answers(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = make()
    never = threading.Event()
    monkeypatch.setattr(TaskRoleCredentials, "patience_seconds", 0.05)
    monkeypatch.setattr(credentials, "_fetch", lambda: never.wait(30))
    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="no answer yet"):
        _key(credentials)
    monkeypatch.setattr(TaskRoleCredentials, "patience_seconds", 3600.0)
    monkeypatch.setattr(deadlines, "span_deadline", lambda: 0.0)
    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="no answer yet"):
        _key(credentials)
    never.set()


def test_short_lived_keys_are_renewed_in_their_second_half(stub: Stub, make: Make, clock: _Clock) -> None:
    stub.answer = lambda request: keys(1, START + 60)
    credentials = make()
    assert _key(credentials) == "AKIA1"
    stub.answer = lambda request: keys(2, START + 120)
    clock.now = START + 20
    assert _key(credentials) == "AKIA1"
    assert credentials._renew_at == START + 30
    assert len(stub.requests) == 1
    clock.now = START + 31
    until(lambda: _key(credentials) == "AKIA2", "renewed")


def test_a_reader_never_sees_parts_of_two_keys(stub: Stub, make: Make, clock: _Clock) -> None:
    count = iter(range(1, 10_000))
    expires = iter(range(int(START) + 100, int(START) + 10_000_000, 100))
    stub.answer = lambda request: keys(next(count), next(expires))
    credentials = make()
    seen = set()
    for _ in range(300):
        frozen = credentials.get_frozen_credentials()
        number = frozen.access_key.removeprefix("AKIA")
        assert (frozen.secret_key, frozen.token) == (f"secret-{number}", f"token-{number}")
        seen.add(number)
        clock.now += 20
    assert len(seen) > 1


def test_without_room_for_a_thread_the_call_asks_itself(
    stub: Stub, make: Make, clock: _Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    stub.answer = lambda request: keys(1, clock.now + HOUR)
    credentials = make()
    monkeypatch.setattr("baselib.concurrency.threads.threading", SimpleNamespace(Thread=NoThread))
    assert _key(credentials) == "AKIA1"


def test_the_thread_ends_with_its_credentials(stub: Stub, clock: _Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baselib.aws.refreshing._LONGEST_PAUSE_SECONDS", 0.05)
    stub.answer = lambda request: keys(1, clock.now + HOUR)
    credentials = TaskRoleCredentials(lambda: fetch_keys(stub.url, {}), clock)
    assert _key(credentials) == "AKIA1"
    thread = credentials._thread
    assert thread is not None
    assert thread.is_alive()
    del credentials
    until(lambda: gc.collect() is not None and not thread.is_alive(), "the thread has ended")


# From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_renews_by_itself_whatever_the_parents_thread_did(stub: Stub, make: Make, clock: _Clock) -> None:
    stub.answer = lambda request: keys(1, START + HOUR)
    credentials = make()
    assert _key(credentials) == "AKIA1"
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with credentials._changed:
            held.set()
            go_on.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    child = os.fork()
    if child == 0:
        try:
            kept = _key(credentials)
            clock.now = START + 2 * HOUR
            credentials._fetch = lambda: Keys("AKIA2", "secret-2", "token-2", START + 9 * HOUR)
            os._exit(0 if kept == "AKIA1" and _key(credentials) == "AKIA2" else 1)
        finally:
            os._exit(2)
    go_on.set()
    holder.join(30)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_client_on_ecs_signs_with_the_roles_keys_and_is_made_without_them(
    stub: Stub, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stubbed() as agent:
        agent.answer = lambda request: keys(1, time.time() + HOUR)
        configure(stub.url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/1")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v2/credentials/1")
        client = aws.client("sqs")
        assert agent.requests == []
        client.list_queues()
        aws.client("sns")
        assert [request.path for request in agent.requests] == ["/v2/credentials/1"]
        sent = stub.requests[0].headers
        assert "Credential=AKIA1/" in sent["Authorization"]
        assert sent["X-Amz-Security-Token"] == "token-1"
        # Keys that appear later change nothing.
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "static")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "static")
        aws.client("dynamodb").list_tables()
        assert "Credential=AKIA1/" in stub.requests[1].headers["Authorization"]
