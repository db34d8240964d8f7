"""Request and trace ids: taken from the caller where they are harmless, made up where not."""

import os
import random
import re
from typing import Final

REQUEST_ID_HEADER: Final = "X-Request-Id"
TRACE_HEADER: Final = "X-Amzn-Trace-Id"
# The milliseconds that the caller still waits for the answer. Relative, as Envoy's x-envoy-expected-rq-timeout-ms is:
# an absolute time would suffer from the difference between two clocks.
REQUEST_TIMEOUT_HEADER: Final = "X-Request-Timeout-Ms"

# What an id may hold, so that it can stand in a header, a log line and a search without quoting.
_HARMLESS: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
_TRACE_ROOT: Final = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24})\s*(?:;|$)")
_MILLISECONDS: Final = re.compile(r"[0-9]{1,9}")

generator = random.Random()  # noqa: S311 - an id has to be unique, not secret
"""Where fresh ids come from; a test may seed it."""
# Two workers of one server would otherwise give out the same ids.
os.register_at_fork(after_in_child=generator.seed)


def new_request_id() -> str:
    """A fresh id of 32 hexadecimal digits."""
    # Three times as fast as formatting the number.
    return generator.getrandbits(128).to_bytes(16, "big").hex()


def request_id_from(value: str | None) -> str:
    """The caller's id if it is harmless, otherwise a fresh one.

    Args:
        value: The header's value, None when it was not sent.
    """
    return value if value and _HARMLESS.fullmatch(value) else new_request_id()


def trace_id_from(value: str | None) -> str | None:
    """The root of the load balancer's trace, None when there is none.

    Args:
        value: The value of `X-Amzn-Trace-Id`, such as `Self=1-…;Root=1-67891233-abcdef012345678912345678`.
    """
    found = _TRACE_ROOT.search(value) if value else None
    return found.group(1) if found else None


def budget_from(value: str | None, most: float) -> float:
    """The seconds that the caller still waits, at most `most`, which also counts where the header makes no sense.

    Args:
        value: The value of `X-Request-Timeout-Ms`, None when it was not sent.
        most: The service's own budget in seconds.
    """
    if not value or not _MILLISECONDS.fullmatch(value):
        return most
    return min(int(value) / 1000, most)
