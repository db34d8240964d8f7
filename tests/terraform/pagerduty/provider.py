"""A stand-in for PagerDuty's provider: it knows the schema and nothing else.

Terraform validates modules with it, and tests them where the provider is mocked. It never talks to PagerDuty. How it
answers is in serving.py, which needs the package `tf`.
"""

import importlib.util
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from tests.terraform.pagerduty import bindings

PRETEND = "pretend"
ADDRESS = "registry.terraform.io/pagerduty/pagerduty"
REPOSITORY = Path(__file__).resolve().parents[3]
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

LAUNCHER = """\
#!{python}
import os, sys
from pathlib import Path
# A key pair of the package `tf` is kept in the home directory.
os.environ["HOME"] = {folder!r}
sys.path.insert(0, {repository!r})
from tests.terraform.pagerduty.serving import serve
serve(Path({folder!r}) / "schema.json")
"""


def missing() -> str | None:
    """What stands in the way of the stand-in, or None."""
    if bindings.archive() is None:
        return f"{bindings.PACKAGE}, from which PagerDuty's schema is read, is not installed"
    if importlib.util.find_spec("tf") is None:
        return "tf, which serves PagerDuty's schema to Terraform, is not installed"
    return None


def install(folder: Path) -> Path:
    """Make a plug-in directory with the stand-in in it, and return it. `missing` says whether this can be done."""
    archived = bindings.archive()
    assert archived is not None
    schema = bindings.read(archived)
    (folder / "schema.json").write_text(json.dumps(asdict(schema)), encoding="utf-8")
    machine = f"{platform.system().lower()}_{MACHINES[platform.machine()]}"
    launcher = (
        folder / "plugins" / ADDRESS / schema.version / machine / f"terraform-provider-pagerduty_v{schema.version}"
    )
    launcher.parent.mkdir(parents=True)
    text = LAUNCHER.format(python=sys.executable, folder=str(folder), repository=str(REPOSITORY))
    launcher.write_text(text, encoding="utf-8")
    launcher.chmod(0o755)
    return folder / "plugins"
