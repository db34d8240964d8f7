"""Renders examples/: one service of each kind, for people to browse and for reviewers to see what a change does.

The address and commit of the template differ with every clone and commit, so that both are written as fixed ones.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools.template import ROOT, copy, snapshot

EXAMPLES: dict[str, dict[str, Any]] = {
    "duolingo-api": {
        "service": "api",
        "kind": "web",
        "exposure": "external",
        "description": "Serves lessons to the apps.",
        "data_stores": ["postgres", "redis"],
        "hard_dependencies": ["duolingo-auth"],
        "soft_dependencies": ["duolingo-recs"],
        "clients": ["duolingo-web"],
        "environments": ["staging", "prod"],
    },
    "duolingo-mailer": {
        "service": "mailer",
        "kind": "worker-daemon",
        "description": "Welcomes new learners by mail.",
        "clients": ["duolingo-api"],
        "ci": "jenkins",
    },
    "duolingo-report": {
        "service": "report",
        "kind": "worker-cron",
        "description": "Counts yesterday's lessons.",
        "data_stores": ["postgres"],
        "schedule": "cron(30 4 * * ? *)",
    },
}
COMMON = {"product": "duolingo", "owner": "Learning", "contact": "learning@example.com"}
# Derived answers may be given too, which nobody but this does.
FIXED = {
    "template_url": "https://github.com/example/platform.git",
    "template_commit": "0123456789abcdef0123456789abcdef01234567",
}


def render(folder: Path, platform: Path) -> None:
    """Render every example below a folder.

    Args:
        folder: Where they go.
        platform: A clone of this repository in which everything is committed.
    """
    for name, answers in EXAMPLES.items():
        copy(folder / name, {**COMMON, **FIXED, **answers}, source=platform)
        recorded = folder / name / ".copier-answers.yml"
        text = recorded.read_text(encoding="utf-8")
        text = text.replace(str(platform), FIXED["template_url"])
        # A commit of digits alone is quoted.
        text = re.sub("(?m)^_commit: .*$", f"_commit: {FIXED['template_commit'][:7]}", text)
        recorded.write_text(text, encoding="utf-8")


def main() -> None:
    """Render examples/ again."""
    with tempfile.TemporaryDirectory() as temporary:
        platform = snapshot(Path(temporary) / "platform")
        rendered = Path(temporary) / "examples"
        render(rendered, platform)
        for name in EXAMPLES:
            shutil.rmtree(ROOT / "examples" / name, ignore_errors=True)
            shutil.copytree(rendered / name, ROOT / "examples" / name)
    subprocess.run(["git", "-C", str(ROOT), "status", "--short", "examples"], check=True)


if __name__ == "__main__":
    main()
