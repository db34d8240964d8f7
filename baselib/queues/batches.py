"""Calls for up to ten messages, and again for those of them that failed.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from baselib.queues.errors import reason_of

BATCH: Final = 10
_ROUNDS: Final = 6
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 3.0
# Who is to blame says nothing about whether it helps to wait: a throttled key is called the sender's fault.
_THROTTLED: Final = "throttl"

Raw = dict[str, Any]
"""A message as boto3's `receive_message` gives it."""

Entry = dict[str, Any]
"""What a batch call says about one message; its `Id` is put in here."""


def call_in_batches(
    call: Callable[[list[Entry]], Any], entries: Sequence[Entry], pause: Callable[[float], object] = time.sleep
) -> dict[int, str]:
    """Call until every entry has succeeded, or will not.

    Args:
        call: A batch call, which is given entries and answers as SQS does.
        entries: What to call with, without their `Id`; any number.
        pause: Waits some seconds before a further round.

    Returns:
        The places of the entries that failed, and SQS's reason for each.

    Raises:
        Exception: Whatever the first call of a batch raised.
    """
    reasons: dict[int, str] = {}
    for first in range(0, len(entries), BATCH):
        reasons.update(_call(call, entries, list(range(first, min(first + BATCH, len(entries)))), pause))
    return reasons


def _call(
    call: Callable[[list[Entry]], Any], entries: Sequence[Entry], places: list[int], pause: Callable[[float], object]
) -> dict[int, str]:
    reasons: dict[int, str] = {}
    again: dict[int, str] = {}
    for turn in range(_ROUNDS):
        try:
            answer = call([{**entries[place], "Id": str(place)} for place in places])
        except Exception as error:
            if turn == 0:
                raise
            # Some succeeded in an earlier round, which the caller has to hear.
            return reasons | dict.fromkeys(places, reason_of(error))
        again = {}
        for failed in answer.get("Failed", ()):
            code = str(failed.get("Code", ""))
            hopeless = failed.get("SenderFault") and _THROTTLED not in code.lower()
            reason = " ".join(f"{code} {failed.get('Message') or ''}".split())
            (reasons if hopeless else again)[int(failed["Id"])] = reason
        places = sorted(again)
        if not places:
            break
        if turn < _ROUNDS - 1:
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**turn)
            pause(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads calls, hides nothing
    return reasons | again
