"""Draws docs/demo.svg from what `./dev demo` prints: `./dev demo 2>&1 | uv run --with rich python -m tools.picture`."""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 118
PICTURE = Path(__file__).parent.parent / "docs" / "demo.svg"


def styled(line: str) -> Text:
    """A line with its heading, statuses and refusals coloured."""
    text = Text(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")
    if re.match(r"\[\d+\]", line):
        text.stylize("bold cyan")
    text.highlight_regex(r"\b(20[01]) ", "bold green")
    text.highlight_regex(r"\b503 ", "bold yellow")
    text.highlight_regex(r"exit code 0", "bold green")
    text.highlight_regex(r'"given_back": \d+, "undeleted": 0', "bold green")
    text.highlight_regex(r"Rejected-Reason=.*", "bold yellow")
    text.highlight_regex(r"^ {4}\$ .*", "bold")
    text.highlight_regex(r"^ {4}\+.*", "green")
    text.highlight_regex(r"^ {4}-.*", "red")
    return text


def main() -> None:
    """Read the demo's output from standard input and draw it."""
    console = Console(record=True, width=WIDTH, file=Path("/dev/null").open("w", encoding="utf-8"))  # noqa: SIM115
    console.print(Text("$ ./dev demo", "bold"))
    for line in sys.stdin.read().splitlines():
        if not line.startswith("nox >"):
            console.print(styled(line))
    PICTURE.write_text(console.export_svg(title="./dev demo"), encoding="utf-8")


if __name__ == "__main__":
    main()
