"""The redis client: bounded in time and connections, and one that finds the new primary after a failover."""

from typing import TYPE_CHECKING, Final

from baselib.contract import Settings
from baselib.data_stores.errors import naming_extra
from baselib.data_stores.limits import Limits

if TYPE_CHECKING:
    from redis import Redis

_PACKAGES: Final = frozenset({"redis"})
_CONNECT_SECONDS: Final = 1.0
# A connection that was idle for longer is asked before it is used.
_HEALTH_CHECK_SECONDS: Final = 15
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 0.5


def make(settings: Settings, url: str, limits: Limits) -> "Redis":
    """A client with a pool; a thread waits for a free connection.

    Args:
        settings: The service's settings.
        url: The address; parameters in it count more than ours.
        limits: The size of the pool, and the seconds for a connection and for an answer.
    """
    with naming_extra("redis", _PACKAGES):
        import redis  # noqa: PLC0415 - only services with redis have it
        from redis.backoff import ExponentialWithJitterBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=limits.connections + (1 if limits.retries else 0),
        timeout=limits.seconds,
        socket_timeout=limits.seconds,
        socket_connect_timeout=min(_CONNECT_SECONDS, limits.seconds),
        socket_keepalive=True,
        health_check_interval=_HEALTH_CHECK_SECONDS,
        client_name=settings.name.repository,
        retry=Retry(
            ExponentialWithJitterBackoff(base=_FIRST_PAUSE_SECONDS, cap=_LONGEST_PAUSE_SECONDS),
            limits.retries,
            # Not after a time-out: the command may have been carried out, and the time is spent. A replica refuses
            # writes, and is what a primary becomes in a failover: connecting again finds the new one.
            supported_errors=(redis.ConnectionError, redis.ReadOnlyError),
        ),
    )
    return redis.Redis.from_pool(pool)


def ping(client: "Redis") -> None:
    """Ask for something.

    Args:
        client: One of ours.

    Raises:
        redis.RedisError: No good answer.
    """
    client.ping()


def after_fork(_: "Redis") -> None:
    """Nothing: redis-py's pool looks at the id of the process."""


def close(client: "Redis") -> None:
    """Close every connection.

    Args:
        client: One of ours.
    """
    client.close()
