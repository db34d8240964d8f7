"""A worker daemon: its handlers, its queues, and its life from start to drain."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from baselib import aws
from baselib.contract import ConfigurationError, DataStore, ExitCode, Needs
from baselib.health import HealthEndpoints
from baselib.health.server import HealthServer
from baselib.lifecycle import LIFE, Life, Phase
from baselib.memory import AllocationTrace, Fit, MemoryGuard, memory_limit, used_bytes
from baselib.service import Service
from baselib.telemetry import flush_telemetry, metrics, start_errors
from baselib.telemetry.metrics.standard import RESTARTS
from baselib.telemetry.process import ProcessMetrics
from baselib.worker.consumer import Consumer, Outcome
from baselib.worker.handlers import MAIN, Handlers
from baselib.worker.message import Message
from baselib.worker.queue import Queue

_logger = logging.getLogger("baselib.worker")

_INTERRUPTED_SECONDS: Final = 1.0
_START_UP_POLL_SECONDS: Final = 0.05


class Worker:
    """A worker daemon.

    Args:
        register: Adds the service's handlers, and may add health checks.
        queues: The names of queues besides the worker's own.
        data_stores: The data stores that the service uses; their URLs become required.
        hard_dependencies: Other services that it cannot work without; their URLs become required.
        soft_dependencies: Other services that it can do without for a while.
        threads: How many messages of a queue are handled at a time.
        visibility: Seconds for which a received message is invisible to others; extended while it is held.
        environ: The environment variables; `os.environ` when None.
        life: The phase of the process; a test may bring its own.

    Raises:
        ConfigurationError: A variable is wrong or missing; ends the process with exit code 78.
    """

    def __init__(
        self,
        register: "Callable[[Worker], None]",
        *,
        queues: Sequence[str] = (),
        data_stores: Sequence[DataStore] = (),
        hard_dependencies: Sequence[str] = (),
        soft_dependencies: Sequence[str] = (),
        threads: int = 4,
        visibility: int = 120,
        environ: Mapping[str, str] | None = None,
        life: Life = LIFE,
    ) -> None:
        needs = Needs(
            kind="worker-daemon",
            queue=True,
            queues=tuple(queues),
            data_stores=tuple(data_stores),
            hard_dependencies=tuple(hard_dependencies),
            soft_dependencies=tuple(soft_dependencies),
        )
        self.service = Service(needs, environ, threads=threads * (1 + len(queues)))
        self._threads = threads
        self._visibility = visibility
        self._life = life
        self._handlers = Handlers(self.service.settings.queue_urls)
        self._stop = threading.Event()
        self._stop_seconds = self.service.settings.stop_seconds
        self._exit_code = ExitCode.FINISHED
        register(self)

    def handle(
        self,
        function: Callable[[Message[Any]], object],
        *,
        body: type[BaseModel] | None = None,
        queue: str | None = None,
    ) -> None:
        """Give the messages of a queue to a function.

        The function returns when the work is done, and the message is deleted; it raises `Reject` for what can never
        be handled, and anything else for what shall come again.

        Args:
            function: Handles one message.
            body: The pydantic model of the body; what does not fit is rejected. Text when None.
            queue: The name of a further queue; the worker's own when None.

        Raises:
            ValueError: The queue was not declared, or has a handler already.
        """
        self._handlers.add(function, body, queue)

    def handle_raw(self, raw: dict[str, Any], queue: str | None = None) -> tuple[Outcome, float | None]:
        """Handle one message as SQS gives it, as the consumer does and as a test may.

        Args:
            raw: An entry of `Messages` in SQS's answer to a receive.
            queue: The name of a further queue; the worker's own when None.

        Returns:
            What shall become of it, and in how many seconds it shall come again where the handler said so.
        """
        return self._handlers.handle(raw, queue)

    def run(self, host: str = "0.0.0.0") -> int:  # noqa: S104 - see baselib.cli
        """Consume until SIGTERM, drain, and return the exit code.

        Args:
            host: The address at which the health endpoints listen.

        Raises:
            ValueError: A declared queue has no handler.
            ConfigurationError: No region is known, or something else listens on the health port.
        """
        settings = self.service.settings
        self._handlers.require_all()
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        signal.signal(signal.SIGINT, self._interrupt)
        start_errors()
        metrics.sample(ProcessMetrics(metrics, lambda: [os.getpid()]).sample)
        client = _sqs()
        consumers = [
            Consumer(
                Queue(client, settings.queue_urls[queue]),
                queue or MAIN,
                lambda raw, queue=queue: self.handle_raw(raw, queue),  # type: ignore[misc]
                threads=self._threads,
                visibility=self._visibility,
            )
            for queue in settings.queue_urls
        ]
        endpoints = HealthEndpoints(
            settings,
            self._life,
            self.service.checks,
            # Before it is ready, it does not consume yet.
            alive=lambda: self._life.phase == Phase.STARTING or all(consumer.alive for consumer in consumers),
        )
        with HealthServer(endpoints, settings.health_port, host):
            self.service.checks.start()
            if not self._started_up():
                consumers.clear()
            for consumer in consumers:
                consumer.start()
            trace = AllocationTrace(settings.memory_trace_frames)
            trace.start()
            guard = self._guard()
            self._life.advance(Phase.READY)
            _logger.info("ready", extra={"queues": sorted(queue or MAIN for queue in settings.queue_urls)})
            self._stop.wait()
            self._life.advance(Phase.DRAINING)
            if guard is not None:
                guard.stop()
            _logger.info("draining", extra={"seconds": self._stop_seconds})
            given_back = _drain(consumers, self._stop_seconds)
            self._life.advance(Phase.STOPPED)
        _logger.info("stopped", extra={"given_back": given_back})
        if self._exit_code == ExitCode.MEMORY:
            trace.tell()
        flush_telemetry()
        return int(self._exit_code)

    def _started_up(self) -> bool:
        """Wait until what the service needs before its first message has been done; False when it has to stop first."""
        while not all(each.done for each in self.service.checks.start_ups().values()):
            if self._stop.wait(_START_UP_POLL_SECONDS):
                return False
        return True

    def _interrupt(self, *_: object) -> None:
        """Ctrl-C, or a reload: somebody waits at the terminal, so not for a whole long poll."""
        self._stop_seconds = min(self._stop_seconds, _INTERRUPTED_SECONDS)
        self._stop.set()

    def _guard(self) -> MemoryGuard | None:
        limit = memory_limit(self.service.settings)
        if limit is None:
            return None
        fit = Fit(limit)
        guard = MemoryGuard(limit, lambda: self._used(fit), lambda used: self._relieve(fit, used))
        guard.start()
        return guard

    def _used(self, fit: Fit) -> int:
        used = used_bytes([os.getpid()])
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


def _sqs() -> Any:
    from botocore.exceptions import NoRegionError  # noqa: PLC0415 - boto3 is imported when a worker runs

    try:
        return aws.client("sqs")
    except NoRegionError as error:
        raise ConfigurationError(["AWS_REGION is not set: a region such as us-east-1 is required"]) from error


def _drain(consumers: Sequence[Consumer], seconds: float) -> int:
    """Drain all at the same time, because each may have to wait for its long poll."""
    given_back: list[int] = []
    threads = [
        threading.Thread(target=lambda consumer=consumer: given_back.append(consumer.drain(seconds)), daemon=True)
        for consumer in consumers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(given_back)
