"""Generated services whose Terraform is looked at; each kind has a file of its own, to run beside the others."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.template.conftest import ANSWERS
from tools.template import copy, git

Run = CompletedProcess[str]

DATA_STORES = ["postgres", "redis", "memcached", "elasticsearch"]


class Service:
    """Copies services, and checks the Terraform of the copies."""

    def __init__(
        self, folder: Path, platform: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]
    ) -> None:
        self._folder = folder
        self.platform = platform
        self._terraform = terraform
        self._initialise = initialise

    def check(self, **answers: Any) -> None:
        """A copy of the commit names the modules of that commit, and is formatted and valid with them."""
        folder = self._copied(answers, self.platform)
        assert f"?ref={git(self.platform, 'rev-parse', 'HEAD')}" in (folder / "main.tf").read_text(encoding="utf-8")
        self._check(folder)

    def check_copy_of(self, source: Path, **answers: Any) -> None:
        """The same of a copy of another state of the template, which has no commit."""
        self._check(self._copied(answers, source))

    def _copied(self, answers: dict[str, Any], source: Path) -> Path:
        copy(self._folder / "service", {**ANSWERS, **answers}, source=source)
        return self._folder / "service" / "terraform"

    def _check(self, folder: Path) -> None:
        formatted = self._terraform(folder, "fmt", "-check", "-diff")
        assert formatted.returncode == 0, formatted.stdout
        self._initialise(folder)
        valid = self._terraform(folder, "validate", "-no-color")
        assert valid.returncode == 0, valid.stdout + valid.stderr
