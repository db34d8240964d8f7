"""Cutting messages into batches."""

import itertools
from collections.abc import Iterator

from hypothesis import example, given
from hypothesis import strategies as st

from baselib.worker.sending.batches import batches
from baselib.worker.sending.entries import Entry
from baselib.worker.sending.outgoing import Outgoing

LIMIT = 1_048_576
WEIGHTS = st.lists(
    st.one_of(st.integers(1, 100), st.integers(1, LIMIT), st.sampled_from([LIMIT // 10, LIMIT, LIMIT + 1, 10 * LIMIT])),
    max_size=60,
)


def _entries(weights: list[int]) -> Iterator[Entry]:
    for index, weight in enumerate(weights):
        yield Entry(index, Outgoing("x"), {}, weight)


@given(WEIGHTS)
def test_no_batch_is_more_than_a_call_may_hold_and_order_is_kept(weights: list[int]) -> None:
    cut = list(batches(_entries(weights)))
    assert [entry.index for batch in cut for entry in batch] == list(range(len(weights)))
    for batch in cut:
        assert 1 <= len(batch) <= 10
        assert len(batch) == 1 or sum(entry.weight for entry in batch) <= LIMIT


@given(WEIGHTS)
@example([LIMIT - 1, 1])
def test_no_batch_is_cut_while_the_next_message_fits(weights: list[int]) -> None:
    cut = list(batches(_entries(weights)))
    for batch, following in itertools.pairwise(cut):
        assert len(batch) == 10 or sum(entry.weight for entry in batch) + following[0].weight > LIMIT


def test_a_full_batch_goes_before_another_message_is_taken() -> None:
    taken: list[int] = []

    def entries() -> Iterator[Entry]:
        for entry in _entries([1] * 30):
            taken.append(entry.index)
            yield entry

    assert len(next(batches(entries()))) == 10
    assert len(taken) == 10
