"""The OpenSearch client; Amazon's own domains are asked in the name of the task's role."""

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from baselib.contract import Settings
from baselib.data_stores.errors import naming_extra
from baselib.data_stores.limits import Limits
from baselib.data_stores.reachability import address

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

_PACKAGES: Final = frozenset({"opensearchpy"})
# A domain of the OpenSearch Service, or a serverless collection.
_AMAZON: Final = re.compile(r"\.(?P<region>[a-z]{2}(-[a-z]+)+-\d+)\.(?P<service>es|aoss)\.amazonaws\.com(\.cn)?\Z")


def make(_: Settings, url: str, limits: Limits) -> "OpenSearch":
    """A client with a pool of connections.

    Args:
        _: The service's settings.
        url: The address.
        limits: The size of the pool, and the seconds for an answer; `request_timeout` of a call counts more.
    """
    with naming_extra("elasticsearch", _PACKAGES):
        from opensearchpy import OpenSearch  # noqa: PLC0415 - only services with elasticsearch have it

    parts = urlsplit(url)
    host, port = address(url)
    return OpenSearch(
        [{"host": host, "port": port, "url_prefix": parts.path.strip("/")}],
        use_ssl=parts.scheme == "https",
        # Not in the host above, which is shown wherever the client is.
        http_auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else _signer(host),
        pool_maxsize=limits.connections,
        timeout=limits.seconds,
        # Of a lost connection only: what timed out or was answered by a proxy may have been carried out.
        max_retries=min(1, limits.retries),
        retry_on_timeout=False,
        retry_on_status=(),
        http_compress=True,
    )


def _signer(host: str) -> Any:
    found = _AMAZON.search(host)
    if found is None:
        return None
    from opensearchpy import Urllib3AWSV4SignerAuth  # noqa: PLC0415

    from baselib import aws  # noqa: PLC0415 - only where requests are signed

    credentials = aws.client("opensearch", region=found["region"])._get_credentials()
    return Urllib3AWSV4SignerAuth(credentials, found["region"], found["service"])


def ping(client: "OpenSearch") -> None:
    """Ask for the version.

    Args:
        client: One of ours.

    Raises:
        opensearchpy.OpenSearchException: No good answer.
    """
    client.info()


def after_fork(client: "OpenSearch") -> None:
    """Forget the parent's connections.

    Args:
        client: One of ours.
    """
    from opensearchpy.connection_pool import EmptyConnectionPool  # noqa: PLC0415

    # The transport keeps the connections of the hosts that it knows already.
    client.transport.connection_pool = EmptyConnectionPool()
    client.transport.set_connections(client.transport.hosts)


def close(client: "OpenSearch") -> None:
    """Close every connection.

    Args:
        client: One of ours.
    """
    client.close()
