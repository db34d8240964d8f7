"""The messages of one `send_many`, taken one by one, and what is known of them when something goes wrong."""

from collections.abc import Iterable, Iterator, Sequence

from baselib.worker.sending.entries import Entry, Writer
from baselib.worker.sending.errors import HELD_BACK, Failure, UnsendableError, failure


class Stream:
    """Checks and writes messages as they are asked for; ends where one cannot be sent, or cannot be taken.

    Args:
        writer: Checks and writes them.
        messages: Pydantic models, texts, and `Outgoing`.

    Attributes:
        taken: How many messages have been taken.
        error: What ended it before its time, None when nothing did.
        broke_off: Whether taking the next message raised that error.

    Raises:
        UnsendableError: SQS would refuse a message of a sequence.
    """

    def __init__(self, writer: Writer, messages: Iterable[object]) -> None:
        self._writer = writer
        self._messages = messages
        self._last: Entry | None = None
        self._refused: list[Failure] = []
        self.taken = 0
        self.error: Exception | None = None
        self.broke_off = False
        if isinstance(messages, Sequence):
            self._check(messages)

    def _check(self, messages: Sequence[object]) -> None:
        for index, given in enumerate(messages):
            try:
                self._writer.check(given)
            except UnsendableError as error:
                raise UnsendableError(f"message {index} of {len(messages)}: {error}") from None

    def __iter__(self) -> Iterator[Entry]:
        remaining = iter(self._messages)
        while True:
            try:
                given = next(remaining)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 - who made it may raise anything, and has to know what was sent
                self.error, self.broke_off = error, True
                return
            index, self.taken = self.taken, self.taken + 1
            try:
                entry = self._writer.write(index, given)
            except Exception as error:  # noqa: BLE001 - as above
                self.error = error
                self._refused.append(failure(index, error, self._writer.completed(given)))
                return
            self._last = entry
            yield entry

    def not_tried(self, batch: Sequence[Entry] = ()) -> list[Failure]:
        """The messages that were taken, and that no batch up to this one held.

        Args:
            batch: The last batch that was tried; all that was written has been tried when empty.
        """
        last = self._last
        if batch and last is not None and last.index > batch[-1].index:
            told = "one before it was not sent"
            return [Failure(last.index, HELD_BACK, told, False, False, last.message), *self._refused]
        return self._refused
