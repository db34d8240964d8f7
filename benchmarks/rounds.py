"""Interleaved rounds: every variant in every round, in a shuffled order, each in a fresh process."""

import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Sequence


def measure(module: str, variants: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Run `python -m module VARIANT` for each variant in each round; it prints microseconds of CPU as JSON.

    Args:
        module: A module whose command line takes the name of a variant.
        variants: The names; the first is the peer that the others are compared with.
        rounds: How often each is measured.
    """
    measured: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in random.sample(variants, len(variants)):
            done = subprocess.run([sys.executable, "-m", module, variant], capture_output=True, text=True, check=True)
            measured[variant].append(json.loads(done.stdout))
    return measured


def report(title: str, measured: dict[str, list[float]]) -> None:
    """Print medians, ratios to the first variant, the spread, and how busy the machine was."""
    peer = statistics.median(next(iter(measured.values())))
    print(f"{title} (microseconds of CPU, {len(next(iter(measured.values())))} rounds)")
    for variant, values in measured.items():
        middle = statistics.median(values)
        spread = (max(values) - min(values)) / middle
        print(f"  {variant:<34} {middle:8.2f}   {middle / peer:5.2f} x   spread {spread:.0%}")
    print(f"  load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs\n")
