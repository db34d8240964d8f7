"""Which function has the messages of which queue; wrong conditions are refused with what is accepted."""

import math
from typing import Any

import pytest

from baselib.worker.handlers import MAIN, Handler, Handlers


@pytest.mark.parametrize("weight", [0, -1, math.inf, math.nan])
def test_a_weight_is_a_number_above_zero(weight: float) -> None:
    with pytest.raises(ValueError, match=r"weight of bulk is .*: accepted is a number above 0"):
        Handler(print, "bulk", weight=weight)


@pytest.mark.parametrize("batch", [0, -1, 1001])
def test_a_batch_has_one_to_a_thousand_messages(batch: int) -> None:
    with pytest.raises(ValueError, match=r"batch of main is .*: accepted is 1 to 1000"):
        Handler(print, MAIN, batch=batch)


@pytest.mark.parametrize("limit", [0, -1.5, math.inf, math.nan])
def test_a_limit_is_a_number_of_seconds_above_zero(limit: float) -> None:
    with pytest.raises(ValueError, match=r"limit of main is .*: accepted is a number of seconds above 0"):
        Handler(print, MAIN, limit=limit)


@pytest.mark.parametrize("more", [{}, {"weight": 0.1, "batch": 1, "limit": 0.1}, {"weight": 9, "batch": 1000}])
def test_what_is_within_bounds_is_accepted(more: dict[str, Any]) -> None:
    assert Handler(print, MAIN, **more).function is print


def test_each_queue_has_one_handler() -> None:
    handlers = Handlers((None, "bulk"))
    main, bulk = Handler(print, MAIN), Handler(repr, "bulk")
    handlers.add(None, main)
    with pytest.raises(ValueError, match="no handler for bulk"):
        handlers.all()
    handlers.add("bulk", bulk)
    assert handlers.all() == {None: main, "bulk": bulk}
    assert handlers.all()["bulk"] is bulk
    with pytest.raises(ValueError, match="'main' has a handler already"):
        handlers.add(None, main)
    with pytest.raises(ValueError, match="'other' is not declared"):
        handlers.add("other", main)


async def _coroutine(_: object) -> None: ...


@pytest.mark.parametrize("function", ["handle", None, _coroutine])
def test_only_a_plain_function_is_a_handler(function: Any) -> None:
    with pytest.raises(TypeError, match="accepted is a"):
        Handler(function, MAIN)


@pytest.mark.parametrize("wrong", [{"body": dict}, {"body": "Welcome"}, {"envelopes": ["SNS"]}])
def test_what_no_message_could_be_handled_with_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} of main .*: accepted"):
        Handler(print, MAIN, **wrong)
