"""`baselib queue peek`: what is in a queue."""

import time
from collections.abc import Sequence
from typing import Final

from baselib.queues.bodies import BodyMask
from baselib.queues.counts import Counts
from baselib.queues.errors import QueueError
from baselib.queues.holding import Holding
from baselib.queues.interruption import Interruption
from baselib.queues.queue import OperatedQueue
from baselib.queues.shown import ShownMessage
from baselib.queues.terminal import Terminal
from baselib.queues.text import duration, number_of

# Everything is given back at once; this is for the case that the process is killed.
_VISIBILITY_SECONDS: Final = 30


def peek(queue: OperatedQueue, count: int, mask: BodyMask, terminal: Terminal, *, whole: bool) -> int:
    """Show a queue's counts and some of its messages.

    Each message shown has been received once more, and nobody else could receive it meanwhile.

    Args:
        queue: The queue.
        count: How many messages at most.
        mask: Masks the bodies.
        terminal: The operator.
        whole: Whether bodies are shown whole and unmasked.

    Returns:
        The exit code.

    Raises:
        QueueError: AWS refuses, or cannot be reached.
        UsageError: The operator has to be asked, and nobody is there.
        KeyboardInterrupt: A signal came; what was received has been given back.
    """
    counts = queue.counts()
    if queue.most_receives is not None:
        plan = (
            f"{queue.name}: {counts}\nIts messages go to a dead-letter queue after {queue.most_receives} receives, and "
            "each one that is shown is received once more."
        )
        if not terminal.agrees(plan):
            terminal.say("nothing was looked at")
            return 1
    shown, hidden, interrupted = _look(queue, count, counts.visible, mask, whole=whole)
    now = time.time()
    terminal.result(
        _text(queue, counts, shown, now, whole=whole),
        {
            "queue": queue.name,
            "url": queue.url,
            "visible": counts.visible,
            "in_flight": counts.in_flight,
            "delayed": counts.delayed,
            "oldest_seen_seconds": round(now - min(message.sent for message in shown), 3) if shown else None,
            "messages": [message.as_json(now) for message in shown],
        },
    )
    if shown:
        terminal.say(f"the receive count of {number_of(len(shown), 'message')} rose by one")
    if queue.fifo and len(shown) < min(count, counts.visible):
        terminal.say("of each message group only the first messages can be looked at")
    if hidden:
        raise QueueError(
            f"{number_of(hidden, 'message')} could not be given back, and can be received again in "
            f"{_VISIBILITY_SECONDS} s"
        )
    if interrupted:
        raise KeyboardInterrupt
    return 0


def _look(
    queue: OperatedQueue, count: int, visible: int, mask: BodyMask, *, whole: bool
) -> tuple[list[ShownMessage], int, bool]:
    shown: list[ShownMessage] = []
    # One at least is looked for, because the number that SQS gives may be a minute old.
    enough = min(count, max(1, visible))
    with Interruption() as interruption, Holding(queue, _VISIBILITY_SECONDS) as holding:
        while len(shown) < enough and not holding.exhausted and not interruption.asked:
            raws = holding.receive(count - len(shown))
            shown += [ShownMessage.of(raw, mask, whole=whole) for raw in raws]
        holding.give_back()
        return shown, holding.hidden, interruption.asked


def _text(queue: OperatedQueue, counts: Counts, shown: Sequence[ShownMessage], now: float, *, whole: bool) -> str:
    lines = [f"{queue.name}: {counts}"]
    if shown:
        lines.append(f"the oldest message seen: {duration(now - min(message.sent for message in shown))}")
    lines += [message.text(now, whole=whole) for message in shown]
    return "\n".join(lines)
