"""Starting the stub from a test, and controlling it."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.sqs_stub.fault import Fault
from tests.sqs_stub.ledger import Event

_ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS: Final = 60.0


class Counts(NamedTuple):
    """How many messages a queue has."""

    visible: int
    in_flight: int
    delayed: int


class QueueStatistics(NamedTuple):
    """What was asked of a queue.

    Attributes:
        calls: Calls by action, without those that a fault stopped.
        entries: Messages by action: sent, received, deleted, changed; failed entries count.
        empty_receives: Receives that gave nothing.
    """

    calls: Mapping[str, int]
    entries: Mapping[str, int]
    empty_receives: int


class Statistics(NamedTuple):
    """What was asked of the stub.

    Attributes:
        calls: All calls by action, also those that a fault stopped.
        faults: How often each kind of fault struck.
        queues: By queue.
    """

    calls: Mapping[str, int]
    faults: Mapping[str, int]
    queues: Mapping[str, QueueStatistics]


class Stub:
    """Controls a stub that listens on a port of this machine.

    Args:
        port: Its port.
        process: Its process id, 0 when unknown.
    """

    def __init__(self, port: int, process: int = 0) -> None:
        self.port, self.process = port, process
        self.url = f"http://127.0.0.1:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a program's boto3 talks to the stub."""
        return {
            "AWS_ENDPOINT_URL_SQS": self.url,
            "AWS_ACCESS_KEY_ID": "stub",
            "AWS_SECRET_ACCESS_KEY": "stub",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, *, retries: int = 0, seconds: float = 60.0) -> Any:
        """A boto3 client of the stub, to be closed by the caller.

        Args:
            retries: How often botocore tries again.
            seconds: How long it waits for an answer.
        """
        import boto3  # noqa: PLC0415 - the stub's own process has no use for it
        from botocore.config import Config  # noqa: PLC0415

        return boto3.client(
            "sqs",
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id="stub",
            aws_secret_access_key="stub",
            config=Config(retries={"total_max_attempts": retries + 1}, read_timeout=seconds, max_pool_connections=50),
        )

    def make_queue(self, name: str, **attributes: object) -> str:
        """Make a queue and return its URL.

        Args:
            name: Its name; one that ends in `.fifo` makes a FIFO queue.
            attributes: As SQS names them; a mapping is written as JSON.
        """
        if name.endswith(".fifo"):
            attributes = {"FifoQueue": "true", **attributes}
        written = {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
        return str(self._ask("POST", "queues", {"queue": name, "attributes": written})["url"])

    def make_queue_with_dead_letters(self, name: str, receives: int = 3, **attributes: object) -> tuple[str, str]:
        """Make a queue and its dead-letter queue, and return both URLs."""
        stem, dot, suffix = name.partition(".")
        dead = f"{stem}-dead{dot}{suffix}"
        dead_url = self.make_queue(dead)
        policy = {"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": receives}
        return self.make_queue(name, RedrivePolicy=policy, **attributes), dead_url

    def arn(self, queue: str) -> str:
        """The ARN of a queue, by name or URL."""
        return f"arn:aws:sqs:eu-west-1:000000000000:{queue.rpartition('/')[2]}"

    def fill(
        self, queue: str, messages: int | Sequence[str], *, groups: Sequence[str] = (), delay: float = 0.0
    ) -> list[str]:
        """Put messages in a queue and return their ids.

        Args:
            queue: The queue's name or URL.
            messages: How many, with the bodies "0", "1" and so on; or the bodies.
            groups: The message groups, which take turns.
            delay: After how many seconds they become visible.
        """
        content = {"count": messages} if isinstance(messages, int) else {"bodies": list(messages)}
        asked = {"queue": queue, "groups": list(groups), "delay": delay, **content}
        return list(self._ask("POST", "fill", asked)["ids"])

    def counts(self, queue: str) -> Counts:
        """How many messages a queue has, by name or URL."""
        return Counts(**self._ask("GET", "counts", {"queue": queue}))

    def bodies(self, queue: str) -> list[str]:
        """The bodies of all messages in a queue, visible or not, in the order of sending."""
        return list(self._ask("GET", "bodies", {"queue": queue})["bodies"])

    def add_faults(self, *faults: Fault, seed: int | None = None) -> None:
        """Let faults strike, besides those that are on; a seed lets the same be struck again."""
        self._ask("POST", "faults", {"faults": [asdict(fault) for fault in faults], "seed": seed})

    def set_faults(self, *faults: Fault, seed: int | None = None) -> None:
        """Let these faults strike and no others."""
        asked = {"faults": [asdict(fault) for fault in faults], "seed": seed, "replace": True}
        self._ask("POST", "faults", asked)

    def clear_faults(self, *kinds: str) -> None:
        """Let no fault strike any more, or none of some kinds; calls that hang go on."""
        self._ask("DELETE", "faults", {"kinds": list(kinds)})

    def reset_connections(self) -> None:
        """Reset all open connections at once, those of long polls too."""
        self._ask("POST", "connections")

    def statistics(self) -> Statistics:
        """What was asked so far."""
        answer = self._ask("GET", "statistics")
        queues = {name: QueueStatistics(**values) for name, values in answer["queues"].items()}
        return Statistics(answer["calls"], answer["faults"], queues)

    def reset_statistics(self) -> None:
        """Count from zero."""
        self._ask("DELETE", "statistics")

    def ledger(self, queue: str = "", message: str = "") -> list[Event]:
        """What happened, in order; only in one queue (its name) or to one message (its id) if given."""
        return [Event(*event) for event in self._ask("GET", "ledger", {"queue": queue, "message": message})["events"]]

    def switch_ledger(self, *, on: bool) -> None:
        """Begin a new ledger, or keep none."""
        self._ask("POST", "ledger", {"on": on})

    def advance(self, seconds: float) -> None:
        """Let time pass at once: visibility, delays, long polls, deduplication, retention."""
        self._ask("POST", "clock", {"seconds": seconds})

    def _ask(self, method: str, path: str, given: Mapping[str, object] | None = None) -> dict[str, Any]:
        # A connection for each call, so that threads and forks can share a stub.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, f"/_stub/{path}", json.dumps(given or {}))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
            if response.status != 200:
                raise ValueError(f"the stub does not do {method} {path}: {answer['message']}")
            return answer


@contextlib.contextmanager
def sqs_stub(*options: str, port: int = 0) -> Iterator[Stub]:
    """A stub in a process of its own, which ends with this one.

    Args:
        options: More options of `python -m tests.sqs_stub`, such as `--no-ledger`.
        port: Its port; any free one without it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sqs_stub", "--port", str(port), "--parent", str(os.getpid()), *options],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the stub ended with {process.wait()}")
        yield Stub(int(line), process.pid)
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def by_message(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Events by message id, in order."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.message, []).append(event)
    return found
