"""Turn the text of an environment variable into a value, or raise ValueError."""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

_LONGEST_TOKEN: Final = 4096
_SHORTEST_TOKEN: Final = 16
_LONGEST_STOP_SECONDS: Final = 120
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")


def text(value: str) -> str:
    """Any printable text on one line."""
    if not value.strip() or not value.isprintable():
        raise ValueError(value)
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two bounds, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", value) or not least <= int(value) <= most:
            raise ValueError(value)
        return int(value)

    return parse


def whole_or_zero(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two bounds, both included, or 0."""
    bounded = whole(least, most)
    return lambda value: 0 if value == "0" else bounded(value)


def matching(pattern: str) -> Callable[[str], str]:
    """A text that matches a pattern from its first to its last character."""
    compiled = re.compile(pattern)

    def parse(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(value)
        return value

    return parse


port = whole(1, 65535)


def port_in(environ: Mapping[str, str], variable: str, default: int) -> int:
    """The port that a variable names, for those who only want to know where to ask; the default where it names none.

    Args:
        environ: The environment variables.
        variable: For instance `PORT`.
        default: What counts when the variable is not set or holds something else.
    """
    try:
        return port(environ.get(variable, ""))
    except ValueError:
        return default


def seconds(value: str) -> float:
    """A duration, whole or decimal, that fits into ECS's stop timeout."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", value) or float(value) > _LONGEST_STOP_SECONDS:
        raise ValueError(value)
    return float(value)


def decimal(least: float, most: float) -> Callable[[str], float]:
    """A number, whole or decimal, between two bounds, both included."""

    def parse(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,3})?", value) or not least <= float(value) <= most:
            raise ValueError(value)
        return float(value)

    return parse


def words(value: str) -> tuple[str, ...]:
    """Names separated by commas."""
    names = tuple(name.strip() for name in value.split(","))
    if not all(re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", name) for name in names):
        raise ValueError(value)
    return names


def networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks separated by commas."""
    return tuple(ip_network(part.strip()) for part in value.split(","))


def credentials(value: str) -> str:
    """`url`, `iam`, or the ARN of a secret."""
    if value not in {"url", "iam"} and not re.fullmatch(r"arn:aws[a-z-]*:secretsmanager:[^\s]{1,2000}", value):
        raise ValueError(value)
    return value


def one_of(*choices: str, fold: Callable[[str], str]) -> Callable[[str], str]:
    """One of some words, after `fold` has been applied."""

    def parse(value: str) -> str:
        if fold(value) not in choices:
            raise ValueError(value)
        return fold(value)

    return parse


def host(value: str) -> str:
    """A host name or an IP address."""
    if ":" in value:
        ip_address(value)
    elif not _HOST.fullmatch(value):
        raise ValueError(value)
    return value


def url(*schemes: str) -> Callable[[str], str]:
    """An address with one of the schemes and a host."""

    def parse(value: str) -> str:
        # urlsplit raises ValueError for a bad port or bracket only when it is asked for them.
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or not value.isprintable() or " " in value:
            raise ValueError(value)
        if parts.port == 0:
            raise ValueError(value)
        return value

    return parse


def token(value: str) -> str:
    """A secret long enough not to be guessed."""
    # What a client can present in a header whatever it takes for its encoding: visible ASCII.
    if not re.fullmatch(rf"[!-~]{{{_SHORTEST_TOKEN},{_LONGEST_TOKEN}}}", value):
        raise ValueError("too short")
    return value
