"""What baselib adds to gunicorn's master: readiness, drain before the listener closes, and the exit code."""

import logging
import os
import signal
from typing import Any, Final

from baselib.contract import ExitCode, Settings
from baselib.contract.timing import WEB_ON_SPOT
from baselib.lifecycle import LIFE, Life, Phase
from baselib.telemetry import flush_telemetry
from baselib.web.memory_restarts import MemoryRestarts

_logger = logging.getLogger("baselib.web")

# Zero would switch the timer off instead of letting it fire at once.
_SHORTEST_SECONDS: Final = 0.001


class DrainingMaster:
    """The hooks of one gunicorn master.

    Args:
        settings: Gives the drain time and the memory limit.
        life: The phase, shared with the workers.
    """

    def __init__(self, settings: Settings, life: Life = LIFE) -> None:
        self._settings = settings
        self._life = life
        self._exit_code = ExitCode.FINISHED
        self._master = os.getpid()
        self._server: Any = None
        self._memory = MemoryRestarts(settings, life, self._stop_for_memory)

    def when_ready(self, server: Any) -> None:
        """The listener is open: be ready, and put the drain before gunicorn's own handling of SIGTERM."""
        self._server = server
        self._master = os.getpid()
        signal.signal(signal.SIGTERM, self._terminated)
        signal.signal(signal.SIGALRM, self._drained)
        self._memory.start(server)
        self._life.advance(Phase.READY)
        _logger.info("ready", extra={"port": self._settings.port, "workers": server.num_workers})

    def post_fork(self, server: Any, worker: Any) -> None:
        """A worker begins: until it has handlers of its own, which is soon, it inherits the master's."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, _leave)
        self._memory.post_fork()

    def worker_exit(self, server: Any, worker: Any) -> None:
        """A worker ends: send what it has buffered, and last what it held, because that may take its time."""
        flush_telemetry()
        self._memory.worker_exit()

    def on_exit(self, server: Any) -> None:
        """The workers have ended: flush, and end with the contract's exit code."""
        # SIGINT may come before the drain time is over; Python, when it ends, takes the handlers away.
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._life.advance(Phase.STOPPED)
        _logger.info("stopped")
        flush_telemetry()
        if self._exit_code != ExitCode.FINISHED:
            raise SystemExit(int(self._exit_code))

    def _terminated(self, *_: object) -> None:
        """SIGTERM: drain; a second one changes nothing, unless the task is on a longer drain of its own."""
        if os.getpid() != self._master:
            _leave()
        self._drain(self._settings.drain_seconds)

    def _stop_for_memory(self) -> None:
        """End with the exit code of memory; nobody has told the load balancer, which must find out by itself."""
        self._exit_code = ExitCode.MEMORY
        self._drain(max(self._settings.drain_seconds, WEB_ON_SPOT.drain_seconds))

    def _drain(self, seconds: float) -> None:
        """Fail readiness at once and keep serving until the load balancer has noticed."""
        first = self._life.advance(Phase.DRAINING)
        left = signal.getitimer(signal.ITIMER_REAL)[0]
        if first or seconds < left:
            # Before the log line, which may meet one that this signal has interrupted.
            signal.setitimer(signal.ITIMER_REAL, max(seconds, _SHORTEST_SECONDS))
        if first:
            # A reload would wait for workers past the end of the drain.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            _logger.info("draining", extra={"seconds": seconds})

    def _drained(self, *_: object) -> None:
        """The drain time is over: let gunicorn close the listener and finish what is in flight."""
        if os.getpid() == self._master:
            self._server.signal(signal.SIGTERM, None)


def _leave(*_: object) -> None:
    """A worker that has not begun has no request to finish, and would not be told again to end."""
    os._exit(ExitCode.FINISHED)
