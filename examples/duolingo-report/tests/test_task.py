"""What duolingo-report does each time it runs."""

from duolingo_report.job import job
from duolingo_report.task import run


def test_counts(captured_metrics: list[str]) -> None:
    run(job.service)
    assert "test.counted:1|g" in captured_metrics
