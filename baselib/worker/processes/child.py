"""What runs in a handler's process.

python -m baselib.worker.processes.child LOCATION DESCRIPTOR
"""

import importlib
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from baselib.telemetry import REPORTER, flush_telemetry, metrics, start_errors
from baselib.telemetry.process import ProcessMetrics
from baselib.worker.engine.lease import LONGEST_HOLD_SECONDS, Lease
from baselib.worker.processes.protocol import Order, Result

if TYPE_CHECKING:
    from baselib.worker.worker import Worker


def main(location: str, descriptor: int) -> None:
    """Handle what the worker's process sends until it ends.

    Args:
        location: `package.module:name` of the Worker.
        descriptor: The file descriptor of the connection to the worker's process.
    """
    # The worker's process decides when this one ends; a signal to the group must not cut a handler short.
    # Handled and not ignored, because what is ignored stays so in the programs that a handler starts.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    module, _, name = location.partition(":")
    worker: Worker = getattr(importlib.import_module(module), name)
    start_errors()
    REPORTER.report_in_batches()
    metrics.sample(ProcessMetrics(metrics, lambda: [os.getpid()]).sample)
    with Connection(descriptor) as connection:
        try:
            worker.service.checks.start_up_now()
            connection.send(None)
            while True:
                connection.send(_results(worker, connection.recv()))
        except (EOFError, OSError):
            pass
        finally:
            flush_telemetry()


def _results(worker: "Worker", order: Order) -> list[Result]:
    now = time.monotonic()
    leases = [Lease(raw, now, LONGEST_HOLD_SECONDS) for raw in order.raws]
    if order.remaining is not None:
        for lease in leases:
            lease.finish_by(now + order.remaining)
    verdicts = worker.handling(order.queue)(leases)
    return [Result(verdict, lease.on_deleted) for verdict, lease in zip(verdicts, leases, strict=True)]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
