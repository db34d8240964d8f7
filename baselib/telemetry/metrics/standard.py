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
    "requests.time",
    "timer",
    ("route", "method", "status"),
    "milliseconds from the thread that takes it to the last byte out",
)
REQUEST_QUEUE_TIME: Final = StandardMetric(
    "requests.queue_time", "timer", (), "milliseconds that a request waited for a thread; every tenth request"
)
REQUESTS_IN_FLIGHT: Final = StandardMetric("requests.in_flight", "gauge", (), "requests being answered, all workers")
REQUESTS_SHED: Final = StandardMetric("requests.shed", "counter", ("reason",), "requests answered 503 under overload")
REQUESTS_HUNG: Final = StandardMetric("requests.hung", "counter", (), "requests that took longer than REQUEST_SECONDS")
SLOW_CLIENTS: Final = StandardMetric("clients.slow", "counter", ("part",), "connections closed for sending too slowly")
WORKERS: Final = StandardMetric("workers", "gauge", (), "gunicorn workers alive")
THREADS_BUSY: Final = StandardMetric("threads.busy", "gauge", (), "request threads at work, all workers")
MESSAGES: Final = StandardMetric("messages", "counter", ("queue", "outcome"), "messages handled")
MESSAGE_TIME: Final = StandardMetric("messages.time", "timer", ("queue", "outcome"), "milliseconds in the handler")
MESSAGE_AGE: Final = StandardMetric("messages.age", "timer", ("queue",), "milliseconds from sending to handling")
MESSAGES_RECEIVED: Final = StandardMetric("messages.received", "counter", ("queue",), "messages received")
MESSAGES_DELETED: Final = StandardMetric("messages.deleted", "counter", ("queue",), "messages deleted after their work")
MESSAGES_DUPLICATES: Final = StandardMetric(
    "messages.duplicates", "counter", ("queue",), "messages whose work had been done before"
)
MESSAGES_SENT: Final = StandardMetric(
    "messages.sent", "counter", ("queue", "outcome"), "messages sent: `sent`, `failed`, or `uncertain`"
)
PAYLOADS_LEFT: Final = StandardMetric(
    "payloads.left", "counter", (), "bodies in S3 that nobody needs any more and that could not be removed"
)
MESSAGES_DEAD: Final = StandardMetric(
    "messages.dead", "counter", ("queue", "cause"), "messages sent to the dead-letter queue: rejected, receives"
)
LEASES_LOST: Final = StandardMetric(
    "messages.lost_leases", "counter", ("queue",), "messages that SQS may have given to somebody else while held"
)
HANDLERS_HUNG: Final = StandardMetric(
    "messages.hung", "counter", ("queue",), "messages that were handled for longer than their limit"
)
JOBS: Final = StandardMetric("jobs", "counter", ("job", "outcome"), "runs of a cron job: done, failed, skipped")
JOB_TIME: Final = StandardMetric("jobs.time", "timer", ("job", "outcome"), "milliseconds of a run")
TURNS: Final = StandardMetric("turns", "counter", ("loop", "outcome"), "turns of a worker's loop without a queue")
TURN_TIME: Final = StandardMetric("turns.time", "timer", ("loop", "outcome"), "milliseconds of a turn")
JOB_LAST_SUCCESS: Final = StandardMetric(
    "jobs.last_success", "gauge", ("job",), "seconds since 1970 of the last run that finished"
)
STARTS: Final = StandardMetric("starts", "counter", ("release",), "processes started")
RESTARTS: Final = StandardMetric("restarts", "counter", ("cause",), "gunicorn workers or tasks restarted by baselib")
MEMORY_USED: Final = StandardMetric("memory.used", "gauge", (), "bytes of the working set")
MEMORY_SHARE: Final = StandardMetric("memory.percent", "gauge", (), "per cent of the memory limit in use")
MEMORY_GROWTH: Final = StandardMetric(
    "memory.growth", "gauge", (), "bytes of the working set above those after the start"
)
MEMORY_UNFIT: Final = StandardMetric(
    "memory.unfit", "counter", (), "checks that found the limit too low for a fresh worker"
)
HEALTH_CHECKS: Final = StandardMetric("health.checks", "gauge", ("check",), "1 while a check is healthy, 0 while not")
LOG_LINES: Final = StandardMetric("log.lines", "counter", ("level",), "log lines")
LOG_LINES_SAMPLED: Final = StandardMetric("log.lines.sampled", "counter", ("level",), "repeated log lines left out")
METRICS_LOST: Final = StandardMetric("metrics.lost", "counter", ("cause",), "metrics that were not sent")
PROCESS_CPU: Final = StandardMetric("process.cpu", "counter", (), "milliseconds of CPU used by all processes")
PROCESS_THREADS: Final = StandardMetric("process.threads", "gauge", (), "threads of all processes")
PROCESS_FILES: Final = StandardMetric("process.files", "gauge", (), "open files and sockets of all processes")
PROCESS_COLLECTIONS: Final = StandardMetric("process.collections", "counter", ("generation",), "garbage collections")
AWS_CALLS: Final = StandardMetric("aws.calls", "counter", ("service", "operation", "outcome"), "calls of AWS")
AWS_CALL_TIME: Final = StandardMetric(
    "aws.calls.time", "timer", ("service", "operation"), "milliseconds of a call of AWS, retries included"
)
AWS_RETRIES: Final = StandardMetric(
    "aws.calls.retries", "counter", ("service", "operation"), "calls of AWS tried again"
)
AWS_THROTTLES: Final = StandardMetric(
    "aws.calls.throttles", "counter", ("service", "operation"), "answers of AWS that said: slower"
)
AWS_BYTES: Final = StandardMetric(
    "aws.calls.bytes", "counter", ("service", "operation", "direction"), "bytes of bodies sent to and received from AWS"
)
AWS_COST: Final = StandardMetric(
    "aws.cost", "counter", ("service", "operation"), "price of the calls in millionths of a US dollar"
)
AWS_CREDENTIAL_FAILURES: Final = StandardMetric(
    "aws.credentials.failures", "counter", (), "attempts to renew the task role's keys that failed"
)
AWS_OBJECT_READS: Final = StandardMetric(
    "aws.objects.reads", "counter", ("result",), "S3 objects read through the cache: hit, revalidated, miss"
)
DEPENDENCY_CALLS: Final = StandardMetric(
    "dependencies.calls", "counter", ("dependency", "outcome"), "calls of other services"
)
DEPENDENCY_TIME: Final = StandardMetric(
    "dependencies.calls.time", "timer", ("dependency", "outcome"), "milliseconds of a call, retries included"
)
DEPENDENCY_RETRIES: Final = StandardMetric(
    "dependencies.calls.retries", "counter", ("dependency",), "calls tried again"
)
DEPENDENCY_OPEN: Final = StandardMetric(
    "dependencies.open", "gauge", ("dependency",), "1 while the circuit breaker lets no call through"
)
DNS_LOOKUPS: Final = StandardMetric(
    "dns.lookups", "counter", ("result",), "look-ups of host names: hit, miss, stale, failed"
)
DNS_PACKETS_SAVED: Final = StandardMetric(
    "dns.packets_saved", "counter", (), "packets to the resolver that the cache made unnecessary"
)

STANDARD_METRICS: Final = (
    REQUESTS,
    REQUEST_TIME,
    REQUEST_QUEUE_TIME,
    REQUESTS_IN_FLIGHT,
    REQUESTS_SHED,
    REQUESTS_HUNG,
    SLOW_CLIENTS,
    WORKERS,
    THREADS_BUSY,
    MESSAGES,
    MESSAGE_TIME,
    MESSAGE_AGE,
    MESSAGES_RECEIVED,
    MESSAGES_DELETED,
    MESSAGES_DUPLICATES,
    MESSAGES_SENT,
    PAYLOADS_LEFT,
    MESSAGES_DEAD,
    LEASES_LOST,
    HANDLERS_HUNG,
    JOBS,
    JOB_TIME,
    JOB_LAST_SUCCESS,
    TURNS,
    TURN_TIME,
    STARTS,
    RESTARTS,
    MEMORY_USED,
    MEMORY_SHARE,
    MEMORY_GROWTH,
    MEMORY_UNFIT,
    HEALTH_CHECKS,
    LOG_LINES,
    LOG_LINES_SAMPLED,
    METRICS_LOST,
    PROCESS_CPU,
    PROCESS_THREADS,
    PROCESS_FILES,
    PROCESS_COLLECTIONS,
    AWS_CALLS,
    AWS_CALL_TIME,
    AWS_RETRIES,
    AWS_THROTTLES,
    AWS_BYTES,
    AWS_COST,
    AWS_CREDENTIAL_FAILURES,
    AWS_OBJECT_READS,
    DEPENDENCY_CALLS,
    DEPENDENCY_TIME,
    DEPENDENCY_RETRIES,
    DEPENDENCY_OPEN,
    DNS_LOOKUPS,
    DNS_PACKETS_SAVED,
)
