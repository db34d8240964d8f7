"""What a test would have told Sentry."""

from typing import Any, Self

from baselib.contract import Settings
from baselib.telemetry.errors import configure_errors, flush_errors, start_errors

# A well-formed DSN that nobody is behind: nothing is sent to it.
_DSN = "http://key@127.0.0.1:9/1"


class CapturedErrors(list[dict[str, Any]]):
    """The events that Sentry would have got, as the objects that they are on the wire.

    Args:
        settings: The identity that they carry.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def __enter__(self) -> Self:
        import sentry_sdk  # noqa: PLC0415 - only paid for by tests that look at errors
        from sentry_sdk.envelope import Envelope  # noqa: PLC0415
        from sentry_sdk.transport import Transport  # noqa: PLC0415

        events = self

        class Keep(Transport):
            def capture_envelope(self, envelope: Envelope) -> None:
                event = envelope.get_event()
                if event is not None:
                    events.append(dict(event))

        self._before = sentry_sdk.get_global_scope().client
        configure_errors(self._settings, dsn=_DSN, transport=Keep)
        start_errors()
        return self

    def __exit__(self, *_: object) -> None:
        import sentry_sdk  # noqa: PLC0415

        flush_errors()
        sentry_sdk.get_client().close(timeout=0)
        sentry_sdk.get_global_scope().set_client(self._before)

    def types(self) -> list[str]:
        """The types of the exceptions, in order."""
        return [event["exception"]["values"][-1]["type"] for event in self if "exception" in event]
