"""CPU of a counter and of a request's metrics: the statsd package's, and baselib's with its sending thread.

python -m benchmarks.counters
"""

import json
import socket
import sys
import time
from collections.abc import Callable

from benchmarks.rounds import measure, report

VARIANTS = ("statsd package", "baselib", "baselib with a tag", "baselib, counter and timer of a request")
COUNTS = 40_000


def counter(variant: str, port: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """What counts once, and what is done at the end so that no work is left over."""
    if variant == VARIANTS[0]:
        from statsd import StatsClient  # noqa: PLC0415

        client = StatsClient("127.0.0.1", port, prefix="bench.api")
        return lambda: client.incr("lessons"), client.close
    from baselib.telemetry.metrics import MetricsClient, UdpTransport  # noqa: PLC0415
    from baselib.telemetry.metrics.events import Tagged  # noqa: PLC0415

    metrics = MetricsClient(UdpTransport("127.0.0.1", port), prefix="bench.api", tags={"environment": "prod"})
    if variant == VARIANTS[1]:
        return lambda: metrics.incr("lessons"), metrics.flush
    if variant == VARIANTS[2]:
        return lambda: metrics.incr("lessons", tags={"language": "es"}), metrics.flush
    tags = (("route", "/lessons/<int:lesson>"), ("method", "GET"), ("status", "200"))
    counter, timer = Tagged("requests", tags), Tagged("requests.time", tags)
    return lambda: metrics.observe(counter, timer, 12.345678), metrics.flush


def main() -> None:
    """Measure one variant, or all."""
    if len(sys.argv) == 1:
        report("a counter", measure("benchmarks.counters", VARIANTS, rounds=7))
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        count, finish = counter(sys.argv[1], receiver.getsockname()[1])
        count()
        began = time.process_time()
        for done in range(COUNTS):
            count()
            if done % 1000 == 0:
                # Lets the sending thread run, whose CPU belongs to the cost.
                time.sleep(0.001)
        finish()
        print(json.dumps((time.process_time() - began) / COUNTS * 1e6))


if __name__ == "__main__":
    main()
