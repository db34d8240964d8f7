"""A consumer's processes: how they are started, and that none of them is left behind."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.workers.jobs import Length
from benchmarks.workers.variants import VARIANTS

ROOT: Final = Path(__file__).resolve().parents[2]


class Program(NamedTuple):
    """A consumer's process.

    Attributes:
        process: The process that was started; the others are below it.
        length: How long its jobs take.
        output: Where its output goes.
    """

    process: "subprocess.Popen[bytes]"
    length: Length
    output: Path


@contextlib.contextmanager
def launched(name: str, queue_url: str, endpoint: str) -> Iterator[Program]:
    """A consumer's process, until the block ends.

    Args:
        name: One of `VARIANTS`.
        queue_url: What it consumes.
        endpoint: Where AWS is.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, _nobody() as statsd:
        length, output = Path(folder, "length"), Path(folder, "output")
        seconds = Length.create(length)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "BENCHMARK_VARIANT": name,
            "BENCHMARK_LENGTH": str(length),
            "SERVICE_PRODUCT": "bench",
            "SERVICE_NAME": "worker",
            "SERVICE_OWNER": "bench",
            "QUEUE_URL": queue_url,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCOUNT_ID": "000000000000",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "SENTRY_DSN": "http://key@127.0.0.1:9/1",
            "STATSD_HOST": "127.0.0.1",
            "STATSD_PORT": str(statsd),
            "HEALTH_PORT": str(_free_port()),
            "LOG_FORMAT": "json",
        }
        with output.open("wb") as written:
            process = subprocess.Popen(
                VARIANTS[name].command,
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                # A group of its own, so that none of its processes is left behind.
                start_new_session=True,
            )
        try:
            yield Program(process, seconds, output)
        finally:
            # Not asked to stop: a long poll that cannot be cancelled takes up to 20 s.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def _nobody() -> Iterator[int]:
    """A socket that is bound and never read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        yield receiver.getsockname()[1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
