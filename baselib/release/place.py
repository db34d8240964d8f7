"""Where a service's environment is: read from the files of its repository.

>>> text = '''
... bucket = "platform-terraform-prod-123456789012-eu-west-1" # of the account
... key    = "duolingo-api/prod.tfstate"
... region = "eu-west-1"
... '''
>>> backend_values(text)["key"]
'duolingo-api/prod.tfstate'
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from baselib.contract import ConfigurationError, NameRuleError, ServiceName, check_name

_LINE: Final = re.compile(r'^\s*(\w+)\s*=\s*"([^"]*)"', re.MULTILINE)
_ACCOUNT: Final = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_TO_BE_FILLED: Final = "ACCOUNT_ID"
_WANTED: Final = ("bucket", "key", "region")


def backend_values(text: str) -> dict[str, str]:
    """The texts that a file of backend configuration gives names to."""
    return dict(_LINE.findall(text))


@dataclass(frozen=True, slots=True)
class Place:
    """A service in an environment.

    Attributes:
        name: The service.
        environment: The environment.
        folder: The service's repository.
        account_id: The AWS account.
        region: The AWS region.
        bucket: The bucket of its Terraform state.
        key: The state within the bucket.
    """

    name: ServiceName
    environment: str
    folder: Path
    account_id: str
    region: str
    bucket: str
    key: str

    @classmethod
    def find(cls, folder: Path, environment: str) -> Self:
        """Read the place of an environment.

        Args:
            folder: The service's repository.
            environment: The environment.

        Raises:
            ConfigurationError: A file is missing or says something that cannot be.
        """
        try:
            check_name("environment", environment)
        except NameRuleError as error:
            raise ConfigurationError([f"{environment!r} is no environment: {error}"]) from None
        name = _name(folder)
        file = folder / "terraform" / "environments" / f"{environment}.s3.tfbackend"
        try:
            values = backend_values(file.read_text(encoding="utf-8"))
        except OSError:
            known = ", ".join(sorted(each.name.split(".")[0] for each in file.parent.glob("*.s3.tfbackend"))) or "none"
            raise ConfigurationError(
                [f"there is no {file.relative_to(folder)}, so that nothing is known of {environment}; known: {known}"]
            ) from None
        missing = [wanted for wanted in _WANTED if not values.get(wanted)]
        if missing:
            raise ConfigurationError([f"{file.relative_to(folder)} does not say {', '.join(missing)}"])
        accounts = _ACCOUNT.findall(values["bucket"])
        if _TO_BE_FILLED in values["bucket"] or len(accounts) != 1:
            accepted = f"accepted is a name that holds the id of {environment}'s AWS account, twelve digits"
            raise ConfigurationError([f"{file.relative_to(folder)}: bucket is {values['bucket']!r}; {accepted}"])
        return cls(name, environment, folder, accounts[0], values["region"], values["bucket"], values["key"])

    @property
    def terraform(self) -> Path:
        """The folder of its Terraform."""
        return self.folder / "terraform"

    @property
    def backend_file(self) -> str:
        """The environment's backend configuration, seen from the folder of its Terraform."""
        return f"environments/{self.environment}.s3.tfbackend"

    @property
    def migrations(self) -> bool:
        """Whether the service has migrations of its database."""
        folder = self.folder / "src" / self.name.package / "migrations"
        return any(folder.glob("*.py"))

    @property
    def ecr_repository(self) -> str:
        """The image repository in the environment's account."""
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        repository = self.resource("ecr_repository")
        return f"{self.account_id}.dkr.ecr.{self.region}.{suffix}/{repository}"

    def resource(self, kind: str) -> str:
        """The name of one of its resources."""
        return self.name.resource(kind, environment=self.environment, account=self.account_id, region=self.region)

    @property
    def state_machine(self) -> str:
        """The ARN of the state machine that runs it, if it is a cron job."""
        name = self.resource("state_machine")
        return f"arn:{self._partition}:states:{self.region}:{self.account_id}:stateMachine:{name}"

    def role(self, kind: str) -> str:
        """The ARN of one of its pipeline's roles."""
        return f"arn:{self._partition}:iam::{self.account_id}:role/{self.resource(kind)}"

    @property
    def _partition(self) -> str:
        return "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if "-gov-" in self.region else "aws"


def _name(folder: Path) -> ServiceName:
    file = folder / "pyproject.toml"
    try:
        name = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"]
        return ServiceName.parse(name)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(
            [f"{folder} is no service's repository: its pyproject.toml does not name one ({error})"]
        ) from None
