"""What the demo has running: the embedded AWS and both services."""

import contextlib
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from baselib.contract.endpoints import READY
from baselib.testing.embedded_aws import CREDENTIALS, REGION
from baselib.testing.ports import claim_port
from baselib.testing.statsd import StatsdReceiver
from tools.demo.process import PATH, Process, ask, until
from tools.demo.queue import Queue
from tools.demo.services import DEAD_LETTER_QUEUE, QUEUE, TEAM
from tools.demo.steps import say, step

_COMMAND_SECONDS: Final = 60


@dataclass
class Running:
    """Everything that runs.

    Args:
        stack: Ends what was started.
        folder: Where the logs are written.
        services: The folder of each service.
        statsd: Where metrics are sent.
        port: The web service's port.

    Attributes:
        web: The web service.
        mailer: The worker that was started last.
        aws: The embedded AWS.
        queue: The worker's queue.
        dead_letters: Its dead-letter queue.
    """

    stack: contextlib.ExitStack
    folder: Path
    services: dict[str, Path]
    statsd: StatsdReceiver
    port: int
    web: Process = field(init=False)
    mailer: Process = field(init=False)
    aws: Process = field(init=False)
    queue: Queue = field(init=False)
    dead_letters: Queue = field(init=False)

    def __post_init__(self) -> None:
        self._aws_port, self._health_port = claim_port(0), claim_port(0)
        self._workers = 0

    @property
    def web_url(self) -> str:
        """Where the web service answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mailer_url(self) -> str:
        """Where the worker's health endpoints answer."""
        return f"http://127.0.0.1:{self._health_port}"

    @property
    def aws_url(self) -> str:
        """Where the embedded AWS answers."""
        return f"http://127.0.0.1:{self._aws_port}"

    @property
    def aws_environment(self) -> dict[str, str]:
        """The variables with which a command uses the embedded AWS."""
        return {"AWS_ENDPOINT_URL": self.aws_url, "AWS_REGION": REGION, **CREDENTIALS}

    def start(self) -> None:
        """Start everything, and wait until it is ready."""
        step("start the embedded AWS (moto's server), with the worker's queue and its dead-letter queue")
        self.aws = self._launch("duolingo-mailer", ["aws", "--port", str(self._aws_port), "--queue", QUEUE], "aws")
        url = until(lambda: _queue_of(self.aws.log), "the queue", self.aws)
        self.queue = Queue(self.aws_url, url)
        self.dead_letters = Queue(self.aws_url, f"{url.rpartition('/')[0]}/{DEAD_LETTER_QUEUE}")
        say(f"{self.aws_url}, queues {QUEUE} and {DEAD_LETTER_QUEUE}")
        step("boot duolingo-api with gunicorn, and duolingo-mailer")
        self.web = self._launch(
            "duolingo-api",
            ["serve", "--host", "127.0.0.1", "duolingo_api.app:app"],
            "duolingo-api",
            **self._common,
            SERVICE_NAME="api",
            PORT=str(self.port),
            DRAIN_SECONDS="2",
        )
        self.start_mailer()
        until(lambda: (ask(self.web_url + READY) or [0])[0] == 200, "duolingo-api is ready", self.web)
        say(f"{self.web_url} and {self.mailer_url} are ready")

    def start_mailer(self) -> None:
        """Start a worker, and wait until it is ready."""
        self._workers += 1
        self.mailer = self._launch(
            "duolingo-mailer",
            ["worker", "--host", "127.0.0.1", "duolingo_mailer.worker:worker"],
            "duolingo-mailer" if self._workers == 1 else f"duolingo-mailer-{self._workers}",
            **self._common,
            SERVICE_NAME="mailer",
            HEALTH_PORT=str(self._health_port),
            QUEUE_URL=self.queue.url,
        )
        ready = f"{self.mailer.log.stem} is ready"
        until(lambda: (ask(self.mailer_url + READY) or [0])[0] == 200, ready, self.mailer)

    def command(self, *arguments: str) -> None:
        """Run a `baselib` command against the embedded AWS, and show what it says.

        Raises:
            RuntimeError: Its exit code is not 0.
        """
        say(f"$ baselib {' '.join(arguments)}")
        done = subprocess.run(
            [str(self._program("duolingo-mailer")), *arguments],
            env={**PATH, **self.aws_environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )
        for line in done.stdout.splitlines():
            say(line, indent=2)
        if done.returncode != 0:
            raise RuntimeError(f"baselib {' '.join(arguments)} ended with exit code {done.returncode}")

    @property
    def _common(self) -> dict[str, str]:
        return {
            "SERVICE_PRODUCT": "duolingo",
            "SERVICE_OWNER": TEAM["owner"],
            "SERVICE_RELEASE": "demo",
            "LOG_FORMAT": "json",
            **self.aws_environment,
            **self.statsd.environment,
        }

    def _launch(self, service: str, arguments: list[str], log: str, **environment: str) -> Process:
        process = Process([str(self._program(service)), *arguments], environment, self.folder / f"{log}.log")
        self.stack.callback(process.kill)
        return process

    def _program(self, service: str) -> Path:
        return self.services[service] / ".venv" / "bin" / "baselib"


def _queue_of(log: Path) -> str | None:
    """The queue's address, once the embedded AWS has said it."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("queue "):
            return line.removeprefix("queue ")
    return None
