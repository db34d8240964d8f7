"""One run of a job in its process: the lock, the calls, what is remembered, and what is told at the end."""

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Final

from baselib.contract import ExitCode, Settings
from baselib.telemetry import OBSERVERS, Span, flush_telemetry, metrics
from baselib.telemetry.metrics.standard import JOB_LAST_SUCCESS, JOBS
from baselib.telemetry.span import activate, current_span, finish
from baselib.worker.cron.errors import LockLostError, MemoryLimitError, StoppedError
from baselib.worker.cron.lock import Holder, Lock, holder_name
from baselib.worker.cron.memory import guard_memory
from baselib.worker.cron.policy import Policy
from baselib.worker.cron.record import Record
from baselib.worker.cron.run import Run, runs_due
from baselib.worker.cron.stopping import Stopper

_POLL_SECONDS: Final = 2.0
# The lock is given up 5 s before its end where that is 60 s away.
_LOST_GRACE_SHARE: Final = 1 / 12

_logger = logging.getLogger("baselib.worker")


class Attempt:
    """One run.

    Args:
        policy: How it is run.
        function: What is done.
        settings: Says how long it may take to stop, and how much memory there is.
        lock: Held while it runs; None without.
        record: Remembers until when was covered; None without a table.
    """

    def __init__(
        self,
        policy: Policy,
        function: Callable[[Run], object],
        settings: Settings,
        lock: Lock | None,
        record: Record | None,
    ) -> None:
        self._policy = policy
        self._function = function
        self._settings = settings
        self._lock = lock
        self._record = record
        self._told = False
        self._span = Span("job", policy.name, budget=policy.deadline)
        # Until it has finished it has not, however it ends.
        self._span.outcome = "failed"
        self._span.tags = {"job": policy.name, "outcome": "failed"}

    def run(self, until: datetime, *, exact: bool) -> ExitCode:
        """Run, and say how it went.

        Args:
            until: The time for which it was scheduled.
            exact: Whether the scheduler said so; otherwise it is the time at which it began.
        """
        before = current_span()
        self._main = threading.get_ident()
        activate(self._span)
        stopper = Stopper(self._policy.deadline, self._settings.stop_seconds, self._end_process, self._stopping)
        try:
            with stopper:
                guard = guard_memory(self._settings, stopper.stop)
                try:
                    code = self._run(stopper, until, exact=exact)
                finally:
                    if guard is not None:
                        guard.stop()
                    self._tell()
                    self._release()
        finally:
            activate(before)
        return code

    def _run(self, stopper: Stopper, until: datetime, *, exact: bool) -> ExitCode:
        try:
            return self._take_turn(stopper, until, exact=exact)
        except SystemExit as end:
            self._span.error = end
            _logger.error("the job ended itself", extra={"code": str(end.code)})  # noqa: TRY400 - no stack helps
        except (Exception, StoppedError) as error:
            self._span.error = error
            _logger.exception("the job failed")
            if isinstance(error, MemoryLimitError):
                return ExitCode.MEMORY
        except BaseException as error:
            self._span.error = error
            raise
        return ExitCode.CRASHED

    def _take_turn(self, stopper: Stopper, until: datetime, *, exact: bool) -> ExitCode:
        stopper.check()
        held = self._acquire(stopper)
        if held is not None:
            return self._skip("another run is going on", holder=held.name, held_since=held.since)
        policy = self._policy
        # Nothing is remembered for a job that neither catches up nor could be started twice for one time.
        asked = self._record is not None and (exact or policy.catch_up != "skip")
        covered = self._record.covered() if asked and self._record is not None else None
        if exact and covered is not None and covered >= until:
            return self._skip("done already", until=until.isoformat(), covered=covered.isoformat())
        runs, left = runs_due(until, covered, policy.catch_up, every=policy.every, most=policy.most)
        if not runs:
            return self._skip("done already", until=until.isoformat(), covered=str(covered))
        for run in runs:
            self._do(stopper, run)
        if left:
            _logger.warning("more periods were missed than one run makes up for", extra={"periods_left": left})
        self._span.outcome = "done"
        return ExitCode.FINISHED

    def _acquire(self, stopper: Stopper) -> Holder | None:
        lock = self._lock
        if lock is None:
            return None
        name = holder_name(self._span.request_id)
        until = time.monotonic() + (self._policy.wait if self._policy.overlap == "wait" else 0.0)
        told = False
        while (held := lock.acquire(name)) is not None and (left := until - time.monotonic()) > 0:
            if not told:
                told = True
                _logger.info("the job waits for another run", extra={"holder": held.name, "held_since": held.since})
            stopper.pause(min(left, _POLL_SECONDS))
        if held is None:
            grace = self._policy.lease * _LOST_GRACE_SHARE
            lock.keep(lambda reason: stopper.stop(LockLostError(reason), grace), stopper.last_resort)
        return held

    def _do(self, stopper: Stopper, run: Run) -> None:
        run = run.with_token(self._lock.token if self._lock is not None else None)
        self._span.fields["until"] = run.until.isoformat()
        if run.since is not None:
            # Of several calls the first one's, so that the line tells the whole time that was covered.
            self._span.fields.setdefault("since", run.since.isoformat())
        if run.token is not None:
            # Not `token`: a field of such a name is masked.
            self._span.fields["fence"] = run.token
        stopper.call(lambda: self._call(run))
        self._remember(run)

    def _call(self, run: Run) -> None:
        try:
            self._function(run)
        except SystemExit as end:
            if end.code not in (0, None):
                raise

    def _remember(self, run: Run) -> None:
        if self._record is None:
            return
        try:
            self._record.cover(run.until)
        except Exception as error:
            if self._policy.catch_up != "skip":
                # Its work will be done again, and somebody has to learn that.
                raise
            _logger.warning("the success of this run was not remembered", extra={"reason": str(error)})

    def _skip(self, reason: str, **more: str) -> ExitCode:
        self._span.outcome = "skipped"
        # Another line than that of a success, which an alarm waits for.
        _logger.info("cron skipped", extra={"span": self._policy.name, "outcome": "skipped", "reason": reason, **more})
        return ExitCode.FINISHED

    def _stopping(self, grace_seconds: float) -> None:
        # The function may still call AWS and other services to clean up, for as long as it has.
        self._span.deadline = time.monotonic() + grace_seconds

    def _tell(self) -> None:
        span = self._span
        if self._told:
            return
        self._told = True
        span.tags = {"job": span.name, "outcome": span.outcome}
        if span.outcome == "skipped":
            metrics.incr(JOBS.name, tags=span.tags)
            return
        span.end()
        finish((span,), OBSERVERS)
        if span.outcome == "done":
            metrics.gauge(JOB_LAST_SUCCESS.name, int(time.time()), tags={"job": span.name})

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _end_process(self, cause: StoppedError) -> None:
        """The last words of a run that does not let itself be stopped; called in a thread."""
        main = sys._current_frames().get(self._main)
        _logger.critical(
            "the job did not stop: ending the process",
            extra={"reason": str(cause), "stack": "".join(traceback.format_stack(main)) if main else ""},
        )
        self._span.error = cause
        self._tell()
        # Before the lock: whoever waits for it may wait a little longer, and telemetry would be lost.
        flush_telemetry()
        if not isinstance(cause, LockLostError):
            self._release()
        os._exit(int(ExitCode.MEMORY if isinstance(cause, MemoryLimitError) else ExitCode.CRASHED))
