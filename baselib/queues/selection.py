"""Which messages of a queue are meant."""

from collections.abc import Collection

from baselib.queues.batches import Raw


class Selection:
    """All messages, those with a text in them, or those with certain ids.

    Args:
        text: What the body or an attribute's value has to contain; None for any.
        ids: Ids of messages; empty for any.
    """

    def __init__(self, text: str | None = None, ids: Collection[str] = ()) -> None:
        self._text = text
        self._ids = frozenset(ids)
        self._left = set(ids)

    @property
    def everything(self) -> bool:
        """Whether all messages are meant."""
        return self._text is None and not self._ids

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for has been found, so that nobody need look further."""
        return bool(self._ids) and not self._left

    def __str__(self) -> str:
        if self._ids:
            return f"those with {len(self._ids)} given ids"
        return "all" if self._text is None else f"those that contain {self._text!r}"

    def takes(self, raw: Raw) -> bool:
        """Whether a message is meant.

        Args:
            raw: The message as boto3 gives it.
        """
        if self._ids:
            self._left.discard(raw["MessageId"])
            return raw["MessageId"] in self._ids
        if self._text is None:
            return True
        values = (value.get("StringValue", "") for value in raw.get("MessageAttributes", {}).values())
        return self._text in raw["Body"] or any(self._text in value for value in values)

    def missing(self) -> list[str]:
        """The ids that were asked for and not found yet."""
        return sorted(self._left)
