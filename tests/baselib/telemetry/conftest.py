"""What the tests of telemetry share: the process's logging and metrics are given back as they were."""

import logging
from collections.abc import Iterator

import pytest

from baselib.contract import Settings
from baselib.telemetry import metrics
from baselib.telemetry.span import deactivate

IDENTITY = {
    "SERVICE_PRODUCT": "duolingo",
    "SERVICE_NAME": "api",
    "SERVICE_OWNER": "platform",
    "SERVICE_ENVIRONMENT": "prod",
    "SERVICE_RELEASE": "1.2.3",
}


@pytest.fixture(autouse=True)
def _telemetry_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = (metrics._target, metrics._prefix, metrics._tags)
    deactivate()
    yield
    deactivate()
    metrics.configure(before[0], prefix=before[1], tags=before[2])
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def service_settings() -> Settings:
    """The settings of a service in production."""
    return Settings.from_environment(IDENTITY)
