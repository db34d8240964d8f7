"""Keys that are renewed by a thread of their own, so that no call of AWS waits for the credentials endpoint.

botocore renews inside the call: from 15 minutes before the expiry each call waits for a failing endpoint, and from 10
minutes before it each call fails, although the keys are still valid. Here a call waits only when there are no valid
keys at all. Imported with botocore, never before.
"""

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Final

from botocore.credentials import CredentialProvider, DeferredRefreshableCredentials, ReadOnlyCredentials
from botocore.exceptions import CredentialRetrievalError

from baselib.aws.deadlines import patience
from baselib.aws.task_role import Keys, KeysUnavailableError, endpoint, fetch_keys
from baselib.concurrency import renew_after_fork, start_thread
from baselib.telemetry import metrics
from baselib.telemetry.metrics.standard import AWS_CREDENTIAL_FAILURES

_METHOD: Final = "container-role"

_AHEAD_SECONDS: Final = 20 * 60.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_logger = logging.getLogger(__name__)


class TaskRoleProvider(CredentialProvider):  # type: ignore[misc]
    """Gives a botocore session the keys of the task's role.

    Args:
        environ: The environment variables.
    """

    METHOD = _METHOD
    CANONICAL_NAME = "EcsContainer"

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._environ = environ

    def load(self) -> "TaskRoleCredentials | None":
        """The credentials, which ask for their first keys when they are first needed; None without an endpoint."""
        url = endpoint(self._environ)
        return TaskRoleCredentials(lambda: fetch_keys(url, self._environ)) if url else None


class TaskRoleCredentials(DeferredRefreshableCredentials):  # type: ignore[misc]
    """Keys that a thread renews from about 20 minutes before they expire, or in the second half of a shorter life.

    Args:
        fetch: Gets keys, or raises.
        clock: Seconds since 1970: keys expire by the calendar.

    Raises:
        botocore.exceptions.CredentialRetrievalError: From the methods that botocore calls: there are no valid keys.
    """

    # For how long a call waits when there are no valid keys; an endpoint that has failed for longer fails it at once.
    patience_seconds = 5.0
    first_pause_seconds = 0.25
    # Between two attempts while calls wait: an agent answers 40 requests a second to all of a machine's tasks.
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    longest_pause_while_needed_seconds = 0.5

    def __init__(self, fetch: Callable[[], Keys], clock: Callable[[], float] = time.time) -> None:
        super().__init__(refresh_using=None, method=_METHOD)
        self._fetch = fetch
        self._clock = clock
        # Tasks that started together do not ask together.
        self._ahead = _AHEAD_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311
        self._expires = self._renew_at = 0.0
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Keep the keys, which are as good in the child, and start a thread when it is needed."""
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._failing_since = self._failed_at = float("-inf")
        self._waiting = 0
        self._error: Exception | None = None

    def _refresh(self) -> None:
        # The one thing that botocore does before it reads a key.
        time_now = self._clock()
        if time_now < self._renew_at:
            return
        if not self._thread_runs():
            self.renew_if_due()
        if time_now >= self._expires:
            self._wait()
        elif not self._failures:
            self._hurry.set()

    def _thread_runs(self) -> bool:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._thread = start_thread(_renew_for_ever, weakref.ref(self), name="aws-credentials")
            return self._thread is not None

    def _wait(self) -> None:
        with self._changed:
            self._hurry.set()
            self._waiting += 1
            self._changed.wait_for(
                lambda: self._clock() < self._expires or self._failing_for_long(),
                min(self.patience_seconds, patience()),
            )
            self._waiting -= 1
            if self._clock() < self._expires:
                return
            reason = str(self._error or "no answer yet")
        raise CredentialRetrievalError(provider=_METHOD, error_msg=f"no valid keys of the task role: {reason}")

    def _failing_for_long(self) -> bool:
        """Whether a call that waits could hope for nothing: a failure of a moment ago counts, an older one does not."""
        fresh = time.monotonic() - self._failed_at < 2 * self.longest_pause_while_needed_seconds
        return bool(self._failures) and fresh and self._failed_at - self._failing_since >= self.patience_seconds

    def renew_if_due(self) -> float:
        """Get new keys when it is time; called by the thread.

        Returns:
            Seconds until it should be called again.
        """
        left = self._renew_at - self._clock()
        if left > 0:
            # Asked again now and then, because the calendar may be set and a machine may sleep.
            return min(left, _LONGEST_PAUSE_SECONDS)
        try:
            keys = self._fetch()
            if keys.expires <= max(self._clock(), self._expires):
                raise KeysUnavailableError("the endpoint gave keys that expire no later than those before")
        except Exception as error:  # noqa: BLE001 - a token's file may be gone, an answer may be anything
            self._failed(error)
        else:
            self._renewed(keys)
        if not self._failures:
            return 0.0
        bound = self.longest_pause_while_needed_seconds if self._waiting else _LONGEST_PAUSE_SECONDS
        longest = min(bound, self.first_pause_seconds * 2.0 ** min(self._failures, 16))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def _renewed(self, keys: Keys) -> None:
        left = keys.expires - self._clock()
        with self._changed:
            self._access_key, self._secret_key, self._token = keys.access_key, keys.secret_key, keys.token
            self._frozen_credentials = ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)
            self._expires = keys.expires
            self._renew_at = keys.expires - min(self._ahead, left / 2)
            failures, self._failures, self._error = self._failures, 0, None
            self._changed.notify_all()
        if failures:
            _logger.info("keys of the task role renewed", extra={"attempts": failures + 1})

    def _failed(self, error: Exception) -> None:
        metrics.incr(AWS_CREDENTIAL_FAILURES.name)
        with self._changed:
            self._failures += 1
            self._failed_at = time.monotonic()
            if self._failures == 1:
                self._failing_since = self._failed_at
            self._error = error
            self._changed.notify_all()
        if self._failures == 1:
            valid = max(0.0, self._expires - self._clock())
            # Once for each outage: the metric counts the attempts.
            _logger.warning(
                "keys of the task role cannot be renewed", extra={"reason": str(error), "valid_seconds": round(valid)}
            )


def _renew_for_ever(reference: "weakref.ref[TaskRoleCredentials]") -> None:
    # Only a weak reference, so that the thread ends with the client whose keys these are.
    while (credentials := reference()) is not None:
        pause, hurry = credentials.renew_if_due(), credentials._hurry
        if credentials._failures:
            # However many calls are in a hurry, the endpoint is not asked without a pause.
            shortest = min(pause, credentials.longest_pause_while_needed_seconds)
            time.sleep(shortest)
            pause -= shortest
        del credentials
        hurry.wait(pause)
        hurry.clear()
