"""A request outlives a data store that does not answer."""

import pytest

from baselib.contract.settings import DATA_STORE_VARIABLES
from baselib.data_stores import data_store_check
from baselib.data_stores.limits import CHECK_LIMITS, request_limits
from tests.baselib.data_stores.conftest import settings_of


@pytest.mark.parametrize("seconds", [1.0, 2.0, 10.0, 60.0, 3600.0])
def test_a_wait_and_an_answer_fit_into_a_request(seconds: float) -> None:
    limits = request_limits(settings_of(request_seconds=seconds), 7)
    assert limits.connections == 7
    assert 0 < 2 * limits.seconds < seconds


def test_a_check_can_tell_what_is_wrong_before_it_counts_as_hung() -> None:
    for data_store in DATA_STORE_VARIABLES:
        assert CHECK_LIMITS.seconds < data_store_check(data_store, "redis://cache").timeout
