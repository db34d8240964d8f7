"""A value that is kept in memory and renewed in the background, so that a rotation is followed and an outage of the
service that stores it is not noticed.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from baselib.aws.flight import Flight, LeaderGaveUpError
from baselib.concurrency import renew_after_fork, start_thread

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
# A storm of refused log-ins asks once.
_REFRESH_SECONDS: Final = 1.0
_MISSING: Final = frozenset({"ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"})
_DENIED: Final = frozenset({"AccessDeniedException", "AccessDenied"})

_logger = logging.getLogger(__name__)


class ValueUnavailableError(RuntimeError):
    """A secret or a parameter cannot be read, and none was read before."""


class _Read:
    """A value, and when it was read; its representation does not say which."""

    __slots__ = ("at", "text")

    def __init__(self, text: str, at: float) -> None:
        self.text = text
        self.at = at


class CachedValue:
    """A secret or a parameter, read when it is first asked for.

    After `fresh_for` seconds it is still given out at once, while a thread reads it again; when that fails, it is
    given out for as long as it takes. Neither its representation nor an error shows the value.

    Args:
        what: What it is, for errors, such as `secret 'duolingo-api/key'`.
        permission: The permission that the task role needs, for errors.
        read: Reads it.
        fresh_for: Seconds after which it is read again.
    """

    def __init__(self, what: str, permission: str, read: Callable[[], str], fresh_for: float) -> None:
        self._what = what
        self._permission = permission
        self._reader = read
        self._fresh_for = fresh_for
        self._held: _Read | None = None
        self.after_fork()
        renew_after_fork(self)

    def __repr__(self) -> str:
        return f"<{self._what}>"

    def after_fork(self) -> None:
        """Keep the value; a thread that was reading it is gone."""
        self._lock = threading.Lock()
        self._flight: Flight[_Read] | None = None
        self._renewing = False
        self._failures = 0
        self._again_at = float("-inf")

    def forget(self) -> None:
        """Forget what was read; it is read again when it is next asked for."""
        self._held = None

    @property
    def value(self) -> str:
        """The value.

        Raises:
            ValueUnavailableError: It could not be read yet; the message says why.
            DeadlineExceededError: The work in hand has no time left.
        """
        held = self._held
        if held is None:
            return self._read().text
        now = time.monotonic()
        if now - held.at >= self._fresh_for and now >= self._again_at:
            self._renew_in_background()
        return held.text

    @property
    def json(self) -> Any:
        """The value as the JSON document that it holds, as of the moment.

        Raises:
            ValueUnavailableError: It could not be read yet, or it is no JSON.
            DeadlineExceededError: The work in hand has no time left.
        """
        try:
            return json.loads(self.value)
        except ValueError:
            # Not chained: the error quotes the document.
            raise ValueUnavailableError(f"{self._what} does not hold a JSON document") from None

    def refresh(self) -> str:
        """Read it again, because what it says was refused: it has been rotated.

        Threads that do so at the same time, or within a second, share one call.

        Returns:
            The value now.

        Raises:
            ValueUnavailableError: It cannot be read.
            DeadlineExceededError: The work in hand has no time left.
        """
        held = self._held
        if held is not None and time.monotonic() - held.at < _REFRESH_SECONDS:
            return held.text
        return self._read().text

    def _read(self) -> _Read:
        while True:
            with self._lock:
                flight, leading = self._flight, self._flight is None
                if flight is None:
                    flight = self._flight = Flight()
            if leading:
                return self._lead(flight)
            try:
                return flight.wait(self._what)
            except LeaderGaveUpError:
                continue

    def _lead(self, flight: Flight[_Read]) -> _Read:
        try:
            self._held = held = flight.carry_out(self._ask)
            self._failures = 0
        finally:
            with self._lock:
                self._flight = None
        return held

    def _ask(self) -> _Read:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - a client loads it anyway

        # When it was asked for, not when it came: it may have been rotated in between.
        asked = time.monotonic()
        try:
            return _Read(self._reader(), asked)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                reason = "does not exist"
            elif code in _DENIED:
                reason = f"may not be read: the task role needs {self._permission}"
            else:
                reason = f"cannot be read: {code}: {error.response['Error'].get('Message', '')}"
            raise ValueUnavailableError(f"{self._what} {reason}") from error
        except BotoCoreError as error:
            raise ValueUnavailableError(f"{self._what} cannot be read: {error}") from error

    def _renew_in_background(self) -> None:
        with self._lock:
            if self._renewing:
                return
            self._renewing = True
        if start_thread(self._renew, name="aws-value") is None:
            # The next reader tries.
            self._renewing = False

    def _renew(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - whatever it was, the old value stays
            self._put_off(error)
        finally:
            self._renewing = False

    def _put_off(self, error: Exception) -> None:
        self._failures += 1
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures - 1, 10))
        self._again_at = time.monotonic() + pause
        if self._failures == 1:
            # Once for each outage: the calls are counted by themselves.
            _logger.warning("an old value stays in use", extra={"aws_value": self._what, "reason": str(error)})
