"""Records in a DynamoDB table, for a fleet of workers."""

from typing import Any, Final

from baselib import aws
from baselib.contract import ConfigurationError, Settings
from baselib.worker.idempotency.store import Record

# DynamoDB deletes what has expired within days, and not at once, so that conditions look at the time themselves
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html).
_FREE: Final = "attribute_not_exists(#key) OR #expires <= :now"
# What `may_replace` says.
_CONDITIONS: Final = {
    "done": f"{_FREE} OR #holder = :holder",
    "in_progress": f"{_FREE} OR (#holder = :holder AND #status = :status)",
}
_NAMES: Final = {"#key": "key", "#expires": "expires", "#holder": "holder"}


class DynamoDBStore:
    """Keeps records in a table whose partition key is `key` (string), and whose TTL attribute is `expires`.

    A message costs two writes, a duplicate one. The task's role needs `dynamodb:PutItem` and `dynamodb:DeleteItem`.
    It must be one table of one region: a global table's regions agree only later, and each would let the effect happen.

    Args:
        table: The table's name; `settings.coordination_table` when None.
    """

    def __init__(self, table: str | None = None) -> None:
        self._table = table

    def configure(self, settings: Settings) -> None:
        """See `Store.configure`.

        Raises:
            ConfigurationError: No table is named, here or in `COORDINATION_TABLE`.
        """
        self._table = self._table or settings.coordination_table
        if not self._table:
            raise ConfigurationError(
                ["COORDINATION_TABLE is not set: accepted is the name of a DynamoDB table, as in DynamoDBStore(table)"]
            )

    def put(self, key: str, record: Record, now: float) -> Record | None:
        """See `Store.put`."""
        client = aws.client("dynamodb")
        item = {
            "key": {"S": key},
            "status": {"S": record.status},
            "holder": {"S": record.holder},
            "expires": {"N": str(record.expires)},
        }
        if record.body_hash is not None:
            item["body_hash"] = {"S": record.body_hash}
        values = {":now": {"N": f"{now:.3f}"}, ":holder": item["holder"]}
        names = _NAMES
        if record.status == "in_progress":
            names = {**_NAMES, "#status": "status"}
            values[":status"] = item["status"]
        try:
            client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=_CONDITIONS[record.status],
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                # What is in the way comes with the refusal, which saves a read and the race that lies before it.
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except client.exceptions.ConditionalCheckFailedException as refused:
            return _record(refused.response["Item"])
        return None

    def remove(self, key: str, holder: str) -> None:
        """See `Store.remove`."""
        client = aws.client("dynamodb")
        try:
            client.delete_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                ConditionExpression="#holder = :holder",
                ExpressionAttributeNames={"#holder": "holder"},
                ExpressionAttributeValues={":holder": {"S": holder}},
            )
        except client.exceptions.ConditionalCheckFailedException:
            # Somebody else's, or gone already.
            return


def _record(item: dict[str, Any]) -> Record:
    body_hash = item.get("body_hash")
    return Record(
        status="done" if item["status"]["S"] == "done" else "in_progress",
        holder=item["holder"]["S"],
        body_hash=None if body_hash is None else body_hash["S"],
        expires=int(item["expires"]["N"]),
    )
