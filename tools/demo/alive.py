"""What the demo shows of services at work: health, a request, a message, metrics."""

import json

from baselib.contract.endpoints import DEPENDENCIES, INFO, READY
from tools.demo.process import ask, until
from tools.demo.running import Running
from tools.demo.steps import say, step


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
        say(f"GET {url}{path}")
        say(f"{answer[0]} {answer[1]}" if answer else "no answer", indent=2)


def show_request(running: Running) -> None:
    """A request, and the log line with the same request id."""
    step("a request to duolingo-api, and its log line")
    answer = ask(running.web_url + "/greetings", {"name": "Ana"})
    if answer is None or answer[0] != 201:
        raise RuntimeError(f"POST /greetings answered {answer}")
    say(f"POST {running.web_url}/greetings")
    say(f"{answer[0]} {answer[1]}", indent=2)
    request_id = answer[2]["X-Request-Id"]
    line = until(lambda: running.web.log_line("request finished", request_id=request_id), "the log line", running.web)
    say(json.dumps(line))


def show_message(running: Running) -> None:
    """A message sent to the queue, and the log line of its handler."""
    step("a message to duolingo-mailer, and its log line")
    message_id = running.queue.send({"name": "Ana"})
    say(f'sent {{"name": "Ana"}} as {message_id}')
    mailer = running.mailer
    say(json.dumps(until(lambda: mailer.log_line("message finished", message_id=message_id), "the message", mailer)))


def show_metrics(running: Running) -> None:
    """What has arrived at the statsd socket."""
    step(f"metrics that arrived at the statsd socket on port {running.statsd.port}")
    for name in ("api.greetings", "api.requests", "mailer.welcomes", "mailer.messages"):
        show_metric(running, name)


def show_metric(running: Running, name: str) -> None:
    """The first line of a metric that has arrived."""
    prefix = f"duolingo.{name}:"
    say(until(lambda: next((line for line in running.statsd.lines if line.startswith(prefix)), None), prefix))
