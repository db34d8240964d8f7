"""What the tests of telemetry share."""

import pytest

from baselib.contract import Settings

IDENTITY = {
    "SERVICE_PRODUCT": "duolingo",
    "SERVICE_NAME": "api",
    "SERVICE_OWNER": "platform",
    "SERVICE_ENVIRONMENT": "prod",
    "SERVICE_RELEASE": "1.2.3",
}


@pytest.fixture
def service_settings() -> Settings:
    """The settings of a service in production."""
    return Settings.from_environment(IDENTITY)
