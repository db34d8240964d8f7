"""The pytest plug-in, in a pytest of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ANSWERS = "product: duolingo\nservice: api\nowner: platform\nkind: {kind}\ndata_stores: [postgres]\n"


def _run(folder: Path, tests: str, answers: str | None, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "test_it.py").write_text(textwrap.dedent(tests))
    if answers is not None:
        (folder / ".copier-answers.yml").write_text(answers)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _passed(done: subprocess.CompletedProcess[str], count: int) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count} passed" in done.stdout


def test_the_variables_are_set_before_the_service_is_imported(tmp_path: Path) -> None:
    tests = """
        import os
        from baselib.web import create_app

        app = create_app(__name__, data_stores=["postgres"])

        def test_it():
            assert app.test_client().get("/healthz/live").status_code == 200
            assert os.environ["SERVICE_OWNER"] == "platform"
    """
    _passed(_run(tmp_path, tests, ANSWERS.format(kind="web")), 1)


def test_what_the_developer_has_set_stays(tmp_path: Path) -> None:
    tests = """
        import os

        def test_it():
            assert os.environ["DATABASE_URL"] == "postgresql://mine"
            assert os.environ["SERVICE_NAME"] == "api"
    """
    _passed(_run(tmp_path, tests, ANSWERS.format(kind="web"), DATABASE_URL="postgresql://mine"), 1)


def test_a_folder_that_was_not_copied_keeps_its_variables_and_has_the_fixtures(tmp_path: Path) -> None:
    tests = """
        import os
        from baselib.telemetry import metrics

        def test_variables():
            assert not [name for name in os.environ if name.startswith(("SERVICE_", "QUEUE_"))]

        def test_metrics(captured_metrics):
            metrics.incr("sold", tags={"what": "tea"})
            assert captured_metrics == ["test.sold:1|c|#what:tea"]

        def test_metrics_of_another_test_are_not_there(captured_metrics):
            assert captured_metrics == []
    """
    _passed(_run(tmp_path, tests, None), 3)


def test_the_clients_of_a_service_use_the_embedded_aws(tmp_path: Path) -> None:
    tests = """
        from baselib import aws
        from baselib.testing import sqs_message
        from baselib.worker import Worker, send

        seen = []
        worker = Worker(lambda worker: worker.handle(lambda message: seen.append(message.body)),
                        data_stores=["postgres"])

        def test_it(embedded_aws):
            url = embedded_aws.make_queue("main")
            send(url, "text")
            (raw,) = aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
            worker.handle_raw(raw)
            assert seen == ["text"]
    """
    _passed(_run(tmp_path, tests, ANSWERS.format(kind="worker-daemon")), 1)


def test_the_clients_use_the_embedded_aws_also_where_no_service_was_made(tmp_path: Path) -> None:
    tests = """
        from baselib import aws

        def test_it(embedded_aws):
            assert aws.client("sqs").list_queues().get("QueueUrls", []) == []
    """
    _passed(_run(tmp_path, tests, None), 1)
