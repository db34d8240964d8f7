"""The health check that each declared data store gets by itself: a real question, on a connection of its own."""

from typing import Final

from baselib.contract import DataStore
from baselib.data_stores.clients import CLIENTS
from baselib.data_stores.errors import MissingExtraError
from baselib.data_stores.reachability import connect
from baselib.health import HealthCheck

# Longer than any of the clients takes to say what is wrong: libpq waits for a connection for two seconds at least.
_SECONDS: Final = 2.5


def data_store_check(data_store: DataStore, url: str) -> HealthCheck:
    """A check that asks the data store something; where its client is not installed, it only connects to the port.

    Not on a connection of the requests: that all of those are busy is no outage. memcached is soft, as its client is.

    Args:
        data_store: For instance `postgres`.
        url: Its address, as the settings hold it.
    """

    def check() -> None:
        if CLIENTS.declared(data_store):
            try:
                CLIENTS.ping(data_store)
            except MissingExtraError:
                pass
            else:
                return
        connect(url)

    return HealthCheck(data_store, check, hard=data_store != "memcached", timeout=_SECONDS)
