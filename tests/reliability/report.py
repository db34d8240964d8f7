"""What the disturbances did, for docs/reliability.md."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.load import Count

_PAGE = """# Reliability

Made by `RELIABILITY_REPORT=docs/reliability.md ./dev e2e tests/reliability`; a run of one part leaves the other as it
was.

"""

WEB = "Web services"
WORKERS = "Workers"

_PARTS = {
    WEB: """## {heading}

On {date}: {cpus} CPUs, Python {python}.

Two instances of a service (two gunicorn workers of four threads each) behind a HAProxy that asks for readiness every
5 s, needs two failures and tries nothing twice; 16 keep-alive connections. A failure is any answer but 2xx, and any
connection that broke, as wrk and HAProxy count them.

| while this happens | requests | failures | 99th percentile, ms | |
|---|---|---|---|---|
{rows}

The 99th percentile is the median of those of each 5 s.
""",
    WORKERS: """## {heading}

On {date}: {cpus} CPUs, Python {python}.

Workers of four threads as processes of their own, replaced as soon as they end, consume a queue of an SQS that does to
them what the first column says. A duplicate is a message whose handler was begun again although it had not failed.
Lost is what was never handled to its end. Left invisible is what a worker held that was told to stop, and that others
could not receive at once after its end. Resumed is the time from an outage's end to the first messages of the slowest
worker.

| while this happens | messages | handled | duplicates | lost | left invisible | resumed after, s | |
|---|---|---|---|---|---|---|---|
{rows}
""",
}


@dataclass(slots=True)
class Row:
    """One disturbance of a web service.

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
        return _line(cells)


@dataclass(slots=True)
class WorkerRow:
    """One disturbance of workers.

    Args:
        what: What was done to them.
        messages: How many messages there were.
        handled: How many of them were handled.
        duplicates: How often one was begun again that had not failed.
        lost: How many were never handled.
        invisible: How many a stopped worker left invisible.
        resumed: Seconds after an outage's end; None where there was none.
        note: What else there is to say.
    """

    what: str
    messages: int
    handled: int
    duplicates: int
    lost: int
    invisible: int
    resumed: float | None = None
    note: str = ""

    def __str__(self) -> str:
        resumed = "" if self.resumed is None else f"{self.resumed:.1f}"
        counts = (self.messages, self.handled, self.duplicates, self.lost, self.invisible)
        return _line((self.what, *counts, resumed, self.note))


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


ROWS: list[Row] = []
"""Those of this run."""

WORKER_ROWS: list[WorkerRow] = []
"""Those of this run."""


def page(before: str) -> str:
    """The page with what this run has found, and of the page before what it has not looked at.

    Args:
        before: The page as it was; empty when there was none.
    """
    parts = {part.split("\n", 1)[0]: "## " + part for part in re.split(r"(?m)^## ", before)[1:]}
    for heading, rows in ((WEB, ROWS), (WORKERS, WORKER_ROWS)):
        if rows:
            parts[heading] = _PARTS[heading].format(
                heading=heading,
                date=datetime.now(UTC).date(),
                cpus=os.cpu_count(),
                python=platform.python_version(),
                rows="\n".join(map(str, rows)),
            )
    return _PAGE + "\n".join(parts[heading].strip() + "\n" for heading in _PARTS if heading in parts)


def write() -> None:
    """Write the page, where somebody has asked for it."""
    path = os.environ.get("RELIABILITY_REPORT")
    if path and (ROWS or WORKER_ROWS):
        file = Path(path)
        file.write_text(page(file.read_text(encoding="utf-8") if file.exists() else ""), encoding="utf-8")
