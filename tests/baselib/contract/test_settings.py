"""Settings: every variable's default, what it accepts, and one line for each refusal that never tells a secret."""

import os
import traceback
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.contract import CONTRACT, VARIABLES, ConfigurationError, NameRuleError, Needs, Settings
from baselib.contract.settings import DATA_STORE_VARIABLES, DataStore, Kind

IDENTITY = {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "platform"}
EVERYTHING = Needs(kind="worker-daemon", queue=True, data_stores=("postgres", "redis", "memcached", "elasticsearch"))
URLS = {
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/duolingo-api-prod",
    "DATABASE_URL": "postgresql://user:word@db:5432/main",
    "REDIS_URL": "rediss://cache:6379",
    "MEMCACHED_URL": "memcached://cache:11211",
    "ELASTICSEARCH_URL": "https://search",
}


def _read(needs: Needs | None = None, **variables: str) -> Settings:
    return Settings.from_environment({**IDENTITY, **variables}, needs)


def _problems(needs: Needs | None = None, /, **variables: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refusal:
        _read(needs, **variables)
    return refusal.value.problems


# The contract's table: the variable, the attribute, and what it is when unset.
DEFAULTS: list[tuple[str, str, object]] = [
    ("SERVICE_ENVIRONMENT", "environment", "local"),
    ("SERVICE_RELEASE", "release", "dev"),
    ("PORT", "port", 5000),
    ("WEB_CONCURRENCY", "web_concurrency", None),
    ("WEB_THREADS", "web_threads", 4),
    ("LOG_LEVEL", "log_level", "INFO"),
    ("LOG_FORMAT", "log_format", None),
    ("STATSD_HOST", "statsd_host", None),
    ("STATSD_PORT", "statsd_port", 8125),
    ("SENTRY_DSN", "sentry_dsn", None),
    ("AWS_REGION", "aws_region", None),
    ("AWS_ENDPOINT_URL", "aws_endpoint_url", None),
    ("COORDINATION_TABLE", "coordination_table", None),
    ("PAYLOAD_BUCKET", "payload_bucket", None),
    ("HEALTH_PORT", "health_port", 5001),
    ("HEALTH_TOKEN", "health_token", None),
    ("DRAIN_SECONDS", "drain_seconds", 5.0),
    ("STOP_SECONDS", "stop_seconds", 20.0),
    ("MEMORY_LIMIT_MIB", "memory_limit_mib", None),
    ("STATSD_DIALECT", "statsd_dialect", "dogstatsd"),
    ("LOG_MASKED_FIELDS", "log_masked_fields", ()),
    ("TRUSTED_PROXIES", "trusted_proxies", ()),
    ("REQUEST_SECONDS", "request_seconds", 60),
    ("MEMORY_TRACE_FRAMES", "memory_trace_frames", 0),
    ("DATABASE_CREDENTIALS", "database_credentials", "url"),
]

ACCEPTED: list[tuple[str, str, str, object]] = [
    ("SERVICE_PRODUCT", "shop", "product", "shop"),
    ("SERVICE_NAME", "mail-out", "service", "mail-out"),
    ("SERVICE_OWNER", "Learning Team", "owner", "Learning Team"),
    ("SERVICE_ENVIRONMENT", "prod", "environment", "prod"),
    ("SERVICE_RELEASE", "1.2.3+g0123abc", "release", "1.2.3+g0123abc"),
    ("PORT", "65535", "port", 65535),
    ("WEB_CONCURRENCY", "256", "web_concurrency", 256),
    ("WEB_THREADS", "1", "web_threads", 1),
    ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ("LOG_FORMAT", "JSON", "log_format", "json"),
    ("STATSD_HOST", "172.17.0.1", "statsd_host", "172.17.0.1"),
    ("STATSD_PORT", "8126", "statsd_port", 8126),
    ("SENTRY_DSN", "https://key@sentry.example/1", "sentry_dsn", "https://key@sentry.example/1"),
    ("AWS_REGION", "eu-central-1", "aws_region", "eu-central-1"),
    ("AWS_ENDPOINT_URL", "http://aws:4566", "aws_endpoint_url", "http://aws:4566"),
    ("COORDINATION_TABLE", "duolingo-mailer-prod", "coordination_table", "duolingo-mailer-prod"),
    ("PAYLOAD_BUCKET", "duolingo-mailer-prod-1-eu", "payload_bucket", "duolingo-mailer-prod-1-eu"),
    ("HEALTH_PORT", "1", "health_port", 1),
    ("HEALTH_TOKEN", "0123456789abcdef", "health_token", "0123456789abcdef"),
    ("DRAIN_SECONDS", "0", "drain_seconds", 0.0),
    ("STOP_SECONDS", "2.5", "stop_seconds", 2.5),
    ("MEMORY_LIMIT_MIB", "512", "memory_limit_mib", 512),
    ("MEMORY_LIMIT_MIB", "0", "memory_limit_mib", 0),
    ("STATSD_DIALECT", "StatsD", "statsd_dialect", "statsd"),
    ("LOG_MASKED_FIELDS", "iban, birth-date", "log_masked_fields", ("iban", "birth-date")),
    (
        "TRUSTED_PROXIES",
        "10.0.0.0/8, fd00::1",
        "trusted_proxies",
        (ip_network("10.0.0.0/8"), ip_network("fd00::1")),
    ),
    ("REQUEST_SECONDS", "2.5", "request_seconds", 2.5),
    ("MEMORY_TRACE_FRAMES", "25", "memory_trace_frames", 25),
    ("DATABASE_CREDENTIALS", "iam", "database_credentials", "iam"),
    (
        "DATABASE_CREDENTIALS",
        "arn:aws:secretsmanager:us-east-1:1:secret:db",
        "database_credentials",
        "arn:aws:secretsmanager:us-east-1:1:secret:db",
    ),
]

REFUSED: list[tuple[str, str]] = [
    ("SERVICE_PRODUCT", "Duo lingo"),
    ("SERVICE_PRODUCT", "internal"),
    ("SERVICE_NAME", "api\n"),
    ("SERVICE_OWNER", "\t"),
    ("SERVICE_OWNER", "a\nb"),
    ("SERVICE_ENVIRONMENT", "production"),
    ("SERVICE_RELEASE", "1.0\n"),
    ("PORT", "0"),
    ("PORT", "http"),
    ("PORT", "٨٠"),
    ("WEB_CONCURRENCY", "0"),
    ("WEB_CONCURRENCY", "257"),
    ("WEB_THREADS", "many"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("STATSD_HOST", "a b"),
    ("STATSD_PORT", "65536"),
    ("SENTRY_DSN", "sentry"),
    ("AWS_REGION", "us\n"),
    ("AWS_ENDPOINT_URL", "ftp://aws"),
    ("QUEUE_URL", "duolingo-api-prod"),
    ("COORDINATION_TABLE", "a/b"),
    ("PAYLOAD_BUCKET", "Payloads"),
    ("HEALTH_PORT", "-1"),
    ("HEALTH_TOKEN", "hunter2"),
    ("DRAIN_SECONDS", "soon"),
    ("STOP_SECONDS", "121"),
    ("MEMORY_LIMIT_MIB", "15"),
    ("STATSD_DIALECT", "influx"),
    ("LOG_MASKED_FIELDS", "iban,,name"),
    ("LOG_MASKED_FIELDS", "a b"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ("TRUSTED_PROXIES", "the load balancer"),
    ("REQUEST_SECONDS", "0.9"),
    ("REQUEST_SECONDS", "1e3"),
    ("MEMORY_TRACE_FRAMES", "51"),
    ("DATABASE_CREDENTIALS", "password"),
    ("DATABASE_CREDENTIALS", "arn:aws:secretsmanager:us-east-1:1:secret:d b"),
    ("DATABASE_URL", "mysql://db"),
    ("REDIS_URL", "http://cache"),
    ("MEMCACHED_URL", "cache:11211"),
    ("ELASTICSEARCH_URL", "search"),
]


@pytest.mark.parametrize(("variable", "attribute", "default"), DEFAULTS)
@pytest.mark.parametrize("unset", [{}, "empty"], ids=["missing", "empty"])
def test_a_variable_that_is_unset_or_empty_has_its_default(
    variable: str, attribute: str, default: object, unset: object
) -> None:
    held = {variable: ""} if unset else {}
    assert getattr(_read(None, **held), attribute) == default


@pytest.mark.parametrize(("variable", "text", "attribute", "value"), ACCEPTED)
def test_a_variable_holds_what_the_environment_says(variable: str, text: str, attribute: str, value: object) -> None:
    assert getattr(_read(None, **{variable: text}), attribute) == value


def test_these_tests_look_at_every_variable_of_the_contract() -> None:
    assert {variable for variable, _ in REFUSED} == set(VARIABLES)
    assert {variable for variable, *_ in ACCEPTED} | set(URLS) == set(VARIABLES)
    assert {variable for variable, *_ in DEFAULTS} | set(IDENTITY) | set(URLS) == set(VARIABLES)


@pytest.mark.parametrize(("variable", "text"), REFUSED)
def test_a_wrong_variable_is_refused_with_one_line_that_says_what_is_accepted(variable: str, text: str) -> None:
    (problem,) = _problems(EVERYTHING, **{**URLS, variable: text})
    assert problem.startswith(f"{variable} is ")
    assert len(problem.splitlines()) == 1
    rule = CONTRACT["names"].get(VARIABLES[variable].meaning, {}).get("rule")
    assert problem.endswith(rule or f"accepted is {VARIABLES[variable].accepted}")
    if VARIABLES[variable].secret:
        assert problem.startswith(f"{variable} is ***:")
        assert text not in problem
    else:
        assert repr(text) in problem


@pytest.mark.parametrize("variable", sorted(VARIABLES))
def test_a_secret_is_nowhere_in_the_error(variable: str) -> None:
    secret = "hunter2hunter2hunter2"
    # Wrong for every variable, and with an @, as an address with a password has it.
    wrong = f"nothing://user:{secret}@host\n"
    with pytest.raises(ConfigurationError) as refusal:
        _read(EVERYTHING, **{**URLS, variable: wrong})
    told = [str(refusal.value), repr(refusal.value), *traceback.format_exception(refusal.value)]
    assert any(variable in problem for problem in refusal.value.problems)
    for text in told:
        assert secret not in text


@pytest.mark.parametrize("variable", [name for name, variable in VARIABLES.items() if variable.secret])
def test_a_secret_without_an_at_sign_is_masked_too(variable: str) -> None:
    (problem,) = _problems(EVERYTHING, **{**URLS, variable: "hunter2"})
    assert "hunter2" not in problem
    assert "***" in problem


def test_secrets_are_not_in_the_repr_of_the_settings() -> None:
    read = _read(
        EVERYTHING,
        **{
            **URLS,
            "DATABASE_URL": "postgresql://u:hunter2@db/main",
            "HEALTH_TOKEN": "hunter2hunter2hunter2",
            "SENTRY_DSN": "https://hunter2@sentry.example/1",
        },
    )
    assert read.data_store_urls["postgres"] == "postgresql://u:hunter2@db/main"
    assert "hunter2" not in repr(read)


@pytest.mark.parametrize("variable", IDENTITY)
def test_the_identity_is_required(variable: str) -> None:
    (problem,) = _problems(None, **{variable: ""})
    assert problem.startswith(f"{variable} is not set: ")
    assert problem.endswith(f"{VARIABLES[variable].accepted} is required")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_environment({"PORT": "x", "LOG_LEVEL": "x", "REDIS_URL": "x"}, EVERYTHING)
    names = [problem.split(" ")[0] for problem in refusal.value.problems]
    assert sorted(names) == sorted([*IDENTITY, "PORT", "LOG_LEVEL", *URLS])
    assert len(str(refusal.value).splitlines()) == len(names)


def test_a_product_and_a_service_that_are_too_long_together_are_refused() -> None:
    (problem,) = _problems(None, SERVICE_PRODUCT="abcdefghij", SERVICE_NAME="abcdefghij")
    assert problem == f"SERVICE_NAME is 'abcdefghij': {CONTRACT['names']['service']['rule']}"


@pytest.mark.parametrize(("kind", "drain", "stop"), [("web", 5, 20), ("worker-daemon", 0, 25), ("worker-cron", 0, 25)])
def test_a_kind_of_service_has_its_own_budget(kind: Kind, drain: int, stop: int) -> None:
    read = _read(Needs(kind=kind))
    assert (read.drain_seconds, read.stop_seconds) == (drain, stop)


@pytest.mark.parametrize(("drain", "stop"), [("0", "115"), ("15", "100"), ("115", "0"), ("57.5", "57.5")])
def test_budgets_may_fill_the_stop_timeout(drain: str, stop: str) -> None:
    read = _read(None, DRAIN_SECONDS=drain, STOP_SECONDS=stop)
    assert read.drain_seconds + read.stop_seconds + CONTRACT["timing"]["margin_seconds"] == 120


@pytest.mark.parametrize(("drain", "stop"), [("0", "116"), ("15.5", "100"), ("120", "120"), ("116", "")])
def test_budgets_that_pass_the_stop_timeout_are_refused_in_one_line(drain: str, stop: str) -> None:
    (problem,) = _problems(None, DRAIN_SECONDS=drain, STOP_SECONDS=stop)
    assert problem.startswith("DRAIN_SECONDS and STOP_SECONDS are ")
    assert "120" in problem
    assert len(problem.splitlines()) == 1


def test_a_declared_need_makes_its_variables_required() -> None:
    needs = Needs(queue=True, queues=("mail-out",), data_stores=("postgres",), hard_dependencies=("shop-api",))
    names = [problem.split(" ")[0] for problem in _problems(needs)]
    assert names == ["QUEUE_URL", "QUEUE_MAIL_OUT_URL", "DATABASE_URL", "SHOP_API_URL"]


def test_what_is_not_declared_is_not_read() -> None:
    read = _read(None, DATABASE_URL="rubbish", QUEUE_URL="rubbish", SHOP_API_URL="rubbish")
    assert (read.queue_urls, read.data_store_urls, read.dependency_urls) == ({}, {}, {})


def test_declared_needs_are_found_by_name() -> None:
    needs = Needs(
        queue=True,
        queues=("mail-out",),
        data_stores=("redis",),
        hard_dependencies=("shop-api",),
        soft_dependencies=("shop-mail-out", "shop-absent"),
    )
    read = _read(
        needs,
        QUEUE_URL="http://sqs/1/own",
        QUEUE_MAIL_OUT_URL="http://sqs/1/mail",
        REDIS_URL="redis://cache",
        SHOP_API_URL="http://api",
        SHOP_MAIL_OUT_URL="http://mail",
    )
    assert read.queue_urls == {None: "http://sqs/1/own", "mail-out": "http://sqs/1/mail"}
    assert read.data_store_urls == {"redis": "redis://cache"}
    assert read.dependency_urls == {"shop-api": "http://api", "shop-mail-out": "http://mail"}


@pytest.mark.parametrize("variable", ["SHOP_API_URL", "SHOP_MAIL_URL", "QUEUE_MAIL_URL"])
def test_a_derived_variable_is_refused_under_its_own_name(variable: str) -> None:
    needs = Needs(queues=("mail",), hard_dependencies=("shop-api",), soft_dependencies=("shop-mail",))
    fine = {"SHOP_API_URL": "http://api", "QUEUE_MAIL_URL": "http://sqs/1/mail"}
    (problem,) = _problems(needs, **{**fine, variable: "ftp://x"})
    assert problem.startswith(f"{variable} is 'ftp://x': accepted is ")


@pytest.mark.parametrize(
    "needs",
    [
        {"hard_dependencies": ("shop",)},
        {"soft_dependencies": ("Shop-api",)},
        {"queues": ("Mail",)},
    ],
)
def test_a_need_with_a_wrong_name_is_refused(needs: dict[str, Any]) -> None:
    with pytest.raises(NameRuleError):
        Needs(**needs)


def test_an_unknown_data_store_is_refused_with_the_known_ones() -> None:
    unknown: Any = "oracle"
    with pytest.raises(ValueError, match="'oracle' is not one of postgres, redis, memcached, elasticsearch"):
        Needs(data_stores=(unknown,))


@pytest.mark.parametrize(("data_store", "variable"), DATA_STORE_VARIABLES.items())
def test_every_data_store_has_a_secret_variable(data_store: DataStore, variable: str) -> None:
    assert VARIABLES[variable].secret
    assert _read(Needs(data_stores=(data_store,)), **URLS).data_store_urls == {data_store: URLS[variable]}


def test_the_identity_is_what_is_stamped_on_everything() -> None:
    read = _read(None, SERVICE_ENVIRONMENT="prod", SERVICE_RELEASE="1.2.3")
    assert read.identity == {
        "product": "duolingo",
        "service": "api",
        "owner": "platform",
        "environment": "prod",
        "release": "1.2.3",
    }
    assert read.name.repository == "duolingo-api"


# What execve accepts as a variable: any text without a NUL.
_HELD = st.text(max_size=40).filter(lambda text: "\0" not in text)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), _HELD, max_size=6))
def test_whatever_the_environment_holds_each_problem_is_one_line_that_names_a_variable(held: dict[str, str]) -> None:
    refusal = _refusal({**IDENTITY, **URLS, **held})
    if refusal is None:
        return
    assert refusal.code == 78
    for line in str(refusal).splitlines():
        assert line.startswith("configuration error: ")
        assert line.isprintable()
    assert len(str(refusal).splitlines()) == len(refusal.problems)
    for problem in refusal.problems:
        assert problem.split(" ")[0] in VARIABLES


def _refusal(environ: dict[str, str]) -> ConfigurationError | None:
    try:
        Settings.from_environment(environ, EVERYTHING)
    except ConfigurationError as error:
        return error
    return None


def test_the_environment_of_the_process_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment(os.environ).service == "api"


def test_iam_wants_to_know_as_whom() -> None:
    needs = Needs(data_stores=("postgres",))
    held = {"DATABASE_CREDENTIALS": "iam", "DATABASE_URL": "postgresql://db.example/main"}
    (problem,) = _problems(needs, **held)
    assert problem.startswith("DATABASE_URL is ***: ")
    assert "postgresql://user@host" in problem
    assert _read(needs, **{**held, "DATABASE_URL": "postgresql://app@db.example/main"}).database_credentials == "iam"
