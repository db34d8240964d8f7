"""Names: every derived one is legal and belongs to one service only; every refusal is the contract's sentence."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from baselib.contract import CONTRACT, VARIABLES, NameRuleError, ServiceName, check_name
from baselib.contract.names import RESOURCES, queue_url_variable

RULES: dict[str, Any] = CONTRACT["names"]
ALARMS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[3] / "baselib/contract/alarms.json").read_text(encoding="utf-8")
)
ACCOUNT = "123456789012"
LONGEST_REGION = "ap-southeast-1"
LEGAL_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# Every kind of resource that AWS keeps in one list with another kind, so that the two may not share a name either.
ONE_LIST_OF_AWS = {
    "queue": "SQS",
    "dead_letter_queue": "SQS",
    "failed_runs_queue": "SQS",
    "task_role": "IAM",
    "execution_role": "IAM",
    "plan_role": "IAM",
    "apply_role": "IAM",
    "push_role": "IAM",
    "scheduler_role": "IAM",
    "run_role": "IAM",
    "deadline_role": "IAM",
    "state_machine": "Step Functions",
    "deadline_state_machine": "Step Functions",
    "bucket": "S3",
    "payload_bucket": "S3",
    "function_role": "IAM",
    "dashboard": "CloudWatch dashboards",
    "fleet_dashboard": "CloudWatch dashboards",
    "log_group": "CloudWatch log groups",
    "function_log_group": "CloudWatch log groups",
    "flow_log_role": "IAM",
    "flow_log_group": "CloudWatch log groups",
    "emergency_topic": "SNS",
    "warning_topic": "SNS",
    "security_group": "EC2 security groups",
    "data_store_security_group": "EC2 security groups",
}


class Case(NamedTuple):
    """One service in one environment, with a data store or without."""

    product: str
    service: str
    environment: str
    subservice: str | None

    @property
    def name(self) -> ServiceName:
        """The service's name."""
        return ServiceName(self.product, self.service)

    def names(self) -> dict[str, str]:
        """Every AWS name of the service, by kind."""
        return {
            kind: self.name.resource(
                kind,
                environment=self.environment,
                subservice=self.subservice,
                account=ACCOUNT,
                region=LONGEST_REGION,
            )
            for kind, rule in RESOURCES.items()
            if self.subservice is not None or "{subservice}" not in rule["name"]
        }


# Few letters, and words that mean something elsewhere in a name: with these a hyphen in the wrong place shows.
_WORDS = st.one_of(
    st.from_regex(r"[ab][a1]{0,3}", fullmatch=True),
    st.sampled_from(["a", "b", "db", "prod", "local", "task", "execution", "scheduler", "url", "queue", "aws", "ecs"]),
    st.sampled_from([alarm["name"].split("-")[0] for alarm in ALARMS]),
)
_TAILS = sorted(
    {word for rule in RESOURCES.values() for word in re.findall(r"[a-z]+", rule["name"].rpartition("}")[2])}
)
_LATER_WORDS = st.one_of(_WORDS, st.from_regex(r"[a-z0-9]{1,3}", fullmatch=True), st.just("2"), st.just("3"))


def _joined(words: tuple[str, list[str]]) -> str:
    return "-".join([words[0], *words[1]])


def _accepted(kind: str) -> Callable[[str], bool]:
    def accepted(value: str) -> bool:
        try:
            check_name(kind, value)
        except NameRuleError:
            return False
        return True

    return accepted


_PRODUCTS = st.one_of(_WORDS, st.from_regex(r"[a-z][a-z0-9]{0,17}", fullmatch=True)).filter(_accepted("product"))
_SERVICES = st.one_of(
    st.tuples(_WORDS, st.lists(_LATER_WORDS, max_size=4)).map(_joined),
    st.from_regex(r"[a-z][a-z0-9]{0,17}", fullmatch=True),
).filter(_accepted("service"))
_SUBSERVICES = st.tuples(_WORDS, st.lists(_LATER_WORDS, max_size=2)).map(_joined).filter(_accepted("subservice"))
_ENVIRONMENTS = st.one_of(_WORDS, st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)).filter(_accepted("environment"))


def _fits(case: Case) -> bool:
    most: int = RULES["product_service"]["maximum_length"]
    return len(f"{case.product}-{case.service}") <= most


_CASES = st.builds(Case, _PRODUCTS, _SERVICES, _ENVIRONMENTS, st.none() | _SUBSERVICES).filter(_fits)


def _legal(case: Case) -> bool:
    return _accepted("service")(case.service) and _accepted("environment")(case.environment) and _fits(case)


@st.composite
def _neighbours(draw: st.DrawFn) -> tuple[Case, Case]:
    """Two cases whose words are the same in the same order, cut into names at different places."""
    first = draw(_CASES)
    parts = [*first.service.split("-"), *(first.subservice or "").split("-"), first.environment]
    words = [first.product, *(word for word in parts if word)]
    # A product's own letters may also be cut: `ab` + `c` against `a` + `bc`.
    if draw(st.booleans()):
        glued = "-".join(words)
        at = draw(st.integers(min_value=1, max_value=len(glued) - 1))
        glued = glued[:at] + "-" + glued[at:]
        words = [word for word in glued.split("-") if word]
    # What a kind of resource writes behind the environment may be another service's environment.
    words += draw(st.lists(st.sampled_from(_TAILS), max_size=1))
    assume(len(words) >= 3)
    end_of_service = draw(st.integers(min_value=2, max_value=len(words) - 1))
    subservice = "-".join(words[end_of_service:-1]) or None
    second = Case(words[0], "-".join(words[1:end_of_service]), words[-1], subservice)
    for kind, value in zip(("product", "service", "environment"), second, strict=False):
        assume(_accepted(kind)(str(value)))
    assume(second.subservice is None or _accepted("subservice")(second.subservice))
    assume(_fits(second))
    return first, second


_ENVIRONMENT_BEHIND_SERVICE = (Case("p", "a-prod", "dev", None), Case("p", "a", "prod", None))
_HYPHEN_MOVED = (Case("p", "a", "prod", "b-c"), Case("p", "a-b", "prod", "c"))
_NUMBER_BEHIND_SUBSERVICE = (Case("p", "a", "prod", "b-2"), Case("p", "a-b", "prod", "c"))


@settings(deadline=None, max_examples=300)
@given(_CASES)
@example(Case("a" * 18, "b", "staging", "abcdef"))
@example(Case("a", "b" * 18, "staging", "a-b-cd"))
@example(Case("abcdefgh", "abcdefghi", "prod", "search"))
@example(Case("a", "b", "c", None))
def test_every_derived_aws_name_is_legal_and_fits_its_limit(case: Case) -> None:
    for kind, name in case.names().items():
        rule = RESOURCES[kind]
        assert re.fullmatch(rule["legal"], name), (kind, name)
        assert len(name) <= rule["limit"], (kind, name)


# What AWS refuses although the characters are right:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
_RESERVED_BEGINNINGS = {
    "security_group": ("sg-",),
    "data_store_security_group": ("sg-",),
    "bucket": ("xn--", "sthree-", "amzn-s3-demo-"),
    "load_balancer": ("internal-",),
    "target_group": ("internal-",),
}


@pytest.mark.parametrize("repository", ["sg-api", "sthree-api", "amzn-s3-demo", "internal-api", "xn-a", "aws-api"])
def test_no_accepted_name_begins_with_what_aws_reserves(repository: str) -> None:
    try:
        name = ServiceName.parse(repository)
    except NameRuleError:
        return
    for kind, derived in Case(name.product, name.service, "prod", "db").names().items():
        assert not derived.startswith(_RESERVED_BEGINNINGS.get(kind, ())), (kind, derived)


@settings(deadline=None, max_examples=300)
@given(_CASES, st.one_of(_SERVICES))
def test_every_derived_variable_is_legal_and_none_of_the_contracts(case: Case, queue: str) -> None:
    for variable in (case.name.url_variable, queue_url_variable(queue)):
        assert LEGAL_VARIABLE.fullmatch(variable)
        assert variable not in VARIABLES


@pytest.mark.parametrize("variable", sorted(name for name in VARIABLES if name.endswith("_URL")))
def test_no_service_may_be_called_so_that_its_variable_is_one_of_the_contracts(variable: str) -> None:
    for repository in {variable.removesuffix("_URL").lower().replace("_", "-")}:
        with pytest.raises(NameRuleError):
            ServiceName.parse(repository)


@settings(deadline=None, max_examples=500)
@given(st.one_of(_neighbours(), st.tuples(_CASES, _CASES)))
@example(_ENVIRONMENT_BEHIND_SERVICE)
@example(_HYPHEN_MOVED)
@example(_NUMBER_BEHIND_SUBSERVICE)
@example((Case("p", "a", "task", None), Case("p", "a-task", "task", None)))
@example((Case("p", "a", "prod", "b"), Case("p", "a-b", "prod", None)))
def test_two_services_never_share_a_name_of_one_list_of_aws(pair: tuple[Case, Case]) -> None:
    owners: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}
    tails = [Case(c.product, f"{c.service}-{c.environment}", tail, None) for c in pair for tail in _TAILS]
    for case in (*pair, *filter(_legal, tails)):
        for kind, name in case.names().items():
            parts = re.findall(r"{(\w+)}", RESOURCES[kind]["name"])
            # A name says as much of the case as its pattern does: a repository is the same in every environment.
            owner = (kind, {part: str(value) for part, value in case._asdict().items() if part in parts})
            listed = (ONE_LIST_OF_AWS.get(kind, kind), name)
            assert owners.setdefault(listed, owner) == owner, f"{owners[listed]} and {owner} are both called {name}"


@settings(deadline=None, max_examples=300)
@given(_neighbours())
@example((Case("p", "a-latency", "prod", None), Case("p", "a", "latency", None)))
def test_two_services_never_share_an_alarm(pair: tuple[Case, Case]) -> None:
    owners: dict[str, tuple[str, ...]] = {}
    for case in pair:
        for alarm in ALARMS:
            of_data_store = not set(alarm["kinds"]) & set(CONTRACT["kinds"])
            if of_data_store and case.subservice is None:
                continue
            prefix = case.names()["data_store_alarm_prefix" if of_data_store else "alarm_prefix"]
            name = f"{prefix}-{alarm['name']}"
            subservice = case.subservice if of_data_store else None
            owner = (case.product, case.service, case.environment, str(subservice), alarm["name"])
            assert owners.setdefault(name, owner) == owner, f"{owners[name]} and {owner} are both called {name}"


@settings(deadline=None, max_examples=300)
@given(_neighbours(), _SERVICES, _SERVICES)
def test_two_services_or_queues_never_share_a_variable(pair: tuple[Case, Case], queue: str, other: str) -> None:
    owners: dict[str, str] = {"QUEUE_URL": "the worker's own queue"}
    things = {case.name.url_variable: f"service {case.name.repository}" for case in pair}
    if len({case.name for case in pair}) == 2:
        assert len(things) == 2
    for name in (queue, other):
        things[queue_url_variable(name)] = f"queue {name}"
    if queue != other:
        assert queue_url_variable(queue) != queue_url_variable(other)
    for variable, owner in things.items():
        assert owners.setdefault(variable, owner) == owner


@settings(deadline=None, max_examples=200)
@given(_CASES)
def test_a_repository_says_which_service_it_is(case: Case) -> None:
    assert ServiceName.parse(case.name.repository) == case.name


@settings(deadline=None, max_examples=200)
@given(_CASES)
def test_a_package_can_be_imported_and_metrics_have_one_dot(case: Case) -> None:
    assert case.name.package.isidentifier()
    assert case.name.metric_prefix == f"{case.product}.{case.service}"
    assert case.name.metric_prefix.count(".") == 1


_REFUSED_BY_EVERY_KIND = [
    "",
    " ",
    "api\n",
    "\napi",
    "api\r",
    "api ",
    "Api",
    "API",
    "1api",
    "٣api",  # a digit of Arabic
    "api٣",
    "ap\N{FULLWIDTH DIGIT ONE}",  # a full-width digit
    "\N{CYRILLIC SMALL LETTER A}",  # a Cyrillic letter that looks like a Latin one
    "é",
    "\N{LATIN SMALL LETTER LONG S}",
    "a_b",
    "a.b",
    "a/b",
    "-a",
    "a-",
    "a--b",
    "a\0",
]


@pytest.mark.parametrize("value", _REFUSED_BY_EVERY_KIND)
@pytest.mark.parametrize("kind", ["product", "service", "subservice", "environment"])
def test_a_malformed_name_is_refused_with_the_rule_of_the_contract(kind: str, value: str) -> None:
    with pytest.raises(NameRuleError) as refusal:
        check_name(kind, value)
    assert str(refusal.value) == RULES[kind]["rule"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("product", "a-b"),
        ("environment", "a-b"),
        ("product", "a" * 19),
        ("service", "a" * 19),
        ("subservice", "a" * 7),
        ("environment", "a" * 8),
        *[("product", reserved) for reserved in ("aws", "internal", "queue")],
    ],
)
def test_a_hyphen_too_many_letters_or_a_reserved_word_is_refused(kind: str, value: str) -> None:
    with pytest.raises(NameRuleError) as refusal:
        check_name(kind, value)
    assert str(refusal.value) == RULES[kind]["rule"]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["product", "service", "subservice", "environment"]), st.text(max_size=24))
def test_whatever_is_asked_is_accepted_unchanged_or_refused_with_the_rule(kind: str, value: str) -> None:
    try:
        assert check_name(kind, value) == value
    except NameRuleError as refusal:
        told = str(refusal)
    else:
        told = RULES[kind]["rule"]
        assert value.isascii()
        assert value == value.lower()
        assert 0 < len(value) <= RULES[kind]["maximum_length"]
    assert told == RULES[kind]["rule"]


@pytest.mark.parametrize("product_length", [1, 5, 18])
def test_a_product_and_a_service_are_refused_when_they_are_too_long_together(product_length: int) -> None:
    most = RULES["product_service"]["maximum_length"]
    product, service = "p" * product_length, "s" * (most - product_length - 1)
    assert len(ServiceName(product, service).repository) == most
    with pytest.raises(NameRuleError) as refusal:
        ServiceName(product, service + "s")
    assert str(refusal.value) == RULES["service"]["rule"]


@pytest.mark.parametrize("repository", ["", "duolingo", "duolingo-", "-api", "Duolingo-api", "duolingo_api"])
def test_a_repository_of_another_form_is_refused(repository: str) -> None:
    with pytest.raises(NameRuleError):
        ServiceName.parse(repository)


def test_a_data_store_needs_a_subservice() -> None:
    with pytest.raises(ValueError, match="a cache_cluster needs a subservice"):
        ServiceName("duolingo", "api").resource("cache_cluster", environment="prod")


@pytest.mark.parametrize("environment", ["prod\n", "production", "Prod", ""])
def test_a_resource_of_a_wrong_environment_is_refused(environment: str) -> None:
    with pytest.raises(NameRuleError) as refusal:
        ServiceName("duolingo", "api").resource("queue", environment=environment)
    assert str(refusal.value) == RULES["environment"]["rule"]


@pytest.mark.parametrize("queue", ["", "Mail", "mail\n", "mail_out", "mail--out"])
def test_a_queue_of_a_wrong_name_has_no_variable(queue: str) -> None:
    with pytest.raises(NameRuleError) as refusal:
        queue_url_variable(queue)
    assert str(refusal.value) == RULES["service"]["rule"]


def test_the_examples_of_the_contract_hold() -> None:
    name = ServiceName("duolingo", "api")
    assert (name.repository, name.package, name.url_variable) == ("duolingo-api", "duolingo_api", "DUOLINGO_API_URL")
    assert name.resource("load_balancer", environment="prod") == "duolingo-api-prod"
    assert name.resource("log_group", environment="prod") == "/ecs/prod/duolingo-api"
    assert name.resource("database_cluster", environment="prod", subservice="db") == "duolingo-api-db-prod"
    assert queue_url_variable() == "QUEUE_URL"
    assert queue_url_variable("mail-out") == "QUEUE_MAIL_OUT_URL"
