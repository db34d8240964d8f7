"""What `baselib queue` runs, from what was said on the command line."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Final

from baselib.queues.bodies import BodyMask
from baselib.queues.errors import QueueError, UsageError, explained
from baselib.queues.peeking import peek as peek_queue
from baselib.queues.purging import purge as purge_queue
from baselib.queues.queue import OperatedQueue, find_queue
from baselib.queues.redriving import Redrive, target_of
from baselib.queues.redriving import redrive as redrive_queue
from baselib.queues.selection import Selection
from baselib.queues.terminal import Terminal

_FAILED: Final = 1
_USAGE: Final = 2


def peek(options: argparse.Namespace) -> int:
    """Show a queue's counts and messages."""
    return _told(
        lambda: peek_queue(
            _queue(options), options.count, BodyMask(os.environ), _terminal(options), whole=options.show_bodies
        )
    )


def redrive(options: argparse.Namespace) -> int:
    """Move messages of a dead-letter queue."""

    def run() -> int:
        source = _queue(options)
        # Who named the queue whose dead letters they are has said where they go.
        target = target_of(source, options.to or (options.queue if options.dead_letters else None))
        asked = Redrive(source, target, Selection(options.match, options.id), options.rate)
        return redrive_queue(asked, _terminal(options), dry=options.dry_run)

    return _told(run)


def purge(options: argparse.Namespace) -> int:
    """Delete everything in a queue."""
    return _told(lambda: purge_queue(_queue(options), _terminal(options), options.save))


def _queue(options: argparse.Namespace) -> OperatedQueue:
    return find_queue(options.queue, dead_letters=options.dead_letters)


def _terminal(options: argparse.Namespace) -> Terminal:
    return Terminal(sure=options.yes, machine=options.json)


def _told(run: Callable[[], int]) -> int:
    try:
        with explained():
            return run()
    except QueueError as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE if isinstance(error, UsageError) else _FAILED
