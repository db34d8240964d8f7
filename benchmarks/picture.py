"""A bar chart as SVG, without a package for it."""

from collections.abc import Mapping
from html import escape
from typing import Final

_WIDTH: Final = 760
_LEFT: Final = 230
_BAR: Final = 22
_GAP: Final = 10
_TOP: Final = 64


def draw(title: str, unit: str, values: Mapping[str, tuple[float, float, float]], own: str) -> str:
    """Draw a bar for each value, from zero, with a line from its least to its greatest.

    Args:
        title: What is shown.
        unit: What the values are in.
        values: The median, the least and the greatest of each name.
        own: The name whose bar stands out.
    """
    most = max(greatest for _, _, greatest in values.values())
    scale = (_WIDTH - _LEFT - 90) / most
    height = _TOP + len(values) * (_BAR + _GAP) + 8
    size = f'width="{_WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect {size} fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="bold">{escape(title)}</text>',
        f'<text x="16" y="46" fill="#555555">{escape(unit)}</text>',
    ]
    for row, (name, (middle, least, greatest)) in enumerate(values.items()):
        top = _TOP + row * (_BAR + _GAP)
        centre = top + _BAR / 2
        colour = "#1f77b4" if name == own else "#b8c4ce"
        parts += [
            f'<text x="{_LEFT - 10}" y="{centre + 5}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{middle * scale:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<path d="M{_LEFT + least * scale:.1f} {centre}H{_LEFT + greatest * scale:.1f}" stroke="#222222"/>',
            f'<text x="{_LEFT + greatest * scale + 8:.1f}" y="{centre + 5}">{middle:.0f}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])
