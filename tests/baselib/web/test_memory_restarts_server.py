"""Memory restarts under gunicorn itself, with clients that keep their connections and count what fails."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from baselib.testing import StatsdReceiver
from tests.baselib.processes import IDENTITY, Launch, Program, descendants, free_port, status, until

MIB = 1 << 20
REPLACING = "memory limit reached: replacing the largest worker"
TOO_LOW = "memory has never been below the limit: the limit is too low for this service"
NO_HELP = "memory limit reached and new workers do not help: stopping the task"

SOURCE = """
    import json, os, pathlib, time
    from baselib import container
    from baselib.contract.timing import StopBudget
    from baselib.memory import fit
    from baselib.web import create_app, draining, gthread, memory_restarts

    # One of the tests runs in a control group of its own; for the others only the processes of the service count.
    if "IN_GROUP" not in os.environ:
        container.memory = lambda: None
    if "HARD_LIMIT_MIB" in os.environ:
        memory_restarts.hard_limit = lambda: int(os.environ["HARD_LIMIT_MIB"]) << 20
    fit._SETTLED_SECONDS = 0
    draining.WEB_ON_SPOT = StopBudget(0.3, 1)
    measured = memory_restarts.used_bytes

    def used_bytes(processes):
        # What grows outside of the workers.
        extra = pathlib.Path("extra")
        return measured(processes) + (int(extra.read_text()) << 20 if extra.exists() else 0)

    memory_restarts.used_bytes = used_bytes

    def note(event):
        with open("events", "a") as file:
            file.write(json.dumps([event, os.getpid(), time.monotonic()]) + "\\n")

    class Worker(gthread.HealthFirstThreadWorker):
        def init_process(self):
            while os.path.exists("hold"):
                time.sleep(0.02)
            super().init_process()

        def run(self):
            note("accepts")
            super().run()
            note("ends")

        def handle_exit(self, sig, frame):
            if self.alive:
                note("told")
            super().handle_exit(sig, frame)

    gthread.HealthFirstThreadWorker = Worker
    kept = []

    def routes(app, service):
        @app.get("/<int:kibibytes>")
        def leak(kibibytes):
            kept.append(b"x" * (kibibytes << 10))
            return str(os.getpid())

    app = create_app(__name__, routes=routes)
"""


class Server:
    """A leaking service as a process."""

    def __init__(self, folder: Path, launch: Launch, workers: int = 2, **environment: str) -> None:
        (folder / "service.py").write_text(textwrap.dedent(SOURCE))
        self.folder = folder
        self.port = free_port()
        variables = {**_variables(self.port, workers), **environment}
        self.program: Program = launch("serve", "--host", "127.0.0.1", "service:app", **variables)
        self.program.ready(lambda: status(self.port, "/healthz/ready") == 200, "it is ready")
        self.program.ready(lambda: len(self.events("accepts")) == workers, "every worker is there")

    @property
    def workers(self) -> set[int]:
        """The ids of the workers."""
        return descendants(self.program.id)

    def events(self, name: str) -> dict[int, float]:
        """When each worker came to a point of its life."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / "events").read_text().splitlines()
            return {worker: at for event, worker, at in map(json.loads, lines) if event == name}
        return {}

    def replaced(self) -> list[dict[str, Any]]:
        """The log lines of the replacements so far."""
        return self.program.logged(REPLACING)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.program.send(signal.SIGTERM)
        return self.program.wait()


def _variables(port: int, workers: int = 2) -> dict[str, str]:
    variables = {"PORT": str(port), "WEB_CONCURRENCY": str(workers), "WEB_THREADS": "4", "DRAIN_SECONDS": "0.2"}
    # A line for each request would be too many to look through.
    return {**IDENTITY, **variables, "LOG_LEVEL": "WARNING"}


class Clients:
    """Clients that keep their connections and call again and again while the `with` block runs; none tries twice."""

    def __init__(self, port: int, path: str, count: int = 6, pause: float = 0.005) -> None:
        self._port = port
        self.path = path
        self._pause = pause
        self.outcomes: Counter[str] = Counter()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stopped.wait(self._pause):
            try:
                # It connects anew by itself where the server has said that it closes.
                connection.request("GET", self.path)
                response = connection.getresponse()
                response.read()
                self.outcomes[str(response.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.outcomes[repr(error)] += 1
                connection.close()
        connection.close()


def test_leaking_workers_are_replaced_one_by_one_and_the_new_one_first_without_a_lost_request(
    tmp_path: Path, launch: Launch
) -> None:
    with StatsdReceiver() as statsd:
        server = Server(tmp_path, launch, 2, MEMORY_LIMIT_MIB="200", **statsd.environment)
        with Clients(server.port, "/100") as clients:
            server.program.ready(lambda: len(server.replaced()) >= 3, "three replacements")
            clients.path = "/0"
            # A replacement is logged before the new worker starts, so that two workers are also there at that moment.
            server.program.ready(lambda: len(server.events("ends")) >= 3, "three workers end")
            server.program.ready(lambda: len(server.workers) == 2, "two workers are left")
        until(lambda: [line for line in statsd.lines if "restarts" in line], "the metric arrives")
    assert set(clients.outcomes) == {"200"}, clients.outcomes
    accepts, told, ends = (server.events(event) for event in ("accepts", "told", "ends"))
    # By time, because process ids begin again at the lowest now and then.
    in_order = sorted(accepts, key=lambda worker: accepts[worker])
    for number, line in enumerate(server.replaced()[:3]):
        old, new = line["worker"], in_order[number + 2]
        assert line["replacement_first"] is True
        assert line["used_bytes"] > line["limit_bytes"] == 200 * MIB
        assert accepts[new] < told[old]
    stopped = [line["worker"] for line in server.replaced()[:3]]
    assert all(ends[former] < told[latter] for former, latter in itertools.pairwise(stopped))
    assert next(line for line in statsd.lines if "restarts" in line) == (
        "duolingo.api.restarts:1|c|#environment:local,cause:memory"
    )
    assert server.stop() == 0


def test_the_largest_worker_is_replaced_and_the_other_is_left_alone(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, workers=3, MEMORY_LIMIT_MIB="250")
    before = server.workers
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        # One connection stays with one worker.
        for _ in range(70):
            connection.request("GET", "/4096")
            grown = int(connection.getresponse().read())
    server.program.ready(lambda: server.replaced() and grown not in server.workers, "it is replaced")
    server.program.ready(lambda: len(server.workers) == 3, "three workers are left")
    assert [line["worker"] for line in server.replaced()] == [grown]
    assert before - server.workers == {grown}
    assert server.stop() == 0


def test_where_no_worker_more_fits_below_the_hard_limit_the_old_one_ends_first(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, MEMORY_LIMIT_MIB="200", HARD_LIMIT_MIB="201")
    with Clients(server.port, "/100") as clients:
        server.program.ready(lambda: len(server.events("accepts")) >= 3, "a new worker")
        clients.path = "/0"
    assert set(clients.outcomes) == {"200"}, clients.outcomes
    line = server.replaced()[0]
    accepts = server.events("accepts")
    assert line["replacement_first"] is False
    assert server.events("ends")[line["worker"]] < sorted(accepts.values())[2]
    assert server.stop() == 0


def test_a_limit_below_what_fresh_workers_need_restarts_nothing(tmp_path: Path, launch: Launch) -> None:
    with StatsdReceiver() as statsd:
        server = Server(tmp_path, launch, 2, MEMORY_LIMIT_MIB="16", **statsd.environment)
        until(lambda: len([line for line in statsd.lines if "memory.unfit" in line]) >= 2, "the metric")
    assert len(server.program.logged(TOO_LOW)) == 1
    assert server.replaced() == []
    assert status(server.port, "/healthz/ready") == 200
    assert server.stop() == 0


def test_growth_outside_of_the_workers_stops_the_task_with_75_after_a_round_of_replacements(
    tmp_path: Path, launch: Launch
) -> None:
    with StatsdReceiver() as statsd:
        server = Server(tmp_path, launch, 2, MEMORY_LIMIT_MIB="500", LOG_LEVEL="INFO", **statsd.environment)
        before = server.workers
        until(lambda: [line for line in statsd.lines if "memory.percent" in line], "it has fitted")
    (tmp_path / "extra").write_text("600")
    assert server.program.wait() == 75
    assert {line["worker"] for line in server.replaced()} == before
    assert len(server.program.logged(NO_HELP)) == 1
    (draining,) = server.program.logged("draining")
    # The load balancer learns of it only from its health checks.
    assert draining["seconds"] == 0.3


def _leak_to_a_replacement(server: Server) -> None:
    with Clients(server.port, "/100") as clients:
        server.program.ready(server.replaced, "the limit is reached")
        clients.path = "/0"
        server.program.ready(lambda: len(server.workers) == 3, "a replacement starts")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_a_replacement_starts_waits_for_nobody(
    tmp_path: Path, launch: Launch, number: signal.Signals
) -> None:
    server = Server(tmp_path, launch, MEMORY_LIMIT_MIB="200", STOP_SECONDS="100")
    (tmp_path / "hold").touch()
    _leak_to_a_replacement(server)
    server.program.send(number)
    assert server.program.wait() == 0
    assert server.events("told").keys() == (server.events("accepts").keys() if number == signal.SIGTERM else set())


def test_a_reload_while_a_replacement_starts_leaves_as_many_workers_as_before(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, MEMORY_LIMIT_MIB="200")
    before = server.workers
    (tmp_path / "hold").touch()
    _leak_to_a_replacement(server)
    with Clients(server.port, "/0") as clients:
        server.program.send(signal.SIGHUP)
        (tmp_path / "hold").unlink()
        server.program.ready(lambda: len(server.workers) == 2 and not server.workers & before, "it has reloaded")
    assert set(clients.outcomes) == {"200"}, clients.outcomes
    # Had it been counted down once more, one of the two would now be told to end.
    with Clients(server.port, "/0", count=2) as clients:
        until(lambda: clients.outcomes["200"] > 200, "requests are served")
    assert len(server.workers) == 2
    assert server.stop() == 0


def test_a_worker_that_dies_by_itself_while_it_is_replaced_is_replaced_once(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, MEMORY_LIMIT_MIB="200")
    (tmp_path / "hold").touch()
    _leak_to_a_replacement(server)
    os.kill(server.replaced()[0]["worker"], signal.SIGKILL)
    (tmp_path / "hold").unlink()
    server.program.ready(lambda: len(server.workers) == 2 and len(server.events("accepts")) == 3, "it is replaced")
    assert server.stop() == 0


def test_a_worker_that_dies_during_the_drain_is_replaced(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, DRAIN_SECONDS="3")
    server.program.send(signal.SIGTERM)
    server.program.ready(lambda: status(server.port, "/healthz/ready") == 503, "it drains")
    os.kill(min(server.workers), signal.SIGKILL)
    server.program.ready(lambda: len(server.events("accepts")) == 3, "a new worker")
    # A reload would only make the end wait.
    server.program.send(signal.SIGHUP)
    assert status(server.port, "/0") == 200
    assert server.program.wait() == 0
    assert len(server.events("accepts")) == 3


def test_a_replaced_worker_tells_what_it_held(tmp_path: Path, launch: Launch) -> None:
    server = Server(tmp_path, launch, MEMORY_LIMIT_MIB="250", MEMORY_TRACE_FRAMES="3")
    with Clients(server.port, "/100") as clients:
        server.program.ready(lambda: server.program.logged("memory trace: what this process held"), "the trace")
        clients.path = "/0"
    assert set(clients.outcomes) == {"200"}, clients.outcomes
    (line,) = server.program.logged("memory trace: what this process held")
    most = line["places"][0]
    assert most["place"].partition(" < ")[0].rpartition(":")[0].endswith("service.py")
    assert most["bytes"] > 10 * MIB
    assert server.stop() == 0
    # An ordinary end tells nothing.
    assert len(server.program.logged("memory trace: what this process held")) == len(server.replaced())


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    """A control group of version 1 with 300 MiB."""
    root = Path("/sys/fs/cgroup/memory")
    if os.geteuid() or not (root / "memory.limit_in_bytes").exists():
        pytest.skip("needs root and the memory controller of control groups version 1")
    group = root / f"baselib-test-{os.getpid()}-{tmp_path.name}"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(300 * MIB))
    try:
        yield group
    finally:
        until(lambda: not (group / "cgroup.procs").read_text().strip(), "the group is empty")
        group.rmdir()


def _kills(group: Path) -> int:
    (line,) = [line for line in (group / "memory.oom_control").read_text().splitlines() if line.startswith("oom_kill ")]
    return int(line.split()[1])


@contextlib.contextmanager
def _in_group(group: Path, folder: Path, **environment: str) -> Iterator[tuple[Program, int]]:
    """The leaking service in a control group."""
    (folder / "service.py").write_text(textwrap.dedent(SOURCE))
    port = free_port()
    enter = f"""
import os, sys
with open("{group}/cgroup.procs", "w") as processes:
    processes.write(str(os.getpid()))
os.execv(sys.executable, sys.argv[1:])
"""
    arguments = ["-c", enter, sys.executable, "-m", "baselib.cli", "serve", "--host", "127.0.0.1", "service:app"]
    program = Program(arguments, folder, {**_variables(port), "IN_GROUP": "1", **environment})
    try:
        program.ready(lambda: status(port, "/healthz/ready") == 200, "it is ready")
        yield program, port
    finally:
        program.kill()


@pytest.mark.e2e
def test_in_a_real_container_limit_nothing_is_killed_and_nothing_lost(tmp_path: Path, group: Path) -> None:
    with _in_group(group, tmp_path) as (program, port):
        for _ in range(140):
            assert status(port, "/1024") == 200
        # At most 10 MB each second.
        with Clients(port, "/32", pause=0.02) as clients:
            (line, *_) = program.ready(lambda: program.logged(REPLACING), "the limit is reached")
            program.ready(lambda: line["worker"] not in descendants(program.id), "a worker is replaced")
        assert set(clients.outcomes) == {"200"}, clients.outcomes
        assert _kills(group) == 0
        assert line["limit_bytes"] == int(300 * MIB * 0.85)
        program.send(signal.SIGTERM)
        assert program.wait() == 0


@pytest.mark.e2e
def test_without_the_guard_the_kernel_kills_in_the_same_group(tmp_path: Path, group: Path) -> None:
    with _in_group(group, tmp_path, MEMORY_LIMIT_MIB="0") as (program, port), Clients(port, "/100"):
        until(lambda: _kills(group) > 0, "the kernel kills")
    assert program.logged(REPLACING) == []
