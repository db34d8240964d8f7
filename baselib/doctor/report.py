"""What was found, for people and for machines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from baselib.contract import ExitCode

FAILED: Final = 1
# What ends a process first.
_GRAVEST_FIRST: Final = (int(ExitCode.CRASHED), int(ExitCode.CONFIGURATION), FAILED)
_LONGEST_COLUMN: Final = 48
_RED, _YELLOW, _BOLD, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m"


class Finding(NamedTuple):
    """One thing that was looked at.

    Args:
        name: What it is about.
        value: What it is, masked where it is a secret; `-` where it is nothing.
        source: Where it comes from, or what follows from it.
        wrong: Whether somebody should look at it.
    """

    name: str
    value: str
    source: str
    wrong: bool = False


class Problem(NamedTuple):
    """One thing that is wrong.

    Args:
        text: A sentence that says what, and where.
        exit_code: What it makes the command end with: 70, 78, 1, or 0 for what is only worth a look.
    """

    text: str
    exit_code: int


class Diagnosis(NamedTuple):
    """All that was found.

    Args:
        sections: By title, in order: the configuration, what follows from it, the service's needs, its checks.
        problems: What is wrong or missing.
    """

    sections: Mapping[str, Sequence[Finding]]
    problems: Sequence[Problem]

    @property
    def exit_code(self) -> int:
        """70: cannot be imported. 78: wrong configuration. 1: a hard check failed. 0: none of these."""
        found = {problem.exit_code for problem in self.problems}
        return next((code for code in _GRAVEST_FIRST if code in found), 0)

    def __str__(self) -> str:
        return self.text()

    def text(self, *, colour: bool = False) -> str:
        """The report for people, with the problems last, where a terminal ends.

        Args:
            colour: Whether the reader shows colours.
        """
        blocks = [_table(title, findings, colour=colour) for title, findings in self.sections.items() if findings]
        return "\n\n".join([*blocks, "\n".join(self._verdict(colour=colour))])

    def as_json(self) -> str:
        """The report for machines: one object on one line."""
        sections = {title: [finding._asdict() for finding in findings] for title, findings in self.sections.items()}
        problems = [problem._asdict() for problem in self.problems]
        return json.dumps({"exit_code": self.exit_code, "problems": problems, **sections})

    def _verdict(self, *, colour: bool) -> Iterator[str]:
        if not self.problems:
            yield "nothing is wrong"
            return
        for title, of_kind, shade in (
            ("worth a look", [problem for problem in self.problems if not problem.exit_code], _YELLOW),
            ("wrong", [problem for problem in self.problems if problem.exit_code], _RED),
        ):
            if of_kind:
                yield _coloured(title, _BOLD + shade, on=colour)
                yield from (_coloured(f"! {problem.text}", shade, on=colour) for problem in of_kind)


def _table(title: str, findings: Sequence[Finding], *, colour: bool) -> str:
    width = max(len(finding.name) for finding in findings)
    # One long value does not move all the others.
    middle = max((size for finding in findings if (size := len(finding.value)) <= _LONGEST_COLUMN), default=0)
    lines = [_coloured(title, _BOLD, on=colour)]
    for name, value, source, wrong in findings:
        line = f"{'!' if wrong else ' '} {name:<{width}}  {value:<{middle}}  {source}".rstrip()
        lines.append(_coloured(line, _RED, on=colour and wrong))
    return "\n".join(lines)


def _coloured(text: str, shade: str, *, on: bool) -> str:
    return f"{shade}{text}{_PLAIN}" if on else text
