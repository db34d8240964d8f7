"""Errors: Sentry, told of an exception by us and by nothing else.

sentry-sdk's automatic integrations cost more than a small request itself and attach data that nobody asked for, so they
stay off; the client without them costs nothing until there is an error.
"""

import functools
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Final

from baselib.contract import Settings
from baselib.telemetry.span import current_span

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentry_sdk.transport import Transport
    from sentry_sdk.types import Event, Hint

_logger = logging.getLogger(__name__)


class _Sentry:
    """What is known of Sentry before its package is imported, which takes as long as a third of Flask's import."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Callable[[], None] | None = None

    def configure(self, start: "Callable[[], None] | None") -> None:
        self._waiting = start

    def start(self) -> None:
        if self._waiting is None:
            return
        with self._lock:
            if self._waiting is not None:
                self._waiting()
                # Only now, so that nobody captures before it is ready.
                self._waiting = None

    def after_fork(self) -> None:
        self._lock = threading.Lock()


_sentry: Final = _Sentry()
os.register_at_fork(after_in_child=_sentry.after_fork)


def configure_errors(settings: Settings, *, dsn: str | None = None, transport: "type[Transport] | None" = None) -> None:
    """Send captured exceptions to Sentry if there is a DSN; otherwise say once that Sentry is off.

    Args:
        settings: Gives the DSN and the identity.
        dsn: Another DSN than the settings'.
        transport: Takes the events instead of Sentry, in tests.
    """
    dsn = dsn or settings.sentry_dsn
    if dsn is None:
        _sentry.configure(None)
        _logger.info("Sentry is off: SENTRY_DSN is not set")
    else:
        _sentry.configure(functools.partial(_start, settings, dsn, transport))


def start_errors() -> None:
    """Set Sentry up now, before the work begins and before processes are forked, which then share its code.

    Without this it is set up with the first error.
    """
    _sentry.start()


def _start(settings: Settings, dsn: str, transport: "type[Transport] | None") -> None:
    import sentry_sdk  # noqa: PLC0415 - a process without a DSN, or without an error, does not pay for it

    try:
        sentry_sdk.init(
            dsn=dsn,
            transport=transport,
            environment=settings.environment,
            release=f"{settings.name.repository}@{settings.release}",
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_request_body_size="never",
            before_send=_without_private,
            shutdown_timeout=1,
        )
    except Exception:
        # A DSN that parses as an address but not as a DSN: errors then go to the log only.
        _logger.exception("Sentry is off: it does not accept SENTRY_DSN")
        return
    for name, value in settings.identity.items():
        # Global, because the scope of the moment is this thread's only.
        sentry_sdk.get_global_scope().set_tag(name, value)


def _without_private(event: "Event", hint: "Hint") -> "Event":
    event.pop("request", None)
    event.pop("server_name", None)
    return event


def capture_exception(error: BaseException, **details: object) -> None:
    """Tell Sentry, if it is on, of an exception in the work at hand; costs nothing where it is off, and never raises.

    What leaves a view or a handler is told of by itself: this is for what is caught and still worth somebody's time.

    Args:
        error: The exception.
        details: What else the person who reads it should know. Nothing of a request is sent unless it is given here.
    """
    _sentry.start()
    sentry_sdk = sys.modules.get("sentry_sdk")
    if sentry_sdk is None or not sentry_sdk.is_initialized():
        return
    try:
        with sentry_sdk.new_scope() as scope:
            span = current_span()
            if span is not None:
                scope.set_transaction_name(span.name)
                scope.set_tag("request_id", span.request_id)
                if span.trace_id is not None:
                    scope.set_tag("trace_id", span.trace_id)
                if span.kind == "message":
                    for name, value in span.fields.items():
                        scope.set_tag(name, value)
            if details:
                scope.set_context("details", details)
            scope.capture_exception(error)
    except Exception:  # noqa: BLE001 - also what the details' own code may raise
        _logger.debug("Sentry could not be told of %s", type(error).__name__)


def flush_errors(timeout: float = 2.0) -> None:
    """Wait up to `timeout` seconds until Sentry has what was captured."""
    sentry_sdk = sys.modules.get("sentry_sdk")
    if sentry_sdk is not None:
        sentry_sdk.flush(timeout)
