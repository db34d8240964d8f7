"""What an empty queue costs: receives an hour, and CPU.

python -m benchmarks.workers.idle [SECONDS]
"""

import contextlib
import math
import sys
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from benchmarks.workers.load import CannotRunError, Consumer, consuming
from benchmarks.workers.processes import cpu_seconds
from benchmarks.workers.variants import VARIANTS

WATCHED: Final = ("baselib", "celery", "dramatiq")
SECONDS: Final = 55.0


class Idle(NamedTuple):
    """An empty queue, watched for a while.

    Attributes:
        receives: An hour, after the time between the first and the last that were seen.
        milliseconds: CPU a second.
    """

    receives: float
    milliseconds: float


def main() -> None:
    """Measure and print."""
    print(table(measure(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)))


def measure(seconds: float = SECONDS, names: Sequence[str] = WATCHED) -> dict[str, Idle]:
    """Each of them at the same time, on a queue of its own; one that cannot run is left out.

    Args:
        seconds: How long.
        names: Who.
    """
    with contextlib.ExitStack() as stack:
        watched: dict[str, Consumer] = {}
        for name in names:
            consumer = stack.enter_context(consuming(name))
            with contextlib.suppress(CannotRunError):
                # After the first messages nobody is busy with the start any more.
                consumer.consume(10)
                watched[name] = consumer
        before = {name: cpu_seconds(consumer.id) for name, consumer in watched.items()}
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in watched}
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            for name, consumer in watched.items():
                receives = consumer.stub.statistics().calls.get("ReceiveMessage", 0)
                if not seen[name] or receives != seen[name][-1][1]:
                    seen[name].append((passed, receives))
            time.sleep(0.05)
        return {
            name: Idle(_an_hour(seen[name]), (cpu_seconds(consumer.id) - before[name]) / passed * 1000)
            for name, consumer in watched.items()
        }


def table(measured: dict[str, Idle]) -> str:
    """As Markdown."""
    rows = ["| an empty queue | receives an hour | CPU ms a second |", "| --- | --- | --- |"]
    rows += [
        f"| {VARIANTS[name].title} | {each.receives:.0f} | {each.milliseconds:.2f} |" for name, each in measured.items()
    ]
    return "\n".join(rows) + "\n"


def _an_hour(seen: Sequence[tuple[float, float]]) -> float:
    # The first is when the watch began, in the middle of a receive.
    times = [passed for passed, _ in seen[1:]]
    if len(times) < 2:
        return math.nan
    # Looks are 50 ms apart, so that less than one an hour is not known.
    return float(round((seen[-1][1] - seen[1][1]) / (times[-1] - times[0]) * 3600))


if __name__ == "__main__":
    main()
