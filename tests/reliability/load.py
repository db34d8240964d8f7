"""Load that counts every failure: wrk, which tries nothing twice."""

import re
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from typing import Self

import pytest

_SLICE_SECONDS = 5
_CONNECTIONS = 16


@dataclass(slots=True)
class Count:
    """What came of the requests.

    Attributes:
        requests: How many were answered.
        failures: What wrk told of failures, one entry for each kind and slice of time.
        p99: The 99th percentile of each slice in milliseconds.
    """

    requests: int = 0
    failures: list[str] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


class Load:
    """Requests over kept-alive connections, from the start of a `with` block until enough were answered.

    Args:
        url: What is asked for.
        enough: How many answers end it.
    """

    def __init__(self, url: str, enough: int) -> None:
        if shutil.which("wrk") is None:
            pytest.skip("wrk is not installed (Debian: apt-get install wrk)")
        self._url = url
        self._enough = enough
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.count = Count()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(2 * _SLICE_SECONDS + 10)

    @property
    def going_on(self) -> bool:
        """Whether more answers are needed."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while self.count.requests < self._enough and not self._stopped.is_set():
            told = subprocess.run(
                ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_SLICE_SECONDS}s", "--latency", "--timeout", "30s", self._url],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            self._add(told)

    def _add(self, told: str) -> None:
        found = re.search(r"(\d+) requests in", told)
        self.count.requests += int(found.group(1)) if found else 0
        if found is None:
            self.count.failures.append(told or "wrk said nothing")
        self.count.failures += re.findall(r"Non-2xx or 3xx responses: \d+", told)
        for line in re.findall(r"Socket errors: .*", told):
            if any(map(int, re.findall(r"\d+", line))):
                self.count.failures.append(line)
        latency = re.search(r"(?m)^ +99% +([\d.]+)(us|ms|s)$", told)
        if latency:
            self.count.p99.append(float(latency.group(1)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[latency.group(2)])
