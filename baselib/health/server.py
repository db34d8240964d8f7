"""The health endpoints of a worker, on a port of their own."""

import logging
import socket
import sys
import threading
from socketserver import ThreadingMixIn
from typing import Any, Final, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from baselib.contract import ConfigurationError
from baselib.health.endpoints import HealthEndpoints

_logger = logging.getLogger(__name__)

# A caller that connects and says nothing may keep a thread for so long.
_SILENT_CALLER_SECONDS: Final = 5


class _Handler(WSGIRequestHandler):
    timeout = _SILENT_CALLER_SECONDS

    def get_environ(self) -> dict[str, Any]:
        """Leave out headers with an underscore: `X_Forwarded_For` is `X-Forwarded-For` to WSGI, but not to a proxy."""
        for name in [name for name in self.headers if "_" in name]:
            del self.headers[name]
        return super().get_environ()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a probe every few seconds would drown the log."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # WSGIServer would look up the machine's own name, which can hang where DNS does.
        # A port that a former process has just closed is free again.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log a caller that went away or said nothing, instead of a stack on standard error."""
        _logger.debug("a health request failed: %r", sys.exc_info()[1])


class HealthServer:
    """Serves the endpoints from a thread, so that busy handlers do not keep them waiting.

    Args:
        endpoints: What to serve.
        port: Where; 0 picks a free one.
        host: The address to listen on.

    Raises:
        ConfigurationError: Something else listens on the port.
    """

    def __init__(self, endpoints: HealthEndpoints, port: int, host: str) -> None:
        try:
            self._server = _Server((host, port), _Handler)
        except OSError as error:
            raise ConfigurationError([f"HEALTH_PORT is {port}: {error.strerror}"]) from error
        self._server.set_app(endpoints)
        self.port: int = self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
