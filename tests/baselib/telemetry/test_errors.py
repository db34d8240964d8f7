"""Errors: what arrives at Sentry, what does not, and that a Sentry that is away is nobody's trouble."""

import gzip
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sentry_sdk

from baselib.contract import Settings
from baselib.telemetry import errors
from baselib.telemetry.errors import capture_exception, configure_errors, flush_errors, start_errors
from baselib.telemetry.span import Span, observed

SECONDS = 20.0
IDENTITY = {
    "SERVICE_PRODUCT": "duolingo",
    "SERVICE_NAME": "api",
    "SERVICE_OWNER": "platform",
    "SERVICE_ENVIRONMENT": "prod",
    "SERVICE_RELEASE": "1.2.3",
}
SECRET = "hunter2hunter2"


class _Sentry:
    """A Sentry that keeps its envelopes."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        received = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                received.raw.append(body)
                # An envelope: a line about itself, then a line of header and a line of payload for each item.
                lines = body.split(b"\n")
                for header, payload in zip(lines[1::2], lines[2::2], strict=False):
                    if json.loads(header).get("type") == "event":
                        received.events.append(json.loads(payload))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.dsn = f"http://key@127.0.0.1:{self._server.server_port}/1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def _sentry_off_again() -> Iterator[None]:
    yield
    errors._sentry.configure(None)
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def sentry() -> Iterator[_Sentry]:
    """A Sentry on this machine."""
    made = _Sentry()
    yield made
    made.close()


def _configured(dsn: str) -> None:
    configure_errors(Settings.from_environment({**IDENTITY, "SENTRY_DSN": dsn}))
    start_errors()


def _fail(body: str) -> None:
    local_variable = body
    raise ValueError(f"failed with {len(local_variable)} letters")


def _capture_in_a_span() -> None:
    with observed(Span("request", "/lessons/<id>", request_id="the-request", trace_id="the-trace"), ()):
        try:
            _fail(SECRET)
        except ValueError as error:
            capture_exception(error)


def test_an_exception_arrives_with_its_identity_and_ids_and_nothing_private(sentry: _Sentry) -> None:
    _configured(sentry.dsn)
    _capture_in_a_span()
    flush_errors(SECONDS)
    (event,) = sentry.events
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert event["exception"]["values"][0]["value"] == "failed with 14 letters"
    assert (event["environment"], event["release"]) == ("prod", "duolingo-api@1.2.3")
    assert event["transaction"] == "/lessons/<id>"
    assert event["tags"]["request_id"] == "the-request"
    assert event["tags"]["trace_id"] == "the-trace"
    assert {name: event["tags"][name] for name in ("product", "service", "owner")} == {
        "product": "duolingo",
        "service": "api",
        "owner": "platform",
    }
    assert not {"request", "server_name", "user"} & event.keys()
    assert event["exception"]["values"][0]["stacktrace"]["frames"]
    assert all("vars" not in frame for frame in event["exception"]["values"][0]["stacktrace"]["frames"])
    raw = b"".join(sentry.raw)
    assert SECRET.encode() not in raw
    assert socket.gethostname().encode() not in raw


def test_an_exception_of_another_thread_has_the_identity_too(sentry: _Sentry) -> None:
    # Requests and messages are handled by threads that started after, or long before, the set-up.
    _configured(sentry.dsn)
    thread = threading.Thread(target=_capture_in_a_span)
    thread.start()
    thread.join(SECONDS)
    flush_errors(SECONDS)
    (event,) = sentry.events
    assert event["tags"]["request_id"] == "the-request"
    assert event["tags"].get("service") == "api"
    assert event["tags"].get("owner") == "platform"


def test_one_spans_tags_are_not_on_the_next_ones_event(sentry: _Sentry) -> None:
    _configured(sentry.dsn)
    _capture_in_a_span()
    capture_exception(RuntimeError("outside"))
    flush_errors(SECONDS)
    outside = next(event for event in sentry.events if event["exception"]["values"][0]["type"] == "RuntimeError")
    assert not {"request_id", "trace_id"} & outside.get("tags", {}).keys()


def test_a_log_line_is_not_an_event(sentry: _Sentry) -> None:
    _configured(sentry.dsn)
    logging.getLogger("shop").error("wrong", exc_info=ValueError("logged"))
    capture_exception(RuntimeError("captured"))
    flush_errors(SECONDS)
    assert [event["exception"]["values"][0]["value"] for event in sentry.events] == ["captured"]
    assert not sentry.events[0].get("breadcrumbs", {}).get("values")


def test_a_sentry_that_is_away_raises_nothing() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    _configured(f"http://key@127.0.0.1:{port}/1")
    _capture_in_a_span()
    flush_errors(0.5)


@pytest.mark.parametrize(
    "dsn", ["https://sentry.example/1", f"https://{SECRET}@sentry.example", f"https://{SECRET}@sentry.example/x/"]
)
def test_a_dsn_that_sentry_does_not_accept_is_logged_and_switches_it_off(
    dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        _configured(dsn)
    assert [record.getMessage() for record in caplog.records] == ["Sentry is off: it does not accept SENTRY_DSN"]
    assert SECRET not in caplog.text
    capture_exception(ValueError("nowhere to go"))
    flush_errors(0.5)


def test_sentry_being_off_is_said(service_settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        configure_errors(service_settings)
    assert [record.getMessage() for record in caplog.records] == ["Sentry is off: SENTRY_DSN is not set"]
    capture_exception(ValueError("nowhere to go"))


def test_sentry_is_imported_with_the_first_error_and_hears_of_it(sentry: _Sentry) -> None:
    code = """
import sys
from baselib.contract import Settings
from baselib.telemetry import OBSERVERS, Span, configure_telemetry, flush_telemetry, observed
configure_telemetry(Settings(product="duolingo", service="api", owner="platform", sentry_dsn=sys.argv[1]))
assert not [name for name in sys.modules if name.split(".")[0] == "sentry_sdk"]
try:
    with observed(Span("job", "nightly"), OBSERVERS):
        raise ValueError("the first")
except ValueError:
    pass
flush_telemetry()
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, sentry.dsn], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert [event["exception"]["values"][0]["value"] for event in sentry.events] == ["the first"]


def test_without_a_dsn_sentry_is_not_even_imported() -> None:
    code = """
import sys
from baselib.contract import Settings
from baselib.telemetry import OBSERVERS, Span, configure_telemetry, flush_telemetry, observed
configure_telemetry(Settings(product="duolingo", service="api", owner="platform"))
try:
    with observed(Span("job", "nightly"), OBSERVERS):
        raise ValueError
except ValueError:
    pass
flush_telemetry()
assert not [name for name in sys.modules if name.split(".")[0] == "sentry_sdk"]
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


def test_what_nobody_caught_is_told_in_threads_and_at_the_end(sentry: _Sentry) -> None:
    code = """
import sys, threading
from baselib.contract import Settings
from baselib.telemetry import configure_telemetry, flush_telemetry
configure_telemetry(Settings(product="duolingo", service="api", owner="platform", sentry_dsn=sys.argv[1]))
def fail():
    raise ValueError("in a thread")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
import atexit
atexit.register(flush_telemetry)
raise KeyError("at the end")
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, sentry.dsn], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1, ran.stderr
    told = [event["exception"]["values"][0]["type"] for event in sentry.events]
    assert told == ["ValueError", "KeyError"]
