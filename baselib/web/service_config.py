"""`gunicorn.conf.py` beside the application: the service's own hooks, and the few settings that are its to choose."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gunicorn.config import KNOWN_SETTINGS
from gunicorn.util import get_arity

from baselib.contract import ConfigurationError
from baselib.web.hooks import HOOKS

FILE: Final = Path("gunicorn.conf.py")

_SETTINGS: Final = frozenset(
    {
        "backlog",
        "forwarded_allow_ips",
        "forwarder_headers",
        "header_map",
        "max_requests",
        "max_requests_jitter",
        "proc_name",
        "raw_env",
        "secure_scheme_headers",
        "timeout",
    }
)
_VARIABLES: Final[Mapping[str, str]] = {
    "bind": "PORT",
    "workers": "WEB_CONCURRENCY",
    "threads": "WEB_THREADS",
    "graceful_timeout": "STOP_SECONDS",
    "loglevel": "LOG_LEVEL",
}
_KNOWN: Final = frozenset(setting.name for setting in KNOWN_SETTINGS)


def read_service_config(file: Path = FILE) -> dict[str, Any]:
    """What a service's file sets; empty when there is no file.

    Names that gunicorn does not know are the file's own, as in gunicorn's configuration files.

    Args:
        file: The file, usually in the working directory.

    Raises:
        ConfigurationError: It sets what is not its to choose, or a hook that gunicorn could not call.
    """
    if not file.exists():
        return {}
    found = {name: value for name, value in runpy.run_path(str(file)).items() if name in _KNOWN}
    problems = [problem for name, value in found.items() if (problem := _problem(name, value))]
    if problems:
        raise ConfigurationError([f"{file}: {problem}" for problem in problems])
    return found


def _problem(name: str, value: Any) -> str | None:
    if name in _SETTINGS:
        return None
    if name in HOOKS:
        return _hook_problem(name, value)
    if name in _VARIABLES:
        return f"{name} is set by the variable {_VARIABLES[name]}"
    return f"{name} is set by baselib; a service may set its hooks and {', '.join(sorted(_SETTINGS))}"


def _hook_problem(name: str, value: Any) -> str | None:
    if not callable(value):
        return f"{name} is not a function"
    count, accepted = get_arity(value), HOOKS[name]
    if count == accepted or (name == "post_request" and count in {2, 3}):
        return None
    return f"{name} takes {count} arguments: accepted is {accepted}"
