"""What `./dev` runs."""

import os
import shutil
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# A file's tests stay together, because they share what is slow to make. Most of a test's time is waiting.
SIDE_BY_SIDE = ["--numprocesses", "3", "--dist", "loadfile", "--quiet"]
EXTRAS = ".[web,worker,postgres,redis,memcached,elasticsearch,tools,testing]"


def install(session: nox.Session, *groups: str) -> None:
    """baselib from this checkout, with everything that a service may install of it."""
    chosen = [argument for group in groups for argument in ("--group", group)]
    session.install(*chosen, "--editable", EXTRAS, "--quiet")


@nox.session(python=PYTHON)
def demo(session: nox.Session) -> None:
    """Copy a web service and a worker out of the template, run them, and show what they do."""
    install(session, "test")
    session.run("python", "-m", "tools.demo", *session.posargs)


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Linters, type checkers and the direction of imports."""
    install(session, "test", "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("mypy", "benchmarks", "tests", "tools", "noxfile.py", "build_version.py")
    session.run("lint-imports", "--no-logo", silent=True)


@nox.session(python=PYTHON)
def test(session: nox.Session) -> None:
    """Everything that needs nothing but Python."""
    if not session.posargs:
        lint(session)
    install(session, "test")
    session.run("pytest", "-m", "not e2e", *(session.posargs or SIDE_BY_SIDE))


@nox.session(python=PYTHON)
def e2e(session: nox.Session) -> None:
    """What needs root, Docker, Terraform or Chromium; each test that finds something missing says so by name."""
    install(session, "test")
    if session.posargs:
        session.run("pytest", "-m", "e2e", *session.posargs)
        return
    session.run("pytest", "-m", "e2e", "tests/terraform", *SIDE_BY_SIDE)
    # Loads and deadlines are measured here, and so these run alone.
    session.run("pytest", "-m", "e2e", "--ignore", "tests/terraform")


@nox.session(python=PYTHON)
def benchmarks(session: nox.Session) -> None:
    """Measure speed and memory beside the peers, and write docs/performance.md."""
    install(session, "benchmark")
    session.run("python", "-W", "ignore", "-m", "benchmarks", *session.posargs)


@nox.session(python=PYTHON)
def examples(session: nox.Session) -> None:
    """Render examples/ again, for a change of the template to be seen in review."""
    install(session, "test")
    session.run("python", "-m", "tools.examples", *session.posargs)


@nox.session(python=PYTHON, venv_backend="none")
def wheel(session: nox.Session) -> None:
    """Build the wheel of baselib into a folder; its version has the commit as a label, or `dirty`."""
    if len(session.posargs) != 1:
        session.error("say where to: ./dev wheel FOLDER")
    uv = shutil.which("uv") or "uv"
    folder = Path(os.environ.get("PWD", ROOT)) / session.posargs[0]
    session.run(uv, "build", "--quiet", "--wheel", "--out-dir", str(folder), external=True)
