"""The same service once for every variant: `app` is that which the variable BENCHMARK_VARIANT names.

`/` is the trivial route. `POST /orders` is the realistic one: a JSON body is validated, a metric counted, a line logged
and a message sent to SQS.
"""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from flask import Flask, request
from pydantic import BaseModel, Field, ValidationError

SENTRY: Final = os.environ.get("SENTRY_DSN", "")
QUEUE: Final = os.environ.get("BENCHMARK_QUEUE", "")

logger = logging.getLogger("orders")


class Order(BaseModel):
    """The body of the realistic route."""

    lesson: str = Field(min_length=1, max_length=100)
    learner: int = Field(ge=1)
    answers: list[str] = Field(max_length=50)


def trivial() -> str:
    """Answer without doing anything."""
    return "hello"


def by_hand(app: Flask) -> Flask:
    """The two routes as one writes them with Flask, the statsd package and boto3."""
    import boto3  # noqa: PLC0415
    from statsd import StatsClient  # noqa: PLC0415

    counters = StatsClient("127.0.0.1", int(os.environ["STATSD_PORT"]), prefix="bench.api")
    queue = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")

    def order() -> Any:
        try:
            body = Order.model_validate_json(request.get_data())
        except ValidationError as error:
            return {"errors": error.errors()}, 422
        counters.incr("orders")
        logger.info("order taken by %s", body.learner)
        queue.send_message(QueueUrl=QUEUE, MessageBody=body.model_dump_json())
        return {"answers": len(body.answers)}, 201

    app.add_url_rule("/", view_func=trivial)
    app.add_url_rule("/orders", view_func=order, methods=["POST"])
    return app


def plain() -> Flask:
    """Flask, and the service's own lines as text."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return by_hand(Flask(__name__))


def sentry() -> Flask:
    """Flask, with sentry-sdk as its documentation sets it up, without tracing."""
    import sentry_sdk  # noqa: PLC0415

    sentry_sdk.init(dsn=SENTRY)
    return plain()


def dockerflow() -> Flask:
    """Flask with Dockerflow and its JSON log."""
    from dockerflow.flask import Dockerflow  # noqa: PLC0415
    from dockerflow.logging import JsonLogFormatter  # noqa: PLC0415

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLogFormatter(logger_name="bench"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("request.summary").setLevel(logging.INFO)
    app = by_hand(Flask(__name__))
    Dockerflow(app)
    return app


def prometheus() -> Flask:
    """Flask with prometheus_flask_exporter."""
    from prometheus_flask_exporter import PrometheusMetrics  # noqa: PLC0415

    app = plain()
    PrometheusMetrics(app, group_by="url_rule")
    return app


def talisker() -> Flask:
    """Flask with Talisker, which `talisker.gunicorn` wraps around it."""
    import talisker.flask  # noqa: PLC0415

    app = by_hand(Flask(__name__))
    talisker.flask.register(app)
    return app


def baselib() -> Flask:
    """The same routes with baselib, everything switched on."""
    from baselib import aws, create_app, metrics  # noqa: PLC0415
    from baselib.web import validate  # noqa: PLC0415

    @validate(body=Order)
    def order(json: Order) -> Any:
        metrics.incr("orders")
        logger.info("order taken", extra={"learner": json.learner})
        aws.client("sqs").send_message(QueueUrl=QUEUE, MessageBody=json.model_dump_json())
        return {"answers": len(json.answers)}, 201

    app = create_app(__name__)
    # As `by_hand` does: before the workers are forked.
    aws.client("sqs")
    app.add_url_rule("/", view_func=trivial)
    app.add_url_rule("/orders", view_func=order, methods=["POST"])
    return app


MAKERS: Final[dict[str, Callable[[], Flask]]] = {
    maker.__name__: maker for maker in (plain, sentry, dockerflow, prometheus, talisker, baselib)
}

if "BENCHMARK_VARIANT" in os.environ:
    app = MAKERS[os.environ["BENCHMARK_VARIANT"]]()
