"""`baselib queue purge`: everything in a queue is deleted, after it was saved where that is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from baselib.queues.batches import Raw
from baselib.queues.errors import QueueError, code_of, explained
from baselib.queues.holding import Holding
from baselib.queues.interruption import Interruption
from baselib.queues.moving import VISIBILITY_SECONDS
from baselib.queues.outcome import Outcome
from baselib.queues.queue import OperatedQueue
from baselib.queues.saving import MessageFile
from baselib.queues.terminal import Terminal
from baselib.queues.text import number_of

_IN_PROGRESS: Final = "PurgeQueueInProgress"


def purge(queue: OperatedQueue, terminal: Terminal, save: Path | None) -> int:
    """Delete everything.

    Args:
        queue: The queue.
        terminal: The operator.
        save: A new file that takes the messages before they are deleted; None to keep nothing.

    Returns:
        The exit code.

    Raises:
        QueueError: AWS refuses, or cannot be reached.
        UsageError: The file is there already; or the operator has to be asked, and nobody is there.
        KeyboardInterrupt: A second signal came.
    """
    counts = queue.counts()
    about = f"{queue.name}: {counts}"
    if save is None:
        if not terminal.types(
            f"{about}\nAll of these are deleted, those in flight too, and nothing is kept.", queue.name
        ):
            terminal.say("nothing was deleted")
            return 1
        _purge(queue)
        told = f"purged {queue.name}: {number_of(counts.total, 'message')}; SQS takes up to 60 s for it"
        terminal.result(told, {"queue": queue.name, "deleted": counts.total, "saved": None})
        return 0
    with MessageFile(save) as file:
        plan = f"{about}\nThose visible are written to {save}, unmasked, and deleted; those in flight stay."
        if not terminal.types(plan, queue.name):
            terminal.say("nothing was deleted")
            return 1
        with Interruption() as interruption:
            outcome = _drain(queue, file, counts.visible, interruption, terminal)
        saved = file.saved
    left = queue.counts()
    told = f"saved {number_of(saved, 'message')} and deleted {outcome.done:,} of them from {queue.name}; left: {left}"
    document = {"queue": queue.name, "deleted": outcome.done, "saved": saved, "left": left.total, **outcome.as_json()}
    terminal.result(told, document)
    for line in outcome.complaints(queue.name):
        terminal.say(line)
    return outcome.exit_code


def _purge(queue: OperatedQueue) -> None:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - the client loads it anyway

    with explained(queue.name):
        try:
            queue.client.purge_queue(QueueUrl=queue.url)
        except ClientError as error:
            if code_of(error) == _IN_PROGRESS:
                raise QueueError(f"{queue.name} was purged within the last 60 s: try again in a minute") from error
            raise


def _drain(
    queue: OperatedQueue, file: MessageFile, at_start: int, interruption: Interruption, terminal: Terminal
) -> Outcome:
    outcome = Outcome()
    holding = Holding(queue, VISIBILITY_SECONDS)
    try:
        while not holding.exhausted and not interruption.asked:
            raws = holding.receive()
            if not raws:
                continue
            file.save(raws)
            failed = _delete(raws, holding, outcome)
            outcome.done += len(raws) - len(failed)
            terminal.progress(f"{outcome.done:,} of {at_start:,} saved and deleted")
    except QueueError as error:
        outcome.error = str(error)
    finally:
        holding.give_back()
        outcome.hidden = holding.hidden
    outcome.interrupted = interruption.asked
    return outcome


def _delete(raws: Sequence[Raw], holding: Holding, outcome: Outcome) -> dict[str, str]:
    try:
        failed = holding.delete(raws)
    except QueueError as error:
        outcome.twice.update({str(raw["MessageId"]): str(error) for raw in raws})
        raise
    outcome.twice.update(failed)
    return failed
