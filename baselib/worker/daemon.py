"""The life of a worker daemon, from its start to the end of its drain."""

import contextlib
import functools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from baselib.aws.clients import own_client
from baselib.contract import ConfigurationError, ExitCode
from baselib.health import HealthEndpoints
from baselib.health.server import HealthServer
from baselib.lifecycle import Life, Phase
from baselib.memory import AllocationTrace, Fit, MemoryGuard, memory_limit, used_bytes
from baselib.telemetry import REPORTER, flush_telemetry, metrics, start_errors
from baselib.telemetry.metrics.standard import RESTARTS
from baselib.telemetry.process import ProcessMetrics
from baselib.worker.engine.consumer import Consumer, Drained
from baselib.worker.engine.pool import Pool
from baselib.worker.engine.queue import LONGEST_POLL_SECONDS, Queue
from baselib.worker.handlers import MAIN, Handler
from baselib.worker.processes.isolation import Isolation
from baselib.worker.processes.parent import Processes
from baselib.worker.watch import Watch

if TYPE_CHECKING:
    from baselib.worker.loops import Loop
    from baselib.worker.worker import Worker

_logger = logging.getLogger("baselib.worker")

_INTERRUPTED_SECONDS: Final = 1.0
_START_UP_POLL_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 1.0
# A long poll may take its time; any other call of the engine is made again rather than waited for.
_POLL_READ_SECONDS: Final = LONGEST_POLL_SECONDS + 4
_CALL_READ_SECONDS: Final = 5


class Daemon:
    """Runs a worker once.

    Args:
        worker: What it is made of.
        handlers: The handler of each of its queues.
        life: The phase of the process.
    """

    def __init__(self, worker: "Worker", handlers: Mapping[str | None, Handler], life: Life) -> None:
        self._service = worker.service
        self._life = life
        self._stop = threading.Event()
        self._stop_seconds = worker.service.settings.stop_seconds
        self._exit_code = ExitCode.FINISHED
        self._loops = worker.loops
        self._processes = _processes(worker)
        self._pool = Pool(worker.threads, self._processes.prepare if self._processes and worker.processes else None)
        self._consumers = self._made_consumers(worker, handlers) if handlers else []
        self._parts: Sequence[Consumer | Loop] = (*self._consumers, *self._loops)
        self._watch = Watch(self._consumers, worker.threads)

    def run(self, host: str) -> int:
        """Consume until SIGTERM, drain, and return the exit code; see `Worker.run`."""
        settings = self._service.settings
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        signal.signal(signal.SIGINT, self._interrupt)
        start_errors()
        REPORTER.report_in_batches()
        metrics.sample(ProcessMetrics(metrics, self._process_ids).sample)
        endpoints = HealthEndpoints(settings, self._life, self._service.checks, alive=self._alive)
        with HealthServer(endpoints, settings.health_port, host):
            self._service.checks.start()
            working = self._started_up()
            if working:
                self._start()
            trace = AllocationTrace(settings.memory_trace_frames)
            trace.start()
            guard = self._guard()
            self._life.advance(Phase.READY)
            queues = sorted(consumer.name for consumer in self._consumers)
            _logger.info("ready", extra={"queues": queues, "loops": [loop.name for loop in self._loops]})
            while not self._stop.wait(_LOOK_SECONDS):
                with contextlib.suppress(Exception):
                    # Only told of; the drain must come whatever happens here.
                    self._watch.look()
            self._life.advance(Phase.DRAINING)
            if guard is not None:
                guard.stop()
            _logger.info("draining", extra={"seconds": self._stop_seconds})
            drained = self._drain() if working else Drained()
            self._life.advance(Phase.STOPPED)
        _logger.info("stopped", extra={"given_back": drained.given_back, "undeleted": drained.undeleted})
        if self._exit_code == ExitCode.MEMORY:
            trace.tell()
        flush_telemetry()
        return int(self._exit_code)

    def _made_consumers(self, worker: "Worker", handlers: Mapping[str | None, Handler]) -> list[Consumer]:
        make = functools.partial(_sqs, connections=worker.threads + 4 * len(handlers))
        polls, calls = make(read_seconds=_POLL_READ_SECONDS), make(read_seconds=_CALL_READ_SECONDS)
        processes = self._processes
        isolation = Isolation(processes) if processes and not worker.processes else None
        return [
            Consumer(
                Queue(calls, worker.service.settings.queue_urls[name], polls=polls),
                name or MAIN,
                processes.handling(name, handler.limit) if processes and worker.processes else worker.handling(name),
                self._pool,
                isolated=isolation.handling(name, handler.limit, worker.handling(name)) if isolation else None,
                weight=handler.weight,
                batch=handler.batch or 1,
                limit=handler.limit,
                visibility=worker.visibility,
            )
            for name, handler in handlers.items()
        ]

    def _start(self) -> None:
        self._pool.start()
        for part in self._parts:
            part.start()

    def _alive(self) -> bool:
        if self._life.phase == Phase.STARTING:
            # It does not consume yet.
            return True
        return self._watch.alive and all(part.alive for part in self._parts)

    def _started_up(self) -> bool:
        """Wait until what the service needs before its first message has been done; False when it has to stop first."""
        while not all(each.done for each in self._service.checks.start_ups().values()):
            if self._stop.wait(_START_UP_POLL_SECONDS):
                return False
        return True

    def _drain(self) -> Drained:
        deadline = time.monotonic() + self._stop_seconds
        for loop in self._loops:
            loop.stop()
        drained = _at_the_same_time([functools.partial(each.drain, self._stop_seconds) for each in self._consumers])
        for loop in self._loops:
            if not loop.join(deadline):
                _logger.warning("a turn was not done in time", extra={"loop": loop.name})
        self._pool.close()
        if self._processes is not None:
            self._processes.close()
        return drained

    def _interrupt(self, *_: object) -> None:
        """Ctrl-C, or a reload: somebody waits at the terminal, so not for a whole long poll."""
        self._stop_seconds = min(self._stop_seconds, _INTERRUPTED_SECONDS)
        self._stop.set()

    def _process_ids(self) -> list[int]:
        return [os.getpid(), *(self._processes.ids if self._processes is not None else ())]

    def _guard(self) -> MemoryGuard | None:
        limit = memory_limit(self._service.settings)
        if limit is None:
            return None
        fit = Fit(limit)
        guard = MemoryGuard(limit, lambda: self._used(fit), lambda used: self._relieve(fit, used))
        guard.start()
        return guard

    def _used(self, fit: Fit) -> int:
        used = used_bytes(self._process_ids())
        fit.note(used, time.monotonic())
        return used

    def _relieve(self, fit: Fit, used: int) -> None:
        """Drain and end, so that ECS starts a new task; not where a new one would be here again at once."""
        if self._stop.is_set():
            return
        if not fit.ever:
            fit.complain(used, time.monotonic())
            return
        _logger.warning("memory limit reached: stopping the task", extra={"used_bytes": used})
        metrics.incr(RESTARTS.name, tags={"cause": "memory-task"})
        self._exit_code = ExitCode.MEMORY
        self._stop.set()


def _processes(worker: "Worker") -> Processes | None:
    """Processes for all messages, or for the last attempts at some."""
    try:
        return Processes(worker.location)
    except ValueError:
        if worker.processes:
            raise
        return None


def _sqs(*, read_seconds: int, connections: int) -> Any:
    from botocore.exceptions import NoRegionError  # noqa: PLC0415 - boto3 is imported when a worker runs

    try:
        return own_client(
            "sqs",
            read_timeout=read_seconds,
            max_pool_connections=connections,
            # The engine's loops try again, and know better when.
            retries={"mode": "standard", "total_max_attempts": 1},
            # What the engine sends is right, or a test would have found it.
            parameter_validation=False,
        )
    except NoRegionError as error:
        raise ConfigurationError(["AWS_REGION is not set: a region such as us-east-1 is required"]) from error


def _at_the_same_time(drains: Sequence[Callable[[], Drained]]) -> Drained:
    """Drain all at once, because each may have to wait for its long poll."""
    drained: list[Drained] = []
    threads = [threading.Thread(target=lambda drain=drain: drained.append(drain()), daemon=True) for drain in drains]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(drained, Drained())
