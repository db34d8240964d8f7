"""The pytest plug-in of services: sets the contract's variables before the service is imported, and offers fixtures.

In a folder that was not copied from the template the variables stay as they are, and the fixtures work all the same.
"""

import os
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from baselib.contract import Settings
    from baselib.testing.captured_errors import CapturedErrors
    from baselib.testing.captured_logs import CapturedLogs
    from baselib.testing.embedded_aws import EmbeddedAws

# Where a folder was not copied from the template, and sets no identity.
_NOBODY: Final = {"SERVICE_PRODUCT": "test", "SERVICE_NAME": "service", "SERVICE_OWNER": "tests"}


def pytest_configure(config: pytest.Config) -> None:
    """Set the variables; what the developer has set stays."""
    from baselib.testing.local_environment import local_environment, read_answers  # noqa: PLC0415

    answers = read_answers(config.rootpath)
    if answers is not None:
        for name, value in local_environment(answers).items():
            os.environ.setdefault(name, value)


@pytest.fixture
def app(request: pytest.FixtureRequest) -> "Flask":
    """The web service's application, as `baselib serve` loads it; a service may define another fixture of this name."""
    from importlib import import_module  # noqa: PLC0415

    from baselib.contract import ServiceName  # noqa: PLC0415
    from baselib.testing.local_environment import ANSWERS_FILE, read_answers  # noqa: PLC0415

    answers = read_answers(request.config.rootpath)
    if answers is None or answers["kind"] != "web":
        pytest.fail(
            f"the fixture `app` is for web services that have a {ANSWERS_FILE}: "
            "define a fixture `app` in conftest.py that returns the application",
            pytrace=False,
        )
    application: Flask = import_module(f"{ServiceName(answers['product'], answers['service']).package}.app").app
    return application


@pytest.fixture
def client(app: "Flask") -> "FlaskClient":
    """A client of the fixture `app`, which reads each answer to its end: only then is its span told."""
    from flask.testing import FlaskClient  # noqa: PLC0415

    class WholeAnswers(FlaskClient):
        def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> Any:
            return super().open(*args, buffered=buffered, **kwargs)

    return WholeAnswers(app, app.response_class)


@pytest.fixture
def frozen_identity(monkeypatch: pytest.MonkeyPatch) -> "Settings":
    """The same identity and the same request ids in every run, for tests that compare whole answers or lines."""
    from baselib.contract import Settings  # noqa: PLC0415
    from baselib.telemetry import identifiers  # noqa: PLC0415

    identity = {
        "SERVICE_PRODUCT": "frozen",
        "SERVICE_NAME": "service",
        "SERVICE_OWNER": "tests",
        "SERVICE_ENVIRONMENT": "test",
        "SERVICE_RELEASE": "0",
    }
    for name, value in identity.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(identifiers, "generator", random.Random(0))  # noqa: S311 - the same ids are what is asked for
    return Settings.from_environment(identity)


@pytest.fixture(scope="session")
def embedded_aws_server() -> "Iterator[EmbeddedAws]":
    """One embedded AWS for all tests."""
    from baselib.testing.embedded_aws import EmbeddedAws  # noqa: PLC0415

    with EmbeddedAws() as embedded:
        yield embedded


@pytest.fixture
def embedded_aws(embedded_aws_server: "EmbeddedAws", monkeypatch: pytest.MonkeyPatch) -> "Iterator[EmbeddedAws]":
    """An embedded AWS that this test's `baselib.aws` clients use."""
    from baselib import aws  # noqa: PLC0415

    for name, value in embedded_aws_server.environment.items():
        monkeypatch.setenv(name, value)
    aws.reset()
    yield embedded_aws_server
    aws.reset()


@pytest.fixture
def captured_metrics() -> Iterator[list[str]]:
    """The lines that the test's metrics become."""
    from baselib.health.registry import reset_all  # noqa: PLC0415
    from baselib.telemetry import metrics  # noqa: PLC0415

    # What an earlier test's application checks in the background is not this test's.
    reset_all()
    lines: list[str] = []
    with metrics.redirected(lines.append, prefix="test"):
        yield lines


@pytest.fixture
def captured_logs() -> "Iterator[CapturedLogs]":
    """The test's log lines, as the objects that production would write."""
    from baselib.testing.captured_logs import CapturedLogs  # noqa: PLC0415

    with CapturedLogs() as logs:
        yield logs


@pytest.fixture
def captured_errors() -> "Iterator[CapturedErrors]":
    """What the test would have told Sentry; nothing is sent."""
    from baselib.contract import Settings  # noqa: PLC0415
    from baselib.testing.captured_errors import CapturedErrors  # noqa: PLC0415

    with CapturedErrors(Settings.from_environment({**_NOBODY, **os.environ})) as errors:
        yield errors
