"""Messages are cut into batches, each as large as one call may be."""

from collections.abc import Iterable, Iterator

from baselib.worker.limits import MAXIMUM_BYTES, MAXIMUM_ENTRIES
from baselib.worker.sending.entries import Entry


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Cut messages into batches, in order. No more is taken than a batch, and the one that does not fit into it.

    Args:
        entries: The messages.

    Yields:
        Up to ten messages, of at most what SQS accepts together, or one that is larger because its body goes to S3.
    """
    batch: list[Entry] = []
    weight = 0
    for entry in entries:
        if batch and weight + entry.weight > MAXIMUM_BYTES:
            yield batch
            batch, weight = [], 0
        batch.append(entry)
        weight += entry.weight
        if len(batch) == MAXIMUM_ENTRIES:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch
