"""Copies a web service and a worker out of the template, runs them against an embedded AWS, and shows what they do."""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselib.contract import ServiceName
from baselib.contract.endpoints import DEPENDENCIES, INFO, READY
from baselib.testing.embedded_aws import CREDENTIALS, REGION, embedded_client
from baselib.testing.ports import claim_port
from baselib.testing.statsd import StatsdReceiver
from tools.demo.process import Process, ask, until
from tools.template import copy

WEB = {"product": "duolingo", "service": "api", "kind": "web", "description": "Greets learners."}
MAILER = {"product": "duolingo", "service": "mailer", "kind": "worker-daemon", "description": "Welcomes learners."}
TEAM = {"owner": "Learning", "contact": "learning@example.com"}
QUEUE = ServiceName("duolingo", "mailer").resource("queue", environment="local")


@dataclass(frozen=True)
class Running:
    """What the demo has started."""

    web: Process
    mailer: Process
    aws: Process
    web_url: str
    mailer_url: str
    aws_url: str
    queue_url: str


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running and print where it is")
    parser.add_argument("--port", type=int, default=0, help="the web service's port; a free one when not given")
    options = parser.parse_args()
    try:
        try:
            port = claim_port(options.port)
        except (OSError, OverflowError) as error:
            raise RuntimeError(f"port {options.port} is taken or cannot be used: choose another with --port") from error
        for tool in ("git", "uv"):
            if shutil.which(tool) is None:
                raise RuntimeError(f"{tool} is not installed")
        run(port, keep=options.keep)
    except (RuntimeError, TimeoutError, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
        return 130
    return 0


def run(port: int, *, keep: bool) -> None:
    """The whole demo."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="baselib-demo-"))
    with contextlib.ExitStack() as stack:
        if not keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        services = prepare(folder)
        statsd = stack.enter_context(StatsdReceiver())
        running = start(stack, folder, services, statsd, port)
        show_health(running)
        show_request(running)
        show_message(running)
        show_metrics(statsd)
        if keep:
            stack.pop_all()
            say_where(running, folder)
        else:
            show_drain(running)
            step("take everything down")
    print(f"\nDone in {time.monotonic() - began:.0f} s.")


def prepare(folder: Path) -> dict[str, Path]:
    """Copy both services and install each in an environment of its own."""
    step(f"copy duolingo-api (web) and duolingo-mailer (worker daemon) into {folder}")
    services = {}
    for answers in (WEB, MAILER):
        name = f"{answers['product']}-{answers['service']}"
        services[name] = folder / name
        copy(services[name], {**TEAM, **answers})
        print(f"    {name}: {sum(1 for each in services[name].rglob('*') if each.is_file())} files")
    step("install each in its own environment")
    together([lambda service=service: install(service) for service in services.values()])  # type: ignore[misc]
    return services


def install(service: Path) -> None:
    """Install a service with what its developer needs."""
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_PYTHON"}}
    for command in (
        ["uv", "venv", "--quiet", "--python", sys.executable, ".venv"],
        ["uv", "pip", "install", "--quiet", "--python", ".venv", "--editable", ".[development]"],
    ):
        done = subprocess.run(command, cwd=service, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")


def start(
    stack: contextlib.ExitStack, folder: Path, services: dict[str, Path], statsd: StatsdReceiver, port: int
) -> Running:
    """Start the embedded AWS and both services."""

    def launch(service: str, *command: str, log: str, **environment: str) -> Process:
        program = services[service] / ".venv" / "bin" / "baselib"
        process = Process([str(program), *command], environment, folder / f"{log}.log")
        stack.callback(process.kill)
        return process

    step("start the embedded AWS (moto's server)")
    aws_port, health_port = claim_port(0), claim_port(0)
    aws_url = f"http://127.0.0.1:{aws_port}"
    aws = launch("duolingo-mailer", "aws", "--port", str(aws_port), "--queue", QUEUE, log="aws")
    queue_url = until(lambda: queue_of(aws.log), "the queue", aws)
    print(f"    {aws_url}, queue {QUEUE}")
    common = {
        "SERVICE_PRODUCT": "duolingo",
        "SERVICE_OWNER": TEAM["owner"],
        "SERVICE_RELEASE": "demo",
        "LOG_FORMAT": "json",
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_REGION": REGION,
        **CREDENTIALS,
        **statsd.environment,
    }
    step("boot duolingo-api with gunicorn, and duolingo-mailer")
    web = launch(
        "duolingo-api",
        "serve",
        "--host",
        "127.0.0.1",
        "duolingo_api.app:app",
        log="duolingo-api",
        **common,
        SERVICE_NAME="api",
        PORT=str(port),
        DRAIN_SECONDS="2",
    )
    mailer = launch(
        "duolingo-mailer",
        "worker",
        "--host",
        "127.0.0.1",
        "duolingo_mailer.worker:worker",
        log="duolingo-mailer",
        **common,
        SERVICE_NAME="mailer",
        HEALTH_PORT=str(health_port),
        QUEUE_URL=queue_url,
    )
    web_url, mailer_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{health_port}"
    for url, process in ((web_url, web), (mailer_url, mailer)):
        until(lambda url=url: (ask(url + READY) or [0])[0] == 200, f"{process.log.stem} is ready", process)  # type: ignore[misc]
    print(f"    {web_url} and {mailer_url} are ready")
    return Running(web, mailer, aws, web_url, mailer_url, aws_url, queue_url)


def show_health(running: Running) -> None:
    """The health endpoints of both."""
    step("health")
    for url, path in (
        (running.web_url, READY),
        (running.web_url, INFO),
        (running.mailer_url, READY),
        (running.mailer_url, DEPENDENCIES),
    ):
        answer = ask(url + path)
        print(f"    GET {url}{path}\n        {answer[0]} {answer[1]}" if answer else "    no answer")


def show_request(running: Running) -> None:
    """A request, and the log line with the same request id."""
    step("a request to duolingo-api, and its log line")
    answer = ask(running.web_url + "/greetings", {"name": "Ana"})
    if answer is None or answer[0] != 201:
        raise RuntimeError(f"POST /greetings answered {answer}")
    print(f"    POST {running.web_url}/greetings\n        {answer[0]} {answer[1]}")
    request_id = answer[2]["X-Request-Id"]
    line = until(lambda: running.web.log_line("request finished", request_id=request_id), "the log line", running.web)
    print(f"    {json.dumps(line)}")


def show_message(running: Running) -> None:
    """A message sent to the queue, and the log line of its handler."""
    step("a message to duolingo-mailer, and its log line")
    message_id = send(running, {"name": "Ana"})
    print(f'    sent {{"name": "Ana"}} as {message_id}')
    line = until(
        lambda: running.mailer.log_line("message finished", message_id=message_id), "the message", running.mailer
    )
    print(f"    {json.dumps(line)}")


def show_metrics(statsd: StatsdReceiver) -> None:
    """What has arrived at the statsd socket."""
    step(f"metrics that arrived at the statsd socket on port {statsd.port}")
    wanted = (
        "duolingo.api.greetings:",
        "duolingo.api.requests:",
        "duolingo.mailer.welcomes:",
        "duolingo.mailer.messages:",
    )
    for prefix in wanted:
        line = until(lambda prefix=prefix: next((x for x in statsd.lines if x.startswith(prefix)), None), prefix)  # type: ignore[misc]
        print(f"    {line}")


def show_drain(running: Running) -> None:
    """SIGTERM: readiness turns 503 while requests are still served, and both end with exit code 0."""
    step("SIGTERM to both: readiness turns 503, requests are still served, then a clean exit")
    running.web.terminate()
    running.mailer.terminate()
    not_ready = until(
        lambda: next((x for x in [ask(running.web_url + READY)] if x and x[0] == 503), None), "readiness 503"
    )
    still = ask(running.web_url + "/greetings", {"name": "Ana"})
    print(f"    GET {READY}: {not_ready[0]} {not_ready[1]}")
    print(f"    POST /greetings while it drains: {still[0] if still else 'refused'}")
    until(lambda: running.mailer.log_line("draining"), "duolingo-mailer drains")
    # It also ends the long poll that was under way when SIGTERM came, for which the worker would wait up to 20 s.
    send(running, {"name": "sent during the drain"})
    for process in (running.web, running.mailer):
        code = process.wait(40)
        print(f"    {process.log.stem} ended with exit code {code}")
        if code != 0:
            raise RuntimeError(f"{process.log.stem} did not end cleanly")
    print(f"    the message sent during the drain is in the queue again: {visible(running)} visible")


def say_where(running: Running, folder: Path) -> None:
    """Where what was kept can be found, and how it is ended."""
    step("everything is left running")
    print(f"    duolingo-api      {running.web_url}/healthz/info")
    print(f"    duolingo-mailer   {running.mailer_url}/healthz/info")
    print(f"    embedded AWS      {running.aws_url}  queue {running.queue_url}")
    print(f"    services and logs {folder}")
    print(f"    end it with       kill {running.web.id} {running.mailer.id} {running.aws.id}; rm -r {folder}")


def send(running: Running, body: dict[str, str]) -> str:
    """Send a message to the worker's queue."""
    return str(sqs(running).send_message(QueueUrl=running.queue_url, MessageBody=json.dumps(body))["MessageId"])


def visible(running: Running) -> str:
    """How many messages can be received."""
    name = "ApproximateNumberOfMessages"
    answer = sqs(running).get_queue_attributes(QueueUrl=running.queue_url, AttributeNames=[name])
    return str(answer["Attributes"][name])


def sqs(running: Running) -> Any:
    """A client of the embedded AWS."""
    return embedded_client(running.aws_url, "sqs")


def queue_of(log: Path) -> str | None:
    """The queue's address, once the embedded AWS has said it."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("queue "):
            return line.removeprefix("queue ")
    return None


def together(tasks: list[Callable[[], None]]) -> None:
    """Run some tasks at the same time, and raise the first error of one."""
    errors: list[BaseException] = []

    def run_one(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run_one, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


_steps = _numbers()


def step(what: str) -> None:
    """Say what happens now."""
    print(f"\n[{next(_steps)}] {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
