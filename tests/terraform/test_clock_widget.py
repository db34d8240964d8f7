"""The clock on dashboards: its package is its code, and its HTML is what a dashboard takes.

`python tests/terraform/test_clock_widget.py` packs the code anew.
"""

import importlib.util
import io
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MODULE = Path(__file__).resolve().parents[2] / "terraform/modules/clock_widget"
NOON_IN_SUMMER = datetime(2026, 7, 1, 12, 20, 30, tzinfo=UTC)


def package() -> bytes:
    """The code as Lambda takes it: the same bytes on every machine and on every day."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("clock.py", date_time=(1980, 1, 1, 0, 0, 0))
        entry.create_system = 3
        # The function runs as somebody else than whoever owns the file.
        entry.external_attr = 0o100644 << 16
        archive.writestr(entry, (MODULE / "clock.py").read_bytes())
    return file.getvalue()


@pytest.fixture(scope="module")
def clock() -> ModuleType:
    """The code out of the package, as Lambda would import it."""
    specification = importlib.util.spec_from_loader("clock", loader=None)
    assert specification
    module = importlib.util.module_from_spec(specification)
    with zipfile.ZipFile(MODULE / "clock.zip") as archive:
        exec(compile(archive.read("clock.py"), "clock.py", "exec"), module.__dict__)
    return module


def context(**zone: Any) -> dict[str, Any]:
    """What a dashboard sends, as far as the clock reads it."""
    return {"widgetContext": {"dashboardName": "duolingo-api-prod", "locale": "en", "timezone": zone, "theme": "light"}}


def words(html: str) -> str:
    """What a reader sees of a widget."""
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)).split())


def test_the_package_is_the_code() -> None:
    assert (MODULE / "clock.zip").read_bytes() == package()


def test_the_function_says_what_it_is(clock: ModuleType) -> None:
    assert clock.handler({"describe": True}, None).startswith("## Local time and UTC")


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ({"offsetISO": "+02:00"}, timedelta(hours=2)),
        ({"offsetISO": "-0330"}, -timedelta(hours=3, minutes=30)),
        ({"offsetISO": "+05:45", "offsetInMinutes": -345}, timedelta(hours=5, minutes=45)),
        ({"offsetISO": "+00:00"}, timedelta()),
        ({"offsetISO": "+99:99"}, timedelta()),
        ({"offsetISO": "<b>"}, timedelta()),
        ({"offsetISO": None}, timedelta()),
        ({}, timedelta()),
    ],
)
def test_the_offset_is_the_one_of_the_dashboard(clock: ModuleType, zone: dict[str, Any], expected: timedelta) -> None:
    assert clock.local_zone(zone).utcoffset(None) == expected


def test_both_times_are_told(clock: ModuleType) -> None:
    html = clock.page(NOON_IN_SUMMER, timezone(timedelta(hours=-4)), "Local")
    assert words(html) == "08:20 Local time (UTC-0400) Wed 1 Jul 2026 12:20 UTC Wed 1 Jul 2026"


def test_another_day_is_told_too(clock: ModuleType) -> None:
    html = clock.page(datetime(2026, 12, 31, 20, 0, tzinfo=UTC), timezone(timedelta(hours=9)), "Asia/Tokyo")
    assert words(html) == "05:00 Local time (Asia/Tokyo) Fri 1 Jan 2027 20:00 UTC Thu 31 Dec 2026"


def test_the_hands_stand_where_they_belong(clock: ModuleType) -> None:
    utc = clock.page(NOON_IN_SUMMER, timezone(timedelta(hours=1)), "Local").split("<figure>")[2]
    assert re.findall(r'<g transform="rotate\(([0-9.]+) 50 50\)">', utc) == ["10.2", "123.0", "180.0"]


@pytest.mark.parametrize("event", [{}, {"widgetContext": None}, context(), context(label="UTC", offsetISO="+00:00")])
def test_a_dashboard_in_utc_says_how_to_see_the_local_time(clock: ModuleType, event: dict[str, Any]) -> None:
    html = clock.handler(event, None)
    assert "The dashboard is set to UTC. Choose Local as its time zone" in words(html)
    assert html.count("<svg") == 1


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_nothing_in_it_is_taken_out_by_the_dashboard(clock: ModuleType) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_security.html
    label = '<script>alert(1)</script><img src=x onerror="alert(2)"><iframe>'
    tags = Tags()
    tags.feed(clock.handler(context(label=label, offsetISO="+02:00"), None))
    assert tags.tags == {"style", "div", "figure", "svg", "circle", "line", "g", "b", "br"}
    assert not {name for name in tags.attributes if name.startswith("on") or name in {"href", "src"}}


@pytest.mark.e2e
def test_a_browser_shows_two_clocks(clock: ModuleType, tmp_path: Path) -> None:
    """The picture has both faces; look at it with `--basetemp` when the widget changes."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium")
    page, picture = tmp_path / "clock.html", tmp_path / "clock.png"
    html = clock.page(NOON_IN_SUMMER, timezone(timedelta(hours=2)), "Europe/Berlin")
    # As the console does, in a box of 6 by 4 units.
    page.write_text(f'<!doctype html><meta charset="utf-8"><div style="width:360px;height:190px">{html}</div>')
    subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=360,200",
         f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", page.as_uri()],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    shown = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--dump-dom", page.as_uri()],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    assert shown.count("<svg") == 2
    # A blank page of this size has about 1 kB.
    assert picture.stat().st_size > 4000


if __name__ == "__main__":
    (MODULE / "clock.zip").write_bytes(package())
