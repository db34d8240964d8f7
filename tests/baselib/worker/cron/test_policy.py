"""What a job may be told, and what it is told back when it may not."""

import math
from typing import Any

import pytest

from baselib.worker.cron.policy import Policy


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": ""}, "name is ''"),
        ({"name": "a#b"}, "name is 'a#b': accepted is 1 to 200 characters without #"),
        ({"overlap": "queue"}, "overlap is 'queue': accepted is skip, wait or allow"),
        ({"catch_up": "all"}, "catch_up is 'all': accepted is skip, window or each"),
        ({"catch_up": "each"}, 'every is None: accepted is the seconds .* with catch_up="each"'),
        ({"deadline": 0}, "deadline is 0: accepted is seconds above 0"),
        ({"deadline": math.inf}, "deadline is inf"),
        ({"deadline": math.nan}, "deadline is nan"),
        ({"deadline": "60"}, "deadline is '60'"),
        ({"wait": -1}, "wait is -1"),
        ({"lease": 0.5}, "lease is 0.5: accepted is seconds, 1 or more"),
        ({"every": 0}, "every is 0"),
        ({"most": 0}, "most is 0"),
        ({"most": 1.5}, "most is 1.5"),
    ],
)
def test_what_is_not_accepted_is_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Policy(**{"name": "nightly", **given})


def test_what_is_accepted() -> None:
    Policy(name="nightly", overlap="wait", wait=0, catch_up="each", every=0.5, most=1, lease=1, deadline=1e9)
