"""What stops a release: one line that says what and why, and what runs now."""

import contextlib
from collections.abc import Iterator


class ReleaseError(Exception):
    """It could not be done; its text is one line, or a line and what another program said."""


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn errors of AWS's libraries into a `ReleaseError`.

    Args:
        what: What the calls are for, such as `look up the image`.

    Raises:
        ReleaseError: A call failed.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415

    try:
        yield
    except NoCredentialsError as error:
        raise ReleaseError(f"cannot {what}: no AWS credentials: log in, or set AWS_PROFILE") from error
    except (ClientError, BotoCoreError) as error:
        raise ReleaseError(f"cannot {what}: {' '.join(str(error).split())}") from error
