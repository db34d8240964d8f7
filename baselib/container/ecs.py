"""Whether this process runs as an ECS task."""

from collections.abc import Mapping
from typing import Final

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
METADATA_VARIABLE: Final = "ECS_CONTAINER_METADATA_URI_V4"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
CREDENTIALS_VARIABLE: Final = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"


def on_ecs(environ: Mapping[str, str]) -> bool:
    """Whether the ECS agent has set the variables that it sets in every task.

    Args:
        environ: The environment variables, usually `os.environ`.
    """
    return bool(environ.get(METADATA_VARIABLE) or environ.get(CREDENTIALS_VARIABLE))
