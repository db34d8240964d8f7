"""Module `names` gives the names that baselib gives, and refuses in the contract's words."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from baselib.contract import ServiceName
from baselib.contract.names import RESOURCES

pytestmark = pytest.mark.e2e

Run = CompletedProcess[str]
Case = dict[str, str]

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "baselib/contract/contract.json").read_text()
)
RULES = CONTRACT["names"]
ACCOUNT = "123456789012"
REGION = "eu-central-1"


def _word(chance: random.Random, longest: int) -> str:
    return chance.choice("abxyz") + "".join(chance.choices("abxyz019", k=chance.randrange(longest)))


def _words(chance: random.Random, longest: int) -> str:
    parts = [_word(chance, 4) for _ in range(chance.randrange(1, 4))]
    return "-".join(parts)[:longest].rstrip("-")


def _legal_cases() -> list[Case]:
    chance = random.Random(5)
    cases = [
        {"product": "a", "service": "b", "environment": "c"},
        {"product": "a", "service": "b" * 18, "environment": "staging"},
        {"product": "a" * 18, "service": "b", "environment": "staging", "subservice": "abcdef"},
        # The two pairs that only the number of words tells apart.
        {"product": "p", "service": "a", "environment": "prod", "subservice": "b-c"},
        {"product": "p", "service": "a-b", "environment": "prod", "subservice": "c"},
        # A hyphen falls on the place where the digest begins.
        {"product": "abcdefgh", "service": "abcdefghi", "environment": "prod", "subservice": "search"},
        {"product": "p", "service": "s", "environment": "prod", "subservice": "a-b-c"},
    ]
    while len(cases) < 40:
        product = _word(chance, 9)
        case = {"product": product, "service": _words(chance, 19 - len(product)), "environment": _word(chance, 7)}
        if chance.random() < 0.7:
            case["subservice"] = _words(chance, 6)
        if case not in cases:
            cases.append(case)
    return cases


FINE = {"product": "duolingo", "service": "api", "environment": "prod", "subservice": "db"}
WRONG = {
    "product": ["", "Duolingo", "duo-lingo", "1duo", "duo_lingo", "duo\n", "aws", "internal", "queue", "a" * 19, "дуо"],
    "service": ["", "Api", "-api", "api-", "a--b", "1api", "a_b", "api\n", "b" * 12, "b" * 19],
    "subservice": ["", "Db", "database", "a--b", "db-", "1db"],
    "environment": ["", "Prod", "production", "pr-d", "1prod"],
}


def _refusals(case: Case) -> list[str]:
    refusals = []
    for kind, value in case.items():
        rule = RULES[kind]
        legal = (
            re.fullmatch(rule["pattern"], value)
            and len(value) <= rule["maximum_length"]
            and value not in rule["reserved"]
        )
        together = len(f"{case['product']}-{case['service']}") <= RULES["product_service"]["maximum_length"]
        if not legal or (kind == "service" and not together):
            refusals.append(rule["rule"])
    # Terraform does not look at a service beside a product that it has refused.
    return refusals[:1]


def _names(case: Case) -> dict[str, str]:
    """The names that baselib gives."""
    service = ServiceName(case["product"], case["service"])
    return {
        kind: service.resource(
            kind,
            environment=case["environment"],
            subservice=case.get("subservice"),
            account=ACCOUNT,
            region=REGION,
        )
        for kind, resource in RESOURCES.items()
        if "subservice" in case or "{subservice}" not in resource["name"]
    }


def _root(tree: Path, folder: str) -> Path:
    root = tree / "roots" / folder
    root.mkdir(parents=True)
    return root


def test_legal_names(tree: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]) -> None:
    cases = _legal_cases()
    root = _root(tree, "legal")
    (root / "main.tf.json").write_text(
        json.dumps(
            {
                "locals": {"cases": {str(number): case for number, case in enumerate(cases)}},
                "module": {
                    "names": {
                        "source": "../../terraform/modules/names",
                        "for_each": "${local.cases}",
                        "product": "${each.value.product}",
                        "service": "${each.value.service}",
                        "environment": "${each.value.environment}",
                        "subservice": '${lookup(each.value, "subservice", null)}',
                        "owner": "Learning Team",
                        "account_id": ACCOUNT,
                        "region": REGION,
                    }
                },
                "output": {"all": {"value": "${module.names}"}},
            }
        )
    )
    initialise(root)
    applied = terraform(root, "apply", "-auto-approve", "-input=false", "-no-color")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    outputs = json.loads(terraform(root, "output", "-json").stdout)["all"]["value"]

    owners: dict[tuple[str, str], Case] = {}
    for number, case in enumerate(cases):
        output = outputs[str(number)]
        assert _refusals(case) == []
        assert output["names"] == _names(case)
        billing = case | {"owner": "Learning Team", "managed-by": CONTRACT["managed_by"]}
        keys = CONTRACT["tags"] + (CONTRACT["data_store_tags"] if "subservice" in case else [])
        assert output["tags"] == {key: billing[key] for key in keys}
        for kind, name in output["names"].items():
            resource = CONTRACT["resources"][kind]
            assert re.fullmatch(resource["legal"], name), (kind, name)
            assert len(name) <= resource["limit"], (kind, name)
            parts = re.findall(r"{(\w+)}", resource["name"])
            identity = {part: case[part] for part in parts if part in case}
            assert owners.setdefault((kind, name), identity) == identity, f"two {kind}s are called {name}"
    assert outputs["0"]["contract"] == CONTRACT


def _refused(
    root: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None], calls: list[Case]
) -> dict[str, list[str]]:
    for number, call in enumerate(calls):
        body = call | {"source": "../../terraform/modules/names"}
        (root / f"{number}.tf.json").write_text(json.dumps({"module": {f"names{number}": body}}))
    initialise(root)
    refused: dict[str, list[str]] = {}
    for line in terraform(root, "plan", "-json", "-input=false").stdout.splitlines():
        diagnostic = json.loads(line).get("diagnostic")
        if diagnostic:
            sentence = diagnostic["detail"].split("\n\n")[0]
            refused.setdefault(diagnostic["range"]["filename"], []).append(sentence)
    return refused


# One plan a kind: Terraform does not look at services when it has refused a product anywhere.
@pytest.mark.parametrize("kind", WRONG)
def test_illegal_names(
    kind: str, tree: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]
) -> None:
    cases = [FINE | {kind: value} for value in WRONG[kind]]
    calls = [case | {"owner": "Learning Team"} for case in cases]
    assert _refused(_root(tree, kind), terraform, initialise, calls) == {
        f"{number}.tf.json": _refusals(case) for number, case in enumerate(cases)
    }


def test_illegal_owners(tree: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]) -> None:
    rule = CONTRACT["answers"]["owner"]
    owners = ["", " Team", "Team ", "a;b", "a" * 257, "line\nbreak", "Learning Team", "équipe@example.com", "a" * 256]
    calls = [FINE | {"owner": owner} for owner in owners]
    assert _refused(_root(tree, "owner"), terraform, initialise, calls) == {
        f"{number}.tf.json": [rule["rule"]]
        for number, owner in enumerate(owners)
        if not re.fullmatch(rule["pattern"], owner)
    }
