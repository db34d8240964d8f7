"""The playbook has an entry for every alarm that Terraform makes for a service and its data stores."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.template.conftest import Render

ALARMS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "baselib/contract/alarms.json").read_text(encoding="utf-8")
)
KINDS = {"postgres": "aurora", "redis": "redis", "memcached": "memcached", "elasticsearch": "opensearch"}


@pytest.mark.parametrize("kind", ["web", "worker-daemon", "worker-cron"])
@pytest.mark.parametrize("data_stores", [[], ["redis"], list(KINDS)], ids=["none", "one", "all"])
def test_every_alarm_has_an_entry_with_something_to_do(render: Render, kind: str, data_stores: list[str]) -> None:
    playbook = (render(kind=kind, data_stores=data_stores) / "docs/playbook.md").read_text(encoding="utf-8")
    expected = [alarm for alarm in ALARMS if {kind, *(KINDS[store] for store in data_stores)} & {*alarm["kinds"]}]
    # What a link to an alarm's anchor finds: GitHub makes it of the heading.
    assert re.findall(r"^## (\S+)$", playbook, re.MULTILINE) == [alarm["name"] for alarm in expected]
    for alarm, entry in zip(expected, playbook.split("\n## ")[1:], strict=True):
        assert ("it pages" in entry) == (alarm["severity"] == "emergency")
        assert all(f"{number}. {step}" in entry for number, step in enumerate(alarm["steps"], 1))
