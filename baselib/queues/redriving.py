"""`baselib queue redrive`: messages of a dead-letter queue back to where they came from."""

from dataclasses import dataclass
from functools import partial

from baselib.queues.errors import QueueError, UsageError
from baselib.queues.following import Following
from baselib.queues.interruption import Interruption
from baselib.queues.move_task import MoveTask, TaskUnavailableError
from baselib.queues.moving import Moving
from baselib.queues.outcome import Outcome
from baselib.queues.queue import OperatedQueue, find_queue
from baselib.queues.selection import Selection
from baselib.queues.terminal import Terminal
from baselib.queues.text import number_of


@dataclass(frozen=True, slots=True)
class Redrive:
    """What is to be moved.

    Attributes:
        source: The dead-letter queue.
        target: The queue that its messages go to.
        selection: Which messages.
        rate: How many a second at most; as fast as it goes when None.
    """

    source: OperatedQueue
    target: OperatedQueue
    selection: Selection
    rate: int | None

    @property
    def plan(self) -> str:
        """What would be done, in some lines."""
        source, target = self.source, self.target
        lines = [
            f"from   {source.name}: {source.counts()}",
            f"to     {target.name}: {target.counts()}",
            f"which  {self.selection}",
            f"rate   {f'at most {self.rate} a second' if self.rate else 'as fast as it goes'}",
            "Moved messages are new ones to SQS: with another id, and an age that begins again.",
        ]
        if not self.selection.everything:
            lines.append("To find them, messages are received: the receive count of those that stay rises by one.")
        return "\n".join(lines)


def target_of(source: OperatedQueue, said: str | None) -> OperatedQueue:
    """Where the messages of a dead-letter queue go.

    Args:
        source: The dead-letter queue.
        said: The queue that the operator named, or None.

    Raises:
        UsageError: None was named, and it is the dead-letter queue of none or of several; or the queue cannot take
            these messages.
        QueueError: AWS refuses, or cannot be reached.
    """
    if said is None:
        urls = source.sources()
        if not urls:
            raise UsageError(f"{source.name} is the dead-letter queue of no queue: name one with --to")
        if len(urls) > 1:
            names = ", ".join(sorted(url.rpartition("/")[2] for url in urls))
            raise UsageError(f"{source.name} is the dead-letter queue of several: name one with --to ({names})")
        said = urls[0]
    target = find_queue(said)
    if target.arn == source.arn:
        raise UsageError(f"{source.name} is both from and to")
    if target.fifo != source.fifo:
        raise UsageError(f"{source.name} and {target.name}: either both are FIFO queues or none is")
    return target


def redrive(asked: Redrive, terminal: Terminal, *, dry: bool) -> int:
    """Move messages.

    Args:
        asked: What is to be moved.
        terminal: The operator.
        dry: Whether only to say what would be done.

    Returns:
        The exit code.

    Raises:
        QueueError: AWS refuses, or cannot be reached.
        UsageError: The operator has to be asked, and nobody is there.
        KeyboardInterrupt: A second signal came.
    """
    at_start = asked.source.counts().visible
    if dry:
        return _rehearse(asked, at_start, terminal)
    if not terminal.agrees(asked.plan):
        terminal.say("nothing was moved")
        return 1
    try:
        with Interruption() as interruption:
            method, outcome = _carry_out(asked, at_start, interruption, terminal)
    except KeyboardInterrupt:
        terminal.say("left at once: a few messages may be in both queues, and a task of SQS's may go on")
        raise
    return _tell(asked, method, at_start, outcome, terminal)


def _rehearse(asked: Redrive, at_start: int, terminal: Terminal) -> int:
    outcome = Outcome(done=at_start)
    if not asked.selection.everything:
        with Interruption() as interruption:
            tell = partial(_progress, terminal, at_start, "found")
            outcome = Moving(asked.source, None, asked.selection, None, interruption, tell).run(at_start)
            _note_unseen(asked, at_start, outcome)
    document = {"from": asked.source.name, "to": asked.target.name, "dry_run": True, "would_move": outcome.done}
    told = f"would move {number_of(outcome.done, 'message')}; nothing was moved"
    terminal.result(f"{asked.plan}\n{told}", {**document, **outcome.as_json()})
    return _complain(outcome, asked.source, terminal)


def _carry_out(asked: Redrive, at_start: int, interruption: Interruption, terminal: Terminal) -> tuple[str, Outcome]:
    if asked.selection.everything:
        try:
            task = MoveTask.start(asked.source, asked.target, asked.rate)
        except TaskUnavailableError as unavailable:
            terminal.say(f"SQS does not move them by itself, so they are moved in batches: {unavailable}")
        else:
            return "task", Following(task, at_start, interruption, terminal).run()
    tell = partial(_progress, terminal, at_start, "moved")
    outcome = Moving(asked.source, asked.target, asked.selection, asked.rate, interruption, tell).run(at_start)
    _note_unseen(asked, at_start, outcome)
    return "batches", outcome


def _note_unseen(asked: Redrive, at_start: int, outcome: Outcome) -> None:
    if outcome.looked_at is None or outcome.looked_at >= at_start or outcome.error or outcome.interrupted:
        return
    if not asked.selection.complete:
        why = "; of each message group only the first can be looked at" if asked.source.fifo else ""
        outcome.error = f"only {outcome.looked_at:,} of {number_of(at_start, 'message')} could be looked at{why}"


def _tell(asked: Redrive, method: str, at_start: int, outcome: Outcome, terminal: Terminal) -> int:
    try:
        left = asked.source.counts()
    except QueueError:
        # What was done has to be told all the same.
        left = None
    document = {
        "from": asked.source.name,
        "to": asked.target.name,
        "method": method,
        "at_start": at_start,
        "moved": outcome.done,
        "left": left.total if left else None,
        **outcome.as_json(),
    }
    told = f"moved {number_of(outcome.done, 'message')} from {asked.source.name} to {asked.target.name}"
    terminal.result(f"{told}; left: {left}" if left else told, document)
    return _complain(outcome, asked.source, terminal)


def _complain(outcome: Outcome, source: OperatedQueue, terminal: Terminal) -> int:
    for line in outcome.complaints(source.name):
        terminal.say(line)
    return outcome.exit_code


def _progress(terminal: Terminal, at_start: int, done: str, outcome: Outcome) -> None:
    looked = "" if outcome.looked_at is None else f", {outcome.looked_at:,} looked at"
    terminal.progress(f"{outcome.done:,} of {at_start:,} {done}{looked}")
