"""What a job remembers from one run to the next: until when it has covered."""

from datetime import UTC, datetime
from typing import Final

from baselib.worker.cron.table import RefusedError, change_item, read_item

# Of one length, so that DynamoDB compares the texts as times.
_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


class Record:
    """An item of the coordination table; it never expires.

    Args:
        table: The table's name.
        key: The item's key.
    """

    def __init__(self, table: str, key: str) -> None:
        self._table = table
        self._key = key

    def covered(self) -> datetime | None:
        """Until when the last successful run covered; None when there was none."""
        item = read_item(self._table, self._key)
        if "until" not in item:
            return None
        return datetime.strptime(item["until"]["S"], _FORMAT).replace(tzinfo=UTC)

    def cover(self, until: datetime) -> bool:
        """Remember a success; False, and nothing changes, when a later one is remembered already.

        Args:
            until: Until when it covered.
        """
        try:
            change_item(
                self._table,
                self._key,
                "SET #until = :until, #last_success = :now",
                "attribute_not_exists(#until) OR #until < :until",
                {
                    ":until": {"S": until.astimezone(UTC).strftime(_FORMAT)},
                    ":now": {"S": datetime.now(UTC).strftime(_FORMAT)},
                },
            )
        except RefusedError:
            return False
        return True
