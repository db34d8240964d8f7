"""Items of the coordination table: read, and changed under a condition, within a time of their own."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from baselib.telemetry import Span, current_span
from baselib.telemetry.span import activate

# A call that hangs must neither outlast a lock nor the time in which a task is stopped.
CALL_SECONDS: Final = 8.0

Item = Mapping[str, Mapping[str, str]]


class RefusedError(Exception):
    """The condition of a change does not hold.

    Args:
        item: The item as it is; empty when there is none.
    """

    def __init__(self, item: Item) -> None:
        super().__init__("the condition does not hold")
        self.item = item


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give the calls of AWS in this block a time of their own, also where the run's is spent.

    Args:
        seconds: How long they may take together.
    """
    before = current_span()
    own = Span("job", "lock", request_id=before.request_id if before else None, budget=seconds)
    activate(own)
    try:
        yield
    finally:
        activate(before)


def read_item(table: str, key: str, seconds: float = CALL_SECONDS) -> Item:
    """An item as it is now; empty when there is none.

    Args:
        table: The table's name.
        key: The item's key.
        seconds: How long it may take.
    """
    with within(seconds):
        answer = _dynamodb().get_item(TableName=table, Key={"key": {"S": key}}, ConsistentRead=True)
    item: Item = answer.get("Item", {})
    return item


def change_item(
    table: str,
    key: str,
    change: str,
    condition: str,
    values: Mapping[str, Mapping[str, str]],
    seconds: float = CALL_SECONDS,
) -> Item:
    """Change an item, or make it, if a condition holds; the item as it is then.

    Args:
        table: The table's name.
        key: The item's key.
        change: An update expression; `#name` in it stands for the attribute `name`.
        condition: A condition expression.
        values: What `:name` in them stands for.
        seconds: How long it may take.

    Raises:
        RefusedError: The condition does not hold.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - only with a table

    # Many good names of attributes are reserved words:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html
    names = {f"#{name}": name for name in re.findall(r"#(\w+)", change + condition)}
    try:
        with within(seconds):
            answer = _dynamodb().update_item(
                TableName=table,
                Key={"key": {"S": key}},
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise RefusedError(error.response.get("Item", {})) from None
    item: Item = answer.get("Attributes", {})
    return item


def _dynamodb() -> Any:
    from baselib import aws  # noqa: PLC0415 - only with a table

    return aws.client("dynamodb")
