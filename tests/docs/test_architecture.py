"""The picture of the architecture is drawn from the contract, and shows modules that there are."""

import re
from xml.etree import ElementTree

from tools.architecture import BOXES, CONTRACT, MODULES, PICTURE, WIDTH, picture
from tools.template import ROOT


def test_the_picture_is_drawn_anew() -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture(), "run python -m tools.architecture"


def test_every_module_of_the_picture_is_there() -> None:
    assert {name for name in MODULES if not (ROOT / "terraform/modules" / name / "main.tf").is_file()} == set()


def test_the_whole_look_up_table_is_shown() -> None:
    words = re.findall(r"\w+", picture())
    assert set(CONTRACT["look_up"]) <= set(words)


def test_no_box_lies_on_another_or_outside() -> None:
    ElementTree.fromstring(picture())
    for number, box in enumerate(BOXES):
        assert box.x + box.width <= WIDTH
        for other in BOXES[number + 1 :]:
            beside = box.x + box.width <= other.x or other.x + other.width <= box.x
            above = box.y + box.height <= other.y or other.y + other.height <= box.y
            assert beside or above, (box.title, other.title)
