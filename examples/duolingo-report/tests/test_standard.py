"""Template-owned: what every service of this kind promises."""

from duolingo_report.job import job


def test_finishes() -> None:
    assert job.run() == 0
