"""Writes the reference pages that are made from the code: `python -m tools.reference`."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from baselib.contract import CONTRACT, VARIABLES, ExitCode
from baselib.telemetry.metrics.standard import STANDARD_METRICS
from tools.template import ROOT

FOLDER = ROOT / "docs" / "reference"
_NOTE = "<!-- Made from the code by `python -m tools.reference`. -->"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def settings() -> str:
    """The page of the environment variables."""
    rows = [
        [f"`{variable.name}`", variable.meaning, variable.accepted, variable.when_unset]
        for variable in VARIABLES.values()
    ]
    rows += [
        ["`QUEUE_{NAME}_URL`", "a further queue, by name", VARIABLES["QUEUE_URL"].accepted, "required where declared"],
        [
            "`{PRODUCT}_{SERVICE}_URL`",
            "another service that the service depends on",
            VARIABLES["AWS_ENDPOINT_URL"].accepted,
            "required when the dependency is hard",
        ],
    ]
    return f"""# Settings
{_NOTE}

Everything that a service is told comes in environment variables, which are checked once at start. A wrong or missing
one stops the process with exit code {ExitCode.CONFIGURATION} and one line for each: its name, what it held (secrets
masked) and what is accepted.

{table(["variable", "meaning", "accepted", "when unset"], rows)}
"""


def metrics() -> str:
    """The page of the metrics that baselib sends by itself."""
    rows = [
        [f"`{metric.name}`", metric.type, ", ".join(metric.tags) or "-", metric.meaning] for metric in STANDARD_METRICS
    ]
    return f"""# Metrics
{_NOTE}

Every name is prefixed `{{product}}.{{service}}.`, every metric is tagged `environment`. These are sent by baselib
itself:

{table(["name", "type", "further tags", "meaning"], rows)}
"""


def endpoints() -> str:
    """The page of endpoints and exit codes."""
    meanings = {
        "live": ("the container health check", "200 while the process can answer; never looks at a dependency"),
        "ready": ("the load balancer", "200 when started and not draining, otherwise 503 with the reason"),
        "dependencies": ("people, dashboards", "every check: status, latency, last error, age of the result"),
        "info": ("people, tools", "identity, release, uptime, versions"),
    }
    rows = [[f"`{CONTRACT['endpoints'][name]}`", *meaning] for name, meaning in meanings.items()]
    ended = {
        ExitCode.FINISHED: "finished or drained",
        ExitCode.CRASHED: "crashed",
        ExitCode.MEMORY: "stopped by its own memory limit, to be restarted",
        ExitCode.CONFIGURATION: "configuration error",
    }
    return f"""# Endpoints and exit codes
{_NOTE}

{table(["path", "who asks", "answer"], rows)}

The last two, and `/openapi.json` of a web service, answer callers from private networks and callers with
`Authorization: Bearer HEALTH_TOKEN`; everybody else gets 404. A web service answers on `PORT`, a worker daemon on
`HEALTH_PORT`.

{table(["exit code", "meaning"], [[str(int(code)), meaning] for code, meaning in ended.items()])}
"""


def alarms() -> str:
    """The page of the alarms."""
    known = json.loads((ROOT / "baselib/contract/alarms.json").read_text(encoding="utf-8"))
    rows = [
        [f"`{alarm['name']}`", ", ".join(alarm["kinds"]), alarm["summary"].replace("|", r"\|")]
        for severity in ("emergency", "warning")
        for alarm in known
        if alarm["severity"] == severity
    ]
    emergencies = sum(alarm["severity"] == "emergency" for alarm in known)
    return f"""# Alarms
{_NOTE}

Each service and each data store has those of its kind, named `{{product}}-{{service}}-{{environment}}-{{alarm}}`
(a data store's with its subservice after the service). What to do is in the service's `docs/playbook.md`, which each
alarm links to.

## Emergencies: they page

{table(["alarm", "kinds", "rings when"], rows[:emergencies])}

## Warnings: they go to e-mail

{table(["alarm", "kinds", "rings when"], rows[emergencies:])}
"""


PAGES = {"settings.md": settings, "metrics.md": metrics, "endpoints.md": endpoints, "alarms.md": alarms}


def main(folder: Path = FOLDER) -> None:
    """Write the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
