"""Looking at everything: the environment, the container, and the service where it is known."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from baselib.aws import CredentialPolicyError, refuse_static_keys
from baselib.contract import ConfigurationError, ExitCode, Needs, Settings
from baselib.doctor.configuration import configuration
from baselib.doctor.loading import NotLoadedError, check_gunicorn_file, find_place, load
from baselib.doctor.needs import needs_findings
from baselib.doctor.once import run_once
from baselib.doctor.report import FAILED, Diagnosis, Finding, Problem
from baselib.doctor.surroundings import surroundings
from baselib.service import Service

# Without these variables an application sends nothing to anybody while it is looked at.
_SENDING: Final = ("STATSD_HOST", "SENTRY_DSN")


def diagnose(environ: Mapping[str, str], service: Service | None = None) -> Diagnosis:
    """Look at an environment and, where it is given, at a service: its needs, and its health checks run once.

    Args:
        environ: The environment variables.
        service: The service; where None, nothing is known of its needs.
    """
    needs = None if service is None else service.needs
    return _diagnosis(environ, needs, _problems(environ, needs), service=service)


def diagnose_location(environ: Mapping[str, str], place: str | None = None) -> Diagnosis:
    """Load the service as its command does, and look at it; it is not run, and nothing is sent or written.

    Whatever it prints when it is imported goes to standard error.

    Args:
        environ: The environment variables, usually `os.environ`, from which the service reads its own.
        place: The application, Worker or Job as `package.module:name`; searched for where None: in the command of the
            container's first process, and in the answers to the template.
    """
    # Before variables are hidden from the application.
    environ = dict(environ)
    with _quiet(), _mute():
        known = (place, "given") if place is not None else find_place(Path.cwd())
        if known is None:
            return diagnose(environ)
        application = Finding("application", *known)
        try:
            service = load(known[0])
            if service is None or service.needs.kind == "web":
                check_gunicorn_file()
        except ConfigurationError as error:
            # It complains of nothing that was hidden from it.
            more = [each for each in _problems(environ, None) if each.startswith(_SENDING)]
            return _diagnosis(environ, None, [*more, *error.problems], application)
        except NotLoadedError as error:
            crash = Problem(str(error), int(ExitCode.CRASHED))
            return _diagnosis(environ, None, _problems(environ, None), application._replace(wrong=True), crash)
        if service is None:
            application = application._replace(source=f"{known[1]}; not made by create_app, its needs are not known")
        needs = Needs() if service is None else service.needs
        return _diagnosis(environ, needs, _problems(environ, needs), application, service=service)


def _diagnosis(
    environ: Mapping[str, str],
    needs: Needs | None,
    problems: Sequence[str],
    application: Finding | None = None,
    crash: Problem | None = None,
    *,
    service: Service | None = None,
) -> Diagnosis:
    settings = None if problems else Settings.from_environment(environ, needs)
    sections = {
        "configuration": list(configuration(environ, settings, needs, problems)),
        "container": list(surroundings(environ, settings, needs)),
        "needs": [
            *([application] if application is not None else []),
            *(needs_findings(environ, needs) if needs is not None else []),
        ],
        "checks": [],
    }
    found = [Problem(problem, int(ExitCode.CONFIGURATION)) for problem in problems]
    found += [
        Problem(f"{finding.name}: {finding.value}, {finding.source}".replace(": -, ", ": "), 0)
        for finding in sections["container"]
        if finding.wrong
    ]
    if service is not None:
        for finding, hard in _checks(service):
            sections["checks"].append(finding)
            if finding.wrong:
                found.append(Problem(f"{finding.name} {finding.value}: {finding.source}", FAILED if hard else 0))
    return Diagnosis(sections, [*([crash] if crash is not None else []), *found])


def _problems(environ: Mapping[str, str], needs: Needs | None) -> list[str]:
    """What would stop a service with these needs at its start."""
    try:
        Settings.from_environment(environ, needs)
        refuse_static_keys(environ)
    except ConfigurationError as error:
        return list(error.problems)
    except CredentialPolicyError as refused:
        return [str(refused)]
    return []


def _checks(service: Service) -> Iterator[tuple[Finding, bool]]:
    """Each check as it went, with whether it is a hard one."""
    for run in run_once(service.checks.checks()):
        kind = "hard" if run.check.hard else "soft"
        if run.check.required_for_traffic:
            kind += ", required for traffic"
        taken = f"{run.seconds * 1000:.0f} ms"
        if run.error:
            yield Finding(run.name, f"failed after {taken}", f"{kind}, {run.error}", wrong=True), run.check.hard
        else:
            yield Finding(run.name, f"healthy in {taken}", kind), run.check.hard


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep standard output for the report, and log lines of no weight away: they are not about the running service."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _mute() -> Iterator[None]:
    hidden = {name: os.environ.pop(name) for name in _SENDING if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
