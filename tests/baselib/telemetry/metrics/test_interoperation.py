"""The original statsd daemon, from npm, understands what the client sends.

Datadog's agent and the CloudWatch agent cannot be had here; the grammars in `meaning.py`, from their documentation,
stand in for them.
"""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baselib.contract.settings import Dialect
from baselib.telemetry.metrics import MetricsClient, UdpTransport
from tests.baselib.processes import free_port, until
from tests.baselib.telemetry.metrics.meaning import DOGSTATSD, STATSD, meaning


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The daemon's program."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional", "statsd@0.9.0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"npm's registry gave no statsd: {done.stderr[-200:]}")
    return folder / "node_modules" / "statsd"


class _Daemon:
    """A running daemon and its management port."""

    def __init__(self, port: int, management: int) -> None:
        self.port = port
        self._management = management

    def ask(self, command: str) -> Any:
        with socket.create_connection(("127.0.0.1", self._management), 20) as connection:
            connection.sendall(f"{command}\n".encode())
            answer = ""
            while "END" not in answer:
                answer += connection.recv(65535).decode()
        text = answer.partition("END")[0]
        # The daemon prints JavaScript; node's own reader makes JSON of it.
        printed = ["node", "-e", "console.log(JSON.stringify(eval('(' + process.argv[1] + ')')))", text]
        return json.loads(subprocess.run(printed, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def daemon(package: Path, tmp_path: Path) -> Iterator[_Daemon]:
    """A daemon of its own for a test, which flushes so seldom that nothing is cleared."""
    daemon = _Daemon(free_port(), free_port())
    config = {"port": daemon.port, "address": "127.0.0.1", "mgmt_address": "127.0.0.1", "flushInterval": 3_600_000}
    config |= {"mgmt_port": daemon._management, "backends": []}
    (tmp_path / "config.js").write_text(json.dumps(config))
    process = subprocess.Popen(["node", str(package / "stats.js"), str(tmp_path / "config.js")], cwd=package)

    def answers() -> bool:
        try:
            return bool(daemon.ask("counters"))
        except OSError:
            return False

    until(answers, "a daemon")
    yield daemon
    process.terminate()
    process.wait()


def _calls(client: MetricsClient) -> None:
    for _ in range(5):
        client.incr("lessons", tags={"language": "es", "host": "a.b/c"})
    client.incr("lessons.bought", 7)
    client.decr("lessons.bought", 2)
    client.incr("rare", rate=1e-05)
    client.timing("lessons.time", 12.5)
    client.timing("lessons.time", 13.5)
    client.histogram("size", 99)
    client.gauge("level", 7)
    client.gauge("level", -3, delta=True)
    client.gauge("depth", -5)
    client.gauge("depth", 2, delta=True)
    client.set("users", "anna:1|c")
    client.set("users", "ben")
    client.set("users", "ben")
    client.incr("end\nevil:1|c")


def _client(port: int, dialect: Dialect) -> MetricsClient:
    return MetricsClient(
        UdpTransport("127.0.0.1", port), prefix="duolingo.api", tags={"environment": "prod"}, dialect=dialect
    )


@pytest.mark.e2e
def test_the_original_daemon_gets_every_type_with_its_value(daemon: _Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)
    client = _client(daemon.port, "statsd")
    _calls(client)
    client.close()
    end = "duolingo.api.end_evil_1_c.environment.prod"
    counters = until(lambda: (found := daemon.ask("counters")).get(end) and found, "the last counter")
    assert counters["statsd.bad_lines_seen"] == 0
    assert {name: value for name, value in counters.items() if not name.startswith("statsd.")} == {
        "duolingo.api.lessons.environment.prod.host.a_b_c.language.es": 5,
        "duolingo.api.lessons.bought.environment.prod": 5,
        "duolingo.api.rare.environment.prod": pytest.approx(100_000),
        end: 1,
    }
    timers = until(lambda: daemon.ask("timers"), "the timers")
    assert timers == {
        "duolingo.api.lessons.time.environment.prod": [12.5, 13.5],
        "duolingo.api.size.environment.prod": [99],
    }
    gauges = daemon.ask("gauges")
    assert gauges["duolingo.api.level.environment.prod"] == 4
    assert gauges["duolingo.api.depth.environment.prod"] == -3


@pytest.mark.e2e
def test_the_original_daemon_makes_graphite_tags_of_the_other_dialect_but_no_histograms(daemon: _Daemon) -> None:
    # From 0.9 on; what is documented for the wrong setting.
    client = _client(daemon.port, "dogstatsd")
    client.incr("lessons", tags={"language": "es"})
    client.histogram("size", 99)
    client.close()
    counters = until(
        lambda: (found := daemon.ask("counters")).get("duolingo.api.size;environment=prod") and found, "the counters"
    )
    assert counters["duolingo.api.lessons;environment=prod;language=es"] == 1
    assert counters["duolingo.api.size;environment=prod"] == 99


@pytest.mark.parametrize(("dialect", "grammar"), [("dogstatsd", DOGSTATSD), ("statsd", STATSD)])
def test_every_line_fits_the_grammar_of_its_dialect(dialect: Dialect, grammar: Any) -> None:
    lines: list[str] = []
    _calls(MetricsClient(lines.append, prefix="duolingo.api", tags={"environment": "prod"}, dialect=dialect))
    found = meaning(lines, grammar)
    assert sorted(found.gauges.values()) == [-3, 4]
    assert [len(members) for members in found.sets.values()] == [2]
