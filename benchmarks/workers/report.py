"""What was measured as tables in Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from benchmarks.bars import Bar, at_least, at_most
from benchmarks.workers.idle import Idle
from benchmarks.workers.load import Sample
from benchmarks.workers.moto import MESSAGES
from benchmarks.workers.variants import VARIANTS

PEER: Final = "botocore"
OWN: Final = "baselib"
# A loop that handles nothing but the happy path is what consumers are compared with, and no consumer.
_PEERS: Final = tuple(name for name in VARIANTS if name not in (PEER, "boto3") and not name.startswith(OWN))
# Microseconds of the same loop where the bars were set; they move with the machine, the ratio to the loop does not.
_LOOP_MICROSECONDS: Final = 176

Samples = Mapping[str, Sequence[Sample]]


def middle(samples: Sequence[Sample], figure: str) -> float:
    """The median of a figure, for instance `quick.rate`."""
    return float(statistics.median(map(attrgetter(figure), samples)))


def table(samples: Samples) -> str:
    """Medians; ratio and spread are those of the CPU of jobs that do nothing."""
    head = [
        "no-op jobs",
        "at a time",
        "CPU us/message",
        "of the loop",
        "spread",
        "calls/1,000",
        "messages/s",
        "at 8 ms a call",
        "10 ms jobs/s",
        "CPU us/job",
        "calls/1,000 jobs",
        "RSS MiB",
        "PSS MiB",
    ]
    rows = [head, ["---"] * len(head)]
    for name, found in samples.items():
        cpu = [sample.quick.microseconds for sample in found]
        rows.append(
            [
                VARIANTS[name].title,
                str(VARIANTS[name].at_once),
                f"{statistics.median(cpu):.0f}",
                f"{_of_the_loop(samples, name):.2f}",
                f"{(max(cpu) - min(cpu)) / statistics.median(cpu):.0%}",
                f"{_calls(found):.0f}",
                f"{middle(found, 'quick.rate'):.0f}",
                f"{middle(found, 'slow.rate'):.0f}",
                f"{middle(found, 'sleeping.rate'):.0f}",
                f"{middle(found, 'sleeping.microseconds'):.0f}",
                f"{_calls(found, 'sleeping'):.0f}",
                f"{middle(found, 'resident'):.0f}",
                f"{middle(found, 'proportional'):.0f}",
            ]
        )
    return _markdown(rows)


def calls(samples: Samples) -> str:
    """Calls for 1,000 messages of no-op jobs by action, medians."""
    actions = sorted({action for found in samples.values() for sample in found for action in sample.quick.calls})
    rows = [["calls for 1,000 messages", *actions], ["---"] * (1 + len(actions))]
    for name, found in samples.items():
        made = [statistics.median(sample.quick.calls.get(action, 0.0) for sample in found) for action in actions]
        rows.append([VARIANTS[name].title, *(f"{count:.0f}" for count in made)])
    return _markdown(rows)


def bars(samples: Samples, idle: Mapping[str, Idle], deleted: int) -> list[Bar]:
    """What has to hold, and whether it does.

    Args:
        samples: What was measured.
        idle: What empty queues cost.
        deleted: How many of the messages on moto's server were deleted.
    """
    found = []
    for name, what, microseconds, most in (
        (OWN, "handler of one message", 330, 210),
        ("baselib-batch", "handler of ten messages", 200, 200),
    ):
        if name not in samples:
            found.append(Bar(what, "measured", "cannot run", reached=False))
            continue
        measured = middle(samples[name], "quick.microseconds")
        ratio = at_most("", microseconds / _LOOP_MICROSECONDS, _of_the_loop(samples, name))
        found += [
            Bar(
                f"{what}: CPU per message, of the loop over botocore's",
                f"at most {microseconds / _LOOP_MICROSECONDS:.2f} ({microseconds} us where the loop takes 176)",
                f"{ratio.measured} ({measured:.0f} us)",
                ratio.reached,
            ),
            # Rounded: at the end there may be one waiting receive more than there was at the beginning.
            at_most(f"{what}: AWS calls for 1,000 messages", most, round(_calls(samples[name]))),
        ]
    peers = {name: middle(samples[name], "slow.rate") for name in _PEERS if name in samples}
    best = max(peers, key=lambda name: peers[name])
    return [
        *found,
        at_least(
            f"messages a second at 8 ms a call, of {best}'s, the fastest consumer's",
            1.3,
            middle(samples[OWN], "slow.rate") / peers[best],
        ),
        at_most("receives an hour on an empty queue", 180, idle[OWN].receives),
        at_most("MiB that are resident", 55, middle(samples[OWN], "resident")),
        Bar("messages on moto's server received and deleted", str(MESSAGES), str(deleted), deleted == MESSAGES),
    ]


def _of_the_loop(samples: Samples, name: str) -> float:
    return middle(samples[name], "quick.microseconds") / middle(samples[PEER], "quick.microseconds")


def _calls(found: Sequence[Sample], run: str = "quick") -> float:
    return float(statistics.median(sum(attrgetter(f"{run}.calls")(sample).values()) for sample in found))


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
