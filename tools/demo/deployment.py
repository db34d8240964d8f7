"""What the demo shows of a worker that is replaced at work: dead letters, a drain with work in flight, a redrive."""

import uuid
from typing import Final

from baselib.queues.counts import Counts
from tools.demo.alive import show_metric
from tools.demo.process import Process, until
from tools.demo.running import Running
from tools.demo.services import BEGUN, QUEUE, accept_learner
from tools.demo.steps import say, say_log, step

# How many calls of handlers the template's worker runs at a time.
_THREADS: Final = 4
_MESSAGES: Final = 16
_LEAST_WAITING: Final = 2
_END_SECONDS: Final = 40
_STEADY_READS: Final = 3


def show_dead_letter(running: Running) -> str:
    """A message that does not fit its model, in the dead-letter queue; returns the id of its request."""
    step("a message that does not fit its model is in the dead-letter queue at once, with the reason")
    request_id = uuid.uuid4().hex
    message_id = running.queue.send({"learner": "Bea"}, request_id)
    say(f'sent {{"learner": "Bea"}} as {message_id}, in request {request_id}')
    mailer = running.mailer
    say_log(until(lambda: mailer.log_line("to the dead-letter queue", message_id=message_id), "its rejection", mailer))
    show_metric(running, "mailer.messages.dead")
    running.command("queue", "peek", QUEUE, "--dead-letters")
    return request_id


def show_drain_in_flight(running: Running) -> None:
    """A worker is replaced while it has messages that run and messages that wait."""
    queue, first = running.queue, running.mailer
    step(
        "deploy a repair under load: what runs is finished, what waits is given back at once, nothing is lost or twice"
    )
    accept_learner(running.services["duolingo-mailer"])
    sent = queue.send_all([{"name": f"Learner {number}"} for number in range(1, _MESSAGES + 1)])
    say(f"sent {len(sent)} messages")
    before = _in_the_middle(running)
    first.terminate()
    say(f"at SIGTERM          {before}: {_THREADS} run, {before.in_flight - _THREADS} wait in the worker")
    until(lambda: first.log_line("draining"), "the worker drains", first)
    during = until(lambda: _at_most_in_flight(running, _THREADS), "what waited is back")
    say(f"while handlers end  {during}: what waited can be received by others")
    end(first)
    say(f"when it has ended   {queue.counts()}")
    stopped = first.log_line("stopped") or {}
    say_log(stopped)
    if not stopped.get("given_back") or stopped.get("undeleted"):
        raise RuntimeError(f"{first.log.stem} should have given messages back and deleted all that it handled")
    step("a new worker, with the repair, handles the rest")
    running.start_mailer()
    second = running.mailer
    until(lambda: queue.counts().total == 0, "everything is handled", second)
    by_first, by_second = (_handled(process, sent) for process in (first, second))
    if sorted((*by_first, *by_second)) != sorted(sent):
        raise RuntimeError(f"{len(sent)} messages were sent, {by_first} and {by_second} handled")
    say(f"of {len(sent)} messages the first worker handled {len(by_first)} and the second {len(by_second)}, none twice")
    say(f"{QUEUE}: {queue.counts()}")


def show_redrive(running: Running, request_id: str) -> None:
    """The message that was rejected goes back, and is handled."""
    step("redrive: the rejected message goes back to the queue, and the repaired worker handles it")
    running.command("queue", "redrive", QUEUE, "--dead-letters", "--yes")
    say("(the embedded AWS lacks the task with which SQS moves messages by itself, so that the command moves them)")
    mailer = running.mailer
    for message in ("welcomed", "message finished"):
        say_log(until(lambda message=message: mailer.log_line(message, request_id=request_id), "it is handled", mailer))  # type: ignore[misc]
    say(f"its dead-letter queue: {running.dead_letters.counts()}")


def end(process: Process) -> None:
    """Wait for the end of a process that was told to end.

    Raises:
        RuntimeError: Its exit code is not 0.
    """
    code = process.wait(_END_SECONDS)
    say(f"{process.log.stem} ended with exit code {code}")
    if code != 0:
        raise RuntimeError(f"{process.log.stem} did not end cleanly")


def _in_the_middle(running: Running) -> Counts:
    """Wait until the worker runs as many messages as it can, and has more in hand."""
    # A message is in flight before the worker has it: only a number that stays is that of what it holds.
    seen: list[Counts] = []

    def counts() -> Counts | None:
        runs = len(running.mailer.log_lines(BEGUN)) - len(running.mailer.log_lines("message finished", outcome="done"))
        seen.append(running.queue.counts())
        stays = len(set(seen[-_STEADY_READS:])) == 1 and len(seen) >= _STEADY_READS
        return seen[-1] if stays and runs == _THREADS and seen[-1].in_flight >= _THREADS + _LEAST_WAITING else None

    return until(counts, "messages that run and messages that wait", running.mailer)


def _at_most_in_flight(running: Running, most: int) -> Counts | None:
    counts = running.queue.counts()
    return counts if counts.in_flight <= most else None


def _handled(process: Process, sent: set[str]) -> list[str]:
    finished = process.log_lines("message finished", outcome="done")
    return [line["message_id"] for line in finished if line["message_id"] in sent]
