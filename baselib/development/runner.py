"""Runs a service that was copied from the template for its developer."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from baselib.contract import ServiceName
from baselib.contract.endpoints import HEALTH_PORT, INFO, READY, WEB_PORT
from baselib.contract.parsers import port_in
from baselib.testing.embedded_aws import EmbeddedAws
from baselib.testing.local_environment import ANSWERS_FILE, local_environment, read_answers
from baselib.testing.ports import claim_port

# How long a service may take to end after Ctrl-C.
_LAST_SECONDS: Final = 10

_COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "web": ("serve", "app:app"),
    "worker-daemon": ("worker", "worker:worker"),
    "worker-cron": ("cron", "job:job"),
}


def command(answers: Mapping[str, Any]) -> list[str]:
    """What runs a service: the command of its container, on this machine's own address.

    Args:
        answers: What the service was copied with.
    """
    package = ServiceName(answers["product"], answers["service"]).package
    verb, place = _COMMANDS[answers["kind"]]
    # Nobody but the developer has to reach it.
    host = [] if answers["kind"] == "worker-cron" else ["--host", "127.0.0.1"]
    return [sys.executable, "-m", "baselib.cli", verb, *host, f"{package}.{place}"]


def run(folder: Path, *, port: int | None = None, reload: bool = True) -> int:
    """Run the service of a folder until Ctrl-C.

    Args:
        folder: The root of the service's repository.
        port: The port of a web service, or of a worker's health endpoints.
        reload: Whether to start it again when a file below `src` changes.

    Returns:
        The exit code.
    """
    answers = read_answers(folder)
    if answers is None:
        print(f"no {ANSWERS_FILE} in {folder}: run this in the root of a service's repository", file=sys.stderr)
        return 2
    web = answers["kind"] == "web"
    port = port or port_in(os.environ, "PORT" if web else "HEALTH_PORT", WEB_PORT if web else HEALTH_PORT)
    if answers["kind"] != "worker-cron":
        try:
            claim_port(port)
        except OSError:
            print(f"port {port} is taken: choose another with --port", file=sys.stderr)
            return 2
    with EmbeddedAws() as embedded:
        environment = {
            **local_environment(answers),
            **embedded.environment,
            "PORT" if web else "HEALTH_PORT": str(port),
            # Nobody balances load here, so that a reload need not wait for anybody to notice.
            "DRAIN_SECONDS": "0",
            "LOG_FORMAT": "console",
        }
        if answers["kind"] == "worker-daemon":
            name = ServiceName(answers["product"], answers["service"])
            environment["QUEUE_URL"] = embedded.make_queue(name.resource("queue", environment="local"))
        environment = {**environment, **_given(environment)}
        _introduce(answers, environment, port)
        return _run(command(answers), environment, folder, reload=reload and answers["kind"] != "worker-cron")


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    """What the developer has set goes before what is made up here, save for the embedded AWS."""
    return {
        name: os.environ[name]
        for name in environment
        if name in os.environ and not name.startswith(("AWS_", "QUEUE_")) and name not in {"PORT", "HEALTH_PORT"}
    }


def _introduce(answers: Mapping[str, Any], environment: Mapping[str, str], port: int) -> None:
    if answers["kind"] != "worker-cron":
        print(f"service       http://127.0.0.1:{port}{READY}  http://127.0.0.1:{port}{INFO}")
    print(f"embedded AWS  {environment['AWS_ENDPOINT_URL']}")
    for name in ("QUEUE_URL", "DATABASE_URL", "REDIS_URL", "MEMCACHED_URL", "ELASTICSEARCH_URL"):
        if name in environment:
            print(f"{name:<13} {environment[name]}")
    sys.stdout.flush()


def _run(arguments: list[str], environment: Mapping[str, str], folder: Path, *, reload: bool) -> int:
    merged = {**os.environ, **environment, "PYTHONPATH": str(folder / "src")}
    return (_run_anew if reload else _run_once)(arguments, merged, folder)


def _run_anew(arguments: list[str], environment: Mapping[str, str], folder: Path) -> int:
    """Run a command, again whenever a file changes, until Ctrl-C or SIGTERM."""
    from watchfiles import watch  # noqa: PLC0415 - only the reload needs it

    stopped = threading.Event()
    # An exception could come in the middle of a restart, and leave a process behind.
    previous = {number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    process = subprocess.Popen(arguments, env=environment, cwd=folder)
    try:
        for _ in watch(folder / "src", stop_event=stopped):
            _end(process)
            process = subprocess.Popen(arguments, env=environment, cwd=folder)
    finally:
        _end(process)
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run_once(arguments: list[str], environment: Mapping[str, str], folder: Path) -> int:
    """Run a command, hand on SIGTERM, and leave nothing of it behind."""
    process = subprocess.Popen(arguments, env=environment, cwd=folder)
    previous = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has sent Ctrl-C to the process too.
        return process.wait(_LAST_SECONDS)
    finally:
        signal.signal(signal.SIGTERM, previous)
        process.kill()
