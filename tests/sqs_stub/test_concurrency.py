"""Many clients at once: nothing twice, nothing lost, order kept."""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.sqs_stub.client import Counts, Stub, by_message
from tests.sqs_stub.ledger import DELETED, RECEIVED, SENT

_ROOT = Path(__file__).resolve().parents[2]


def _consumers(stub: Stub, url: str, processes: int, threads: int) -> list[list[str]]:
    command = [sys.executable, "-m", "tests.sqs_stub.consumer_program", str(stub.port), url, str(threads)]
    started = [subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    try:
        output = [each.communicate(timeout=120)[0].split() for each in started]
    finally:
        for each in started:
            each.kill()
            each.wait()
    assert [each.returncode for each in started] == [0] * processes
    return output


def test_four_processes_with_threads_get_each_message_once(stub: Stub) -> None:
    url = stub.make_queue("Crowded", VisibilityTimeout="600")
    stub.fill(url, 20_000)

    shares = _consumers(stub, url, processes=4, threads=4)

    assert Counter(body for share in shares for body in share) == Counter(map(str, range(20_000)))
    assert all(shares)
    assert stub.counts(url) == Counts(0, 0, 0)
    histories = by_message(stub.ledger(queue="Crowded"))
    assert len(histories) == 20_000
    assert {tuple(event.what for event in events) for events in histories.values()} == {(SENT, RECEIVED, DELETED)}


def test_senders_and_those_who_wait_meet(stub: Stub, sqs: Any) -> None:
    url = stub.make_queue("Meeting", VisibilityTimeout="600")
    found: list[str] = []

    def consume() -> None:
        while len(found) < 400:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=3, WaitTimeSeconds=1)
            found.extend(each["Body"] for each in answer.get("Messages", []))

    def send(sender: int) -> None:
        for number in range(100):
            sqs.send_message(QueueUrl=url, MessageBody=f"{sender}-{number}")

    threads = [threading.Thread(target=consume) for _ in range(4)]
    threads += [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(found) == sorted(f"{sender}-{number}" for sender in range(4) for number in range(100))
    assert stub.counts(url) == Counts(0, 400, 0)


@pytest.mark.parametrize("groups", [7, 500])
def test_each_group_is_in_order_whoever_consumes(stub: Stub, groups: int) -> None:
    name = f"Ordered-{groups}.fifo"
    url = stub.make_queue(name, VisibilityTimeout="600")
    stub.fill(url, 3_000, groups=[f"g{number}" for number in range(groups)])

    shares = _consumers(stub, url, processes=2, threads=4)

    assert Counter(body for share in shares for body in share) == Counter(map(str, range(3_000)))
    group_of = {event.message: int(event.detail) % groups for event in stub.ledger(queue=name) if event.what == SENT}
    number_of = {event.message: int(event.detail) for event in stub.ledger(queue=name) if event.what == SENT}
    flying: Counter[int] = Counter()
    last: dict[int, int] = {}
    batch: dict[int, float] = {}
    for event in stub.ledger(queue=name):
        group = group_of[event.message]
        if event.what == RECEIVED:
            # Only messages of one receive, which have one time, are in flight together.
            assert not flying[group] or batch[group] == event.time
            assert last.get(group, -1) < number_of[event.message]
            last[group], batch[group] = number_of[event.message], event.time
            flying[group] += 1
        elif event.what == DELETED:
            flying[group] -= 1
    assert not +flying
