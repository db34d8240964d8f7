"""How busy the interpreter is kept."""

import time

import pytest

from baselib.worker.engine import load
from baselib.worker.engine.load import Load


@pytest.mark.parametrize(("used", "expected"), [(0.01, False), (0.59, False), (0.7, True), (1.9, True)])
def test_a_process_that_uses_most_of_a_processor_is_saturated(
    monkeypatch: pytest.MonkeyPatch, used: float, expected: bool
) -> None:
    clock = {"now": 100.0, "used": 5.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(time, "process_time", lambda: clock["used"])
    measured = Load()
    assert not measured.saturated()
    clock["now"] += 1.0
    clock["used"] += used
    assert measured.saturated() is expected
    # Within a moment nothing new is measured.
    clock["used"] += 10
    clock["now"] += load._SAMPLE_SECONDS / 2
    assert measured.saturated() is expected
    clock["now"] += 100
    assert not measured.saturated()
