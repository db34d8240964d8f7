"""Every benchmark, into docs/performance.md and docs/performance.svg.

./dev benchmarks [ROUNDS]
"""

import contextlib
import io
import os
import platform
import shutil
import statistics
import sys
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks import web
from benchmarks.bars import bars
from benchmarks.picture import draw

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs"
# What each part answers, and the module that does.
PARTS: Final = {
    "A request in process": "requests",
    "A counter": "counters",
    "A log line": "log_lines",
    "A health answer": "health",
    "An AWS client and a call": "aws_client",
    "A start": "imports",
}
_PACKAGES: Final = ("flask", "gunicorn", "sentry-sdk", "statsd", "talisker", "dockerflow", "prometheus-flask-exporter")

_PAGE: Final = """# Performance

Made by `./dev benchmarks`, on {date}: {machine}. Python {python}; {packages}.

Every table compares variants that ran interleaved, each time in fresh processes, in a shuffled order; figures are
medians, and the spread is (greatest - least) / median. Requests per second and latency move with whatever else the
machine does; CPU is the figure to compare. {noise}

## What is promised

| | wanted | measured | reached |
|---|---|---|---|
{summary}

What services do while something is disturbed is in [reliability](reliability.md).

## Whole services under gunicorn

Two gthread workers of four threads, {connections} keep-alive connections from wrk, {seconds} s a run, {rounds} rounds;
"throughput per CPU" is plain Flask's CPU per request divided by the variant's.

![CPU per request](performance.svg)

{services}
The busiest worker's share of the CPU shows how evenly two workers share the connections: 50 % is even.

{parts}"""


def main() -> None:
    """Measure everything and write the page."""
    if shutil.which("wrk") is None:
        sys.exit("benchmarks: wrk is not installed (Debian: apt-get install wrk)")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    load_before = os.getloadavg()[0]
    services = []
    measured = {}
    for route in web.ROUTES:
        samples = measured[route] = web.measure(route, rounds)
        services.append(web.table(route, samples))
        print(services[-1], flush=True)
        if route == "trivial":
            values = {}
            for variant, found in samples.items():
                cpu = [sample.microseconds for sample in found]
                values[web.TITLES[variant]] = (statistics.median(cpu), min(cpu), max(cpu))
            picture = draw("CPU per request, trivial route", "microseconds", values, web.TITLES["baselib"])
            (FOLDER / "performance.svg").write_text(picture, encoding="utf-8")
    told = {}
    for module in PARTS.values():
        told[module] = _told(module)
        print(told[module], flush=True)
    promised = bars(measured, told)
    summary = "\n".join(
        f"| {bar.what} | {bar.wanted} | {bar.measured} | {'yes' if bar.reached else 'no'} |" for bar in promised
    )
    print(summary)
    parts = [
        f"## {title}\n\n`python -m benchmarks.{module}`\n\n```\n{told[module].rstrip()}\n```\n"
        for title, module in PARTS.items()
    ]
    (FOLDER / "performance.md").write_text(
        _PAGE.format(
            date=datetime.now(UTC).date(),
            machine=_machine(),
            python=platform.python_version(),
            packages=", ".join(f"{package} {version(package)}" for package in _PACKAGES),
            noise=f"The machine's load was {load_before:.1f} before the first run.",
            connections=web.CONNECTIONS,
            seconds=web.SECONDS,
            rounds=rounds,
            services="\n".join(services),
            parts="\n".join(parts),
            summary=summary,
        ),
        encoding="utf-8",
    )


def _told(module: str) -> str:
    """What a benchmark prints when it is run by itself."""
    arguments, sys.argv = sys.argv, [module]
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            import_module(f"benchmarks.{module}").main()
    finally:
        sys.argv = arguments
    return printed.getvalue()


def _machine() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{os.cpu_count()} CPUs, {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} CPUs, {platform.machine()}"


if __name__ == "__main__":
    main()
