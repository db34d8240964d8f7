"""One call of a job's function: which time it has to cover, and which periods were missed before.

>>> from datetime import datetime, timezone
>>> def at(hour):
...     return datetime(2026, 11, 23, hour, tzinfo=timezone.utc)
>>> due, left = runs_due(at(6), at(3), "each", every=3600, most=24)
>>> [(run.since.hour, run.until.hour) for run in due], left
([(3, 4), (4, 5), (5, 6)], 0)
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

CatchUp = Literal["skip", "window", "each"]


@dataclass(frozen=True, slots=True)
class Run:
    """What one call of a job's function has to cover.

    Attributes:
        since: The end of what was covered before, in UTC; None when that is not known, as in the first run.
        until: The time for which the run was scheduled, in UTC; when it began where the scheduler did not say.
        token: The lock's fencing token: higher in each run than in all before. A store that remembers the highest and
            refuses a lower one is safe even from a run that was paused past the end of its lock. None without a lock.
    """

    since: datetime | None
    until: datetime
    token: int | None = None

    def with_token(self, token: int | None) -> "Run":
        """The same, with a fencing token."""
        return replace(self, token=token)


def runs_due(
    until: datetime, covered: datetime | None, catch_up: CatchUp, *, every: float | None, most: int
) -> tuple[list[Run], int]:
    """The calls that one run of the process has to make, and how many periods are left to the next one.

    Args:
        until: The time for which the run was scheduled.
        covered: Until when the last successful run covered; None when there was none.
        catch_up: What becomes of missed periods: `skip`, one `window` from the last success on, or `each` on its own.
        every: Seconds from one scheduled time to the next.
        most: How many periods are caught up in one run.

    Returns:
        The calls, the oldest first, none when all is covered already; and the number of periods left for later.
    """
    period = None if every is None else timedelta(seconds=every)
    latest = Run(None if period is None else until - period, until)
    if catch_up == "skip" or covered is None:
        return [latest], 0
    if covered >= until:
        return [], 0
    if catch_up == "window" or period is None:
        return [Run(covered, until)], 0
    # The last period ends at the scheduled time: schedulers are not punctual, and nothing may be left out.
    periods = max(1, round((until - covered) / period))
    ends = [covered + period * number for number in range(1, min(periods, most + 1))]
    ends = [*ends, until][: min(periods, most)]
    return [Run(since, end) for since, end in zip([covered, *ends], ends, strict=False)], max(0, periods - most)
