"""A custom widget of a CloudWatch dashboard: the viewer's local time beside UTC.

The dashboard sends the time zone that it shows its graphs in, and takes HTML with styles and SVG, without scripts:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from typing import Any

DESCRIPTION = """## Local time and UTC

Two clocks: the time zone of whoever looks, which is the one that the dashboard shows its graphs in, and UTC.
It takes no parameters.
"""

# The hands go on by themselves. Only the words stay as they were at the last refresh.
STYLE = """<style>
.clocks { display: flex; justify-content: space-evenly; align-items: center; height: 100%; font-family: sans-serif }
.clocks figure { margin: 0; text-align: center; font-size: 12px; line-height: 1.3 }
.clocks svg { width: 84px; height: 84px; display: block; margin: 0 auto 4px }
.clocks b { font-size: 17px; display: block }
.clocks .turning { animation: turn linear infinite }
@keyframes turn { to { transform: rotate(360deg) } }
</style>"""

GREY = "#879596"

# Seconds of a turn, length, width and colour: hours, minutes, seconds.
HANDS = ((12 * 3600, 22, 5, "#545b64"), (3600, 32, 3, "#545b64"), (60, 36, 1, "#d13212"))


def handler(event: dict[str, Any], _context: object = None) -> str:
    """The widget's HTML, or its description where the dashboard's editor asks for it."""
    if event.get("describe"):
        return DESCRIPTION
    zone = (event.get("widgetContext") or {}).get("timezone") or {}
    return page(datetime.now(UTC), local_zone(zone), str(zone.get("label") or ""))


def local_zone(zone: dict[str, Any]) -> timezone:
    """The viewer's time zone; UTC where it is not said."""
    match = re.fullmatch(r"([+-])(\d\d):?(\d\d)", str(zone.get("offsetISO") or ""))
    if match is None:
        return UTC
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    # timezone() refuses a day and more, which no place on earth has.
    return timezone(offset if match[1] == "+" else -offset) if offset < timedelta(days=1) else UTC


def page(now: datetime, zone: timezone, label: str) -> str:
    """Both clocks."""
    local = now.astimezone(zone)
    offset = f"UTC{local:%z}"
    place = offset if label in ("", "Local") else label
    clocks = [clock(local, f"Local time ({escape(place)})"), clock(now, "UTC")]
    if zone == UTC:
        clocks[0] = (
            "<figure>The dashboard is set to UTC.<br>Choose <b>Local</b> as its time zone<br>to see yours.</figure>"
        )
    return f'{STYLE}<div class="clocks">{"".join(clocks)}</div>'


def clock(time: datetime, name: str) -> str:
    """One clock, with its name, its time and its date."""
    ticks = "".join(
        f'<line x1="50" y1="6" x2="50" y2="12" stroke="{GREY}" stroke-width="2" transform="rotate({30 * hour} 50 50)"/>'
        for hour in range(12)
    )
    seconds = 3600 * time.hour + 60 * time.minute + time.second
    hands = "".join(hand(seconds, *form) for form in HANDS)
    return (
        '<figure><svg viewBox="0 0 100 100">'
        f'<circle cx="50" cy="50" r="46" fill="#fff" stroke="{GREY}" stroke-width="3"/>'
        f"{ticks}{hands}</svg><b>{time:%H:%M}</b>{name}<br>{time:%a} {time.day} {time:%b %Y}</figure>"
    )


def hand(seconds: int, turn: int, length: int, width: int, colour: str) -> str:
    """One hand, which stands where it belongs at `seconds` of the day and goes around from there in `turn` seconds."""
    return (
        f'<g transform="rotate({seconds % turn * 360 / turn:.1f} 50 50)">'
        f'<line class="turning" x1="50" y1="54" x2="50" y2="{50 - length}" '
        f'stroke="{colour}" stroke-width="{width}" stroke-linecap="round" '
        f'style="transform-origin: 50px 50px; animation-duration: {turn}s"/></g>'
    )
