"""Clients: made once for each service and region, for this process alone, and in this service's name."""

import logging
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from baselib import aws
from baselib.aws import clients
from baselib.contract import Settings
from baselib.testing import EmbeddedAws
from tests.baselib.processes import until

SECONDS = 30.0
REGION = "eu-central-1"


class _Recorder:
    """An AWS that answers `{}` and keeps what it was asked."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                recorder.headers.append(dict(self.headers.items()))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Recorder]:
    """An AWS at AWS_ENDPOINT_URL, and keys for it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    made = _Recorder()
    yield made
    made.close()


def _settings(**more: Any) -> Settings:
    return Settings(product="duolingo", service="api", owner="platform", **{"aws_region": REGION, **more})


def test_one_client_for_each_service_and_region() -> None:
    aws.configure_aws(_settings())
    assert aws.client("sqs") is aws.client("sqs")
    assert aws.client("sqs") is not aws.client("sns")
    assert aws.client("sqs", region="us-east-1") is not aws.client("sqs")
    assert aws.client("sqs", region="us-east-1") is aws.client("sqs", region="us-east-1")
    assert aws.client("sqs").meta.region_name == REGION
    assert aws.client("sqs", region="us-east-1").meta.region_name == "us-east-1"


def test_sixteen_threads_get_one_object() -> None:
    aws.configure_aws(_settings())
    together, found = threading.Barrier(16, timeout=SECONDS), []

    def get() -> None:
        together.wait()
        found.append(aws.client("sqs"))

    threads = [threading.Thread(target=get) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(found) == 16
    assert len({id(client) for client in found}) == 1


def test_a_resource_is_no_client_and_made_once_for_each_thread() -> None:
    aws.configure_aws(_settings())
    together, found = threading.Barrier(8, timeout=SECONDS), []

    def get() -> None:
        together.wait()
        mine = aws.resource("sqs")
        assert mine is aws.resource("sqs")
        found.append(mine)

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    found.append(aws.resource("sqs"))
    assert len({id(each) for each in found}) == 9
    # What may be shared is: the client, and its connections.
    assert len({id(each.meta.client) for each in found}) == 1
    assert aws.client("sqs") not in {aws.resource("sqs"), aws.resource("sqs").meta.client}
    assert aws.resource("sqs", region="us-east-1").meta.client.meta.region_name == "us-east-1"
    before = aws.resource("sqs")
    aws.reset()
    assert aws.resource("sqs") is not before


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_resource_in_each_thread_works_and_leaves_the_client_as_it_is(embedded_aws: EmbeddedAws) -> None:
    aws.configure_aws(_settings(aws_endpoint_url=embedded_aws.url, aws_region="us-east-1"))
    aws.client("dynamodb").create_table(
        TableName="lessons",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def write(number: int) -> None:
        aws.resource("dynamodb").Table("lessons").put_item(Item={"id": str(number), "count": number})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert aws.resource("dynamodb").Table("lessons").get_item(Key={"id": "7"})["Item"]["count"] == 7
    assert aws.client("dynamodb").scan(TableName="lessons")["Count"] == 8
    raw = aws.client("dynamodb").get_item(TableName="lessons", Key={"id": {"S": "7"}})["Item"]
    assert raw["count"] == {"N": "7"}


def test_a_client_that_is_there_is_given_out_while_another_is_being_made() -> None:
    aws.configure_aws(_settings())
    ours, found = aws.client("sqs"), []
    getter = threading.Thread(target=lambda: found.append(aws.client("sqs")), daemon=True)
    with clients._clients._lock:
        getter.start()
        getter.join(SECONDS)
        assert found == [ours]


def test_clients_can_be_made_before_they_are_needed(caplog: pytest.LogCaptureFixture) -> None:
    aws.configure_aws(_settings())
    aws.warm("no-such-service", "sqs")
    made = until(lambda: clients._clients.made.get("sqs"), "the client was made in the background")
    assert aws.client("sqs") is made
    (said,) = [record for record in caplog.records if record.name == "baselib.aws.clients"]
    assert said.message == "no AWS client yet"
    assert said.__dict__["aws_service"] == "no-such-service"


# From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_worker_makes_its_own_clients_in_the_background() -> None:
    aws.configure_aws(_settings())
    aws.warm("sqs")
    ours = until(lambda: clients._clients.made.get("sqs"), "the client was made in the background")
    child = os.fork()
    if child == 0:
        try:
            until(lambda: clients._clients.made.get("sqs"), "the child's own client")
            os._exit(0 if clients._clients.made["sqs"] is not ours else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert aws.client("sqs") is ours


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_waits_for_the_client_that_is_being_made() -> None:
    # Otherwise a module that is half imported stays so in the child, and whoever imports it there waits for ever.
    aws.configure_aws(_settings())
    making, done = threading.Event(), threading.Event()

    def make() -> None:
        with clients._clients._lock:
            making.set()
            # Long enough for the fork below to have begun.
            done.wait(0.3)
            done.set()

    maker = threading.Thread(target=make)
    maker.start()
    assert making.wait(SECONDS)
    child = os.fork()
    if child == 0:
        os._exit(0 if done.is_set() else 1)
    _, status = os.waitpid(child, 0)
    maker.join(SECONDS)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.usefixtures("recorder")
def test_the_wire_is_not_logged_unless_asked_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, recorder: _Recorder
) -> None:
    monkeypatch.setattr(logging.getLogger("botocore"), "level", logging.NOTSET)
    logging.getLogger("botocore").manager._clear_cache()  # type: ignore[attr-defined]
    caplog.set_level(logging.DEBUG)
    aws.configure_aws(_settings(aws_endpoint_url=recorder.url))
    aws.client("sqs").list_queues()
    assert not [record for record in caplog.records if record.name.startswith("botocore.") and record.levelno < 20]


def test_configuring_and_resetting_make_new_clients() -> None:
    aws.configure_aws(_settings())
    first = aws.client("sqs")
    aws.configure_aws(_settings())
    second = aws.client("sqs")
    aws.reset()
    assert len({id(first), id(second), id(aws.client("sqs"))}) == 3


# From Python 3.12 on a fork beside threads warns; that it works all the same is what is tested.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_makes_its_own_client_even_while_another_thread_made_one() -> None:
    aws.configure_aws(_settings())
    ours = aws.client("sqs")
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with aws.clients._clients._lock:
            held.set()
            go_on.wait(SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(SECONDS)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if aws.client("sqs") is not ours and aws.client("sqs") is aws.client("sqs") else 1)
        finally:
            os._exit(2)
    go_on.set()
    holder.join(SECONDS)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert aws.client("sqs") is ours


def test_calls_go_to_the_endpoint_in_the_services_name(recorder: _Recorder) -> None:
    aws.configure_aws(_settings(aws_endpoint_url=recorder.url, release="1.2.3"))
    aws.client("sqs").list_queues()
    (headers,) = recorder.headers
    assert "duolingo-api/1.2.3" in headers["User-Agent"].split(" ")


@pytest.mark.parametrize("release", ["büild", "1.2.3 (é)", "版本"])
def test_any_release_that_the_settings_accept_can_be_told(recorder: _Recorder, release: str) -> None:
    identity = {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "platform"}
    try:
        accepted = Settings.from_environment(
            {**identity, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": recorder.url, "SERVICE_RELEASE": release}
        )
    except SystemExit:
        return
    aws.configure_aws(accepted)
    aws.client("sqs").list_queues()
    assert len(recorder.headers) == 1


def test_a_client_fits_into_the_time_that_a_worker_has_to_stop() -> None:
    aws.configure_aws(_settings())
    config = aws.client("sqs").meta.config
    assert 20 < config.read_timeout < 25
    assert config.connect_timeout <= 5
    assert config.retries["mode"] == "standard"


def test_without_settings_the_sdks_own_rules_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    client = aws.client("sqs")
    assert client.meta.region_name == "us-west-2"
    assert client.meta.endpoint_url == "http://127.0.0.1:9"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_embedded_aws_is_used_like_the_real_one(embedded_aws: EmbeddedAws) -> None:
    aws.configure_aws(_settings(aws_endpoint_url=embedded_aws.url, aws_region="us-east-1"))
    url = embedded_aws.make_queue("duolingo-api-local")
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    received = aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert [message["Body"] for message in received["Messages"]] == ["hello"]
