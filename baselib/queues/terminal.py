"""Talking with an operator: results on standard output, everything else on standard error."""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from baselib.queues.errors import UsageError

_LINE_SECONDS: Final = 10.0


class Terminal:
    """The operator.

    Args:
        sure: Whether the operator said `--yes`, and is asked nothing.
        machine: Whether a machine reads the result.
    """

    def __init__(self, *, sure: bool = False, machine: bool = False) -> None:
        self._sure = sure
        self._machine = machine
        self._progress = ""
        self._told_at = time.monotonic()

    def say(self, line: str) -> None:
        """Tell something that is no result."""
        self._end_progress()
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def result(self, text: str, document: Mapping[str, Any]) -> None:
        """Tell the result.

        Args:
            text: For people.
            document: For machines.
        """
        self._end_progress()
        sys.stdout.write(f"{json.dumps(document) if self._machine else text}\n")
        sys.stdout.flush()

    def progress(self, text: str) -> None:
        """Tell how far it is: over and over in one line of a terminal, elsewhere a line now and then."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{text.ljust(len(self._progress))}")
            sys.stderr.flush()
            self._progress = text
        elif time.monotonic() - self._told_at >= _LINE_SECONDS:
            self._told_at = time.monotonic()
            self.say(text)

    def agrees(self, plan: str, question: str = "Go on?") -> bool:
        """Whether the operator agrees to a plan.

        Args:
            plan: What would be done.
            question: What is asked.

        Raises:
            UsageError: Nobody can be asked.
        """
        return self._sure or self._answer(plan, f"{question} [y/N] ").lower() in {"y", "yes"}

    def types(self, plan: str, name: str) -> bool:
        """Whether the operator types a name, to agree to a plan that cannot be undone.

        Args:
            plan: What would be done.
            name: What has to be typed.

        Raises:
            UsageError: Nobody can be asked.
        """
        return self._sure or self._answer(plan, f"Type {name} to go on: ") == name

    def _answer(self, plan: str, question: str) -> str:
        self.say(plan)
        if not sys.stdin.isatty():
            raise UsageError("nobody can be asked, because standard input is no terminal: --yes goes on without asking")
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline().strip()

    def _end_progress(self) -> None:
        if self._progress:
            sys.stderr.write("\n")
            self._progress = ""
