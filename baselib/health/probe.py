"""The container's health check: asks the liveness endpoint of the service in the same container.

It starts every few seconds beside the service and within its CPU share, so it loads as little as it can.
"""

import re
from typing import Final

from baselib.bare_http import get
from baselib.contract.endpoints import LIVE

_LONGEST_ANSWER_BYTES: Final = 65536
_ANSWER: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r?\n(?:[^\r\n]+\r?\n)*\r?\n(.*)", re.DOTALL)


def probe(port: int, *, path: str = LIVE, timeout: float = 2.0) -> tuple[bool, str]:
    """Ask a local service's endpoint.

    Args:
        port: The port it listens on.
        path: The endpoint.
        timeout: Seconds to wait for the whole answer.

    Returns:
        Whether it answered 200, and what it said or what went wrong.
    """
    try:
        answer = get("127.0.0.1", port, path, timeout=timeout, most_bytes=_LONGEST_ANSWER_BYTES)
    except OSError as error:
        return False, f"port {port}: {error or type(error).__name__}"
    match = _ANSWER.fullmatch(answer)
    if match is None:
        return False, f"port {port}: no HTTP answer" if answer else f"port {port}: no answer"
    status, body = match[1].decode(), match[2].decode("utf-8", "replace").strip()
    return status == "200", f"port {port}: {status} {body}"
