"""Every benchmark, into docs/performance.md and the pictures beside it.

./dev benchmarks [web | workers] [ROUNDS]
"""

import contextlib
import io
import os
import shutil
import statistics
import sys
from importlib import import_module
from typing import Final

from benchmarks import page, web
from benchmarks.bars import bars
from benchmarks.picture import draw
from benchmarks.workers import part as workers

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

_WEB: Final = """## Web services

{measured_on} {noise}

### What is promised

{summary}

### Whole services under gunicorn

Two gthread workers of four threads, {connections} keep-alive connections from wrk, {seconds} s a run, {rounds} rounds;
"throughput per CPU" is plain Flask's CPU per request divided by the variant's.

![CPU per request](performance.svg)

{services}
The busiest worker's share of the CPU shows how evenly two workers share the connections: 50 % is even.

{parts}"""


def main() -> None:
    """Measure what is asked for, and write it into the page."""
    asked = [argument for argument in sys.argv[1:] if not argument.isdecimal()]
    rounds = [int(argument) for argument in sys.argv[1:] if argument.isdecimal()]
    unknown = [part for part in asked if part not in page.PARTS]
    if unknown or len(rounds) > 1:
        sys.exit(f"benchmarks: ./dev benchmarks [{' | '.join(page.PARTS)}] [ROUNDS], not {' '.join(sys.argv[1:])}")
    chosen = asked or page.PARTS
    if "web" in chosen:
        page.put("web", _web(*rounds))
    if "workers" in chosen:
        page.put("workers", workers.measured(*rounds))


def _web(rounds: int = 5) -> str:
    if shutil.which("wrk") is None:
        sys.exit("benchmarks: wrk is not installed (Debian: apt-get install wrk)")
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
            (page.FOLDER / "performance.svg").write_text(picture, encoding="utf-8")
    told = {}
    for module in PARTS.values():
        told[module] = _told(module)
        print(told[module], flush=True)
    summary = page.summary(bars(measured, told))
    print(summary)
    parts = [
        f"### {title}\n\n`python -m benchmarks.{module}`\n\n```\n{told[module].rstrip()}\n```\n"
        for title, module in PARTS.items()
    ]
    return _WEB.format(
        measured_on=page.measured_on(_PACKAGES),
        noise=f"The machine's load was {load_before:.1f} before the first run.",
        connections=web.CONNECTIONS,
        seconds=web.SECONDS,
        rounds=rounds,
        services="\n".join(services),
        parts="\n".join(parts),
        summary=summary,
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


if __name__ == "__main__":
    main()
