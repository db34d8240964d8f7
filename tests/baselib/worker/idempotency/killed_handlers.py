"""Handlers that are killed at random: run as `python killed_handlers.py URL MESSAGES PROCESSES SEED`.

Every process handles every message once, in an order of its own. It is killed, or its handler raises, between the
effect and the commit, or it is killed between the commit and what would be the delete; then the message comes again.
Prints a line for each time that one of these happens.
"""

import mmap
import os
import random
import signal
import struct
import sys
from collections import Counter

from sqlalchemy import create_engine, insert

from baselib.worker.idempotency import handled_before
from tests.baselib.worker.idempotency.conftest import effects, message_of

_POSITION = struct.Struct("i")
# Of each of the first two with an effect, and of the third with each delivery.
_LIKELIHOODS = (0.1, 0.1, 0.02)
_BUSY_SECONDS = 60


def die(how: str) -> None:
    """End as a process that gets SIGKILL."""
    print(how, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


class HandlerError(Exception):
    """A handler that fails."""


def handle_all(url: str, count: int, process: int, seed: str, progress: mmap.mmap) -> None:
    """Handle what this process has not handled yet."""
    options = {"timeout": _BUSY_SECONDS} if url.startswith("sqlite") else {}
    engine = create_engine(url, connect_args=options, pool_size=1)
    order = list(range(count))
    random.Random(process).shuffle(order)
    chosen = random.Random(seed)
    (position,) = _POSITION.unpack_from(progress, process * _POSITION.size)
    while position < count:
        message = message_of(id=f"m-{order[position]}")
        before_commit, fails, after_commit = (chosen.random() < likelihood for likelihood in _LIKELIHOODS)
        try:
            with engine.begin() as connection:
                if not handled_before(connection, message):
                    connection.execute(insert(effects).values(message=message.id))
                    if before_commit:
                        die("killed-before-commit")
                    if fails:
                        raise HandlerError
        except HandlerError:
            print("failed", flush=True)
            continue
        if after_commit:
            die("killed-after-commit")
        position += 1
        _POSITION.pack_into(progress, process * _POSITION.size, position)


def main() -> None:
    """Keep the processes going until each has handled everything."""
    url, count, processes, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    progress = mmap.mmap(-1, processes * _POSITION.size)
    attempts: Counter[int] = Counter()
    running: dict[int, int] = {}

    def start(process: int) -> None:
        attempts[process] += 1
        child = os.fork()
        if child:
            running[child] = process
            return
        try:
            handle_all(url, count, process, f"{seed}/{process}/{attempts[process]}", progress)
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)

    for process in range(processes):
        start(process)
    while running:
        child, status = os.wait()
        process = running.pop(child)
        if os.WIFSIGNALED(status):
            start(process)
        elif status:
            sys.exit(f"process {process} failed")
    print("finished", flush=True)


if __name__ == "__main__":
    main()
