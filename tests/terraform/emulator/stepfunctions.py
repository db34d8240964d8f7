"""State machines of Step Functions: whether a definition is one."""

from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException
from moto.stepfunctions.responses import StepFunctionResponse

from tests.terraform.emulator.patching import missing


@missing(StepFunctionResponse, "validate_state_machine_definition")
def validate_state_machine_definition(self: Any) -> ActionResult:
    """The provider asks this at each plan, and moto has no answer; its own parser of the language gives one.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
    """
    diagnostics = []
    try:
        AmazonStateLanguageParser.parse(self._get_param("definition"))
    except ASLParserException as error:
        message = "; ".join(str(part) for part in error.errors)
        diagnostics = [{"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": message}]
    return ActionResult({"result": "FAIL" if diagnostics else "OK", "diagnostics": diagnostics, "truncated": False})


@missing(StepFunctionResponse, "list_state_machine_versions")
def list_state_machine_versions(self: Any) -> ActionResult:
    """The provider asks for the versions of each state machine that it reads; moto keeps them and does not list them.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachineVersions.html
    """
    machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
    versions = sorted(machine.versions.items(), reverse=True)
    return ActionResult(
        {
            "stateMachineVersions": [
                {"stateMachineVersionArn": version.arn, "creationDate": version.creation_date}
                for _, version in versions
            ]
        }
    )
