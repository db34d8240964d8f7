"""What IAM lets a role do, once it is enforced: by the resource of a request, which moto mostly leaves out.

Of the policies of resources, moto evaluates a bucket's only: what is shown beyond that is which actions on which
resources the policies of a role allow.
"""

import re
from typing import Any

from moto.dynamodb.responses import DynamoHandler
from moto.iam.access_control import IAMPolicyStatement, IAMRequestBase, PermissionResult
from moto.secretsmanager.exceptions import SecretNotFoundException
from moto.secretsmanager.responses import SecretsManagerResponse

from tests.terraform.emulator.patching import around, missing


def _fits(pattern: str, text: str, flags: int = 0) -> re.Match[str] | None:
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, flags | re.DOTALL)


@around(IAMPolicyStatement, "_match")
def match(_: Any, self: Any, pattern: str, text: str) -> re.Match[str] | None:
    """moto takes a pattern of a policy for a regular expression, in which a dot is any character.

    Only `*` and `?` stand for others, and a `*` in the request does not:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html. Actions are matched
    whatever their case: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    return _fits(pattern, text, 0 if pattern.startswith("arn:") else re.IGNORECASE)


def _like(patterns: list[str], value: str) -> bool:
    return any(_fits(pattern, value) for pattern in patterns)


def _equals(texts: list[str], value: str) -> bool:
    return value in texts


def _bool(texts: list[str], value: str) -> bool:
    return value.lower() in [text.lower() for text in texts]


# The negated ones hold for a key that is not in the request, the others do not.
OPERATORS = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_like, False),
    "ArnNotEquals": (_like, True),
    "ArnLike": (_like, False),
    "ArnNotLike": (_like, True),
    "Bool": (_bool, False),
}
# The emulator stands for the endpoints of AWS, which are called by TLS.
REQUEST = {"aws:SecureTransport": "true"}


@around(IAMPolicyStatement, "_check_conditions")
def check_conditions(_: Any, self: Any, values: dict[str, str] | None) -> bool:
    """moto knows StringEquals only and takes every other condition to hold, that of a denial without TLS for instance.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    request = REQUEST | (values or {})
    for operator, keys in self._statement.get("Condition", {}).items():
        compare, negated = OPERATORS[operator]
        for key, expected in keys.items():
            texts = [str(text) for text in (expected if isinstance(expected, list) else [expected])]
            if (key in request and compare(texts, request[key])) == negated:
                return False
    return True


@around(IAMPolicyStatement, "is_action_permitted")
def is_action_permitted(
    original: Any, self: Any, action: str, resource: str = "*", principal: Any = None, values: Any = None
) -> PermissionResult:
    """To moto, a statement whose condition does not hold denies. In IAM it does not apply, whatever its effect.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    """
    if not self._check_conditions(values):
        return PermissionResult.NEUTRAL
    return original(self, action, resource, principal, values)  # type: ignore[no-any-return]


@around(IAMRequestBase, "check_action_permitted")
def check_action_permitted(original: Any, self: Any, resource: str) -> None:
    """A batch of messages is not an action of its own: who may delete one may delete ten.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    if self._service == "sqs":
        self._action = self._action.removesuffix("Batch")
    original(self, resource)


@missing(DynamoHandler, "_determine_resource")
def table(self: Any) -> str:
    """The table, of every action on items, says
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    """
    name = self.body.get("TableName", "*")
    return (
        str(name) if name.startswith("arn:") else f"arn:aws:dynamodb:{self.region}:{self.current_account}:table/{name}"
    )


@missing(SecretsManagerResponse, "_determine_resource")
def secret(self: Any) -> str:
    """The secret, by its whole ARN even when it is asked for by name.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
    """
    name = self._get_param("SecretId") or "*"
    backend = self.backend
    try:
        return str(backend.describe_secret(name).arn)
    except SecretNotFoundException:
        return f"arn:aws:secretsmanager:{self.region}:{self.current_account}:secret:{name}"
