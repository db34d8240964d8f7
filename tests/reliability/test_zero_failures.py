"""What services promise while something goes wrong: not one failed request out of 100,000.

Two instances, a real HAProxy that asks for readiness every 5 s and needs two failures, retries switched off. What each
disturbance did is printed at the end (`-rP` shows it for tests that passed).
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.baselib.processes import IDENTITY, Program, descendants, free_port, status, until
from tests.reliability.haproxy import Balancer, balancing
from tests.reliability.load import Load
from tests.reliability.report import ROWS, Row

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ENOUGH = int(os.environ.get("RELIABILITY_REQUESTS", "100000"))
ROOT = Path(__file__).resolve().parents[2]
# The contract's budget where the load balancer learns of a stop only from its checks.
ON_SPOT = {"DRAIN_SECONDS": "15", "STOP_SECONDS": "60"}


class Instances:
    """Two instances of the service, of which one can be replaced.

    Args:
        folder: Where they may write.
        environment: What they have in common.
        wrap: What goes before the command, such as a namespace of its own.
    """

    def __init__(self, folder: Path, environment: dict[str, str], wrap: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._environment = environment
        self._wrap = wrap
        self._homes = itertools.count()
        self.ports = [free_port(), free_port()]
        self.programs = [self._start(port) for port in self.ports]

    def _start(self, port: int) -> Program:
        home = self._folder / f"instance-{next(self._homes)}"
        home.mkdir()
        serve = ["-m", "baselib.cli", "serve", "--host", "127.0.0.1", "tests.reliability.service:app"]
        if self._wrap:
            command = [*self._wrap, sys.executable, *serve]
            serve = ["-c", "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])", *command]
        program = Program(
            serve,
            home,
            {
                **IDENTITY,
                "PORT": str(port),
                "PYTHONPATH": str(ROOT),
                "WEB_CONCURRENCY": "2",
                **ON_SPOT,
                **self._environment,
            },
        )
        program.ready(lambda: status(port, "/healthz/ready") == 200, "the instance is ready")
        return program

    def replace(self, number: int) -> int:
        """Stop an instance with SIGTERM, wait for its end, start another on its port; the exit code of the first."""
        self.programs[number].send(signal.SIGTERM)
        code = self.programs[number].wait(90)
        self.programs[number] = self._start(self.ports[number])
        return code

    def kill(self) -> None:
        """End both."""
        for program in self.programs:
            program.kill()


@contextlib.contextmanager
def _disturbed(
    what: str, folder: Path, path: str = "/", wrap: tuple[str, ...] = (), **environment: str
) -> Iterator[tuple[Instances, Balancer, Load]]:
    """Instances behind HAProxy under load; at the end, everything that was asked must have been answered."""
    instances = Instances(folder, environment, wrap)
    try:
        with balancing(instances.ports, folder) as balancer:
            with Load(f"http://127.0.0.1:{balancer.port}{path}", ENOUGH) as load:
                yield instances, balancer, load
                until(lambda: not load.going_on, "enough requests were answered", 600)
            row = balancer.statistics()["BACKEND"]
        ROWS.append(Row(what, load.count))
        print(ROWS[-1])
        assert load.count.failures == []
        assert (row["econ"], row["eresp"], row["hrsp_5xx"], row["wretr"], row["wredis"]) == ("0", "0", "0", "0", "0")
        assert load.count.requests >= ENOUGH
    finally:
        instances.kill()


def _while(load: Load, act: Callable[[], None], every: float) -> int:
    """Do something again and again while the load goes on; how often it was done."""
    for done in itertools.count(1):
        act()
        deadline = time.monotonic() + every
        while load.going_on and time.monotonic() < deadline:
            time.sleep(0.05)
        if not load.going_on:
            return done
    raise AssertionError


def test_nothing_goes_wrong(tmp_path: Path) -> None:
    with _disturbed("nothing", tmp_path):
        pass


def test_sigterm_of_one_of_two(tmp_path: Path) -> None:
    with _disturbed("SIGTERM of one of the two, again and again", tmp_path) as (instances, balancer, load):
        turn = itertools.cycle((0, 1))
        codes = []

        def replace() -> None:
            codes.append(instances.replace(next(turn)))
            until(lambda: len(balancer.up()) == 2, "HAProxy has found both again", 60)

        _while(load, replace, every=1)
    assert codes
    assert set(codes) == {0}


def test_hup(tmp_path: Path) -> None:
    with _disturbed("SIGHUP of both every 5 s", tmp_path) as (instances, _, load):
        before = [descendants(program.id) for program in instances.programs]

        def hang_up() -> None:
            for program in instances.programs:
                program.send(signal.SIGHUP)

        _while(load, hang_up, every=5)
        assert all(
            not descendants(program.id) & workers for program, workers in zip(instances.programs, before, strict=True)
        )


def test_memory_restarts(tmp_path: Path) -> None:
    with _disturbed("each request leaks 64 KiB", tmp_path, "/leak", MEMORY_LIMIT_MIB="300") as (instances, _, load):
        until(lambda: not load.going_on, "enough requests were answered", 900)
        replaced = [
            len(program.logged("memory limit reached: replacing the largest worker")) for program in instances.programs
        ]
    ROWS[-1].note = f"{sum(replaced)} workers replaced"
    assert all(replaced)


def test_statsd_gone(tmp_path: Path) -> None:
    with _disturbed("nobody listens where metrics go", tmp_path, STATSD_HOST="127.0.0.1", STATSD_PORT=str(free_port())):
        pass


def test_sentry_gone(tmp_path: Path) -> None:
    with _disturbed(
        "nobody listens where errors go", tmp_path, "/handled", SENTRY_DSN=f"http://key@127.0.0.1:{free_port()}/1"
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare")
def test_dns_gone(tmp_path: Path) -> None:
    # A resolver that takes every question and answers none, for the instances alone.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.53", 53))
        resolver = tmp_path / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.53\n", encoding="ascii")
        real = Path("/etc/resolv.conf").resolve()
        wrap = ("unshare", "--mount", "sh", "-c", f'mount --bind {resolver} {real} && exec "$@"', "sh")
        with _disturbed(
            "a resolver that answers nothing",
            tmp_path,
            "/handled",
            wrap,
            STATSD_HOST="statsd.internal.example",
            SENTRY_DSN="http://key@sentry.internal.example/1",
        ):
            pass
        asked = silent.recv(512)
    assert b"internal" in asked


class _Credentials(BaseHTTPRequestHandler):
    """A credentials endpoint that answers for two seconds, fails for one, hangs for one, and so on."""

    asked = itertools.count()

    def do_GET(self) -> None:
        next(self.asked)
        moment = time.monotonic() % 4
        if 2 <= moment < 3:
            self.send_error(500)
            return
        if moment >= 3:
            time.sleep(3)
        # So near to its end that a client wants another one all the time.
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
        body = json.dumps(
            {"AccessKeyId": "key", "SecretAccessKey": "secret", "Token": "token", "Expiration": expires}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def test_credentials_endpoint_flapping(tmp_path: Path) -> None:
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), _Credentials)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    sqs = subprocess.Popen([sys.executable, "-m", "benchmarks.aws_stub"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert sqs.stdout is not None
        with _disturbed(
            "a credentials endpoint that fails and hangs half of the time",
            tmp_path,
            "/queue",
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{sqs.stdout.readline().strip()}",
            AWS_REGION="us-east-1",
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://127.0.0.1:{endpoint.server_port}/credentials",
            # What the agent sets in every task: credentials then come from the endpoint and from nowhere else.
            ECS_CONTAINER_METADATA_URI_V4="http://127.0.0.1:9/v4",
        ):
            pass
        assert next(_Credentials.asked) > 3
    finally:
        sqs.kill()
        sqs.communicate()
        endpoint.shutdown()
        endpoint.server_close()
