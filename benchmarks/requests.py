"""CPU of a trivial request in process: plain Flask, and baselib with everything switched on.

python -m benchmarks.requests
"""

import gc
import io
import json
import logging
import os
import socket
import sys
import time
from typing import Any

from benchmarks.rounds import measure, report

VARIANTS = ("plain Flask without a log", "baselib, all on", "the same, each reported at once")
REQUESTS = 3000

# A socket that is bound and never read, so that sending does not fail.
_bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
_bound.bind(("127.0.0.1", 0))


def application(variant: str) -> Any:
    """The application of a variant, with the same route."""
    if variant == VARIANTS[0]:
        from flask import Flask  # noqa: PLC0415

        app = Flask(__name__)
    else:
        os.environ |= {
            "SERVICE_PRODUCT": "bench",
            "SERVICE_NAME": "api",
            "SERVICE_OWNER": "bench",
            "LOG_FORMAT": "json",
            "STATSD_HOST": "127.0.0.1",
            "STATSD_PORT": str(_bound.getsockname()[1]),
            "SENTRY_DSN": "http://key@127.0.0.1:9/1",
        }
        from baselib import create_app  # noqa: PLC0415
        from baselib.telemetry import REPORTER  # noqa: PLC0415

        # The line is made in full; only the write to the terminal is left out.
        sys.stdout = io.StringIO()
        app = create_app(__name__)
        if variant == VARIANTS[1]:
            # As gunicorn's workers do.
            REPORTER.report_in_batches()
        logging.getLogger().handlers[0].setStream(open(os.devnull, "w", encoding="utf-8"))  # type: ignore[attr-defined]  # noqa: PTH123, SIM115
        sys.stdout = sys.__stdout__
    app.add_url_rule("/", view_func=lambda: "hello")
    return app


def microseconds(app: Any) -> float:
    """CPU time of one request."""
    from werkzeug.test import EnvironBuilder  # noqa: PLC0415

    environ = EnvironBuilder("/").get_environ()

    def request() -> None:
        body = app(dict(environ), lambda *_: None)
        b"".join(body)
        body.close()

    for _ in range(REQUESTS // 10):
        request()
    # As in a worker, which is forked from a master that has frozen what it loaded.
    gc.collect()
    gc.freeze()
    began = time.process_time()
    for _ in range(REQUESTS):
        request()
    if "baselib.telemetry" in sys.modules:
        # What is still to be told belongs to the cost.
        sys.modules["baselib.telemetry"].REPORTER.flush()
        sys.modules["baselib.telemetry"].metrics.flush()
    return (time.process_time() - began) / REQUESTS * 1e6


def main() -> None:
    """Measure one variant, or all."""
    if len(sys.argv) > 1:
        print(json.dumps(microseconds(application(sys.argv[1]))))
        return
    report("a trivial request", measure("benchmarks.requests", VARIANTS, rounds=7))


if __name__ == "__main__":
    main()
