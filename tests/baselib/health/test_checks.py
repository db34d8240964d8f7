"""Declarations: what cannot work is refused where it is written."""

from collections.abc import Callable
from functools import partial

import pytest

from baselib.health import HealthCheck, StartUp


def _fine() -> None:
    """All is well."""


async def _coroutine() -> None:
    """Nobody awaits it."""


@pytest.mark.parametrize("declare", [HealthCheck, StartUp])
@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x00"])
def test_a_name_is_printable_text(declare: Callable[..., object], name: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        declare(name, _fine)


@pytest.mark.parametrize("declare", [HealthCheck, StartUp])
def test_what_is_run_can_be_called_and_would_be_waited_for(declare: Callable[..., object]) -> None:
    for wrong in (None, "text", _coroutine):
        with pytest.raises(TypeError, match=r"^store: "):
            declare("store", wrong)
    with pytest.raises(TypeError, match="a name is required"):
        declare(_fine, _fine)
    assert declare("store", partial(print, "x"))


@pytest.mark.parametrize("field", ["timeout", "interval", "downtime_interval"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 86_401])
def test_a_schedule_is_made_of_possible_seconds(field: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=field):
        HealthCheck("store", _fine, **{field: seconds})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="retry"):
        StartUp("warm", _fine, retry=seconds)


@pytest.mark.parametrize("field", ["failures", "successes"])
def test_at_least_one_run_decides(field: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        HealthCheck("store", _fine, **{field: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("interval", "downtime_interval", "pauses"),
    [(10.0, None, (10.0, 3.0)), (1.0, None, (1.0, 1.0)), (10.0, 30.0, (10.0, 30.0)), (10.0, 0.5, (10.0, 0.5))],
)
def test_a_failed_check_is_looked_at_sooner_unless_it_says_otherwise(
    interval: float, downtime_interval: float | None, pauses: tuple[float, float]
) -> None:
    check = HealthCheck("store", _fine, interval=interval, downtime_interval=downtime_interval)
    assert (check.pause(failed=False), check.pause(failed=True)) == pauses
