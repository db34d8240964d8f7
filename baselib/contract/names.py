"""Names: what a product, service, subservice and environment may be called, and every name that follows from them.

>>> name = ServiceName("duolingo", "api")
>>> name.repository, name.package, name.url_variable
('duolingo-api', 'duolingo_api', 'DUOLINGO_API_URL')
>>> name.resource("log_group", environment="prod")
'/ecs/prod/duolingo-api'
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from baselib.contract._document import CONTRACT

RESOURCES: Final = CONTRACT["resources"]

_RULES: Final = CONTRACT["names"]
_TOGETHER: Final[int] = _RULES["product_service"]["maximum_length"]
_HASH_DIGITS: Final = 8


class NameRuleError(ValueError):
    """A name breaks a rule of the contract; the message is the rule."""


def check_name(kind: str, value: str) -> str:
    """Return `value` unchanged if it may name a `kind`.

    Args:
        kind: `product`, `service`, `subservice` or `environment`.
        value: The name.

    Raises:
        NameRuleError: The sentence that also the template and Terraform refuse the name with.
    """
    rule = _RULES[kind]
    # fullmatch, because `$` would let a trailing line break through.
    legal = re.fullmatch(rule["pattern"], value) and len(value) <= rule["maximum_length"]
    if not legal or value in rule["reserved"]:
        raise NameRuleError(rule["rule"])
    return value


@dataclass(frozen=True, slots=True)
class ServiceName:
    """A product and a service of it, and what is named after the two.

    Args:
        product: For instance `duolingo`.
        service: For instance `api`.

    Raises:
        NameRuleError: One of the two breaks its rule, or together they are too long.
    """

    product: str
    service: str

    def __post_init__(self) -> None:
        check_name("product", self.product)
        check_name("service", self.service)
        if len(self.repository) > _TOGETHER:
            raise NameRuleError(_RULES["service"]["rule"])

    @classmethod
    def parse(cls, repository: str) -> "ServiceName":
        """The service whose repository is called `repository`, such as `duolingo-api`.

        Raises:
            NameRuleError: It is not a product and a service joined by a hyphen.
        """
        product, _, service = repository.partition("-")
        return cls(product, service)

    @property
    def repository(self) -> str:
        """The name of the repository, ECS service, ECR repository and Terraform module label."""
        return f"{self.product}-{self.service}"

    @property
    def package(self) -> str:
        """The name of the Python package."""
        return self.repository.replace("-", "_")

    @property
    def metric_prefix(self) -> str:
        """What every metric's name begins with, without the closing dot."""
        return f"{self.product}.{self.service}"

    @property
    def url_variable(self) -> str:
        """The environment variable in which other services find this one."""
        return f"{self.package.upper()}_URL"

    def resource(
        self,
        kind: str,
        *,
        environment: str,
        subservice: str | None = None,
        account: str = "",
        region: str = "",
    ) -> str:
        """The name of an AWS resource of this service.

        Args:
            kind: A key of `RESOURCES`, such as `target_group`.
            environment: For instance `prod`.
            subservice: The data store, for kinds that are one.
            account: The AWS account id, for kinds whose names are global.
            region: The AWS region, for kinds whose names are global.

        Raises:
            NameRuleError: The environment or the subservice breaks its rule.
            ValueError: A data store needs a subservice.
        """
        rule = RESOURCES[kind]
        pattern: str = rule["name"]
        check_name("environment", environment)
        words = 1
        if "{subservice}" in pattern:
            if subservice is None:
                raise ValueError(f"a {kind} needs a subservice")
            words = check_name("subservice", subservice).count("-") + 1
        name = pattern.format(
            product=self.product,
            service=self.service,
            # Without the count, service `a` with `b-c` and service `a-b` with `c` would share a name.
            environment=environment if words == 1 else f"{environment}-{words}",
            subservice=subservice,
            account=account,
            region=region,
        )
        if rule.get("hashed") and len(name) > rule["limit"]:
            digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS]
            name = f"{name[: rule['limit'] - _HASH_DIGITS - 1].rstrip('-')}-{digest}"
        return name


def queue_url_variable(queue: str | None = None) -> str:
    """The environment variable that holds a queue's URL: the worker's own, or a further one by name.

    Args:
        queue: The further queue's name, which has the form of a service's name.

    Raises:
        NameRuleError: The queue's name has another form.
    """
    if queue is None:
        return "QUEUE_URL"
    return f"QUEUE_{check_name('service', queue).replace('-', '_').upper()}_URL"
