"""Batch calls whose entries fail."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from baselib.queues.batches import call_in_batches


def _failed(place: int, code: str, *, sender: bool) -> dict[str, Any]:
    return {"Id": str(place), "Code": code, "SenderFault": sender, "Message": "told"}


class _Call:
    """Answers as it was told, and notes which entries it was called with."""

    def __init__(self, *answers: list[dict[str, Any]] | Exception) -> None:
        self._answers = list(answers)
        self.called: list[list[str]] = []

    def __call__(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.called.append([entry["Id"] for entry in entries])
        answer = self._answers.pop(0) if self._answers else []
        if isinstance(answer, Exception):
            raise answer
        return {"Failed": answer}


def _run(call: _Call, count: int) -> dict[int, str]:
    return call_in_batches(call, [{} for _ in range(count)], lambda _seconds: None)


def test_ten_at_a_time() -> None:
    call = _Call()
    assert _run(call, 23) == {}
    assert [len(ids) for ids in call.called] == [10, 10, 3]


def test_only_what_failed_is_called_again_unless_it_is_hopeless() -> None:
    first = [_failed(0, "InternalError", sender=False), _failed(1, "TooLong", sender=True)]
    call = _Call([*first, _failed(2, "KMS.ThrottlingException", sender=True)])
    assert _run(call, 4) == {1: "TooLong told"}
    assert call.called == [["0", "1", "2", "3"], ["0", "2"]]


def test_an_error_after_some_succeeded_is_the_reason_of_the_others() -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "told"}}, "SendMessageBatch")
    reasons = _run(_Call([_failed(1, "InternalError", sender=False)], refused), 3)
    assert list(reasons) == [1]
    assert "these credentials need sqs:SendMessageBatch" in reasons[1]
    with pytest.raises(ClientError):
        _run(_Call(refused), 3)
