"""Several memcached nodes as one cache; imported only where pymemcache is installed."""

import logging
import threading
from time import monotonic
from typing import Any, Final

from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheServerError, MemcacheUnknownError

_REST_SECONDS: Final = 5.0
# What the caller did wrong is not among them: a key with a space, a number too large.
_FAILURES: Final = (OSError, MemcacheServerError, MemcacheUnknownError)

_logger = logging.getLogger("baselib.data_stores")


class Memcached(HashClient):  # type: ignore[misc]
    """pymemcache's client of several nodes, with failures of our own: its own are not safe with threads.

    A command to a node that fails gives what a miss gives: the default of `get`, False of `set`. The node is then left
    alone for 5 seconds, so that not every request waits for it. A value is bytes.

    Args:
        server: A node, or the configuration endpoint.
        is_configuration: Whether it is that; the nodes are then asked of it once.
        options: Of pymemcache's `Client`.
    """

    def __init__(self, server: tuple[str, int], *, is_configuration: bool = False, **options: Any) -> None:
        # Otherwise `set` would say that it worked before it was even sent.
        super().__init__([], use_pooling=True, default_noreply=False, **options)
        self._server = server
        self._options = {name: value for name, value in self.default_kwargs.items() if name in options}
        self._nodes_known = not is_configuration
        self._resting: dict[object, float] = {}
        self._discovery = threading.Lock()
        if not is_configuration:
            self.add_server(server)

    def ask_all(self) -> None:
        """Ask every node for its version, whether it rests or not.

        Raises:
            OSError: A node, or the configuration endpoint, does not answer.
        """
        self._discover()
        for client in list(self.clients.values()):
            client.version()

    def close(self) -> None:
        """Close every connection."""
        for client in self.clients.values():
            client.close()

    def renew(self) -> None:
        """Use other connections from now on, and leave the old ones as they are."""
        self._discovery = threading.Lock()
        for client in list(self.clients.values()):
            self.add_server(client.server)

    def _discover(self) -> None:
        with self._discovery:
            if self._nodes_known:
                return
            client = Client(self._server, **self._options)
            try:
                answer = client.raw_command(b"config get cluster", end_tokens=b"\n\r\nEND\r\n")
            finally:
                client.close()
            # After the head and the version of the list: host|address|port host|address|port
            for node in answer.split(b"\n")[2].decode("ascii").split():
                host, _, port = node.split("|")
                self.add_server((host, int(port)))
            # Not before all of them are there: the node of a key follows from all.
            self._nodes_known = True

    def _get_client(self, key: Any) -> Any:
        if not self._nodes_known and self._attempt(self._server, self._discover, failed=True) is True:
            return None
        return super()._get_client(key)

    def _safely_run_func(self, client: Any, func: Any, default_val: Any, *args: Any, **options: Any) -> Any:
        return self._attempt(client.server, lambda: func(*args, **options), failed=default_val)

    def _safely_run_set_many(self, client: Any, values: Any, *args: Any, **options: Any) -> Any:
        return self._attempt(client.server, lambda: client.set_many(values, *args, **options), failed=list(values))

    def _attempt(self, server: object, run: Any, *, failed: Any) -> Any:
        if self._resting.get(server, 0.0) > monotonic():
            return failed
        try:
            return run()
        except _FAILURES as error:
            self._resting[server] = monotonic() + _REST_SECONDS
            _logger.warning(
                "memcached fails: a miss for %g s", _REST_SECONDS, extra={"node": str(server), "error": str(error)}
            )
            return failed
