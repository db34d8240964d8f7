"""What the processes of a service use of the machine, from https://man7.org/linux/man-pages/man5/proc.5.html.

>>> import os
>>> from baselib.telemetry.metrics import MetricsClient
>>> lines = []
>>> processes = ProcessMetrics(MetricsClient(lines.append), lambda: [os.getpid()])
>>> processes.sample()
>>> sorted(line.partition(":")[0] for line in lines)
['process.cpu', 'process.files', 'process.threads']
"""

import contextlib
import gc
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from baselib.telemetry.metrics import MetricsClient
from baselib.telemetry.metrics.standard import PROCESS_COLLECTIONS, PROCESS_CPU, PROCESS_FILES, PROCESS_THREADS

_PROC: Final = Path("/proc")


class _Use(NamedTuple):
    """What one process uses; the time of its start tells it from a later one of the same number."""

    process: int
    started: int
    cpu: int
    threads: int
    files: int


class ProcessMetrics:
    """CPU, threads and open files of some processes together; nothing where there is no `/proc`.

    Args:
        metrics: Where they go.
        pids: The processes to look at, asked for at each sample.
    """

    def __init__(self, metrics: MetricsClient, pids: Callable[[], Sequence[int]]) -> None:
        self._metrics = metrics
        self._pids = pids
        self._cpu: dict[tuple[int, int], int] = {}
        self._rest = 0.0

    def sample(self) -> None:
        """Send what the processes use now, and the CPU that they have used since the last time, or their start."""
        uses = [use for process in self._pids() if (use := _use(process)) is not None]
        if not uses:
            return
        before, self._cpu = self._cpu, {(use.process, use.started): use.cpu for use in uses}
        ticks = sum(cpu - before.get(process, 0) for process, cpu in self._cpu.items())
        # Whole milliseconds; what is cut off counts next time.
        milliseconds = ticks * 1000 / os.sysconf("SC_CLK_TCK") + self._rest
        self._rest = milliseconds % 1
        self._metrics.incr(PROCESS_CPU.name, int(milliseconds))
        self._metrics.gauge(PROCESS_THREADS.name, sum(use.threads for use in uses))
        self._metrics.gauge(PROCESS_FILES.name, sum(use.files for use in uses))


class CollectionMetrics:
    """Garbage collections of this process, by generation.

    Args:
        metrics: Where they go.
    """

    def __init__(self, metrics: MetricsClient) -> None:
        self._metrics = metrics
        self._process = os.getpid()
        self._collections = _collections()

    def sample(self) -> None:
        """Send how many there were since the last time."""
        if self._process != os.getpid():
            # A forked child has the parent's numbers, which the parent sends.
            self._process, self._collections = os.getpid(), _collections()
        before, self._collections = self._collections, _collections()
        for generation, count in enumerate(self._collections):
            if count > before[generation]:
                self._metrics.incr(
                    PROCESS_COLLECTIONS.name, count - before[generation], tags={"generation": str(generation)}
                )


def _collections() -> list[int]:
    return [int(generation["collections"]) for generation in gc.get_stats()]


def _use(process: int) -> _Use | None:
    folder = _PROC / str(process)
    with contextlib.suppress(OSError, ValueError, IndexError):
        # The name in parentheses may hold spaces and parentheses; the fields are numbered from the one behind it, 3.
        fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        cpu = int(fields[14 - 3]) + int(fields[15 - 3])
        files = sum(1 for _ in (folder / "fd").iterdir())
        return _Use(process, int(fields[22 - 3]), cpu, int(fields[20 - 3]), files)
    return None
