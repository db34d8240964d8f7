"""The two services of the demo: copied, installed, and their code."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from baselib.contract import ServiceName
from tools.demo.edits import edit
from tools.demo.steps import say, step
from tools.template import copy

WEB: Final = {"product": "duolingo", "service": "api", "kind": "web", "description": "Greets learners."}
MAILER: Final = {
    "product": "duolingo",
    "service": "mailer",
    "kind": "worker-daemon",
    "description": "Welcomes learners.",
}
TEAM: Final = {"owner": "Learning", "contact": "learning@example.com"}
QUEUE: Final = ServiceName("duolingo", "mailer").resource("queue", environment="local")
DEAD_LETTER_QUEUE: Final = ServiceName("duolingo", "mailer").resource("dead_letter_queue", environment="local")
BEGUN: Final = "sending the mail"
"""What the slow handler logs when it begins."""

# Long enough to be met in the middle of its work.
_MAIL_SECONDS: Final = 0.9


def prepare(folder: Path) -> dict[str, Path]:
    """Copy both services and install each in an environment of its own.

    Args:
        folder: Where to.

    Returns:
        The folder of each by its name.
    """
    step(f"copy duolingo-api (web) and duolingo-mailer (worker daemon) into {folder}")
    services = {}
    for answers in (WEB, MAILER):
        name = f"{answers['product']}-{answers['service']}"
        services[name] = folder / name
        copy(services[name], {**TEAM, **answers})
        say(f"{name}: {sum(1 for each in services[name].rglob('*') if each.is_file())} files")
    step("install each in its own environment")
    _together([lambda service=service: _install(service) for service in services.values()])  # type: ignore[misc]
    return services


def slow_down(mailer: Path) -> None:
    """Let each message take a moment, as one does that calls somebody."""
    step(f"change duolingo-mailer's handlers.py, so that a welcome takes {_MAIL_SECONDS} s, as with a slow mail server")
    edit(
        _handlers(mailer),
        ("import logging\n", "import logging\nimport time\n"),
        (
            '    logger.info("welcomed"',
            f'    logger.info("{BEGUN}")\n    time.sleep({_MAIL_SECONDS})\n    logger.info("welcomed"',
        ),
    )


def accept_learner(mailer: Path) -> None:
    """Let the model take the name from another field too."""
    edit(
        _handlers(mailer),
        ("from pydantic import BaseModel", "from pydantic import AliasChoices, BaseModel"),
        ("max_length=100)", 'max_length=100, validation_alias=AliasChoices("name", "learner"))'),
    )


def _handlers(mailer: Path) -> Path:
    return mailer / "src" / "duolingo_mailer" / "handlers.py"


def _install(service: Path) -> None:
    """Install a service with what its developer needs."""
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_PYTHON"}}
    for command in (
        ["uv", "venv", "--quiet", "--python", sys.executable, ".venv"],
        ["uv", "pip", "install", "--quiet", "--python", ".venv", "--editable", ".[development]"],
    ):
        done = subprocess.run(command, cwd=service, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")


def _together(tasks: list[Callable[[], None]]) -> None:
    """Run some tasks at the same time, and raise the first error of one."""
    errors: list[BaseException] = []

    def run_one(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run_one, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
