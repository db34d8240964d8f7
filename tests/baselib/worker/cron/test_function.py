"""The function of a job: with or without the run, and refused at once when it could not be called."""

import functools
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from baselib.service import Service
from baselib.worker.cron import Run
from baselib.worker.cron.function import taking_run

SERVICE = cast("Service", "the service")
RUN = Run(None, datetime.now(UTC), 1)


class _Reminders:
    def send(self, service: Service, run: Run) -> object:
        return service, run


def _with_default(service: Service, dry: bool = False) -> object:
    return service, dry


@pytest.mark.parametrize(
    ("function", "got"),
    [
        (lambda service: service, SERVICE),
        (lambda service, run: (service, run), (SERVICE, RUN)),
        (lambda *given: given, (SERVICE,)),
        (_with_default, (SERVICE, False)),
        (_Reminders().send, (SERVICE, RUN)),
        (functools.partial(lambda first, service, run: (first, service, run), 0), (0, SERVICE, RUN)),
        (str, "the service"),
    ],
)
def test_a_function_gets_what_it_takes(function: Any, got: object) -> None:
    assert taking_run(function)(SERVICE, RUN) == got


async def _asynchronous(_: Service) -> None:
    pass


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda: None, "takes the service, or the service and the run"),
        (lambda a, b, c: None, "takes the service, or the service and the run"),
        (_asynchronous, "asyncio.run"),
        (None, "needs a function, not None"),
    ],
)
def test_what_could_not_be_called_is_refused(function: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        taking_run(function)
