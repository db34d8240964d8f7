"""What is the same for every batch.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from tests.sqs_stub.errors import SqsError, missing
from tests.sqs_stub.queues import Queue
from tests.sqs_stub.service import Service

_MAXIMUM_ENTRIES: Final = 10
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")

Entry = Mapping[str, Any]


def entries_of(action: str, parameters: Mapping[str, Any]) -> list[Entry]:
    """The entries of a batch.

    Raises:
        SqsError: There are none or too many, or their ids are wrong.
    """
    entries: list[Entry] = parameters.get("Entries") or []
    if not entries:
        raise SqsError("EmptyBatchRequest", f"There should be at least one {action}RequestEntry in the request.")
    if len(entries) > _MAXIMUM_ENTRIES:
        raise SqsError(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {_MAXIMUM_ENTRIES}. You have sent {len(entries)}.",
        )
    seen: set[str] = set()
    for entry in entries:
        entry_id = entry.get("Id")
        if not entry_id:
            raise missing(f"{action}RequestEntry.1.Id")
        if not _ID.fullmatch(entry_id):
            raise SqsError(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
        if entry_id in seen:
            raise SqsError("BatchEntryIdsNotDistinct", f"Id {entry_id} repeated.")
        seen.add(entry_id)
    return entries


def each_entry(
    service: Service,
    queue: Queue,
    action: str,
    entries: list[Entry],
    perform: Callable[[Entry], dict[str, Any] | None],
) -> bytes:
    """Do each entry by itself, and answer with what succeeded and what failed."""
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    faults = service.faults
    queue.entries[action] += len(entries)
    for entry in entries:
        try:
            if faults.active:
                faults.fail_entry(action)
            successful.append({"Id": entry["Id"], **(perform(entry) or {})})
        except SqsError as error:
            failed.append(error.entry(entry["Id"]))
    answer: dict[str, Any] = {"Successful": successful}
    if failed:
        answer["Failed"] = failed
    return orjson.dumps(answer)
