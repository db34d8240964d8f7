"""What the disturbances did, for docs/reliability.md."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.load import Count

_PAGE = """# Reliability

Made by `RELIABILITY_REPORT=docs/reliability.md ./dev e2e tests/reliability`, on {date}: {cpus} CPUs, Python {python}.

Two instances of a service (two gunicorn workers of four threads each) behind a HAProxy that asks for readiness every
5 s, needs two failures and tries nothing twice; 16 keep-alive connections. A failure is any answer but 2xx, and any
connection that broke, as wrk and HAProxy count them.

| while this happens | requests | failures | 99th percentile, ms | |
|---|---|---|---|---|
{rows}

The 99th percentile is the median of those of each 5 s.
"""


@dataclass(slots=True)
class Row:
    """One disturbance.

    Args:
        what: What was done to the service.
        count: What came of the requests.
        note: What else there is to say.
    """

    what: str
    count: Count
    note: str = ""

    def __str__(self) -> str:
        slices = sorted(self.count.p99) or [0.0]
        cells = (self.what, self.count.requests, len(self.count.failures), f"{slices[len(slices) // 2]:.0f}", self.note)
        return "| " + " | ".join(map(str, cells)) + " |"


ROWS: list[Row] = []
"""Those of this run."""


def write() -> None:
    """Write the page, where somebody has asked for it."""
    path = os.environ.get("RELIABILITY_REPORT")
    if path and ROWS:
        page = _PAGE.format(
            date=datetime.now(UTC).date(),
            cpus=os.cpu_count(),
            python=platform.python_version(),
            rows="\n".join(map(str, ROWS)),
        )
        Path(path).write_text(page, encoding="utf-8")
