"""The memcached client: a cache and no more, so that a server that fails is a miss."""

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from baselib.contract import Settings
from baselib.data_stores.errors import naming_extra
from baselib.data_stores.limits import Limits
from baselib.data_stores.reachability import address

if TYPE_CHECKING:
    from ssl import SSLContext

    from baselib.data_stores.memcached_nodes import Memcached

_PACKAGES: Final = frozenset({"pymemcache"})
_LONGEST_SECONDS: Final = 1.0
_ELASTICACHE: Final = re.compile(r"\.cache\.amazonaws\.com(\.cn)?\Z")
# Not a node but a name for all of them
# (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoDiscovery.html).
_CONFIGURATION: Final = re.compile(r"(\.cfg\.|\Aclustercfg\.)")


def make(_: Settings, url: str, limits: Limits) -> "Memcached":
    """A client with a pool of connections to each node; a thread uses one at a time, which bounds it.

    Args:
        _: The service's settings.
        url: The address. `?tls=true` encrypts, which is what happens with ElastiCache in any case.
        limits: The seconds for a connection and for an answer.
    """
    with naming_extra("memcached", _PACKAGES):
        from baselib.data_stores.memcached_nodes import Memcached  # noqa: PLC0415 - subclasses a class of pymemcache

    host, port = address(url)
    seconds = min(_LONGEST_SECONDS, limits.seconds)
    return Memcached(
        (host, port),
        is_configuration=bool(_CONFIGURATION.search(host) and _ELASTICACHE.search(host)),
        timeout=seconds,
        connect_timeout=seconds,
        no_delay=True,
        tls_context=_tls(host, parse_qs(urlsplit(url).query).get("tls", [None])[-1]),
    )


def _tls(host: str, chosen: str | None) -> "SSLContext | None":
    if chosen == "false" or (chosen is None and not _ELASTICACHE.search(host)):
        return None
    import ssl  # noqa: PLC0415 - only where it is used

    return ssl.create_default_context()


def ping(client: "Memcached") -> None:
    """Ask every node for its version.

    Args:
        client: One of ours.

    Raises:
        OSError: A node does not answer.
    """
    client.ask_all()


def after_fork(client: "Memcached") -> None:
    """Forget the parent's connections.

    Args:
        client: One of ours.
    """
    client.renew()


def close(client: "Memcached") -> None:
    """Close every connection.

    Args:
        client: One of ours.
    """
    client.close()
