"""Bad answers are refused with one sentence, which is the contract's, and nothing is written."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselib.contract import CONTRACT, NameRuleError, ServiceName, check_name
from tests.template.conftest import ANSWERS
from tools.template import ROOT, copy

NAMES = CONTRACT["names"]
RULES = CONTRACT["answers"]

RULES_TEMPLATE: Any = jinja2.Environment(
    loader=jinja2.FileSystemLoader(ROOT),
    extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
    undefined=jinja2.StrictUndefined,
    autoescape=False,
).get_template("rules.jinja")

NAME_LIKE = st.text(alphabet="abz019-AÄ_ \n.", max_size=24) | st.from_regex(NAMES["service"]["pattern"], fullmatch=True)


def _rule(kind: str) -> str:
    return str(NAMES[kind]["rule"])


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"product": "Duolingo"}, _rule("product")),
        ({"product": "duo-lingo"}, _rule("product")),
        ({"product": "1duo"}, _rule("product")),
        ({"product": ""}, _rule("product")),
        ({"product": "a" * 19}, _rule("product")),
        *(({"product": reserved}, _rule("product")) for reserved in NAMES["product"]["reserved"]),
        ({"service": "API"}, _rule("service")),
        ({"service": "a" * 40}, _rule("service")),
        ({"service": "1api"}, _rule("service")),
        ({"service": "api-"}, _rule("service")),
        ({"service": "a--b"}, _rule("service")),
        ({"service": "a" * 12}, _rule("service")),
        ({"environments": ["production"]}, _rule("environment")),
        ({"environments": ["Prod"]}, _rule("environment")),
        ({"environments": []}, "This is a list of at least one environment"),
        ({"environments": ["prod", "prod"]}, "Each environment is listed once."),
        ({"hard_dependencies": ["Auth"]}, _rule("product")),
        ({"hard_dependencies": ["duolingo"]}, _rule("service")),
        ({"hard_dependencies": "duolingo-auth"}, "This is a list of services"),
        ({"soft_dependencies": ["duolingo-a", "duolingo-a"]}, "Each service is listed once."),
        (
            {"hard_dependencies": ["duolingo-a"], "soft_dependencies": ["duolingo-a"]},
            "A dependency is hard or soft, not both.",
        ),
        ({"clients": ["-"]}, _rule("product")),
        ({"hard_dependencies": ["duolingo-api"]}, "A service neither depends on itself nor is its own client."),
        ({"clients": ["duolingo-api"]}, "A service neither depends on itself nor is its own client."),
        ({"min_count": 5, "max_count": 4}, RULES["count"]["rule"]),
        ({"min_count": 0}, RULES["count"]["rule"]),
        ({"kind": "worker-daemon", "min_count": 0, "max_count": 0}, RULES["count"]["rule"]),
        ({"max_count": 1001}, RULES["count"]["rule"]),
        ({"cpu": 100}, RULES["cpu"]["rule"]),
        ({"memory": 64}, RULES["memory"]["rule"]),
        ({"kind": "worker-cron", "schedule": "0 3 * * *"}, RULES["schedule"]["rule"]),
        ({"kind": "worker-cron", "schedule": "cron(0 25 * * ? *)"}, RULES["schedule"]["rule"]),
        ({"kind": "worker-cron", "schedule": "rate(1 hours)"}, RULES["schedule"]["rule"]),
        ({"owner": "a; rm -rf /"}, RULES["owner"]["rule"]),
        ({"owner": ""}, RULES["owner"]["rule"]),
        ({"contact": "learning"}, RULES["contact"]["rule"]),
        ({"description": "two\nlines"}, RULES["description"]["rule"]),
        ({"playbook_url": "http://example.com"}, RULES["url"]["rule"]),
        ({"playbook_url": 'https://example.com/"'}, RULES["url"]["rule"]),
        ({"library_source": "index", "library_index": "https://user:secret@pypi.example.com/simple"}, "credentials"),
    ],
    ids=str,
)
def test_a_bad_answer_is_refused_and_nothing_is_written(
    platform: Path, tmp_path: Path, answers: dict[str, Any], sentence: str
) -> None:
    folder = tmp_path / "service"
    with pytest.raises(ValueError, match="Validation error") as refusal:
        copier.run_copy(str(platform), folder, data={**ANSWERS, **answers}, defaults=True, quiet=True, vcs_ref="HEAD")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not folder.exists()


def test_the_command_ends_with_the_sentence(platform: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=re.escape(_rule("product"))):
        copy(tmp_path / "service", {**ANSWERS, "product": "Duolingo"}, source=platform)


@given(product=NAME_LIKE, service=NAME_LIKE)
def test_the_questions_refuse_the_services_that_baselib_refuses(product: str, service: str) -> None:
    refused_product = RULES_TEMPLATE.module.name_refused("product", product)
    refused = refused_product or RULES_TEMPLATE.module.service_refused(f"{product}-{service}")
    assert refused == _sentence(lambda: ServiceName(product, service))


@given(environment=NAME_LIKE)
def test_the_questions_refuse_the_environments_that_baselib_refuses(environment: str) -> None:
    refused = RULES_TEMPLATE.module.name_refused("environment", environment)
    assert refused == _sentence(lambda: check_name("environment", environment))


def _sentence(check: Callable[[], object]) -> str:
    """What a check of baselib says when it refuses, nothing when it accepts."""
    try:
        check()
    except NameRuleError as error:
        return str(error)
    return ""
