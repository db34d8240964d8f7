"""`baselib doctor` as a process: exit codes, and a report that nothing garbles."""

import json
from pathlib import Path

import pytest

from baselib.testing import StatsdReceiver
from tests.baselib.processes import IDENTITY, Launch, free_port

APP = """
import logging, sys
print("printed at import")
from baselib import create_app
from baselib.telemetry import metrics

def routes(app, service):
    logging.getLogger("duolingo_api").error("logged at import")
    metrics.incr("imports")
    @service.health_check("licence")
    def licence():
        print("printed by a check")
        if {ill}:
            raise OSError("no answer")
    @service.start_up("migrate")
    def migrate():
        open("started-up", "w").close()

app = create_app(__name__, routes=routes, soft_dependencies=["duolingo-words"], {needs})
"""


def _write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _app(folder: Path, *, ill: bool = False, needs: str = "") -> None:
    _write(folder, "app.py", APP.replace("{ill}", str(ill)).replace("{needs}", needs))


def test_only_the_report_is_on_standard_output(launch: Launch, tmp_path: Path) -> None:
    _app(tmp_path)
    program = launch("doctor", "app:app", **IDENTITY)
    assert program.wait() == 0
    assert program.output.startswith("configuration\n")
    assert program.output.endswith("\nnothing is wrong\n")
    assert "printed" not in program.output
    assert "logged at import" not in program.output
    for said in ("printed at import", "logged at import", "printed by a check"):
        assert said in program.errors
    assert "\x1b" not in program.output
    # It would not be true of the service that runs.
    assert "metrics are off" not in program.errors


def test_for_machines_standard_output_is_one_object(launch: Launch, tmp_path: Path) -> None:
    _app(tmp_path, ill=True)
    program = launch("doctor", "--json", "app:app", **IDENTITY)
    assert program.wait() == 1
    told = json.loads(program.output)
    assert told["exit_code"] == 1
    (check,) = told["checks"]
    assert (check["name"], check["source"]) == ("licence", "hard, OSError: no answer")


def test_nothing_is_sent_and_nothing_written(launch: Launch, tmp_path: Path) -> None:
    _app(tmp_path)
    before = {file.name for file in tmp_path.iterdir()}
    with StatsdReceiver() as statsd:
        dsn = f"http://key@127.0.0.1:{free_port()}/1"
        program = launch("doctor", "app:app", **IDENTITY, **statsd.environment, SENTRY_DSN=dsn)
        assert program.wait() == 0
        assert "resolves to 127.0.0.1" in program.output
        assert statsd.lines == []
    after = {file.name for file in tmp_path.iterdir()}
    assert after - before <= {"program.out", "program.err", "__pycache__"}


def test_every_wrong_variable_is_listed_also_what_the_application_needs(launch: Launch, tmp_path: Path) -> None:
    _app(tmp_path, needs="data_stores=['redis'], hard_dependencies=['duolingo-users']")
    program = launch("doctor", "app:app", SERVICE_PRODUCT="duolingo", SERVICE_NAME="api", PORT="x", STATSD_HOST="a,b")
    assert program.wait() == 78
    lines = program.output.splitlines()
    wrong = {line.split()[1] for line in lines[lines.index("wrong") + 1 :]}
    assert wrong == {"SERVICE_OWNER", "PORT", "STATSD_HOST", "REDIS_URL", "DUOLINGO_USERS_URL"}


def test_a_wrong_gunicorn_file_is_told(launch: Launch, tmp_path: Path) -> None:
    _app(tmp_path)
    _write(tmp_path, "gunicorn.conf.py", "workers = 3\n")
    program = launch("doctor", "app:app", **IDENTITY)
    assert program.wait() == 78
    assert "! gunicorn.conf.py: workers is set by the variable WEB_CONCURRENCY" in program.output


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("import missing_module", "app:app", "ModuleNotFoundError: No module named 'missing_module'"),
        ("def app(:", "app:app", "SyntaxError: invalid syntax (app.py, line 1)"),
        ("import sys\nsys.exit('bye')", "app:app", "SystemExit: bye"),
        ("\nraise OSError('no route to https://app:hunter2@db/')", "app:app", "OSError: no route to https://***@db/"),
        ("from baselib import Job\njob = Job(print)", "app:app", "app has no app: it has job"),
        ("app = 3", "app:app", "app:app is of type int: accepted is an application, a Worker or a Job"),
        ("", "elsewhere.app:app", "ModuleNotFoundError: No module named 'elsewhere'"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_paragraph(
    text: str, place: str, told: str, launch: Launch, tmp_path: Path
) -> None:
    _write(tmp_path, "app.py", text)
    program = launch("doctor", place, **IDENTITY)
    assert program.wait() == 70
    lines = program.output.splitlines()
    (line,) = lines[lines.index("wrong") + 1 :]
    assert line.startswith("! ")
    assert told in line
    if text.startswith("\nraise"):
        assert line.endswith(f"(at {tmp_path / 'app.py'}, line 2)")
    assert "Traceback" not in program.output + program.errors
    # The rest is told all the same.
    assert "SERVICE_PRODUCT" in program.output


def test_a_worker_is_looked_at_and_not_run(launch: Launch, tmp_path: Path) -> None:
    text = "from baselib import Worker\nworker = Worker(lambda w: w.handle(print), queues=['bulk'])\n"
    _write(tmp_path, "work.py", text)
    queues = {"QUEUE_URL": "http://127.0.0.1:1/1/main", "QUEUE_BULK_URL": "http://127.0.0.1:1/1/bulk"}
    program = launch("doctor", "--json", "work:worker", **IDENTITY, **queues)
    assert program.wait() == 0
    told = json.loads(program.output)
    assert [need["name"] for need in told["needs"]] == ["application", "queue", "queue bulk"]
    assert {"HEALTH_PORT"} <= {each["name"] for each in told["configuration"]}


def test_a_job_is_looked_at_and_not_run(launch: Launch, tmp_path: Path) -> None:
    text = "from baselib import Job\njob = Job(lambda service: open('ran', 'w'), data_stores=['redis'])\n"
    _write(tmp_path, "job.py", text)
    program = launch("doctor", "--json", "job:job", **IDENTITY, REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    assert program.wait() == 1
    told = json.loads(program.output)
    assert [need["name"] for need in told["needs"]] == ["application", "redis"]
    assert [check["name"] for check in told["checks"]] == ["redis"]
    names = {each["name"] for each in told["configuration"]} | {each["name"] for each in told["container"]}
    assert names.isdisjoint({"PORT", "HEALTH_PORT", "workers", "drain, stop, margin"})
    assert not (tmp_path / "ran").exists()


def test_in_a_folder_made_from_the_template_it_finds_the_service(launch: Launch, tmp_path: Path) -> None:
    _write(tmp_path, ".copier-answers.yml", "product: duolingo\nservice: api\nowner: platform\nkind: web\n")
    _write(tmp_path, "src/duolingo_api/__init__.py", "")
    _write(tmp_path, "src/duolingo_api/app.py", "from baselib import create_app\napp = create_app(__name__)\n")
    program = launch("doctor", **IDENTITY)
    assert program.wait() == 0
    assert "  application  duolingo_api.app:app  .copier-answers.yml" in program.output.splitlines()


def test_elsewhere_it_looks_at_the_environment_alone(launch: Launch) -> None:
    program = launch("doctor", SERVICE_PRODUCT="duolingo")
    assert program.wait() == 78
    assert "application" not in program.output
