"""The part of docs/performance.md about workers.

python -m benchmarks.workers.part [ROUNDS]
"""

import random
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks import page
from benchmarks.picture import draw
from benchmarks.workers import capacity, idle, moto, report
from benchmarks.workers.load import CALL_MILLISECONDS, CannotRunError, Sample, sample
from benchmarks.workers.variants import VARIANTS

_PACKAGES: Final = (
    *(
        "boto3",
        "celery",
        "kombu",
        "dramatiq",
        "dramatiq-sqs",
        "sqs-workers",
        "aws-sqs-consumer",
        "pyqs",
        "PySqsListener",
    ),
)
_PICTURE: Final = "performance-workers.svg"
# A client that gets less than this share of what the stub can do is not slowed down by it.
_TIMES_THE_FASTEST: Final = 3

_PART: Final = """## Workers

{measured_on}

{noise}

### What is promised

{summary}

### One queue

Messages of 200 bytes of JSON wait in a stub of SQS, which a bare client empties at {stub_rate:.0f} messages a second:
{times:.0f} times the fastest consumer. Each consumer runs in processes of its own, {rounds} rounds, and is measured
from the first receive to the last delete. "Of the loop" is its CPU divided by that of the barest loop over botocore,
which receives ten, deletes ten, and copes with nothing that goes wrong; "at {latency} ms a call" is messages a second
where each AWS call takes that long; calls are those for 1,000 messages. baselib writes its log, sends its metrics and
has a span for each message. Where it matters the peers have been set up better than by default: aws-sqs-consumer and
PySqsListener receive ten (default: one), PySqsListener waits for messages (default: a minute's sleep whenever there was
none), and Celery has a polling interval of 0 (default: 1 s, with which kombu 5.7 handled eight messages a second).

![CPU per message](performance-workers.svg)

{table}
{calls}
{idle}
{missing}What is promised of moto's server is about the shape of calls only; it is too slow to be timed on.
"""


def main() -> None:
    """Measure, print, and write the part."""
    page.put("workers", measured(*map(int, sys.argv[1:2])))


def measured(rounds: int = 3) -> str:
    """Measure everything and return the part's text.

    Args:
        rounds: How often each consumer is measured.
    """
    noise = capacity.noise()
    print(noise, flush=True)
    stub = capacity.capacity()
    samples, missing = measure(rounds)
    if not {report.OWN, report.PEER} <= samples.keys():
        sys.exit("\n".join(["benchmarks: nothing to compare", *missing]))
    fastest = max(report.middle(found, "quick.rate") for found in samples.values())
    if stub.rate < _TIMES_THE_FASTEST * fastest:
        sys.exit(f"benchmarks: the stub does {stub.rate:.0f} messages a second, too few for a client of {fastest:.0f}")
    tables = report.table(samples), report.calls(samples)
    print(*tables, *missing, sep="\n", flush=True)
    empty = idle.measure()
    print(idle.table(empty), flush=True)
    deleted = moto.deleted()
    summary = page.summary(report.bars(samples, empty, deleted))
    print(summary)
    _draw(samples)
    return _PART.format(
        measured_on=page.measured_on(_PACKAGES),
        noise=noise,
        summary=summary,
        stub_rate=stub.rate,
        times=stub.rate / fastest,
        rounds=rounds,
        latency=CALL_MILLISECONDS,
        table=tables[0],
        calls=tables[1],
        idle=idle.table(empty),
        missing="".join(f"{line}\n\n" for line in missing),
    )


def measure(rounds: int, names: Sequence[str] = tuple(VARIANTS)) -> tuple[dict[str, list[Sample]], list[str]]:
    """Each consumer in each round, and a sentence for each that failed.

    Args:
        rounds: How often.
        names: Who.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for name in random.sample(list(names), len(names)):
            try:
                samples[name].append(sample(name))
            except CannotRunError as error:
                failed[name] = str(error)
    sentences = [
        f"{VARIANTS[name].title}: {rounds - len(samples[name])} of {rounds} runs failed ({reason})."
        for name, reason in failed.items()
    ]
    return {name: found for name, found in samples.items() if found}, sentences


def _draw(samples: report.Samples) -> None:
    values = {}
    for name, found in samples.items():
        cpu = [each.quick.microseconds for each in found]
        values[VARIANTS[name].title] = (report.middle(found, "quick.microseconds"), min(cpu), max(cpu))
    picture = draw("CPU per message, a job that does nothing", "microseconds", values, VARIANTS[report.OWN].title)
    (page.FOLDER / _PICTURE).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
