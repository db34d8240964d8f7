"""The variables of the contract: what each holds, or what counts in its place."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from baselib.contract import VARIABLES, Needs, Settings, Variable, parsers
from baselib.contract.settings import DATA_STORE_VARIABLES, MASK
from baselib.doctor.report import Finding
from baselib.doctor.surroundings import workers
from baselib.memory import memory_limit
from baselib.memory.limit import MEBIBYTE
from baselib.telemetry.logs import Masking

_NOTHING: Final = "-"
_FIELDS: Final = {"SERVICE_ENVIRONMENT": "environment", "SERVICE_RELEASE": "release"}
_OF_WEB: Final = frozenset({"PORT", "WEB_CONCURRENCY", "WEB_THREADS", "REQUEST_SECONDS", "TRUSTED_PROXIES"})
_OF_DAEMON: Final = frozenset({"HEALTH_PORT", "QUEUE_URL"})
# As close as DATABASE_URI is to DATABASE_URL.
_CLOSE: Final = 0.85


def configuration(
    environ: Mapping[str, str], settings: Settings | None, needs: Needs | None, problems: Sequence[str]
) -> Iterator[Finding]:
    """A finding for each variable that is set, or that counts for this service though it is not.

    Args:
        environ: The environment variables.
        settings: What they amount to; None where they are wrong.
        needs: What the service declared; None where that is not known.
        problems: What is wrong with them.
    """
    wrong = {word for problem in problems for word in problem.partition(" is ")[0].partition(" are ")[0].split()}
    for name, variable in VARIABLES.items():
        if environ.get(name):
            yield Finding(name, shown(variable, environ[name]), "environment", name in wrong)
        elif name in wrong or _counts(name, needs):
            value, source = _unset(variable, settings, needs)
            yield Finding(name, value, source + _slip(name, environ), name in wrong)


def shown(variable: Variable, text: str) -> str:
    """The value of a variable as it may be shown: on one line, without secrets.

    Args:
        variable: The variable, or one that holds the like.
        text: What it holds.
    """
    # An address that was mistyped is still one with a password; an owner may be an e-mail address.
    if variable.secret or ("@" in text and variable.parse is not parsers.text):
        return MASK
    text = Masking().text(text)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def _counts(name: str, needs: Needs | None) -> bool:
    """Whether a variable that is not set says something about the service."""
    if needs is None:
        return not VARIABLES[name].when_unset.startswith("required where")
    if name in _OF_WEB:
        return needs.kind == "web"
    if name in _OF_DAEMON:
        return needs.kind == "worker-daemon"
    if name == "DATABASE_CREDENTIALS":
        return "postgres" in needs.data_stores
    # A declared one is among the problems.
    return name not in DATA_STORE_VARIABLES.values()


def _unset(variable: Variable, settings: Settings | None, needs: Needs | None) -> tuple[str, str]:
    name, when_unset = variable.name, f"not set: {variable.when_unset.replace('`', '')}"
    if settings is None:
        return _NOTHING, when_unset
    if name == "WEB_CONCURRENCY":
        count = workers(settings, needs)
        return (_NOTHING, when_unset) if count is None else (str(count), "container: one for each CPU, at least 2")
    if name == "MEMORY_LIMIT_MIB":
        limit = memory_limit(settings)
        return (
            (_NOTHING, when_unset) if limit is None else (str(limit // MEBIBYTE), "container: " + variable.when_unset)
        )
    value = getattr(settings, _FIELDS.get(name, name.lower()), None)
    if value is None or value == ():
        return _NOTHING, when_unset
    return (f"{value:g}" if isinstance(value, float) else str(value)), "default"


def _slip(name: str, environ: Collection[str]) -> str:
    """What looks like the variable, mistyped."""
    others = [other for other in environ if other not in VARIABLES and not other.startswith("QUEUE_")]
    close = difflib.get_close_matches(name, others, n=1, cutoff=_CLOSE)
    return f"; {close[0]} is set: a slip?" if close else ""
