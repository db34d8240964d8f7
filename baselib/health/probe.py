"""The container's health check: asks the liveness endpoint of the service in the same container."""

from http.client import HTTPConnection, HTTPException

from baselib.contract.endpoints import LIVE


def probe(port: int, *, path: str = LIVE, timeout: float = 2.0) -> tuple[bool, str]:
    """Ask a local service's endpoint.

    Args:
        port: The port it listens on.
        path: The endpoint.
        timeout: Seconds to wait.

    Returns:
        Whether it answered 200, and what it said or what went wrong.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(65536).decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        return False, f"port {port}: {error or type(error).__name__}"
    finally:
        connection.close()
    return response.status == 200, f"port {port}: {response.status} {body}"
