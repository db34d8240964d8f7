"""One client for each AWS service and region, shared by the threads of a process.

boto3's clients are thread-safe but making one is neither thread-safe nor cheap (40-80 ms for the first), and every
session holds its own 8 MiB of service descriptions; so there is one session, and each client is made once.
"""

import logging
import os
import platform
import threading
from typing import Any, Final

from baselib.aws.credentials import restrict_credentials
from baselib.concurrency import start_thread
from baselib.contract import Settings, timing

_CONNECT_SECONDS: Final = 2
# Below the 25 s in which a worker stops and the 60 s after which the load balancer gives up; longer than SQS's 20 s
# long poll.
_LONGEST_READ_SECONDS: Final = 24
_ATTEMPTS: Final = 4
# What one upload or download uses besides the thread that asked for it (boto3's TransferConfig.max_concurrency).
_TRANSFER_CONNECTIONS: Final = 10
_DEFAULT_THREADS: Final = 4
# For how long a fork waits for a client that another thread is making.
_FORK_PATIENCE_SECONDS: Final = 2.0

_logger = logging.getLogger(__name__)


class _Clients:
    """The cache; made anew after a fork, because a connection must not be shared by two processes."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._forking = threading.local()
        self._settings: Settings | None = None
        self._threads: int | None = None
        self._warm: tuple[str, ...] = ()
        self.clear()

    def configure(self, settings: Settings, threads: int | None) -> None:
        with self._lock:
            self._settings = settings
            self._threads = threads
            self.clear()

    def clear(self) -> None:
        with self._lock:
            self._session: Any = None
            self._observer: Any = None
            # A client of the service's own region is found by its service alone, which is quicker than by a pair.
            self.made: dict[str | tuple[str, str], Any] = {}
            self._resources: dict[tuple[str, str | None], tuple[type[Any], Any]] = {}
            self._of_thread = threading.local()

    def client(self, service: str, region: str | None) -> Any:
        key = (service, region) if region else service
        with self._lock:
            found = self.made.get(key)
            if found is None:
                found = self.made[key] = self._make("client", service, region)
            return found

    def resource(self, service: str, region: str | None) -> Any:
        mine: dict[Any, Any] = self._of_thread.__dict__
        key = (service, region)
        found = mine.get(key)
        if found is None:
            with self._lock:
                if key not in self._resources:
                    made = self._make("resource", service, region)
                    self._resources[key] = (type(made), made.meta.client)
                kind, shared = self._resources[key]
                # The threads share the client, which is safe, and with it the connections.
                found = mine[key] = kind(client=shared)
        return found

    def make(self, service: str, **options: Any) -> Any:
        with self._lock:
            return self._make("client", service, None, **options)

    def _make(self, kind: str, service: str, region: str | None, **options: Any) -> Any:
        # A service that calls no AWS pays neither for boto3 nor for what is imported with it.
        from botocore.config import Config  # noqa: PLC0415

        from baselib.aws.calls import CallObserver  # noqa: PLC0415
        from baselib.aws.prices import PriceTable  # noqa: PLC0415

        settings = self._settings
        budget = settings.request_seconds if settings else timing.REQUEST_SECONDS
        threads = self._threads or (settings.web_threads if settings else _DEFAULT_THREADS)
        if self._session is None:
            self._session = _new_session()
            self._observer = CallObserver(budget, PriceTable.read())
        make = self._session.client if kind == "client" else self._session.resource
        made = make(
            service,
            # Of the SDKs only boto3 does not read AWS_REGION by itself.
            region_name=region or (settings.aws_region if settings else os.environ.get("AWS_REGION")),
            endpoint_url=settings.aws_endpoint_url if settings else None,
            config=Config(
                **{
                    "connect_timeout": _CONNECT_SECONDS,
                    "read_timeout": _LONGEST_READ_SECONDS if service == "sqs" else min(_LONGEST_READ_SECONDS, budget),
                    "max_pool_connections": threads + _TRANSFER_CONNECTIONS,
                    "tcp_keepalive": True,
                    "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS},
                    "user_agent": _user_agent(settings),
                    **options,
                }
            ),
        )
        self._observer.watch(made if kind == "client" else made.meta.client)
        return made

    def warm(self, services: tuple[str, ...]) -> None:
        self._warm = tuple(dict.fromkeys((*self._warm, *services)))
        # Without a thread they are made when they are needed.
        start_thread(self._make_warm, services, name="aws-warm")

    def _make_warm(self, services: tuple[str, ...]) -> None:
        for service in services:
            try:
                self.client(service, None)
            except Exception as error:  # noqa: BLE001 - who needs the client will be told
                _logger.warning("no AWS client yet", extra={"aws_service": service, "reason": str(error)})

    def before_fork(self) -> None:
        # A module that another thread is importing at this moment could never be imported in the child.
        self._forking.held = self._lock.acquire(timeout=_FORK_PATIENCE_SECONDS)

    def after_fork_in_parent(self) -> None:
        if self._forking.held:
            self._lock.release()

    def after_fork(self) -> None:
        # The parent's thread that held the lock may not exist here.
        self._lock = threading.RLock()
        self.clear()
        if self._warm:
            self.warm(self._warm)


def _new_session() -> Any:
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415

    # At DEBUG it writes whole answers, secrets among them; who wants that sets the level of this logger itself.
    wire = logging.getLogger("botocore")
    if wire.level == logging.NOTSET:
        wire.setLevel(logging.INFO)
    session = botocore.session.get_session()
    restrict_credentials(session)
    return boto3.session.Session(botocore_session=session)


def _user_agent(settings: Settings | None) -> str:
    """Who calls. botocore would put its own text together anew for each call, which is a tenth of what a call costs."""
    import boto3  # noqa: PLC0415
    import botocore  # noqa: PLC0415

    sdk = f"Boto3/{boto3.__version__} md/Botocore#{botocore.__version__} lang/python#{platform.python_version()}"
    return f"{sdk} {settings.user_agent}" if settings else sdk


_clients: Final = _Clients()
os.register_at_fork(
    before=_clients.before_fork,
    after_in_parent=_clients.after_fork_in_parent,
    after_in_child=_clients.after_fork,
)


def configure_aws(settings: Settings, *, threads: int | None = None) -> None:
    """Make clients from now on for this service.

    Args:
        settings: Gives region, endpoint, the time budget of a call and the identity in the user agent.
        threads: How many threads call AWS at once, for the connections that are kept; the threads of a web worker
            when None.
    """
    _clients.configure(settings, threads)


def client(service: str, *, region: str | None = None) -> Any:
    """The process's client of an AWS service; the threads share it.

    Args:
        service: For instance `s3`.
        region: Another region than the service's own.

    Raises:
        CredentialPolicyError: On ECS, credentials would not come from the task role.
        botocore.exceptions.NoRegionError: Neither `AWS_REGION` nor the SDK's own configuration names a region.
    """
    return _clients.made.get((service, region) if region else service) or _clients.client(service, region)


def own_client(service: str, **options: Any) -> Any:
    """A client that is nobody else's, for a caller that knows better than the rest how its calls should be made.

    Args:
        service: For instance `sqs`.
        options: Of botocore's `Config`, over those that every client has.

    Raises:
        CredentialPolicyError: On ECS, credentials would not come from the task role.
        botocore.exceptions.NoRegionError: Neither `AWS_REGION` nor the SDK's own configuration names a region.
    """
    return _clients.make(service, **options)


def resource(service: str, *, region: str | None = None) -> Any:
    """The calling thread's resource of an AWS service: unlike a client it must not be used by two threads at a time.

    Args:
        service: For instance `dynamodb`.
        region: Another region than the service's own.

    Raises:
        CredentialPolicyError: On ECS, credentials would not come from the task role.
        botocore.exceptions.NoRegionError: Neither `AWS_REGION` nor the SDK's own configuration names a region.
    """
    return _clients.resource(service, region)


def warm(*services: str) -> None:
    """Begin to make clients in the background, so that the first request does not wait for them.

    It may be called while the application is imported: a forked worker makes its own. What goes wrong is logged.

    Args:
        services: For instance `s3`, `sqs`.
    """
    _clients.warm(services)


def forget_clients() -> None:
    """Forget every client and session."""
    _clients.clear()
