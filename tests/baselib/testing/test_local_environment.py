"""The environment of a service on a developer's machine."""

from pathlib import Path
from typing import Any

import pytest

from baselib.contract import NameRuleError, Needs, Settings
from baselib.testing import local_environment
from baselib.testing.local_environment import read_answers

STORES = ["postgres", "redis", "memcached", "elasticsearch"]


def _answers(kind: str, **more: Any) -> dict[str, Any]:
    return {"product": "duolingo", "service": "api", "owner": "platform", "kind": kind, **more}


@pytest.mark.parametrize("kind", ["web", "worker-daemon", "worker-cron"])
def test_a_service_of_every_kind_starts_with_it(kind: Any) -> None:
    answers = _answers(
        kind, data_stores=STORES, hard_dependencies=["shop-prices"], soft_dependencies=["shop-photo-store"]
    )
    needs = Needs(
        kind=kind,
        queue=kind == "worker-daemon",
        data_stores=tuple(STORES),  # type: ignore[arg-type]
        hard_dependencies=("shop-prices",),
        soft_dependencies=("shop-photo-store",),
    )
    settings = Settings.from_environment(local_environment(answers), needs)
    assert settings.name.repository == "duolingo-api"
    assert settings.environment == "local"
    assert set(settings.data_store_urls) == set(STORES)
    assert set(settings.dependency_urls) == {"shop-prices", "shop-photo-store"}


def test_only_a_daemon_has_a_queue() -> None:
    assert "QUEUE_URL" not in local_environment(_answers("web"))
    assert "QUEUE_URL" not in local_environment(_answers("worker-cron"))
    assert local_environment(_answers("worker-daemon"))["QUEUE_URL"].endswith("/duolingo-api-local")


def test_answers_that_were_left_empty_need_nothing() -> None:
    answers = _answers("web", data_stores=None, hard_dependencies=None, soft_dependencies=[])
    assert set(local_environment(answers)) == {
        "SERVICE_PRODUCT",
        "SERVICE_NAME",
        "SERVICE_OWNER",
        "SERVICE_ENVIRONMENT",
        "AWS_REGION",
    }


@pytest.mark.parametrize(
    "more", [{"product": "Duo"}, {"service": "a_b"}, {"service": "x" * 19}, {"hard_dependencies": ["prices"]}]
)
def test_a_name_that_breaks_a_rule_is_refused_with_the_rule(more: dict[str, Any]) -> None:
    with pytest.raises(NameRuleError, match="is lower-case letters"):
        local_environment(_answers("web", **more))


def test_a_folder_without_answers_has_none(tmp_path: Path) -> None:
    assert read_answers(tmp_path) is None


def test_answers_are_read_as_yaml_and_may_be_empty(tmp_path: Path) -> None:
    file = tmp_path / ".copier-answers.yml"
    file.write_text("# a comment\nproduct: duolingo\ndata_stores: [redis]\n", encoding="utf-8")
    assert read_answers(tmp_path) == {"product": "duolingo", "data_stores": ["redis"]}
    file.write_text("", encoding="utf-8")
    assert read_answers(tmp_path) == {}
