"""Changes of a copied service's code, made as its engineer would make them, and shown."""

import difflib
from pathlib import Path

from tools.demo.steps import say


def edit(file: Path, *replacements: tuple[str, str]) -> None:
    """Change a file, and show the lines that were changed.

    Args:
        file: The file.
        replacements: Texts that occur once, and what comes in their place.

    Raises:
        RuntimeError: A text does not occur exactly once; the file is as it was.
    """
    before = after = file.read_text(encoding="utf-8")
    for old, new in replacements:
        if after.count(old) != 1:
            raise RuntimeError(f"{file} has {old!r} {after.count(old)} times: the demo has to follow the template")
        after = after.replace(old, new)
    file.write_text(after, encoding="utf-8")
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            say(line)
