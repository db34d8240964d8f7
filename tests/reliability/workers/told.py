"""Telling what came of a run, and holding the workers to what they promise in every one."""

from tests.reliability.report import WORKER_ROWS, WorkerRow
from tests.reliability.workers.account import Account, account
from tests.reliability.workers.fleet import Fleet


def tell(what: str, fleet: Fleet, visibility: float, *, resumed: float | None = None, note: str = "") -> Account:
    """Print a row, and see that nothing was lost, left invisible, or handled twice for no reason.

    Args:
        what: What was done to the workers.
        fleet: The workers, which have ended.
        visibility: Their visibility time-out.
        resumed: How many seconds after the outage's end they consumed again.
        note: What else there is to say.
    """
    found = account(fleet, visibility)
    causes = {"after SIGKILL": len(found.killed), "whose delete SQS refused until the end": len(found.undeleted)}
    duplicates = [f"{count} duplicates {cause}" for cause, count in causes.items() if count]
    row = WorkerRow(
        what,
        found.messages,
        found.handled,
        found.duplicates,
        len(found.lost),
        len(found.invisible),
        resumed,
        "; ".join([*duplicates, *([note] if note else [])]),
    )
    WORKER_ROWS.append(row)
    print(row)
    for problem, messages in (
        ("lost", found.lost),
        ("begun again for no reason", found.unexplained),
        ("left invisible", found.invisible),
    ):
        assert not messages, f"{len(messages)} {problem}:\n" + "\n\n".join(story(fleet, each) for each in messages[:3])
    assert len(found.undeleted) <= sum(life.undeleted for life in fleet.lives)
    return found


def story(fleet: Fleet, message: str) -> str:
    """All that is known of a message, for whoever has to find out what went wrong."""
    lines: list[tuple[float, str, object]] = [
        (event.time, event.what, event.detail) for event in fleet.stub.ledger(message=message)
    ]
    lines += [
        (note.time, f"worker {note.process}: {note.what}", note.receive_count)
        for note in fleet.notes.read()
        if note.message == message
    ]
    lines += [(life.told, f"{life.sent!r} to {life.id}", "") for life in fleet.lives if life.told]
    lines += [(life.ended, f"end of {life.id}", life.code) for life in fleet.lives if life.ended]
    lines.sort(key=lambda line: line[0])
    return message + "\n" + "\n".join(f"  {moment:.3f} {what} {detail}" for moment, what, detail in lines)
