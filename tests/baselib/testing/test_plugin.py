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


def _service(folder: Path) -> None:
    """A web service as the template lays it out."""
    package = folder / "duolingo_api"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "app.py").write_text(
        textwrap.dedent(
            """
            import logging

            from baselib.web import create_app

            def routes(app, service):
                @app.get("/broken")
                def broken():
                    raise ValueError("wrong")

                @app.get("/")
                def home():
                    logging.getLogger("shop").info("sold", extra={"item": "tea", "password": "hunter2"})
                    return "home"

            app = create_app(__name__, routes=routes, data_stores=["postgres"])
            """
        )
    )
    (folder / "conftest.py").write_text("import sys\nsys.path.insert(0, '.')\n")


def test_the_application_and_its_client_are_found(tmp_path: Path) -> None:
    _service(tmp_path)
    tests = """
        def test_it(app, client):
            assert app.name == "duolingo_api.app"
            assert client.get("/").text == "home"
    """
    _passed(_run(tmp_path, tests, ANSWERS.format(kind="web")), 1)


def test_without_an_application_the_fixture_says_what_to_do(tmp_path: Path) -> None:
    tests = """
        def test_it(client):
            pass
    """
    for answers in (None, ANSWERS.format(kind="worker-daemon")):
        done = _run(tmp_path, tests, answers)
        assert done.returncode == 1
        assert "define a fixture `app` in conftest.py" in done.stdout


def test_logs_are_captured_as_production_would_write_them(tmp_path: Path) -> None:
    _service(tmp_path)
    tests = """
        import pytest

        def test_it(client, captured_logs):
            client.get("/", headers={"X-Request-Id": "r-1"}, buffered=True)
            line = captured_logs.one("sold")
            assert (line["item"], line["password"], line["request_id"]) == ("tea", "***", "r-1")
            assert captured_logs.one("request finished")["route"] == "/"
            with pytest.raises(AssertionError, match="0 lines say 'bought'.*sold"):
                captured_logs.one("bought")

        def test_those_of_another_test_are_not_there(captured_logs):
            assert captured_logs == []
    """
    _passed(_run(tmp_path, tests, ANSWERS.format(kind="web")), 2)


def test_errors_are_captured_and_nothing_is_sent(tmp_path: Path) -> None:
    _service(tmp_path)
    tests = """
        def test_it(client, captured_errors):
            answer = client.get("/broken", headers={"X-Request-Id": "r-1"}, buffered=True)
            assert answer.status_code == 500
            assert captured_errors.types() == ["ValueError"]
            assert captured_errors[0]["tags"]["request_id"] == "r-1"
            assert captured_errors[0]["tags"]["service"] == "api"
            client.get("/not-there", buffered=True)
            assert len(captured_errors) == 1

        def test_those_of_another_test_are_not_there(captured_errors):
            assert captured_errors == []
    """
    _passed(_run(tmp_path, tests, ANSWERS.format(kind="web")), 2)


def test_a_frozen_identity_gives_the_same_ids_in_every_test(tmp_path: Path) -> None:
    tests = """
        import os

        import pytest

        from baselib.telemetry import Span

        seen = set()

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(frozen_identity, number):
            seen.add(Span("request", "/").request_id)
            assert len(seen) == 1
            assert frozen_identity.name.repository == "frozen-service"
            assert os.environ["SERVICE_ENVIRONMENT"] == "test"

        def test_others_have_their_own():
            assert Span("request", "/").request_id not in seen
    """
    _passed(_run(tmp_path, tests, None), 3)
