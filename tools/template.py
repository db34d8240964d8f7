"""Copying services out of this repository's template, as a user does."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def copy(destination: Path, answers: Mapping[str, Any], *, source: str | Path = ROOT) -> str:
    """Run `copier copy` with the present state of the template.

    Args:
        destination: The folder to make.
        answers: The answers that differ from the defaults.
        source: The template: a folder or an address.

    Returns:
        What copier said.

    Raises:
        RuntimeError: It failed; the message is the last thing it said.
    """
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--vcs-ref", "HEAD"]
    for name, value in answers.items():
        command += ["--data", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    done = subprocess.run([*command, str(source), str(destination)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return done.stderr
