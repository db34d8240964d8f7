"""The four endpoints as a WSGI application, for web services in front of the application and for workers by itself."""

import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from baselib.contract import Settings
from baselib.contract.endpoints import DEPENDENCIES, INFO, LIVE, READY
from baselib.health.access import may_see_details
from baselib.health.checks import HealthChecks
from baselib.lifecycle import Life, Phase

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PATHS: Final = frozenset({LIVE, READY, DEPENDENCIES, INFO})
_REASONS: Final[Mapping[int, str]] = {200: "200 OK", 404: "404 Not Found", 503: "503 Service Unavailable"}

Answer = tuple[int, dict[str, Any]]


class HealthEndpoints:
    """Answers the endpoints and passes everything else on.

    Args:
        settings: Gives the identity and the token.
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
        path = environ.get("PATH_INFO", "")
        if path in _PATHS:
            status, body = self._answer(path, environ)
        elif self._application is not None:
            return self._application(environ, start_response)
        else:
            status, body = 404, {"status": "not found"}
        content = _content(body)
        start_response(
            _REASONS[status],
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(content))),
                ("Cache-Control", "no-store"),
            ],
        )
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else content]

    def immediate(self, path: str) -> bytes | None:
        """The whole HTTP answer to a question that can be answered without waiting for anything, None for others.

        Args:
            path: What is asked for; only liveness, and readiness where no check is required for traffic, are immediate.
        """
        if path == LIVE:
            status, body = self._live()
        elif path == READY and not any(check.required_for_traffic for check in self._checks.checks()):
            status, body = self._ready()
        else:
            return None
        content = _content(body)
        return (
            f"HTTP/1.1 {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        ).encode() + content

    def _answer(self, path: str, environ: Mapping[str, Any]) -> Answer:
        if path == LIVE:
            return self._live()
        if path == READY:
            return self._ready()
        if not may_see_details(environ, self._settings.health_token):
            return 404, {"status": "not found"}
        return self._dependencies() if path == DEPENDENCIES else self._info()

    def _live(self) -> Answer:
        return (200, {"status": "alive"}) if self._alive() else (503, {"status": "stuck"})

    def _ready(self) -> Answer:
        phase = self._life.phase
        if phase != Phase.READY:
            return 503, {"status": "not ready", "reason": phase.name.lower()}
        failed = [
            name for name, result in self._checks.results(required_for_traffic=True).items() if not result.healthy
        ]
        if failed:
            return 503, {"status": "not ready", "reason": f"failed: {', '.join(failed)}"}
        return 200, {"status": "ready"}

    def _dependencies(self) -> Answer:
        results = self._checks.results()
        now = time.monotonic()
        told = {
            check.name: {
                "status": "healthy" if results[check.name].healthy else "failed",
                "hard": check.hard,
                "latency_ms": round(results[check.name].seconds * 1000, 1),
                "last_error": self._checks.last_error(check.name),
                "age_seconds": round(now - results[check.name].finished, 1),
            }
            for check in self._checks.checks()
        }
        down = [check for check in self._checks.checks() if not results[check.name].healthy]
        status = "failed" if any(check.hard for check in down) else "degraded" if down else "healthy"
        return 200, {"status": status, "checks": told}

    def _info(self) -> Answer:
        return 200, {
            **self._settings.identity,
            "phase": self._life.phase.name.lower(),
            "uptime_seconds": round(time.time() - self._life.started, 1),
            "baselib": version("baselib"),
            "python": platform.python_version(),
        }


def _content(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode() + b"\n"
