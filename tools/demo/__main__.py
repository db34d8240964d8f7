"""Copies a web service and a worker out of the template, runs them against an embedded AWS, and shows what they do."""

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from baselib.contract.endpoints import READY
from baselib.testing.ports import claim_port
from baselib.testing.statsd import StatsdReceiver
from tools.demo.alive import show_health, show_message, show_metrics, show_request
from tools.demo.deployment import end, show_dead_letter, show_drain_in_flight, show_redrive
from tools.demo.process import ask, until
from tools.demo.running import Running
from tools.demo.services import prepare, slow_down
from tools.demo.steps import say, step


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
        slow_down(services["duolingo-mailer"])
        statsd = stack.enter_context(StatsdReceiver())
        running = Running(stack, folder, services, statsd, port)
        running.start()
        show_health(running)
        show_request(running)
        show_message(running)
        show_metrics(running)
        request_id = show_dead_letter(running)
        show_drain_in_flight(running)
        show_redrive(running, request_id)
        if keep:
            stack.pop_all()
            say_where(running, folder)
        else:
            show_end(running)
            step("take everything down")
    print(f"\nDone in {time.monotonic() - began:.0f} s.")


def show_end(running: Running) -> None:
    """SIGTERM: readiness turns 503 while requests are still served, and both end with exit code 0."""
    step("SIGTERM to both: readiness turns 503, requests are still served, then a clean exit")
    running.web.terminate()
    running.mailer.terminate()
    not_ready = until(
        lambda: next((x for x in [ask(running.web_url + READY)] if x and x[0] == 503), None), "readiness 503"
    )
    still = ask(running.web_url + "/greetings", {"name": "Ana"})
    say(f"GET {READY}: {not_ready[0]} {not_ready[1]}")
    say(f"POST /greetings while it drains: {still[0] if still else 'refused'}")
    until(lambda: running.mailer.log_line("draining"), "duolingo-mailer drains")
    # It also ends the long poll that was under way when SIGTERM came, for which the worker would wait up to 20 s.
    running.queue.send({"name": "sent during the drain"})
    for process in (running.web, running.mailer):
        end(process)
    say(f"the message sent during the drain is in the queue again: {running.queue.counts()}")


def say_where(running: Running, folder: Path) -> None:
    """Where what was kept can be found, and how it is ended."""
    step("everything is left running")
    say(f"duolingo-api      {running.web_url}/healthz/info")
    say(f"duolingo-mailer   {running.mailer_url}/healthz/info")
    say(f"embedded AWS      {running.aws_url}  queue {running.queue.url}")
    say(f"services and logs {folder}")
    say(f"end it with       kill {running.web.id} {running.mailer.id} {running.aws.id}; rm -r {folder}")


if __name__ == "__main__":
    sys.exit(main())
