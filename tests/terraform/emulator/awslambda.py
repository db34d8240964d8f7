"""Lambda functions: where they log to."""

from typing import Any

from moto.awslambda.models import LambdaFunction

from tests.terraform.emulator.patching import around


@around(LambdaFunction, "__init__")
def create(
    original: Any, self: Any, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1
) -> None:
    """moto forgets how and where a function logs.

    https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    """
    original(self, account_id, spec, region, version)
    self.logging_config = spec.get("LoggingConfig") or {}


@around(LambdaFunction, "get_configuration")
def get_configuration(original: Any, self: Any, on_create: bool = False) -> dict[str, Any]:
    """A function that names no log group has one of its own name, and writes text to it.

    https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
    """
    own = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"}
    return {**original(self, on_create), "LoggingConfig": own | self.logging_config}


@around(LambdaFunction, "update_configuration")
def update_configuration(original: Any, self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
    """The same when it is changed.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    """
    self.logging_config = config_updates.get("LoggingConfig") or self.logging_config
    return original(self, config_updates)  # type: ignore[no-any-return]
