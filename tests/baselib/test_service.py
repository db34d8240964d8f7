"""A service: settings, telemetry, AWS and checks set up from one environment."""

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from baselib import dns, http
from baselib.aws import clients
from baselib.contract import ConfigurationError, Needs
from baselib.service import Service, read_settings
from tests.baselib.processes import restored, until

IDENTITY = {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "platform"}


@pytest.fixture(autouse=True)
def _process_as_it_was() -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    with restored():
        yield
    logging.getLogger().handlers[:] = handlers


def test_wrong_settings_are_told_on_standard_error_and_end_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError) as end:
        read_settings(environ={"PORT": "x", "HEALTH_TOKEN": "hunter2"})
    told = capsys.readouterr()
    assert end.value.code == 78
    assert told.out == ""
    assert "hunter2" not in told.err
    lines = told.err.splitlines()
    assert len(lines) == len(end.value.problems) == 5
    assert all(line.startswith("configuration error: ") for line in lines)


def test_good_settings_are_told_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_settings(environ=IDENTITY).service == "api"
    assert capsys.readouterr() == ("", "")


def test_a_process_with_wrong_settings_ends_with_78_and_one_line_for_each() -> None:
    code = "from baselib.contract import Needs; from baselib.service import Service; Service(Needs(), {'PORT': 'x'})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 78
    assert [line.split(" ")[2] for line in ended.stderr.splitlines()] == [*IDENTITY, "PORT"]
    assert ended.stdout == ""


def test_every_declared_need_has_a_check() -> None:
    needs = Needs(data_stores=("redis",), hard_dependencies=("shop-api",), soft_dependencies=("shop-mail", "shop-off"))
    service = Service(
        needs,
        {
            **IDENTITY,
            "REDIS_URL": "redis://cache",
            "SHOP_API_URL": "http://api",
            "SHOP_MAIL_URL": "http://mail",
        },
    )
    assert [(check.name, check.hard) for check in service.checks.checks()] == [
        ("redis", True),
        ("shop-api", True),
        ("shop-mail", False),
    ]
    assert not any(check.required_for_traffic for check in service.checks.checks())


def test_a_service_adds_checks_of_its_own() -> None:
    service = Service(Needs(), IDENTITY)

    @service.health_check("licence", hard=False, required_for_traffic=True, timeout=1.5)
    def licence() -> None:
        """Its own words."""

    (check,) = service.checks.checks()
    assert (check.name, check.hard, check.required_for_traffic, check.timeout) == ("licence", False, True, 1.5)
    assert check.run is licence
    with pytest.raises(ValueError, match="already"):
        service.health_check("licence")(licence)


def test_a_check_has_a_schedule_of_its_own() -> None:
    service = Service(Needs(), IDENTITY)
    service.health_check("licence", interval=60.0)(lambda: None)
    assert service.checks.checks()[0].interval == 60.0


def test_a_service_is_not_ready_before_its_start_up_functions_have_succeeded() -> None:
    service, broken = Service(Needs(), IDENTITY), [True]

    @service.start_up("warm cache", retry=0.02)
    def warm() -> None:
        if broken[0]:
            raise OSError("away")

    assert service.checks.not_ready() == "starting: warm cache"
    broken[0] = False
    until(lambda: service.checks.not_ready() == "", "it is ready")


def test_a_forgotten_name_does_not_lose_the_function() -> None:
    service = Service(Needs(), IDENTITY)
    for decorator in (service.health_check, service.start_up):
        with pytest.raises(TypeError, match="a name is required"):
            decorator(lambda: None)  # type: ignore[arg-type]


def test_aws_clients_are_this_services() -> None:
    service = Service(Needs(), IDENTITY)
    assert clients._clients._settings is service.settings


def test_every_declared_dependency_has_a_client() -> None:
    needs = Needs(hard_dependencies=("shop-api",), soft_dependencies=("shop-off",))
    Service(needs, {**IDENTITY, "SHOP_API_URL": "http://127.0.0.1:9"})
    assert http.client("shop-api").dependency == "shop-api"
    assert http.client("shop-off").get("/", fallback=[]).json() == []


def test_static_keys_on_ecs_end_the_process_with_78(capsys: pytest.CaptureFixture[str]) -> None:
    held = {**IDENTITY, "AWS_ACCESS_KEY_ID": "AKIA", "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4"}
    with pytest.raises(ConfigurationError) as end:
        read_settings(environ=held)
    assert end.value.code == 78
    assert "AWS_ACCESS_KEY_ID" in capsys.readouterr().err


def test_names_are_looked_up_through_the_cache() -> None:
    dns.uninstall()
    before = socket.getaddrinfo
    Service(Needs(), IDENTITY)
    assert socket.getaddrinfo is not before
