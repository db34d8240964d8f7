"""Images by tag and by digest.

>>> Image.parse("registry.example.com:5000/team/api@sha256:" + "0" * 64).repository
'registry.example.com:5000/team/api'
>>> Image.parse("registry.example.com:5000/team/api:1.4.2").version
'1.4.2'
"""

import re
from dataclasses import dataclass
from typing import Final, Self

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
# The same that module ecs_task accepts.
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def is_digest(version: str) -> bool:
    """Whether a version is a digest."""
    return _DIGEST.fullmatch(version) is not None


def is_version(version: str) -> bool:
    """Whether a version may be released: a digest, or a tag that is not the one that moves by custom."""
    return is_digest(version) or (_TAG.fullmatch(version) is not None and version != "latest")


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Attributes:
        repository: Where it is, with the registry's address.
        version: Its tag or digest.
    """

    repository: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a task definition says."""
        repository, at, digest = text.partition("@")
        if at:
            # A tag beside a digest says nothing.
            return cls(_untagged(repository)[0], digest)
        return cls(*_untagged(text))

    def __str__(self) -> str:
        return f"{self.repository}{'@' if is_digest(self.version) else ':'}{self.version}"


def _untagged(text: str) -> tuple[str, str]:
    path, colon, tag = text.rpartition(":")
    # A colon before a slash is that of a port.
    return (path, tag) if colon and "/" not in tag else (text, "latest")
