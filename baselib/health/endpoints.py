"""The four endpoints as a WSGI application, for web services in front of the application and for workers by itself."""

import functools
import platform
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from baselib.contract import Settings
from baselib.contract.endpoints import DEPENDENCIES, INFO, LIVE, READY
from baselib.health import answers
from baselib.health.access import may_see_details
from baselib.health.answers import Answer
from baselib.health.registry import HealthChecks
from baselib.health.state import StartUpState
from baselib.lifecycle import Life, Phase

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PATHS: Final = frozenset({LIVE, READY, DEPENDENCIES, INFO})
_METHODS: Final = frozenset({"GET", "HEAD"})


class HealthEndpoints:
    """Answers the endpoints and passes everything else on.

    Args:
        settings: Gives the identity, the token and the trusted proxies.
        life: Gives the phase.
        checks: Gives the results.
        application: Who answers other paths; None, and other paths are 404.
        alive: Whether the process still does its work; asked for the liveness endpoint.
    """

    def __init__(
        self,
        settings: Settings,
        life: Life,
        checks: HealthChecks,
        application: "Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] | None" = None,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._life = life
        self._checks = checks
        self._application = application
        self._alive = alive

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO")
        if path not in _PATHS and self._application is not None:
            return self._application(environ, start_response)
        answer = self._answer(path, environ)
        start_response(answer.status, list(answer.headers))
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else answer.content]

    def start(self) -> None:
        """Begin to check in this process, before anybody asks; after a fork, not before."""
        self._checks.start()

    def immediate(self, path: str) -> bytes | None:
        """The whole HTTP answer to a question that can be answered without waiting for anything, None for others.

        Args:
            path: What is asked for; only liveness and readiness are immediate.
        """
        if path == LIVE:
            return self._live().message()
        if path == READY:
            return self._ready(wait=False).message()
        return None

    def _answer(self, path: str | None, environ: "WSGIEnvironment") -> Answer:
        if path not in _PATHS:
            return answers.NOT_FOUND
        details = path not in (LIVE, READY)
        if details and not may_see_details(environ, self._settings.health_token, self._settings.trusted_proxies):
            return answers.NOT_FOUND
        if environ.get("REQUEST_METHOD", "GET") not in _METHODS:
            return answers.NOT_ALLOWED
        if details:
            return self._dependencies() if path == DEPENDENCIES else self._info()
        return self._live() if path == LIVE else self._ready()

    def _live(self) -> Answer:
        return answers.ALIVE if self._alive() else answers.STUCK

    def _ready(self, *, wait: bool = True) -> Answer:
        phase = self._life.phase
        if phase > Phase.READY:
            return _not_ready(phase.name.lower())
        reason = self._checks.not_ready(wait=wait)
        if phase == Phase.READY and not reason:
            return answers.READY
        # Before the process serves, what its checks say is not the reason.
        return _not_ready(reason if phase == Phase.READY or reason.startswith("starting") else "starting")

    def _dependencies(self) -> Answer:
        results = self._checks.results()
        checks = [(check, results[check.name]) for check in self._checks.checks() if check.name in results]
        now = time.monotonic()
        told = {
            check.name: {
                "status": "healthy" if result.healthy else "failed",
                "hard": check.hard,
                "required_for_traffic": check.required_for_traffic,
                "latency_ms": round(result.seconds * 1000, 1),
                "last_error": self._checks.last_error(check.name),
                "age_seconds": round(now - result.finished, 1),
                "since_seconds": round(now - result.since, 1),
            }
            for check, result in checks
        }
        down = [check for check, result in checks if not result.healthy]
        status = "failed" if any(check.hard for check in down) else "degraded" if down else "healthy"
        start_up = {name: _progress(state) for name, state in self._checks.start_ups().items()}
        return Answer(200, {"status": status, "checks": told, "start_up": start_up})

    def _info(self) -> Answer:
        body = {
            **self._settings.identity,
            "phase": self._life.phase.name.lower(),
            "uptime_seconds": round(time.time() - self._life.started, 1),
            "baselib": _version(),
            "python": platform.python_version(),
        }
        return Answer(200, body)


def _not_ready(reason: str) -> Answer:
    return Answer(503, {"status": "not ready", "reason": reason})


def _progress(state: StartUpState) -> dict[str, Any]:
    return {"status": "done" if state.done else "waiting", "attempts": state.attempts, "last_error": state.last_error}


@functools.cache
def _version() -> str:
    return version("baselib")
