"""Whether a service has ever fitted below its limit."""

import pytest

from baselib.memory import Fit


def test_what_fits_after_it_has_settled_has_fitted() -> None:
    fit = Fit(100)
    assert fit.note(100, 0.0)
    assert not fit.ever
    assert fit.note(100, 10.0)
    assert fit.ever


def test_what_fits_only_at_its_start_has_not() -> None:
    fit = Fit(100)
    assert fit.note(50, 0.0)
    assert not fit.note(101, 60.0)
    assert not fit.ever


def test_what_has_fitted_once_stays_so() -> None:
    fit = Fit(100)
    fit.note(50, 0.0)
    fit.note(50, 20.0)
    fit.note(200, 30.0)
    assert fit.ever


def test_a_complaint_is_made_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    fit = Fit(100)
    for now in (0.0, 30.0, 59.0, 61.0):
        fit.complain(101, now)
    assert len(caplog.records) == 2
