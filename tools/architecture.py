"""Draws docs/architecture.svg: `python -m tools.architecture`. What the contract knows is read from there."""

import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tools.template import ROOT

PICTURE = ROOT / "docs" / "architecture.svg"
CONTRACT: dict[str, Any] = json.loads((ROOT / "baselib/contract/contract.json").read_text(encoding="utf-8"))

WIDTH = 1240
LINE = 16
# Fill and border by what a box is: people and outsiders, what runs, what keeps, what watches, the shared ground.
COLOURS = {
    "outside": ("#f6f8fa", "#8c959f"),
    "runs": ("#ddf4ff", "#0969da"),
    "keeps": ("#fff8c5", "#9a6700"),
    "watches": ("#ffebe9", "#cf222e"),
    "ground": ("#dafbe1", "#1a7f37"),
}
FONT = "font-family='system-ui, -apple-system, Segoe UI, Roboto, sans-serif'"


@dataclass
class Box:
    """A box of the picture.

    Attributes:
        modules: Names of the Terraform modules that make it.
    """

    x: int
    y: int
    width: int
    height: int
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    def drawn(self) -> str:
        """It as SVG."""
        fill, border = COLOURS[self.kind]
        shape = f"x='{self.x}' y='{self.y}' width='{self.width}' height='{self.height}' rx='8'"
        parts = [
            f"<rect {shape} fill='{fill}' stroke='{border}' stroke-width='1.5'/>",
            text(self.x + 12, self.y + 22, self.title, weight=600),
            *(text(self.x + 12, self.y + 22 + LINE * (n + 1), line, 12) for n, line in enumerate(self.lines)),
        ]
        if self.modules:
            # Side by side where they fit, else one below the other.
            joined = " · ".join(self.modules)
            lines = [joined] if len(joined) * 7 < self.width else list(self.modules)
            first = self.y + self.height - 10 - LINE * (len(lines) - 1)
            parts += [text(self.x + 12, first + LINE * n, line, 11, 400, border, True) for n, line in enumerate(lines)]
        return "\n".join(parts)


def text(
    x: int, y: int, words: str, size: int = 14, weight: int = 400, colour: str = "#1f2328", mono: bool = False
) -> str:
    """A line of text."""
    font = "font-family='ui-monospace, Menlo, Consolas, monospace'" if mono else FONT
    return (
        f"<text x='{x}' y='{y}' font-size='{size}' font-weight='{weight}' fill='{colour}' {font}>{escape(words)}</text>"
    )


def arrow(
    points: Iterable[tuple[int, int]], label: str = "", at: tuple[int, int] | None = None, dashed: bool = False
) -> str:
    """An arrow along points, with a label."""
    path = " ".join(f"{x},{y}" for x, y in points)
    dash = " stroke-dasharray='5 4'" if dashed else ""
    line = f"<polyline points='{path}' fill='none' stroke='#57606a' stroke-width='1.5'{dash} marker-end='url(#head)'/>"
    return line + (text(*at, label, 11, colour="#57606a") if at else "")


def table() -> tuple[str, ...]:
    """The keys of the look-up table, as many in a line as fit."""
    return tuple(textwrap.wrap(", ".join(CONTRACT["look_up"]), 40))


READY = CONTRACT["endpoints"]["ready"]
RETENTION = CONTRACT["timing"]["cases"]["web_on_demand"]["deregistration_delay"]

BOXES = [
    # Made once for each environment.
    Box(20, 84, 300, 86, "ground", "Network", ("VPC, public and private subnets,", "NAT, flow logs"), ("network",)),
    Box(
        20, 174, 300, 78, "ground", "Shared load balancers", ("internal, and external with HTTPS",), ("load_balancer",)
    ),
    Box(
        20,
        264,
        300,
        94,
        "ground",
        "Cluster",
        ("on-demand base, spot above it,", "mixed instances, every zone"),
        ("ecs_cluster",),
    ),
    Box(
        20,
        370,
        300,
        78,
        "ground",
        "Alarm topics and clock",
        ("SNS, encrypted; clock of dashboards",),
        ("alarm_topics", "clock_widget"),
    ),
    Box(
        20,
        500,
        300,
        60 + LINE * (len(table()) + 1),
        "keeps",
        "Look-up table (SSM)",
        ("/platform/{environment}/…", *table()),
        ("look_up",),
    ),
    # A request.
    Box(370, 84, 130, 60, "outside", "Callers", ("people, services",)),
    Box(
        560,
        84,
        190,
        94,
        "runs",
        "Load balancer",
        (f"asks {READY}", f"deregisters in {RETENTION} s"),
        ("ecs_web_service",),
    ),
    Box(
        830, 84, 190, 94, "runs", "Web tasks", ("gunicorn, baselib,", "agent for metrics"), ("ecs_task", "ecs_service")
    ),
    Box(
        *(1080, 84, 140, 270, "keeps", "Data stores"),
        ("in the private", "subnets, each with", "a security group", "and alarms of its", "own"),
        ("aurora_cluster", "elasticache", "opensearch"),
    ),
    # A message.
    Box(370, 214, 130, 60, "outside", "Senders", ("SNS, services",)),
    Box(560, 214, 190, 60, "keeps", "Queue", (), ("queue",)),
    Box(
        830,
        214,
        190,
        94,
        "runs",
        "Worker tasks",
        ("scaled by messages", "per task, from zero"),
        ("ecs_worker_service",),
    ),
    Box(560, 300, 190, 44, "keeps", "Dead-letter queue"),
    # A job.
    Box(370, 384, 130, 60, "outside", "Schedule", ("EventBridge",)),
    Box(560, 384, 190, 78, "runs", "State machine", ("tries a failed run again",), ("cron_run",)),
    Box(830, 384, 190, 78, "runs", "Task of the job", ("ends with an exit code",), ("ecs_task",)),
    # What watches.
    Box(370, 540, 190, 94, "watches", "Metrics and logs", ("of AWS and of baselib", "CloudWatch"), ()),
    Box(370, 660, 190, 78, "watches", "Dashboards", ("service and fleet",), ("dashboard",)),
    Box(620, 540, 190, 94, "watches", "Alarms", ("with playbook, owner,", "dashboard, objectives"), ("alarms",)),
    Box(860, 510, 170, 60, "watches", "Emergency topic"),
    Box(860, 610, 170, 60, "watches", "Warning topic"),
    Box(1080, 510, 140, 78, "outside", "PagerDuty", ("on call, Slack",), ("pagerduty_service",)),
    Box(1080, 610, 140, 60, "outside", "E-mail", ("of the owners",)),
]

ARROWS = [
    arrow([(500, 114), (558, 114)]),
    arrow([(750, 114), (828, 114)], "a port", (764, 108)),
    arrow([(1020, 114), (1078, 114)]),
    arrow([(500, 244), (558, 244)]),
    arrow([(750, 236), (828, 236)], "receives", (764, 230)),
    arrow([(1020, 250), (1078, 250)]),
    arrow([(655, 274), (655, 298)], "after the last try", (665, 291)),
    arrow([(500, 414), (558, 414)]),
    arrow([(750, 414), (828, 414)], "runs", (774, 408)),
    arrow([(925, 384), (925, 364), (1050, 364), (1050, 320), (1078, 320)]),
    arrow([(560, 587), (618, 587)]),
    arrow([(465, 634), (465, 658)]),
    arrow([(810, 560), (835, 560), (835, 540), (858, 540)]),
    arrow([(810, 610), (835, 610), (835, 640), (858, 640)]),
    arrow([(1030, 540), (1078, 540)]),
    arrow([(1030, 640), (1078, 640)]),
    arrow([(170, 448), (170, 498)], "writes", (180, 478)),
    arrow(
        [(320, 590), (345, 590), (345, 31), (366, 31)],
        "a plan reads from the look-up table what the call does not say",
        (370, 58),
        dashed=True,
    ),
    arrow([(925, 462), (925, 486), (465, 486), (465, 538)], "all of these send", (600, 480)),
]

MODULES = {module for box in BOXES for module in box.modules}


def picture() -> str:
    """The whole picture."""
    height = max(box.y + box.height for box in BOXES) + 24
    label = "How an environment, its services, their data stores and their alarms are joined"
    marker = "viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'"
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' aria-label='{label}'>",
            f"<defs><marker id='head' {marker}><path d='M0,0 L8,4 L0,8 z' fill='#57606a'/></marker></defs>",
            f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
            text(20, 36, "Once for each environment", 16, 600, "#1a7f37"),
            text(20, 58, "module environment", 12, colour="#1a7f37", mono=True),
            text(370, 36, "For each service: one call", 16, 600, "#0969da"),
            *ARROWS,
            *(box.drawn() for box in BOXES),
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    Path(PICTURE).write_text(picture(), encoding="utf-8")
