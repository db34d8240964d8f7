"""The metrics that baselib sends by itself; the documentation's table is made from this one."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class StandardMetric:
    """A metric that every service of a kind sends.

    Args:
        name: Its name after the prefix `{product}.{service}.`.
        type: Its statsd type.
        tags: Its tags besides `environment`.
        meaning: What it tells.
    """

    name: str
    type: Literal["counter", "timer", "gauge"]
    tags: tuple[str, ...]
    meaning: str


REQUESTS: Final = StandardMetric("requests", "counter", ("route", "method", "status"), "requests answered")
REQUEST_TIME: Final = StandardMetric(
    "requests.time", "timer", ("route", "method", "status"), "milliseconds from the first byte in to the last byte out"
)
MESSAGES: Final = StandardMetric("messages", "counter", ("queue", "outcome"), "messages handled")
MESSAGE_TIME: Final = StandardMetric("messages.time", "timer", ("queue", "outcome"), "milliseconds in the handler")
MESSAGE_AGE: Final = StandardMetric("messages.age", "timer", ("queue",), "milliseconds from sending to handling")
MESSAGES_RECEIVED: Final = StandardMetric("messages.received", "counter", ("queue",), "messages received")
MESSAGES_DELETED: Final = StandardMetric("messages.deleted", "counter", ("queue",), "messages deleted after their work")
JOBS: Final = StandardMetric("jobs", "counter", ("job", "outcome"), "runs of a cron job")
JOB_TIME: Final = StandardMetric("jobs.time", "timer", ("job", "outcome"), "milliseconds of a run")
STARTS: Final = StandardMetric("starts", "counter", ("release",), "processes started")
RESTARTS: Final = StandardMetric("restarts", "counter", ("cause",), "gunicorn workers or tasks restarted by baselib")
MEMORY_USED: Final = StandardMetric("memory.used", "gauge", (), "bytes of the working set")
MEMORY_SHARE: Final = StandardMetric("memory.percent", "gauge", (), "per cent of the memory limit in use")

STANDARD_METRICS: Final = (
    REQUESTS,
    REQUEST_TIME,
    MESSAGES_RECEIVED,
    MESSAGES,
    MESSAGE_TIME,
    MESSAGE_AGE,
    MESSAGES_DELETED,
    JOBS,
    JOB_TIME,
    STARTS,
    RESTARTS,
    MEMORY_USED,
    MEMORY_SHARE,
)
