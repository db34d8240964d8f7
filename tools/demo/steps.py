"""How the demo tells what it does."""

import itertools
import json
from collections.abc import Mapping
from typing import Any, Final

_numbers = itertools.count(1)
# The same in every line of a service; the first lines that are shown are shown with them.
_IDENTITY: Final = frozenset({"timestamp", "logger", "product", "service", "owner", "environment", "release", "span"})


def step(what: str) -> None:
    """Say what happens now."""
    print(f"\n[{next(_numbers)}] {what}", flush=True)


def say(line: str, *, indent: int = 1) -> None:
    """Say something about the step."""
    print(f"{'    ' * indent}{line}", flush=True)


def say_log(line: Mapping[str, Any]) -> None:
    """Say what a log line says, without what every line of the service has."""
    say(f"log {json.dumps({name: value for name, value in line.items() if name not in _IDENTITY})}")
