"""Cron jobs: a function that runs once; the exit code tells the scheduler how it went.

from baselib.worker.cron import Job

job = Job(send_reminders, deadline=600)
"""

from baselib.worker.cron.errors import (
    DeadlineExceededError,
    LockLostError,
    MemoryLimitError,
    StoppedError,
    TerminatedError,
)
from baselib.worker.cron.job import Job
from baselib.worker.cron.lock import LockUnavailableError
from baselib.worker.cron.run import Run

__all__ = [
    "DeadlineExceededError",
    "Job",
    "LockLostError",
    "LockUnavailableError",
    "MemoryLimitError",
    "Run",
    "StoppedError",
    "TerminatedError",
]
