"""CPU of a health answer in process: plain Flask's trivial route, and the endpoints in front of an application.

python -m benchmarks.health
"""

import io
import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.rounds import measure, report

PLAIN = "plain Flask, a trivial route"
# What is asked for, and whether a check is required for traffic.
QUESTIONS = {
    "live": ("/healthz/live", False),
    "ready": ("/healthz/ready", False),
    "ready, a check required": ("/healthz/ready", True),
    "another path passed on": ("/", False),
    "the same without the endpoints": ("/", False),
}
VARIANTS = (PLAIN, *QUESTIONS)
REQUESTS = 20_000


def inner(environ: Any, start_response: Any) -> Iterable[bytes]:
    """An application that costs nothing."""
    return ()


def application(variant: str) -> Callable[[Any, Any], Iterable[bytes]]:
    """The WSGI application of a variant."""
    if variant == PLAIN:
        from flask import Flask  # noqa: PLC0415

        app = Flask(__name__)
        app.add_url_rule("/", view_func=lambda: "hello")
        return app
    if variant == "the same without the endpoints":
        return inner
    from baselib.contract import Settings  # noqa: PLC0415
    from baselib.health import HealthCheck, HealthChecks, HealthEndpoints  # noqa: PLC0415
    from baselib.lifecycle import Life, Phase  # noqa: PLC0415

    life, checks = Life(), HealthChecks()
    life.advance(Phase.READY)
    checks.add(HealthCheck("store", lambda: None, required_for_traffic=QUESTIONS[variant][1]))
    checks.results()
    return HealthEndpoints(Settings(product="bench", service="api", owner="bench"), life, checks, inner)


def microseconds(app: Callable[[Any, Any], Iterable[bytes]], path: str) -> float:
    """CPU time of one request."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }

    def request() -> None:
        body = app(environ, lambda *_: None)
        b"".join(body)
        close = getattr(body, "close", None)
        if close is not None:
            close()

    for _ in range(REQUESTS // 10):
        request()
    began = time.process_time()
    for _ in range(REQUESTS):
        request()
    return (time.process_time() - began) / REQUESTS * 1e6


def main() -> None:
    """Measure one variant, or all."""
    if len(sys.argv) == 1:
        report("a health answer", measure("benchmarks.health", VARIANTS, rounds=5))
        return
    variant = sys.argv[1]
    print(json.dumps(microseconds(application(variant), QUESTIONS.get(variant, ("/", False))[0])))


if __name__ == "__main__":
    main()
