"""Finding and loading the service as its command does, without running it."""

import contextlib
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

import baselib
from baselib.contract import ConfigurationError
from baselib.health.errors import told
from baselib.service import Service

_FIRST_PROCESS: Final = Path("/proc/1/cmdline")
# What runs a service, such as `python /venv/bin/baselib serve --host 0.0.0.0 duolingo_api.app:app`.
_COMMAND: Final = re.compile(
    r"(?:^|\0)(?:[^\0]*/)?baselib(?:\.cli)?\0(?:serve|worker|cron)\0(?:[^\0]*\0)*?([A-Za-z_][\w.]*:[A-Za-z_]\w*)(?:\0|$)"
)
_IMPORT_SECONDS: Final = 60.0


class NotLoadedError(Exception):
    """The service cannot be loaded; the text says why in one paragraph, without secrets."""


def find_place(folder: Path, first_process: Path = _FIRST_PROCESS) -> tuple[str, str] | None:
    """Where the service is, as `package.module:name`, and how that is known; None where it is not.

    Args:
        folder: Perhaps the root of a service's repository; its `src` is then searched for modules.
        first_process: The command line of the container's first process.
    """
    with contextlib.suppress(OSError):
        running = first_process.read_bytes().decode("utf-8", "replace")
        if found := _COMMAND.search(running):
            return found[1], "process 1 of this container runs it"
    with contextlib.suppress(ImportError):
        # A production image has neither.
        from baselib.development.runner import command  # noqa: PLC0415
        from baselib.testing.local_environment import ANSWERS_FILE, read_answers  # noqa: PLC0415

        # Whatever somebody wrote into the file.
        with contextlib.suppress(Exception):
            answers = read_answers(folder)
            if answers is not None:
                place = command(answers)[-1]
                sys.path.insert(0, str(folder / "src"))
                return place, ANSWERS_FILE
    return None


def load(place: str, seconds: float = _IMPORT_SECONDS) -> Service | None:
    """Import an application, Worker or Job, and give its service; None for a foreign WSGI application.

    Args:
        place: Where it is, as `package.module:name`.
        seconds: How long that may take.

    Raises:
        ConfigurationError: A variable is wrong or missing.
        NotLoadedError: It cannot be imported, or is something else.
    """
    sys.path.insert(0, "")
    module_name, _, name = place.partition(":")
    try:
        with _time_limit(seconds):
            module = import_module(module_name)
    except (ConfigurationError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise NotLoadedError(f"{place} cannot be imported: {told(error)}{_where(error)}") from error
    try:
        found = getattr(module, name)
    except AttributeError:
        raise NotLoadedError(f"{module_name} has no {name}{_others(module)}") from None
    service = _service_of(found)
    if service is None and not callable(found):
        raise NotLoadedError(
            f"{place} is of type {type(found).__name__}: accepted is an application, a Worker or a Job"
        )
    return service


def check_gunicorn_file() -> None:
    """Read `gunicorn.conf.py` of the working directory as `baselib serve` does.

    Raises:
        ConfigurationError: It sets what is not its to choose.
        NotLoadedError: It cannot be run.
    """
    try:
        from baselib.web.service_config import FILE, read_service_config  # noqa: PLC0415 - needs gunicorn
    except ImportError:
        return
    try:
        read_service_config()
    except Exception as error:
        raise NotLoadedError(f"{FILE} cannot be run: {told(error)}{_where(error)}") from error


def _service_of(found: Any) -> Service | None:
    extensions = getattr(found, "extensions", None)
    candidates = (extensions.get("baselib") if isinstance(extensions, dict) else None, getattr(found, "service", None))
    return next((each for each in candidates if isinstance(each, Service)), None)


def _others(module: ModuleType) -> str:
    names = [name for name, value in vars(module).items() if _service_of(value) is not None]
    return f": it has {', '.join(names)}" if names else ""


def _where(error: BaseException) -> str:
    """The last line of the service's own code that ran."""
    libraries = (sys.prefix, sys.base_prefix, str(Path(baselib.__file__).parent), "<frozen")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(libraries):
            return f" (at {frame.filename}, line {frame.lineno})"
    return ""


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the main thread after a time: a module may wait for ever for what is not there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGALRM, lambda number, frame: _too_long(seconds, frame))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _too_long(seconds: float, _: FrameType | None) -> None:
    raise TimeoutError(f"not imported within {seconds:g} s")
