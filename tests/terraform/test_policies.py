"""No policy grants more than it has to, as far as its text tells."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).resolve().parents[2]
TERRAFORM = REPOSITORY / "terraform"
# Actions that AWS documents to allow no finer resource, each with the page that says so.
UNSCOPED: dict[str, str] = json.loads((TERRAFORM / "testing/unscoped_actions.json").read_text(encoding="utf-8"))
FILES = sorted(
    path
    for folder in (TERRAFORM, REPOSITORY / "template/terraform", REPOSITORY / "examples")
    for path in folder.rglob("*.tf*")
    if path.is_file() and not {".terraform", "tests", "testing"} & set(path.parts)
)
REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/"

_UNSCOPED = re.compile(r"\b(?:Resource|resources)\"?\s*[=:]\s*(?:\[\s*)?\"\*\"")
_ACTIONS = re.compile(r"\b(?:Action|actions)\"?\s*[=:]\s*(\[.*?\]|\"[^\"]*\")", re.DOTALL)
_ACTION = re.compile(r"\"([a-z0-9-]+:\w+)\"")
_WILDCARD = re.compile(r"\"(?:[a-z0-9-]+:[A-Za-z]*\*[A-Za-z*]*)\"")


def _closed(text: str, start: int) -> int:
    """Where the brace at `start` is closed."""
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return len(text)


def statements(text: str) -> Iterator[str]:
    """The statement around each unscoped resource, from brace to brace, without its conditions."""
    for match in _UNSCOPED.finditer(text):
        start, depth = match.start(), 0
        while start > 0 and depth >= 0:
            start -= 1
            depth += {"}": 1, "{": -1}.get(text[start], 0)
        statement = text[start : _closed(text, start)]
        if condition := re.search(r"\b[Cc]ondition\"?\s*[=:]?\s*\{", statement):
            statement = statement[: condition.start()] + statement[_closed(statement, condition.end() - 1) :]
        yield statement


def unlisted(text: str) -> list[str]:
    """What is granted on every resource without being on the list."""
    found = []
    for statement in statements(text):
        # In a policy of a key, a queue or a topic, `*` is that one itself.
        # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
        if re.search(r"\bPrincipal\b|\bprincipals\b", statement):
            continue
        actions = _ACTION.findall(statement)
        found += [action for action in actions if action not in UNSCOPED] if actions else [statement]
    return found


def wildcards(text: str) -> list[str]:
    """The actions with a wildcard."""
    every = [part for part in _ACTIONS.findall(text) if re.search(r"\"\*\"", part)]
    return _WILDCARD.findall(text) + every


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_action_is_a_wildcard(path: Path) -> None:
    assert wildcards(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_only_listed_actions_are_granted_on_everything(path: Path) -> None:
    assert unlisted(path.read_text(encoding="utf-8")) == []


def test_every_listed_action_is_granted_somewhere_and_has_a_source() -> None:
    granted = "".join(statement for path in FILES for statement in statements(path.read_text(encoding="utf-8")))
    assert [action for action in UNSCOPED if f'"{action}"' not in granted] == []
    assert [url for url in UNSCOPED.values() if not re.fullmatch(re.escape(REFERENCE) + r"list_\w+\.html", url)] == []
    assert list(UNSCOPED) == sorted(UNSCOPED)


@pytest.mark.parametrize(
    "statement",
    [
        '{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }',
        '{ Action = ["ecr:GetAuthorizationToken", "s3:GetObject"], Resource = ["*"] }',
        '{\n  "Action": "s3:GetObject",\n  "Resource": "*"\n}',
        'statement {\n  actions = ["s3:GetObject"]\n  resources = ["*"]\n}',
        '{ Action = concat(["s3:GetObject"], local.more), Resource = ["*"] }',
        '{ Action = local.actions, Resource = ["*"], Condition = { Bool = { "aws:SecureTransport" = "true" } } }',
    ],
)
def test_an_unlisted_action_is_seen(statement: str) -> None:
    assert len(unlisted(statement)) == 1


@pytest.mark.parametrize(
    "text",
    ['Action = "*"', 'Action = ["s3:*"]', 'actions = ["sqs:Get*", "sqs:SendMessage"]', '"Action": [\n "*"\n]'],
)
def test_a_wildcard_is_seen(text: str) -> None:
    assert len(wildcards(text)) == 1
