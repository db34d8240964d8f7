"""Request and trace ids: taken from the caller where they are harmless, made up where not."""

import random
import re

REQUEST_ID_HEADER = "X-Request-Id"
TRACE_HEADER = "X-Amzn-Trace-Id"

# What an id may hold, so that it can stand in a header, a log line and a search without quoting.
_HARMLESS = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
_TRACE_ROOT = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24})\s*(?:;|$)")


def new_request_id() -> str:
    """A fresh id of 32 hexadecimal digits."""
    return f"{random.getrandbits(128):032x}"


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
