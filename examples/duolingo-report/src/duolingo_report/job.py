"""Template-owned: the job that `baselib cron` runs. What it does is in task.py."""

from baselib.worker import Job

from duolingo_report.task import run

job = Job(
    run,
    data_stores=[
        "postgres",
    ],
)
