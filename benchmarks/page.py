"""docs/performance.md: each part of it is replaced by itself, so that a run of one leaves the other as it was."""

import contextlib
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.bars import Bar

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs"
PARTS: Final = ("web", "workers")
_PAGE: Final = FOLDER / "performance.md"

_HEAD: Final = """# Performance

Made by `./dev benchmarks`. Every table compares variants that ran interleaved, each time in fresh processes, in a
shuffled order; figures are medians, and the spread is (greatest - least) / median. Requests and messages per second
and latency move with whatever else the machine does; CPU is the figure to compare.

What services do while something is disturbed is in [reliability](reliability.md).
"""


def put(part: str, text: str, page: Path = _PAGE) -> None:
    """Write one part and leave the others as they are.

    Args:
        part: One of `PARTS`.
        text: Its new text, in Markdown.
        page: The file.
    """
    present = page.read_text(encoding="utf-8") if page.exists() else ""
    texts = {**{each: _text(each, present) for each in PARTS}, part: text}
    parts = [f"{_begin(each)}\n{kept.strip()}\n{_end(each)}\n" for each, kept in texts.items() if kept]
    page.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")


def summary(bars: Sequence[Bar]) -> str:
    """What is promised, as a table."""
    rows = [f"| {bar.what} | {bar.wanted} | {bar.measured} | {'yes' if bar.reached else 'no'} |" for bar in bars]
    return "\n".join(["| | wanted | measured | reached |", "|---|---|---|---|", *rows])


def measured_on(packages: Sequence[str]) -> str:
    """A sentence on when, where and with which versions was measured."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"Measured on {datetime.now(UTC).date()}: {_machine()}. Python {platform.python_version()}; {versions}."


def _text(part: str, page: str) -> str:
    found = re.search(f"(?s){re.escape(_begin(part))}\n(.*?){re.escape(_end(part))}\n", page)
    return found.group(1) if found else ""


def _begin(part: str) -> str:
    return f"<!-- ./dev benchmarks {part} -->"


def _end(part: str) -> str:
    return f"<!-- end of {part} -->"


def _machine() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{os.cpu_count()} CPUs, {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} CPUs, {platform.machine()}"
