"""The doctor: what it finds in an environment, a container and a service, and how it says so."""

import contextlib
import http.server
import json
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from baselib import container
from baselib.container import CgroupMemory
from baselib.contract import Needs
from baselib.doctor import Diagnosis, Finding, Problem, diagnose
from baselib.doctor.loading import NotLoadedError, find_place, load
from baselib.doctor.once import run_once
from baselib.health import HealthCheck
from baselib.service import Service
from baselib.telemetry import metrics
from tests.baselib.processes import IDENTITY, free_port

MEBIBYTE = 1 << 20
ECS = {"ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:1/v4"}


@contextlib.contextmanager
def _answering(body: bytes) -> Iterator[str]:
    """A server that answers every request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _finding(diagnosis: Diagnosis, section: str, name: str) -> Finding:
    (found,) = [each for each in diagnosis.sections[section] if each.name == name]
    return found


def _names(diagnosis: Diagnosis, section: str) -> list[str]:
    return [each.name for each in diagnosis.sections[section]]


def _service(needs: Needs | None = None, **environ: str) -> tuple[Service, dict[str, str]]:
    full = {**IDENTITY, **environ}
    return Service(needs or Needs(), full), full


def test_what_is_set_and_what_counts_in_its_place_are_told_apart() -> None:
    diagnosis = diagnose({**IDENTITY, "PORT": "8000"})
    assert _finding(diagnosis, "configuration", "PORT") == ("PORT", "8000", "environment", False)
    assert _finding(diagnosis, "configuration", "WEB_THREADS") == ("WEB_THREADS", "4", "default", False)
    assert _finding(diagnosis, "configuration", "SERVICE_ENVIRONMENT")[1:3] == ("local", "default")
    assert _finding(diagnosis, "configuration", "REQUEST_SECONDS")[1:3] == ("60", "default")
    assert _finding(diagnosis, "configuration", "SENTRY_DSN")[1:3] == ("-", "not set: Sentry off")
    assert _finding(diagnosis, "configuration", "WEB_CONCURRENCY").source.startswith("container: ")
    assert (diagnosis.exit_code, diagnosis.problems) == (0, [])
    assert str(diagnosis).splitlines()[-1] == "nothing is wrong"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEALTH_TOKEN", "hunter2-hunter2-hunter2"),
        ("HEALTH_TOKEN", "hunter2"),
        ("DATABASE_URL", "postgresql://app:hunter2@db/main"),
        ("DATABASE_URL", "mysql://app:hunter2@db/main"),
        ("REDIS_URL", "redis://db/?password=hunter2"),
        ("SENTRY_DSN", "https://hunter2@o1.sentry.io/1"),
        ("AWS_ENDPOINT_URL", "https://hunter2@aws.example"),
        ("AWS_ENDPOINT_URL", "app:hunter2@aws.example"),
        ("AWS_ENDPOINT_URL", "https://aws.example/?token=hunter2"),
        ("QUEUE_URL", "https://app:hunter2@sqs.example/1/queue"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ],
)
def test_no_secret_is_shown(name: str, value: str) -> None:
    diagnosis = diagnose({**IDENTITY, name: value, "AWS_ACCESS_KEY_ID": "AKIAHUNTER2"})
    for told in (str(diagnosis), diagnosis.as_json()):
        assert "hunter2" not in told.lower()


@pytest.mark.parametrize("release", ["v1\n! forged", "v1\x1b[2J", "v1\r", "\udcff"])
def test_a_value_can_neither_begin_a_line_nor_steer_a_terminal(release: str) -> None:
    told = str(diagnose({**IDENTITY, "SERVICE_RELEASE": release}))
    assert all(line.isprintable() for line in told.splitlines())
    assert not any(line.startswith("! forged") for line in told.splitlines())


def test_every_mistake_is_listed_last_and_marked_in_its_place() -> None:
    environ = {"SERVICE_PRODUCT": "Duolingo", "SERVICE_NAME": "api", "PORT": "http", "LOG_LEVEL": "LOUD"}
    diagnosis = diagnose(environ)
    marked = {each.name for each in diagnosis.sections["configuration"] if each.wrong}
    assert marked == {"SERVICE_PRODUCT", "SERVICE_OWNER", "PORT", "LOG_LEVEL"}
    assert diagnosis.exit_code == 78
    lines = str(diagnosis).splitlines()
    assert [line.split()[1] for line in lines[lines.index("wrong") + 1 :]] == [
        "SERVICE_PRODUCT",
        "SERVICE_OWNER",
        "PORT",
        "LOG_LEVEL",
    ]


def test_two_variables_that_do_not_go_together_are_both_marked() -> None:
    diagnosis = diagnose({**IDENTITY, "DRAIN_SECONDS": "100", "STOP_SECONDS": "100"})
    marked = {each.name for each in diagnosis.sections["configuration"] if each.wrong}
    assert (marked, diagnosis.exit_code) == ({"DRAIN_SECONDS", "STOP_SECONDS"}, 78)


@pytest.mark.parametrize(
    ("slip", "meant"), [("STATSD_HOSTS", "STATSD_HOST"), ("LOGLEVEL", "LOG_LEVEL"), ("SENTRY_DNS", "SENTRY_DSN")]
)
def test_a_mistyped_variable_is_pointed_out(slip: str, meant: str) -> None:
    assert f"{slip} is set: a slip?" in _finding(diagnose({**IDENTITY, slip: "x"}), "configuration", meant).source


def test_nothing_of_an_ordinary_environment_is_taken_for_a_slip() -> None:
    ordinary = ("PATH", "HOME", "HOSTNAME", "TERM", "LANG", "PWD", "AWS_EXECUTION_ENV", "QUEUE_BULK_URL", "PYTHONPATH")
    assert "slip" not in str(diagnose({**IDENTITY, **dict.fromkeys(ordinary, "x")}))


def test_columns_are_aligned_whatever_stands_in_them() -> None:
    environ = {**IDENTITY, "AWS_ENDPOINT_URL": "https://aws.example/" + "long" * 50, "PORT": "8000"}
    diagnosis = diagnose(environ)
    lines = str(diagnosis).splitlines()
    starts = {
        lines[row].index(finding.source)
        for row, finding in enumerate(diagnosis.sections["configuration"], 1)
        if len(finding.value) < 60
    }
    assert len(starts) == 1
    assert starts.pop() < 60


def test_colour_is_only_shown_where_asked_for() -> None:
    diagnosis = diagnose({**IDENTITY, "PORT": "http"})
    coloured = diagnosis.text(colour=True)
    assert "\x1b[31m! PORT is 'http'" in coloured
    assert re.sub(r"\x1b\[[0-9]*m", "", coloured) == str(diagnosis)
    assert "\x1b" not in str(diagnosis)


def test_for_machines_it_is_one_object() -> None:
    diagnosis = diagnose({**IDENTITY, "PORT": "http"})
    told = json.loads(diagnosis.as_json())
    assert told["exit_code"] == 78
    assert told["problems"] == [{"text": diagnosis.problems[0].text, "exit_code": 78}]
    assert {"name": "PORT", "value": "http", "source": "environment", "wrong": True} in told["configuration"]
    assert set(told) == {"exit_code", "problems", "configuration", "container", "needs", "checks"}


@pytest.mark.parametrize(("codes", "expected"), [((), 0), ((0,), 0), ((0, 1), 1), ((1, 78), 78), ((78, 70, 1, 0), 70)])
def test_the_gravest_problem_decides_the_exit_code(codes: tuple[int, ...], expected: int) -> None:
    assert Diagnosis({}, [Problem("", code) for code in codes]).exit_code == expected


def test_memory_is_that_of_the_group_and_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "memory", lambda: CgroupMemory(2048 * MEBIBYTE, 300 * MEBIBYTE))
    with _answering(b'{"Limits": {"Memory": 1000}}') as address:
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", address)
        diagnosis = diagnose({**IDENTITY, "ECS_CONTAINER_METADATA_URI_V4": address})
    told = [each[1:3] for each in diagnosis.sections["container"] if each.name == "hard limit"]
    assert told == [("2048 MiB", "control group"), ("1000 MiB", "ECS task metadata")]
    assert _finding(diagnosis, "container", "memory used").value == "300 MiB"
    assert _finding(diagnosis, "container", "100 % of memory")[1:3] == ("850 MiB", "85 % of the hard limit")
    assert _finding(diagnosis, "configuration", "MEMORY_LIMIT_MIB")[1:3] == ("850", "container: 85 % of the hard limit")


@pytest.mark.parametrize(
    ("limit", "told", "wrong"),
    [
        ("400", "MEMORY_LIMIT_MIB", False),
        ("300", "MEMORY_LIMIT_MIB: reached", True),
        ("512", "MEMORY_LIMIT_MIB is not below the hard limit of 512 MiB: the kernel kills first", True),
    ],
)
def test_a_memory_limit_that_cannot_work_is_worth_a_look(
    limit: str, told: str, wrong: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "memory", lambda: CgroupMemory(512 * MEBIBYTE, 300 * MEBIBYTE))
    diagnosis = diagnose({**IDENTITY, "MEMORY_LIMIT_MIB": limit})
    assert _finding(diagnosis, "container", "100 % of memory")[2:] == (told, wrong)
    assert ([problem.exit_code for problem in diagnosis.problems], diagnosis.exit_code) == ([0] * wrong, 0)
    assert ("worth a look" in str(diagnosis)) is wrong


@pytest.mark.parametrize(
    ("environ", "value", "source"),
    [
        ({}, "-", "the SDK's own rules; no instance's role"),
        ({"AWS_ACCESS_KEY_ID": "x"}, "static keys", "AWS_ACCESS_KEY_ID; not accepted on ECS"),
        ({"AWS_PROFILE": "mine"}, "profile", "AWS_PROFILE; not accepted on ECS"),
        (
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/hunter2"},
            "task role",
            "container endpoint 169.254.170.2",
        ),
        (ECS, "-", "the task has no role, and the instance's is not used"),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/hunter2"},
            "role",
            "container endpoint 127.0.0.1",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/"},
            "-",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI names 'evil.example': keys are taken from the task's own endpoint only",
        ),
    ],
)
def test_credentials_come_from_where_the_policy_lets_them(environ: Mapping[str, str], value: str, source: str) -> None:
    diagnosis = diagnose({**IDENTITY, **environ})
    assert _finding(diagnosis, "container", "AWS credentials")[1:3] == (value, source)
    assert "hunter2" not in str(diagnosis)


def test_static_keys_on_ecs_would_stop_the_service() -> None:
    diagnosis = diagnose({**IDENTITY, **ECS, "AWS_SECRET_ACCESS_KEY": "hunter2"})
    assert diagnosis.exit_code == 78
    assert "AWS_SECRET_ACCESS_KEY set in an ECS task" in str(diagnosis)


def test_where_metrics_go_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**IDENTITY, "STATSD_HOST": "127.0.0.1", "STATSD_PORT": "9125"}
    found = _finding(diagnose(environ), "container", "metrics")
    assert found == ("metrics", "127.0.0.1:9125", "resolves to 127.0.0.1; dogstatsd", False)

    def away(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", away)
    diagnosis = diagnose(environ)
    assert _finding(diagnosis, "container", "metrics").wrong
    assert "STATSD_HOST cannot be resolved" in str(diagnosis)
    # Metrics are optional.
    assert diagnosis.exit_code == 0


def test_of_sentry_only_the_host_is_told() -> None:
    diagnosis = diagnose({**IDENTITY, "SENTRY_DSN": "https://hunter2@o1.sentry.io/1"})
    assert _finding(diagnosis, "container", "Sentry").value == "o1.sentry.io"


def test_workers_are_those_of_a_web_service() -> None:
    environ = {**IDENTITY, "WEB_CONCURRENCY": "3", "WEB_THREADS": "5"}
    assert _finding(diagnose(environ), "container", "workers").value == "3 of 5 threads"
    service, environ = _service(Needs(kind="worker-daemon", queue=True), QUEUE_URL="http://127.0.0.1/1/q")
    assert "workers" not in _names(diagnose(environ, service), "container")
    assert "WEB_THREADS" not in _names(diagnose(environ, service), "configuration")


def test_an_image_without_gunicorn_has_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("gunicorn", "baselib.web"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gunicorn", None)
    diagnosis = diagnose(IDENTITY)
    assert "workers" not in _names(diagnosis, "container")
    assert diagnosis.exit_code == 0


@pytest.mark.parametrize(
    ("needs", "seconds", "told"),
    [
        (Needs(), {}, ("5 + 20 + 5 = 30 s", "fits into 30 s: ECS's default")),
        (
            Needs(),
            {"DRAIN_SECONDS": "15", "STOP_SECONDS": "60"},
            ("15 + 60 + 5 = 80 s", "fits into 90 s: stop_timeout = 90 in Terraform"),
        ),
        (
            Needs(),
            {"STOP_SECONDS": "90.5"},
            ("5 + 90.5 + 5 = 100.5 s", "fits into 120 s: stop_timeout = 120 in Terraform"),
        ),
        (
            Needs(kind="worker-daemon", queue=True),
            {"QUEUE_URL": "http://127.0.0.1/1/q"},
            ("0 + 25 + 5 = 30 s", "fits into 30 s: ECS's default"),
        ),
    ],
)
def test_the_budget_of_stopping_is_held_against_the_stop_timeout(
    needs: Needs, seconds: Mapping[str, str], told: tuple[str, str]
) -> None:
    service, environ = _service(needs, **seconds)
    assert _finding(diagnose(environ, service), "container", "drain, stop, margin")[1:3] == told


def test_each_need_is_told_with_its_variable() -> None:
    needs = Needs(
        queues=("bulk-mail",),
        data_stores=("postgres",),
        hard_dependencies=("duolingo-users",),
        soft_dependencies=("duolingo-words",),
    )
    service, environ = _service(
        needs,
        DATABASE_URL="postgresql://app:hunter2@127.0.0.1:1/main?password=hunter2",
        QUEUE_BULK_MAIL_URL="http://127.0.0.1:1/1/bulk",
        DUOLINGO_USERS_URL="http://app:hunter2@127.0.0.1:1",
        DUOLINGO_WORDS_URL="http://127.0.0.1:1/words",
    )
    diagnosis = diagnose(environ, service)
    assert [each[:3] for each in diagnosis.sections["needs"]] == [
        ("postgres", "127.0.0.1:1", "DATABASE_URL, data store"),
        ("queue bulk-mail", "http://127.0.0.1:1/1/bulk", "QUEUE_BULK_MAIL_URL"),
        ("duolingo-users", "127.0.0.1:1", "DUOLINGO_USERS_URL, hard dependency"),
        ("duolingo-words", "http://127.0.0.1:1/words", "DUOLINGO_WORDS_URL, soft dependency"),
    ]
    assert "hunter2" not in str(diagnosis) + diagnosis.as_json()
    assert "REDIS_URL" not in _names(diagnosis, "configuration")


def test_health_checks_run_once_and_say_how_they_went() -> None:
    runs: list[str] = []
    sent: list[str] = []
    with _answering(b"{}") as address:
        needs = Needs(hard_dependencies=("duolingo-users",), soft_dependencies=("duolingo-words",))
        words = f"http://127.0.0.1:{free_port()}"
        service, environ = _service(needs, DUOLINGO_USERS_URL=address, DUOLINGO_WORDS_URL=words)
        # As often as it can be.
        service.checks.add(HealthCheck("mine", lambda: runs.append("mine"), interval=0.01, required_for_traffic=True))
        service.start_up("migrate")(lambda: runs.append("start-up"))
        service.checks.on_change(lambda check, _: runs.append(f"heard {check.name}"))
        metrics.configure(sent.append)
        diagnosis = diagnose(environ, service)
    assert _finding(diagnosis, "checks", "duolingo-users").value.startswith("healthy in ")
    assert _finding(diagnosis, "checks", "mine").source == "hard, required for traffic"
    soft = _finding(diagnosis, "checks", "duolingo-words")
    assert soft.value.startswith("failed after ")
    assert soft.source.startswith("soft, ConnectionRefusedError")
    assert soft.wrong
    assert runs == ["mine"]
    assert sent == []
    assert diagnosis.exit_code == 0


def test_a_hard_check_that_fails_decides_the_exit_code() -> None:
    service, environ = _service()

    @service.health_check("licence")
    def licence() -> None:
        raise OSError("no answer from https://app:hunter2@licences.example/")

    diagnosis = diagnose(environ, service)
    assert diagnosis.exit_code == 1
    assert str(diagnosis).splitlines()[-1].startswith("! licence failed after ")
    assert "hunter2" not in str(diagnosis)


def test_a_check_that_hangs_is_given_up() -> None:
    release = threading.Event()
    service, environ = _service()
    service.checks.add(HealthCheck("stuck", release.wait, timeout=0.1))
    found = _finding(diagnose(environ, service), "checks", "stuck")
    release.set()
    assert found.wrong
    assert "no answer within 0.1 s" in found.source


@pytest.mark.parametrize("well", [True, False])
def test_a_check_is_not_repeated_while_others_take_their_time(well: bool) -> None:
    runs: list[bool] = []
    again = threading.Event()

    def quick() -> bool:
        if runs:
            again.set()
        runs.append(True)
        return well

    slow = HealthCheck("slow", lambda: not again.wait(0.3))
    assert [run.error for run in run_once([HealthCheck("quick", quick, interval=0.01), slow])][1] == ""
    assert runs == [True]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError()])
def test_whatever_a_check_raises_is_its_answer(error: BaseException) -> None:
    def check() -> None:
        raise error

    (run,) = run_once([HealthCheck("odd", check)])
    assert run.error is not None
    assert run.error.startswith(type(error).__name__)
    assert run_once([]) == []


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["/venv/bin/python", "/venv/bin/baselib", "serve", "duolingo_api.app:app"], "duolingo_api.app:app"),
        (["/sbin/docker-init", "--", "baselib", "worker", "--host", "::", "a.worker:worker"], "a.worker:worker"),
        (["python", "-m", "baselib.cli", "cron", "a.job:job", ""], "a.job:job"),
        (["gunicorn", "duolingo_api.app:app"], None),
        (["/bin/sh", "-c", "baselib serve a.app:app"], None),
        (["notbaselib", "serve", "a.app:app"], None),
        (["baselib", "doctor", "a.app:app"], None),
        ([], None),
    ],
)
def test_the_command_of_the_container_says_where_the_service_is(
    command: list[str], place: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "cmdline"
    file.write_bytes("\0".join([*command, ""]).encode())
    found = find_place(tmp_path, file)
    assert (found[0] if found else None) == place
    assert find_place(tmp_path, tmp_path / "missing") is None


@pytest.mark.parametrize("answers", ["", "kind: web", "[]", "{", "product: 3\nservice: x\nkind: web", "\x00"])
def test_answers_that_make_no_sense_name_no_place(answers: str, tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.yml").write_text(answers, encoding="utf-8")
    assert find_place(tmp_path, tmp_path / "missing") is None


def test_an_import_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "waits_for_ever.py").write_text("import threading\n\nthreading.Event().wait()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotLoadedError) as caught:
        load("waits_for_ever:app", seconds=0.2)
    assert "not imported within 0.2 s" in str(caught.value)
    assert str(caught.value).endswith(f"(at {tmp_path / 'waits_for_ever.py'}, line 3)")


def test_an_application_of_somebody_else_has_no_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "foreign_application.py").write_text("def app(environ, start_response): ...\nnumber = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load("foreign_application:app") is None
    with pytest.raises(NotLoadedError, match="of type int: accepted is an application, a Worker or a Job"):
        load("foreign_application:number")
