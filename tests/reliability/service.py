"""The service that is disturbed. Run by `baselib serve`."""

import itertools

from flask import Flask

from baselib import aws, capture_exception, create_app, metrics
from baselib.service import Service

_leak: list[bytes] = []
_numbers = itertools.count()


def _routes(app: Flask, service: Service) -> None:
    @app.get("/")
    def home() -> str:
        metrics.incr("homes")
        return "home"

    @app.get("/leak")
    def leak() -> str:
        _leak.append(b"x" * 65536)
        return "leaked"

    @app.get("/handled")
    def handled() -> str:
        # Not on every request: sentry-sdk would spend its time on making events.
        if next(_numbers) % 20 == 0:
            try:
                raise ValueError("handled")
            except ValueError as error:
                capture_exception(error)
        return "handled"

    @app.get("/queue")
    def queue() -> str:
        if next(_numbers) % 20 == 0:
            aws.client("sqs").send_message(QueueUrl="http://queue.invalid/1/queue", MessageBody="taken")
        return "queued"


app = create_app(__name__, routes=_routes)
