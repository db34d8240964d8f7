"""The container's health check."""

import ast
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from baselib.health.probe import probe


class _Answers:
    """Answers every connection with the same bytes, or not at all."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self.asked = b""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self._open.append(connection)
        if self._answer is not None:
            self.asked = connection.recv(65536)
            connection.sendall(self._answer)
            connection.close()

    def close(self) -> None:
        for connection in self._open:
            connection.close()
        self._listener.close()


@pytest.fixture
def answers(request: pytest.FixtureRequest) -> Iterator[_Answers]:
    """A service that answers what the test asks for."""
    made = _Answers(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("answers", [b"HTTP/1.0 200 OK\r\n\r\nfine\n"], indirect=True)
def test_200_is_good(answers: _Answers) -> None:
    assert probe(answers.port) == (True, f"port {answers.port}: 200 fine")
    assert answers.asked.startswith(b"GET /healthz/live ")


@pytest.mark.parametrize("answers", [b"HTTP/1.0 503 No\r\n\r\n{}", b"HTTP/1.0 204 No\r\n\r\n"], indirect=True)
def test_anything_else_is_not(answers: _Answers) -> None:
    good, told = probe(answers.port)
    assert not good
    assert told.startswith(f"port {answers.port}: ")


@pytest.mark.parametrize("answers", [b"rubbish\r\n\r\n", b""], indirect=True)
def test_rubbish_is_not(answers: _Answers) -> None:
    good, told = probe(answers.port)
    assert not good
    assert told.startswith(f"port {answers.port}: ")


@pytest.mark.parametrize("answers", [None], indirect=True)
def test_silence_is_not(answers: _Answers) -> None:
    assert not probe(answers.port, timeout=0.05)[0]


def test_nobody_is_not() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        good, told = probe(closed.getsockname()[1])
    assert not good
    assert "refused" in told


@pytest.mark.parametrize("answers", [b"HTTP/1.0 200 OK\r\n\r\n"], indirect=True)
def test_another_path_can_be_asked(answers: _Answers) -> None:
    assert probe(answers.port, path="/healthz/ready")[0]
    assert answers.asked.startswith(b"GET /healthz/ready ")


@pytest.mark.parametrize(
    "answers",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\nfine",
        b"HTTP/1.1 200\r\n\r\nfine",
        b"HTTP/1.1 200 \xe4\r\nA: \xff\r\n\r\nfine\n",
        b"HTTP/1.0 200 OK\n\nfine",
    ],
    indirect=True,
)
def test_every_form_of_200_is_good(answers: _Answers) -> None:
    assert probe(answers.port) == (True, f"port {answers.port}: 200 fine")


@pytest.mark.parametrize(
    "answers",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 500 200\r\n\r\n200",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"\xff\xfe",
    ],
    indirect=True,
)
def test_half_an_answer_and_another_protocol_are_not_good(answers: _Answers) -> None:
    good, told = probe(answers.port)
    assert not good
    assert told.startswith(f"port {answers.port}: ")


def test_one_who_answers_drop_by_drop_is_given_up() -> None:
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not stopped.wait(0.02):
                    connection.send(b"H")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert probe(listener.getsockname()[1], timeout=0.1) == (
                False,
                f"port {listener.getsockname()[1]}: timed out",
            )
        finally:
            stopped.set()
            dripping.join()


def test_the_probe_loads_little() -> None:
    # A process of its own every few seconds in every container: modules, not time, are counted.
    code = "import sys; before = set(sys.modules); import baselib.health.probe; print(set(sys.modules) - before)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ast.literal_eval(ran.stdout))
    own = {name for name in loaded if name.startswith("baselib.") and not name.startswith("baselib.contract")}
    assert own == {"baselib.bare_http", "baselib.health", "baselib.health.probe", "baselib.lazy"}
    assert not loaded & {"http.client", "email", "ssl", "logging", "baselib.telemetry", "importlib.metadata"}
    assert len(loaded) <= 90, sorted(loaded)
