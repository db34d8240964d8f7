"""Who consumes, and how each is started."""

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.workers import jobs

_BIN: Final = Path(sys.executable).parent
_BASELIB: Final = (str(_BIN / "baselib"), "worker", "--host", "127.0.0.1", "benchmarks.workers.with_baselib:worker")
_CELERY: Final = (
    *(str(_BIN / "celery"), "-A", "benchmarks.workers.with_celery", "worker", "--pool=prefork", "--concurrency=2"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"),
)
_DRAMATIQ: Final = (str(_BIN / "dramatiq"), "benchmarks.workers.with_dramatiq", "--processes=1", "--threads=4")
_PYQS: Final = (str(_BIN / "pyqs"), jobs.QUEUE, "--concurrency=2")


@dataclasses.dataclass(frozen=True, slots=True)
class Variant:
    """A consumer.

    Attributes:
        title: What it is called in tables.
        command: How it is started.
        at_once: How many jobs it does at a time.
        body: Makes a message as it wants it.
        jobs: Messages without work in a run: fewer where it is slow.
        slow_jobs: Messages while each call takes 8 ms.
        sleeping_jobs: Messages whose job takes 10 ms.
    """

    title: str
    command: Sequence[str]
    at_once: int = 1
    body: Callable[[], str] = jobs.plain_body
    jobs: int = 5000
    slow_jobs: int = 1500
    sleeping_jobs: int = 200


def _loop(name: str) -> tuple[str, ...]:
    return (sys.executable, "-W", "ignore", "-m", "benchmarks.workers.loops", name)


VARIANTS: Final[Mapping[str, Variant]] = {
    "botocore": Variant("a loop over botocore", _loop("botocore")),
    "boto3": Variant("a loop over boto3", _loop("boto3")),
    "aws-sqs-consumer": Variant("aws-sqs-consumer, batches of 10", _loop("aws_sqs_consumer")),
    "sqs-workers": Variant("sqs-workers, raw queue", _loop("sqs_workers")),
    "PySqsListener": Variant("PySqsListener, receives of 10", _loop("py_sqs_listener"), jobs=1500, slow_jobs=150),
    "pyqs": Variant("pyqs, 2 processes", _PYQS, 2, jobs.pyqs_body, jobs=300, slow_jobs=200),
    "celery": Variant("Celery, 2 processes, late acks", _CELERY, 2, jobs.celery_body, jobs=1500, slow_jobs=200),
    "dramatiq": Variant("dramatiq, 4 threads", _DRAMATIQ, 4, jobs.dramatiq_body, jobs=1500, slow_jobs=400),
    "baselib": Variant("baselib, 4 threads", _BASELIB, 4, sleeping_jobs=800),
    "baselib-model": Variant("baselib, bodies validated", _BASELIB, 4, sleeping_jobs=800),
    "baselib-batch": Variant("baselib, batches of 10", _BASELIB, 4, sleeping_jobs=800),
}
