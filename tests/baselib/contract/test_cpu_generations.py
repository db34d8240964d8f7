"""How much a CPU unit does on one generation of EC2 instances and on another."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "baselib/contract/cpu_generations.json").read_text(encoding="utf-8")
)
GENERATIONS = {generation["generation"]: generation for generation in TABLE["generations"]}


def test_no_generation_and_no_family_is_there_twice() -> None:
    families = [family for generation in GENERATIONS.values() for family in generation["families"]]
    assert len(GENERATIONS) == len(TABLE["generations"])
    assert len(set(families)) == len(families)


@pytest.mark.parametrize("generation", GENERATIONS.values(), ids=lambda generation: str(generation["generation"]))
def test_performance_follows_from_the_step_that_the_source_states(generation: dict[str, Any]) -> None:
    assert re.fullmatch(r"https://aws\.amazon\.com/ec2/instance-types/[a-z0-9]+/", generation["source"])
    if generation["over"] is None:
        assert generation["performance"] == 1
        return
    before = GENERATIONS[generation["over"]]["performance"]
    assert generation["performance"] == pytest.approx(before * generation["factor"], abs=0.006)
    percent = re.search(r"(\d+) % better", generation["statement"])
    assert percent
    price = re.search(r"at a price (\d+) % (higher|lower)", generation["statement"])
    change = int(price[1]) * (1 if price[2] == "higher" else -1) if price else 0
    stated = (1 + int(percent[1]) / 100) * (1 + change / 100)
    assert generation["factor"] == pytest.approx(stated, abs=0.001)


def test_what_no_source_states_is_labelled() -> None:
    priced = [generation for generation in GENERATIONS.values() if "price" in generation["statement"]]
    assert priced
    assert TABLE["price_source"] == "https://aws.amazon.com/ec2/pricing/on-demand/"
    assert "not part of the statement" in TABLE["derived"]
    assert "is assumed" in TABLE["derived"]


def test_the_conversion_of_the_readme() -> None:
    readme = Path(__file__).resolve().parents[3] / "terraform/modules/ecs_cluster/README.md"
    text = readme.read_text(encoding="utf-8")
    example = re.search(r"(\d+) units on an? `(\w+)` are (\d+) on an? `(\w+)`", " ".join(text.split()))
    assert example
    performance = {family: g["performance"] for g in GENERATIONS.values() for family in g["families"]}
    assert round(int(example[1]) * performance[example[2]] / performance[example[4]]) == int(example[3])
