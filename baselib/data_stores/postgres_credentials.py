"""Where user and password of a new connection to postgres come from, when they are not in its address."""

from typing import Protocol

from baselib.contract import Settings


class Credentials(Protocol):
    """User and password that change while the process runs."""

    def parameters(self) -> dict[str, str]:
        """What a new connection is made with."""

    def after_refusal(self, refused: dict[str, str]) -> dict[str, str]:
        """What to try once more; the same where there is nothing else."""


class IamToken:
    """A token signed by the task's role, as password
    (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html).

    It is not kept, although it is good for 15 minutes: it ends with the role's credentials, which may be sooner, and a
    new one is a signature made here, without a call.

    Args:
        host: The cluster's own endpoint; a token for another name of it is refused.
        port: Its port.
        user: The database user, which has been granted `rds_iam`.
    """

    def __init__(self, host: str, port: int, user: str) -> None:
        self._host, self._port, self._user = host, port, user

    def parameters(self) -> dict[str, str]:
        """A new token."""
        from baselib import aws  # noqa: PLC0415 - only services that ask AWS for credentials

        token = aws.client("rds").generate_db_auth_token(self._host, self._port, self._user)
        return {"user": self._user, "password": token}

    def after_refusal(self, refused: dict[str, str]) -> dict[str, str]:
        """The same: another token would be refused too."""
        return refused


class RotatedSecret:
    """User and password in Secrets Manager, as RDS keeps them there and changes them.

    Args:
        arn: The secret.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def parameters(self) -> dict[str, str]:
        """Those that are known, read from Secrets Manager the first time."""
        return self._read(refresh=False)

    def after_refusal(self, refused: dict[str, str]) -> dict[str, str]:
        """Those that are in Secrets Manager now, unless others than the refused ones are known already."""
        known = self.parameters()
        return self._read(refresh=True) if known == refused else known

    def _read(self, *, refresh: bool) -> dict[str, str]:
        from baselib import aws  # noqa: PLC0415 - only services that ask AWS for credentials

        secret = aws.secret(self._arn, region=self._arn.split(":")[3])
        if refresh:
            secret.refresh()
        document = secret.json
        try:
            return {"user": str(document["username"]), "password": str(document["password"])}
        except (KeyError, TypeError):
            # Without its cause, which may quote the secret.
            raise ValueError(f"the secret {self._arn} has no username and password") from None


def credentials(settings: Settings, host: str, port: int, user: str | None) -> Credentials | None:
    """Where the credentials come from; None when they are in the address.

    Args:
        settings: Says which way.
        host: Where postgres is.
        port: Its port.
        user: The user in the address.
    """
    if settings.database_credentials == "url":
        return None
    if settings.database_credentials == "iam":
        return IamToken(host, port, user or "")
    return RotatedSecret(settings.database_credentials)
