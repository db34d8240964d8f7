"""An HTTP GET over a plain socket that keeps a deadline, for what cannot afford an HTTP client.

`http.client` would load the standard library's e-mail package, and its time-out holds for each read by itself: it would
never end an answer that comes a byte at a time.
"""

import socket
import time
from typing import Final

_PIECE_BYTES: Final = 65_536


def get(host: str, port: int, target: str, *, timeout: float, most_bytes: int) -> bytes:
    """The whole answer, from its status line to its end.

    Args:
        host: A name or an address.
        port: Its port.
        target: Path and query.
        timeout: Seconds for all of it.
        most_bytes: Where to stop reading; a little more may be returned.

    Raises:
        TimeoutError: It has not ended in time.
        OSError: Nobody listens, or the connection broke.
    """
    deadline = time.monotonic() + timeout
    answer = b""
    with socket.create_connection((host, port), _left(deadline)) as connection:
        name = f"[{host}]" if ":" in host else host
        # Version 1.0, so that the answer comes in one piece and the end of the connection is its end.
        connection.sendall(f"GET {target} HTTP/1.0\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode())
        while len(answer) < most_bytes:
            connection.settimeout(_left(deadline))
            piece = connection.recv(_PIECE_BYTES)
            if not piece:
                break
            answer += piece
    return answer


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
