"""A generated web service, applied, released and destroyed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terraform.applied.conftest import Foundation, World
from tests.terraform.applied.generated import ENVIRONMENT, check_life

pytestmark = pytest.mark.e2e


def test_applied_released_and_destroyed(
    platform: Path,
    tmp_path: Path,
    make_foundation: Callable[[str], Foundation],
    open_world: Callable[..., World],
    applied: Callable[..., World],
) -> None:
    make_foundation(ENVIRONMENT)
    check_life(
        tmp_path,
        platform,
        open_world,
        applied,
        "aws_ecs_service",
        service="api",
        kind="web",
        exposure="external",
    )
