"""What the measurements have to show, and whether they do."""

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.web import Sample


class Bar(NamedTuple):
    """One thing that has to hold.

    Args:
        what: What is compared.
        wanted: What it has to be, as text.
        measured: What it was.
        reached: Whether that is enough.
    """

    what: str
    wanted: str
    measured: str
    reached: bool


def bars(services: Mapping[str, Mapping[str, Sequence[Sample]]], told: Mapping[str, str]) -> list[Bar]:
    """Each bar with what was measured.

    Args:
        services: The samples of each route and variant.
        told: What each benchmark module printed.
    """
    trivial, realistic = services["trivial"], services["realistic"]
    found = [
        at_least("throughput per CPU on the trivial route, of plain Flask's", 0.94, _share(trivial, "microseconds")),
        at_least("the same on the realistic route", 0.96, _share(realistic, "microseconds")),
        at_most("99th percentile on the trivial route, of plain Flask's", 1.10, 1 / _share(trivial, "p99")),
        at_most("the same on the realistic route", 1.10, 1 / _share(realistic, "p99")),
        at_most("the busiest of two workers' share of the CPU", 0.60, _median(trivial["baselib"], "busiest")),
        at_most(
            "private MiB of a worker above plain Flask's",
            10.0,
            _median(trivial["baselib"], "private") - _median(trivial["plain"], "private"),
        ),
        at_most(
            "microseconds in process above plain Flask's",
            15.0,
            _figure(told["requests"], "baselib, all on") - _figure(told["requests"], "plain Flask without a log"),
        ),
        at_most("a counter, of the statsd package's", 0.25, _ratio(told["counters"], "baselib")),
        at_most("a JSON line, of the standard library's text line", 1.0, _ratio(told["log_lines"], "baselib, JSON")),
        at_most("a health answer, of plain Flask's trivial route", 0.33, _ratio(told["health"], "ready")),
        at_most(
            "importing baselib and create_app(), of importing Flask and sentry-sdk",
            1.10,
            _ratio(told["imports"], "baselib and create_app()"),
        ),
    ]
    failed = sum(sample.errors for route in services.values() for sample in route["baselib"])
    return [*found, Bar("failed requests", "0", str(failed), failed == 0)]


def at_least(what: str, bar: float, measured: float) -> Bar:
    """What has to be so much or more."""
    return Bar(what, f"at least {bar:g}", f"{measured:.2f}", measured >= bar)


def at_most(what: str, bar: float, measured: float) -> Bar:
    """What has to be so much or less."""
    return Bar(what, f"at most {bar:g}", f"{measured:.2f}", measured <= bar)


def _median(samples: Sequence[Sample], field: str) -> float:
    return float(median(getattr(sample, field) for sample in samples))


def _share(route: Mapping[str, Sequence[Sample]], field: str) -> float:
    """Plain Flask's figure as a share of baselib's."""
    return _median(route["plain"], field) / _median(route["baselib"], field)


def _line(told: str, variant: str) -> list[float]:
    found = re.search(rf"(?m)^ +{re.escape(variant)} +([\d.]+) +([\d.]+) x ", told)
    if found is None:
        raise ValueError(f"{variant!r} is not among what was measured:\n{told}")
    return [float(figure) for figure in found.groups()]


def _figure(told: str, variant: str) -> float:
    return _line(told, variant)[0]


def _ratio(told: str, variant: str) -> float:
    return _line(told, variant)[1]
