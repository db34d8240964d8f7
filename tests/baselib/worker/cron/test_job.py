"""A job that runs once: its exit code, what it says, and that it leaves the process as it was."""

import contextlib
import os
import signal
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from baselib.contract import ConfigurationError
from baselib.lifecycle import Life, Phase
from baselib.service import Service
from baselib.telemetry import current_span, metrics
from baselib.worker import Job
from baselib.worker.cron import DeadlineExceededError, Run, TerminatedError
from baselib.worker.cron.function import JobFunction
from tests.baselib.processes import Launch, until
from tests.baselib.worker.cron.conftest import NIGHTLY


def _job(function: JobFunction, **more: Any) -> Job:
    return Job(function, **{"environ": NIGHTLY, "life": Life(), **more})


def _fail(_: Service) -> None:
    raise ValueError("no data")


def _spans(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.getMessage(), record.levelname) for record in caplog.records if record.name == "baselib.span"]


def test_a_job_that_returns_has_finished(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []
    assert _job(lambda service: seen.append(service.settings.service)).run() == 0
    assert seen == ["nightly"]
    assert _spans(caplog) == [("cron finished", "INFO")]


def test_what_a_job_returns_is_not_its_exit_code() -> None:
    assert _job(lambda _: 3).run() == 0


def test_a_job_that_raises_has_crashed(caplog: pytest.LogCaptureFixture) -> None:
    assert _job(_fail).run() == 70
    assert _spans(caplog) == [("cron failed", "ERROR")]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert "no data" in str(record.exc_info)


@pytest.mark.parametrize(
    "error", [SystemExit(1), SystemExit("no data"), KeyboardInterrupt(), ConfigurationError(["no region"])]
)
def test_a_job_that_is_left_in_another_way_is_never_called_finished(
    caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    # The alarm of a cron job waits for `cron finished`.
    def leave(_: Service) -> None:
        raise error

    # Whether it raises on or returns an exit code is not the point.
    with contextlib.suppress(SystemExit, KeyboardInterrupt):
        assert _job(leave).run() != 0
    assert [message for message, _ in _spans(caplog)] == ["cron failed"]


def test_a_run_is_measured(captured_metrics: list[str]) -> None:
    jobs = [_job(lambda _: None), _job(_fail)]
    captured_metrics.clear()
    metrics.configure(captured_metrics.append, prefix="test")
    for job in jobs:
        job.run()
    lines = [line for line in "\n".join(captured_metrics).splitlines() if "jobs" in line]
    assert [line for line in lines if line.startswith("test.jobs:")] == [
        "test.jobs:1|c|#job:duolingo-nightly,outcome:done",
        "test.jobs:1|c|#job:duolingo-nightly,outcome:failed",
    ]
    assert len([line for line in lines if line.startswith("test.jobs.time:")]) == 2


def test_a_run_longer_than_its_deadline_is_stopped_and_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    def endless(_: Service) -> None:
        until(lambda: None, "never")

    assert _job(endless, deadline=0.05).run() == 70
    assert _spans(caplog) == [("cron failed", "ERROR")]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert record.exc_info[0] is DeadlineExceededError
    assert "0.05 s" in str(record.exc_info[1])


def test_sigterm_during_a_run_stops_it(caplog: pytest.LogCaptureFixture) -> None:
    def killed(_: Service) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        until(lambda: None, "never")

    assert _job(killed).run() == 70
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert record.exc_info[0] is TerminatedError


@pytest.mark.parametrize("function", [lambda _: None, _fail])
def test_signal_handlers_and_timer_are_restored(function: Callable[[Service], object]) -> None:
    def mine(*_: object) -> None:
        pass

    before = [signal.signal(number, mine) for number in (signal.SIGALRM, signal.SIGTERM)]
    try:
        _job(function, deadline=500).run()
        assert [signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGTERM)] == [mine, mine]
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        for number, handler in zip((signal.SIGALRM, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)


def test_only_a_success_is_measured_as_the_last_one(captured_metrics: list[str]) -> None:
    jobs = [_job(lambda _: None), _job(_fail)]
    for job in jobs:
        captured_metrics.clear()
        metrics.configure(captured_metrics.append, prefix="test")
        before = int(time.time())
        code = job.run()
        found = [line for line in "\n".join(captured_metrics).splitlines() if "jobs.last_success" in line]
        assert len(found) == (1 if code == 0 else 0)
        if found:
            assert before <= int(found[0].split(":")[1].split("|")[0]) <= time.time()


def test_calls_of_the_job_have_its_deadline() -> None:
    left: list[float | None] = []

    def work(_: Service) -> None:
        span = current_span()
        left.append(span.remaining if span else None)

    _job(work, deadline=50).run()
    assert left[0] is not None
    assert 0 < left[0] <= 50
    assert current_span() is None


def test_a_stopped_job_may_still_call_others_to_clean_up() -> None:
    left: list[float | None] = []

    def work(_: Service) -> None:
        try:
            until(lambda: None, "never")
        finally:
            span = current_span()
            left.append(span.remaining if span else None)

    assert _job(work, deadline=0.05).run() == 70
    assert left[0] is not None
    assert 0 < left[0] <= 25


def test_ctrl_c_leaves_no_lock_behind() -> None:
    def interrupted(_: Service) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _job(interrupted).run()
    assert _job(lambda _: None).run() == 0


def test_a_run_within_a_run_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    codes: list[int] = []
    ran: list[object] = []
    inner = _job(ran.append)
    assert _job(lambda _: codes.append(inner.run())).run() == 0
    assert (codes, ran) == ([0], [])
    assert _spans(caplog) == [("cron finished", "INFO")]
    assert [record.levelname for record in caplog.records if record.getMessage() == "cron skipped"] == ["INFO"]


def test_a_run_may_be_told_for_when_it_was_scheduled() -> None:
    seen: list[Run] = []

    def work(_: Service, run: Run) -> None:
        seen.append(run)

    scheduled = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert _job(work, every=3600).run(scheduled) == 0
    (run,) = seen
    assert (run.since, run.until) == (datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert run.token is not None


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="has no offset from UTC"):
        _job(_fail).run(datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_the_life_of_the_process_goes_on_to_its_end() -> None:
    life = Life()
    phases: list[Phase] = []
    _job(lambda _: phases.append(life.phase), life=life).run()
    assert (phases, life.phase) == ([Phase.READY], Phase.STOPPED)


def test_a_need_that_is_not_met_ends_the_process() -> None:
    with pytest.raises(ConfigurationError, match="QUEUE_REPORTS_URL is not set"):
        _job(_fail, queues=["reports"])


def _write(folder: Path, body: str) -> None:
    begin = "import sys, time\nfrom baselib.worker import Job\n\ndef work(service):\n"
    source = f"{begin}{textwrap.indent(body, '    ')}\n\njob = Job(work)\n"
    (folder / "nightly.py").write_text(source)


@pytest.mark.parametrize(("body", "code"), [("pass", 0), ("raise ValueError", 70), ("sys.exit(5)", 70)])
def test_the_command_ends_with_the_exit_code_of_the_run(tmp_path: Path, launch: Launch, body: str, code: int) -> None:
    _write(tmp_path, body)
    program = launch("cron", "nightly:job", **NIGHTLY)
    assert program.wait() == code
    assert len(program.logged("cron finished" if code == 0 else "cron failed")) == 1


def test_a_process_told_to_stop_ends_its_run(tmp_path: Path, launch: Launch) -> None:
    _write(tmp_path, "print('begun', flush=True)\ntime.sleep(60)")
    program = launch("cron", "nightly:job", **NIGHTLY)
    program.ready(lambda: "begun" in program.output, "the run begins")
    program.send(signal.SIGTERM)
    assert program.wait() == 70
    (line,) = program.logged("the job failed")
    assert line["error.type"].endswith("TerminatedError")
