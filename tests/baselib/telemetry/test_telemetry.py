"""The parts of telemetry set up together."""

import gc
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from baselib.contract import Settings
from baselib.telemetry import configure_telemetry, flush_telemetry, metrics
from baselib.testing import StatsdReceiver

IDENTITY = {
    "SERVICE_PRODUCT": "duolingo",
    "SERVICE_NAME": "api",
    "SERVICE_OWNER": "platform",
    "SERVICE_ENVIRONMENT": "prod",
    "SERVICE_RELEASE": "1.2.3",
}


@pytest.fixture(autouse=True)
def _sockets_are_closed() -> Iterator[None]:
    yield
    metrics.configure(None)


def _wait_for(lines: list[str], count: int) -> list[str]:
    deadline = time.monotonic() + 20
    while len(lines) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return lines


def _logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_metrics_go_where_the_settings_say_under_the_services_name() -> None:
    with StatsdReceiver() as receiver:
        configure_telemetry(Settings.from_environment({**IDENTITY, **receiver.environment}))
        metrics.incr("lessons")
        flush_telemetry()
        assert [line for line in _wait_for(receiver.lines, 2) if "starts" in line or "lessons" in line] == [
            "duolingo.api.starts:1|c|#environment:prod,release:1.2.3",
            "duolingo.api.lessons:1|c|#environment:prod",
        ]


def test_what_is_off_is_said_once(service_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_telemetry(service_settings)
    metrics.incr("lessons")
    told = [line["message"] for line in _logged(capsys)]
    assert sorted(told) == ["Sentry is off: SENTRY_DSN is not set", "metrics are off: STATSD_HOST is not set"]


def test_flushing_what_was_never_set_up_raises_nothing() -> None:
    flush_telemetry()


def test_what_the_process_logs_and_collects_is_counted_without_being_asked_for(service_settings: Settings) -> None:
    configure_telemetry(service_settings)
    counted: list[str] = []
    with metrics.redirected(counted.append):
        logging.getLogger("shop").warning("sold")
        gc.collect()
        metrics.flush()
    assert {"log.lines", "process.collections"} <= {line.partition(":")[0] for line in counted}


def test_a_process_that_ends_at_once_after_flushing_has_told_of_its_last_request() -> None:
    program = """
import os
from baselib.contract import Settings
from baselib.telemetry import REPORTER, Span, configure_telemetry, flush_telemetry

configure_telemetry(Settings.from_environment(os.environ))
REPORTER.report_in_batches()
REPORTER.report(Span("request", "/last"))
flush_telemetry()
os._exit(0)
"""
    ran = subprocess.run([sys.executable, "-c", program], env=IDENTITY, capture_output=True, text=True, check=False)
    assert json.loads(ran.stdout.splitlines()[-1])["message"] == "request finished", ran.stdout + ran.stderr
