"""Whether this process runs as an ECS task."""

import pytest

from baselib.container import on_ecs


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/1"}, True),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}, True),
        ({"ECS_CONTAINER_METADATA_URI_V4": ""}, False),
        ({"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}, False),
    ],
)
def test_the_agents_variables_tell(environ: dict[str, str], expected: bool) -> None:
    assert on_ecs(environ) is expected
