"""What may be told of an error: one short line without a secret, because people and dashboards read it."""

import re
from typing import Final

from baselib.contract.settings import MASK

_LONGEST: Final = 300
_LONGEST_READ: Final = 1024

_SECRETS: Final = (
    # scheme://user:password@host, up to the last @ of the word: a password may hold a slash or an @ itself.
    (re.compile(r"://\S*@"), f"://{MASK}@"),
    # user:password@host without a scheme.
    (re.compile(r"[^\s:@/'\"(]+:(?!//)[^\s@]+@"), f"{MASK}@"),
    # key=value, 'key': 'value' and header: value, presigned addresses of AWS included.
    (
        re.compile(
            r"((?:password|passwd|pwd|secret|token|api[_-]?key|authorization|x-amz-(?:signature|credential)))"
            r"(['\"]?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?(?:'[^']*'?|\"[^\"]*\"?|[^\s,;&'\")}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
)


def told(error: BaseException) -> str:
    """An error's type and text on one line of at most 300 characters, with what looks like a secret masked.

    >>> told(OSError("no route to postgresql://app:hunter2@db/main"))
    'OSError: no route to postgresql://***@db/main'
    """
    kind = type(error).__name__
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - an exception's own code may raise anything
        return kind
    if len(text) > _LONGEST_READ:
        # The last word may be the first half of a secret, whose end would have given it away.
        text = text[:_LONGEST_READ].rpartition(" ")[0]
    text = " ".join(text.split())
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    line = f"{kind}: {text}" if text else kind
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
