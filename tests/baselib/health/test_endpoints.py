"""The endpoints: what each answers in each phase, to whom, and with which body."""

import json
import platform
import threading
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from ipaddress import ip_network
from typing import Any, NoReturn

import pytest

from baselib.contract import Settings
from baselib.health import HealthCheck, HealthChecks, HealthEndpoints, StartUp
from baselib.lifecycle import Life, Phase
from tests.baselib.processes import PATIENCE_SECONDS, until

LIVE, READY, DEPENDENCIES, INFO = (
    "/healthz/live",
    "/healthz/ready",
    "/healthz/dependencies",
    "/healthz/info",
)
SECRET = "hunter2hunter2hunter2"
SETTINGS = Settings(
    product="duolingo",
    service="api",
    owner="platform",
    environment="prod",
    release="1.2.3",
    health_token=SECRET,
    sentry_dsn=f"https://{SECRET}@sentry.example/1",
    data_store_urls={"postgres": f"postgresql://u:{SECRET}@db/main"},
)
PRIVATE, PUBLIC = "10.0.0.1", "8.8.8.8"


def _life(phase: Phase) -> Life:
    life = Life()
    life.advance(phase)
    return life


def _fails() -> NoReturn:
    raise OSError("refused")


def _asked(
    endpoints: HealthEndpoints, path: str, method: str = "GET", **environ: Any
) -> tuple[str, dict[str, str], bytes]:
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        told.append((status, headers))

    content = b"".join(
        endpoints({"PATH_INFO": path, "REQUEST_METHOD": method, "REMOTE_ADDR": PRIVATE, **environ}, start_response)
    )
    ((status, headers),) = told
    return status, dict(headers), content


def _endpoints(phase: Phase = Phase.READY, *checks: HealthCheck | StartUp, **more: Any) -> HealthEndpoints:
    made = HealthChecks()
    for check in checks:
        made.add_start_up(check) if isinstance(check, StartUp) else made.add(check)
    return HealthEndpoints(SETTINGS, _life(phase), made, **more)


@pytest.mark.parametrize("phase", Phase)
def test_a_process_is_alive_in_every_phase_and_whatever_its_checks_say(phase: Phase) -> None:
    asked: list[int] = []
    check = HealthCheck("store", lambda: asked.append(1), required_for_traffic=True)
    status, _, body = _asked(_endpoints(phase, check), LIVE, REMOTE_ADDR=PUBLIC)
    assert (status, json.loads(body)) == ("200 OK", {"status": "alive"})
    assert asked == []


def test_a_stuck_process_is_not_alive() -> None:
    status, _, body = _asked(_endpoints(alive=lambda: False), LIVE)
    assert (status, json.loads(body)) == ("503 Service Unavailable", {"status": "stuck"})


@pytest.mark.parametrize(
    ("phase", "status", "body"),
    [
        (Phase.STARTING, "503 Service Unavailable", {"status": "not ready", "reason": "starting"}),
        (Phase.READY, "200 OK", {"status": "ready"}),
        (Phase.DRAINING, "503 Service Unavailable", {"status": "not ready", "reason": "draining"}),
        (Phase.STOPPED, "503 Service Unavailable", {"status": "not ready", "reason": "stopped"}),
    ],
)
def test_a_process_is_ready_only_between_start_and_drain(phase: Phase, status: str, body: dict[str, str]) -> None:
    answered, _, content = _asked(_endpoints(phase), READY, REMOTE_ADDR=PUBLIC)
    assert (answered, json.loads(content)) == (status, body)


def test_only_a_check_required_for_traffic_takes_the_task_out_of_the_load_balancer() -> None:
    optional = HealthCheck("store", _fails, hard=True)
    required = HealthCheck("licence", _fails, required_for_traffic=True)
    assert _asked(_endpoints(Phase.READY, optional), READY)[0] == "200 OK"
    status, _, body = _asked(_endpoints(Phase.READY, optional, required), READY)
    assert status == "503 Service Unavailable"
    assert json.loads(body) == {"status": "not ready", "reason": "failed: licence"}


@pytest.mark.parametrize(
    ("hard_fails", "soft_fails", "told"),
    [(False, False, "healthy"), (False, True, "degraded"), (True, False, "failed"), (True, True, "failed")],
)
def test_dependencies_are_told_one_by_one_and_together(hard_fails: bool, soft_fails: bool, told: str) -> None:
    hard = HealthCheck("hard", _fails if hard_fails else lambda: None)
    soft = HealthCheck("soft", _fails if soft_fails else lambda: None, hard=False)
    status, _, body = _asked(_endpoints(Phase.READY, hard, soft), DEPENDENCIES)
    answer = json.loads(body)
    assert (status, answer["status"]) == ("200 OK", told)
    assert list(answer["checks"]) == ["hard", "soft"]
    for name, fails, is_hard in (("hard", hard_fails, True), ("soft", soft_fails, False)):
        check = answer["checks"][name]
        assert set(check) == {
            "status",
            "hard",
            "required_for_traffic",
            "latency_ms",
            "last_error",
            "age_seconds",
            "since_seconds",
        }
        assert check["status"] == ("failed" if fails else "healthy")
        assert check["hard"] == is_hard
        assert check["last_error"] == ("OSError: refused" if fails else "")
        assert check["latency_ms"] >= 0
        assert check["age_seconds"] >= 0
        assert check["since_seconds"] >= 0


def _fails_without_text() -> NoReturn:
    raise OSError("no such file: caf\udce9")


def test_an_error_that_is_no_text_is_told_all_the_same() -> None:
    status, _, body = _asked(_endpoints(Phase.READY, HealthCheck("file", _fails_without_text)), DEPENDENCIES)
    assert status == "200 OK"
    assert "no such file: caf" in json.loads(body)["checks"]["file"]["last_error"]


def test_info_tells_identity_phase_and_versions_and_no_secret() -> None:
    status, _, body = _asked(_endpoints(Phase.DRAINING), INFO)
    answer = json.loads(body)
    assert status == "200 OK"
    assert answer.pop("uptime_seconds") >= 0
    assert answer == {
        "product": "duolingo",
        "service": "api",
        "owner": "platform",
        "environment": "prod",
        "release": "1.2.3",
        "phase": "draining",
        "baselib": version("baselib"),
        "python": platform.python_version(),
    }
    assert SECRET.encode() not in body


@pytest.mark.parametrize("path", [DEPENDENCIES, INFO])
@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": PUBLIC},
        {"REMOTE_ADDR": PUBLIC, "HTTP_X_FORWARDED_FOR": PRIVATE},
        {"HTTP_X_FORWARDED_FOR": f"{PRIVATE}, {PUBLIC}"},
        {"HTTP_FORWARDED": f"for={PRIVATE}"},
        {"REMOTE_ADDR": "rubbish"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": PUBLIC, "HTTP_AUTHORIZATION": "Bearer wrong"},
    ],
)
def test_a_stranger_finds_nothing_there_rather_than_something_forbidden(path: str, environ: dict[str, str]) -> None:
    ran: list[int] = []
    endpoints = _endpoints(Phase.READY, HealthCheck("store", lambda: ran.append(1)))
    status, headers, body = _asked(endpoints, path, **environ)
    assert status == "404 Not Found"
    # The same as of a path that does not exist, and no check was run for a stranger.
    assert (status, headers, body) == _asked(endpoints, "/nothing/here")
    assert ran == []


@pytest.mark.parametrize("path", [DEPENDENCIES, INFO])
def test_the_token_opens_the_details(path: str) -> None:
    status, _, _ = _asked(_endpoints(), path, REMOTE_ADDR=PUBLIC, HTTP_AUTHORIZATION=f"Bearer {SECRET}")
    assert status == "200 OK"


@pytest.mark.parametrize("path", [LIVE, READY, DEPENDENCIES, INFO, "/nothing"])
@pytest.mark.parametrize("remote", [PRIVATE, PUBLIC])
def test_an_answer_to_head_is_that_to_get_without_the_body(path: str, remote: str) -> None:
    endpoints = _endpoints()
    got, asked = _asked(endpoints, path, REMOTE_ADDR=remote), _asked(endpoints, path, "HEAD", REMOTE_ADDR=remote)
    assert asked[2] == b""
    assert asked[0] == got[0]
    assert asked[1].keys() == got[1].keys()
    assert int(asked[1]["Content-Length"]) > 0
    assert int(got[1]["Content-Length"]) == len(got[2])


@pytest.mark.parametrize("path", [LIVE, READY, DEPENDENCIES, INFO])
def test_no_answer_is_kept_by_a_cache(path: str) -> None:
    _, headers, body = _asked(_endpoints(), path)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json"
    assert body.endswith(b"\n")


@pytest.mark.parametrize("path", ["/", "/healthz", "/healthz/live/", "/healthz/live/x", "/HEALTHZ/LIVE", ""])
def test_every_other_path_is_the_applications(path: str) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"the application"]

    assert _asked(_endpoints(application=application), path)[2] == b"the application"
    assert _asked(_endpoints(), path)[0] == "404 Not Found"


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """What a hung function waits for; it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("phase", Phase)
def test_the_reason_names_what_is_waited_for(phase: Phase) -> None:
    endpoints = _endpoints(phase, StartUp("warm cache", _fails), HealthCheck("db", _fails, required_for_traffic=True))
    status, _, body = _asked(endpoints, READY)
    reason = "starting: warm cache" if phase <= Phase.READY else phase.name.lower()
    assert (status, json.loads(body)) == ("503 Service Unavailable", {"status": "not ready", "reason": reason})


def test_before_the_process_serves_a_failed_check_is_not_the_reason() -> None:
    endpoints = _endpoints(Phase.STARTING, HealthCheck("db", _fails, required_for_traffic=True))
    assert json.loads(_asked(endpoints, READY)[2])["reason"] == "starting"


def test_a_required_check_must_have_passed_once_before_traffic_comes() -> None:
    broken = [True]
    check = HealthCheck("db", lambda: _fails() if broken[0] else None, required_for_traffic=True, interval=0.02)
    endpoints = _endpoints(Phase.READY, check)
    assert _asked(endpoints, READY)[0] == "503 Service Unavailable"
    broken[0] = False
    until(lambda: _asked(endpoints, READY)[0] == "200 OK", "it is ready")


def test_dependencies_tell_how_far_the_start_has_come() -> None:
    endpoints = _endpoints(Phase.READY, StartUp("warm", _fails, retry=1000.0), StartUp("migrate", lambda: None))
    _asked(endpoints, READY)
    assert json.loads(_asked(endpoints, DEPENDENCIES)[2])["start_up"] == {
        "warm": {"status": "waiting", "attempts": 1, "last_error": "OSError: refused"},
        "migrate": {"status": "done", "attempts": 1, "last_error": ""},
    }


def test_a_check_that_hangs_is_told_as_failed_with_its_age(hung: threading.Event) -> None:
    check = HealthCheck("store", lambda: hung.wait(PATIENCE_SECONDS), timeout=0.05, interval=0.05)
    endpoints = _endpoints(Phase.READY, check)

    def told() -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(_asked(endpoints, DEPENDENCIES)[2])["checks"]["store"]
        return answer

    assert told()["status"] == "failed"
    until(lambda: told()["age_seconds"] >= 0.3 and told()["latency_ms"] >= 300, "its age grows")
    assert "running for" in told()["last_error"]


def test_no_answer_tells_a_secret_of_an_error() -> None:
    def leaks() -> NoReturn:
        raise OSError(f"no route to postgresql://app:{SECRET}@db/main")

    endpoints = _endpoints(
        Phase.READY, HealthCheck("db", leaks, required_for_traffic=True), StartUp("warm", leaks, retry=1000.0)
    )
    for path in (READY, DEPENDENCIES):
        assert SECRET.encode() not in _asked(endpoints, path)[2]


@pytest.mark.parametrize("path", [LIVE, READY, DEPENDENCIES, INFO])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", ""])
def test_the_endpoints_are_only_read(path: str, method: str) -> None:
    status, headers, body = _asked(_endpoints(), path, method)
    assert (status, headers["Allow"]) == ("405 Method Not Allowed", "GET, HEAD")
    assert json.loads(body) == {"status": "method not allowed"}
    # A stranger does not learn from the method that something is there.
    status, headers, _ = _asked(_endpoints(), path, method, REMOTE_ADDR=PUBLIC)
    assert ("Allow" in headers) == (path in {LIVE, READY})


@pytest.mark.parametrize("path", [LIVE, READY, INFO])
def test_a_query_is_no_matter(path: str) -> None:
    assert _asked(_endpoints(), path, QUERY_STRING="a=b")[0] == "200 OK"


def test_an_answer_is_not_spoilt_by_who_receives_it() -> None:
    endpoints = _endpoints()

    def meddle(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        headers.append(("Set-Cookie", "a=b"))
        headers.reverse()

    list(endpoints({"PATH_INFO": LIVE, "REQUEST_METHOD": "GET"}, meddle))
    assert list(_asked(endpoints, LIVE)[1]) == ["Content-Type", "Content-Length", "Cache-Control"]


def test_proxies_that_the_settings_trust_are_believed() -> None:
    settings = Settings(
        product="duolingo", service="api", owner="platform", trusted_proxies=(ip_network("203.0.113.0/24"),)
    )
    endpoints = HealthEndpoints(settings, _life(Phase.READY), HealthChecks())
    assert _asked(endpoints, INFO, HTTP_X_FORWARDED_FOR="10.0.0.9, 203.0.113.7")[0] == "200 OK"
    assert _asked(endpoints, INFO, HTTP_X_FORWARDED_FOR="8.8.8.8, 203.0.113.7")[0] == "404 Not Found"


def _immediate(endpoints: HealthEndpoints, path: str) -> tuple[str, dict[str, str], bytes] | None:
    message = endpoints.immediate(path)
    if message is None:
        return None
    head, _, body = message.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    version_, _, status = first.partition(" ")
    assert version_ == "HTTP/1.1"
    headers = dict(line.split(": ", 1) for line in lines)
    assert headers.pop("Connection") == "close"
    return status, headers, body


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("path", [LIVE, READY])
def test_an_immediate_answer_is_the_same(path: str, phase: Phase) -> None:
    endpoints = _endpoints(phase, HealthCheck("db", lambda: None, required_for_traffic=True))
    _asked(endpoints, READY)
    assert _immediate(endpoints, path) == _asked(endpoints, path)


@pytest.mark.parametrize("path", [DEPENDENCIES, INFO, "/", "", "/healthz/live/"])
def test_other_answers_are_not_immediate(path: str) -> None:
    assert _endpoints().immediate(path) is None


def test_an_immediate_answer_waits_for_no_check(hung: threading.Event) -> None:
    check = HealthCheck("db", lambda: hung.wait(PATIENCE_SECONDS), timeout=1000.0, required_for_traffic=True)
    endpoints = _endpoints(Phase.READY, check)
    answer = _immediate(endpoints, READY)
    assert answer is not None
    assert json.loads(answer[2])["reason"] == "starting: db"
    hung.set()
    until(lambda: (_immediate(endpoints, READY) or "x")[0] == "200 OK", "it is ready")


def test_the_checks_may_begin_before_anybody_asks() -> None:
    ran = threading.Event()
    endpoints = _endpoints(Phase.STARTING, HealthCheck("store", ran.set))
    endpoints.start()
    assert ran.wait(PATIENCE_SECONDS)
