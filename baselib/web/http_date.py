"""The header `Date`, which every answer has and which changes once a second.

gunicorn formats it for each answer, at several per cent of what a small request costs.
"""

import math
import time
from email.utils import formatdate

_last = (0, "")


def http_date(timestamp: float | None = None) -> str:
    """A date as RFC 9110, section 5.6.7, wants it: what `gunicorn.util.http_date` gives.

    >>> http_date(0)
    'Thu, 01 Jan 1970 00:00:00 GMT'

    Args:
        timestamp: Seconds since 1970; now when None.
    """
    global _last  # noqa: PLW0603 - one value for all threads, replaced as a whole
    second = math.floor(time.time() if timestamp is None else timestamp)
    known, text = _last
    if known != second or not text:
        text = formatdate(second, usegmt=True)
        _last = (second, text)
    return text
