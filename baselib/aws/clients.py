"""One client for each AWS service and region, shared by the threads of a process.

boto3's clients are thread-safe but making one is neither thread-safe nor cheap (40-80 ms for the first), and every
session holds its own 8 MiB of service descriptions; so there is one session, and each client is made once.
"""

import os
import threading
from typing import Any, Final

from baselib.aws.credentials import restrict_credentials
from baselib.contract import Settings

_CONNECT_SECONDS: Final = 2
# Below the 25 s in which a worker stops and the 60 s after which the load balancer gives up; longer than SQS's 20 s
# long poll.
_READ_SECONDS: Final = 24
_ATTEMPTS: Final = 4
_CONNECTIONS: Final = 32


class _Clients:
    """The cache; made anew after a fork, because a connection must not be shared by two processes."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self.clear()

    def configure(self, settings: Settings) -> None:
        with self._lock:
            self._settings = settings
            self.clear()

    def after_fork(self) -> None:
        # The parent's thread that held the lock does not exist here.
        self._lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        self._session: Any = None
        self._made: dict[tuple[str, str, str | None], Any] = {}

    def get(self, kind: str, service: str, region: str | None) -> Any:
        key = (kind, service, region)
        found = self._made.get(key)
        if found is not None:
            return found
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(kind, service, region)
            return self._made[key]

    def _make(self, kind: str, service: str, region: str | None) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - a service that calls no AWS does not pay for boto3

        settings = self._settings
        session = self._session = self._session or _new_session()
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=_CONNECTIONS,
            tcp_keepalive=True,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            user_agent_extra=f"{settings.name.repository}/{settings.release}" if settings else None,
        )
        make = session.client if kind == "client" else session.resource
        return make(
            service,
            # Of the SDKs only boto3 does not read AWS_REGION by itself.
            region_name=region or (settings.aws_region if settings else os.environ.get("AWS_REGION")),
            endpoint_url=settings.aws_endpoint_url if settings else None,
            config=config,
        )


def _new_session() -> Any:
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415

    session = botocore.session.get_session()
    restrict_credentials(session)
    return boto3.session.Session(botocore_session=session)


_clients: Final = _Clients()
os.register_at_fork(after_in_child=_clients.after_fork)


def configure_aws(settings: Settings) -> None:
    """Make clients from now on for this service.

    Args:
        settings: Gives region, endpoint and the identity in the user agent.
    """
    _clients.configure(settings)


def client(service: str, *, region: str | None = None) -> Any:
    """The process's client of an AWS service.

    Args:
        service: For instance `s3`.
        region: Another region than the service's own.

    Raises:
        CredentialPolicyError: On ECS, credentials would not come from the task role.
        botocore.exceptions.NoRegionError: Neither `AWS_REGION` nor the SDK's own configuration names a region.
    """
    return _clients.get("client", service, region)


def resource(service: str, *, region: str | None = None) -> Any:
    """The process's resource of an AWS service; unlike a client it may only be used in one thread at a time.

    Args:
        service: For instance `dynamodb`.
        region: Another region than the service's own.

    Raises:
        CredentialPolicyError: On ECS, credentials would not come from the task role.
        botocore.exceptions.NoRegionError: Neither `AWS_REGION` nor the SDK's own configuration names a region.
    """
    return _clients.get("resource", service, region)


def reset() -> None:
    """Forget every client and session, as tests do between two embedded AWS."""
    _clients.clear()
