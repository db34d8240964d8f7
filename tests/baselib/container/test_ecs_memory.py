"""The memory that ECS allows, from recorded answers of the task metadata endpoint served on loopback."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from baselib.container import ecs_memory_limit

MIB = 1 << 20
OWN, PROXY, LOGS = "0206b271-own", "0206b271-proxy", "0206b271-logs"
VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"

Serve = Callable[[dict[str, Any]], dict[str, str]]


def _container(name: str, **more: Any) -> dict[str, Any]:
    described = {"DockerId": name, "Name": name, "DesiredStatus": "RUNNING", "KnownStatus": "RUNNING", "Type": "NORMAL"}
    return {**described, "Limits": {"CPU": 2}, **more}


def _task(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Cluster": "default", "LaunchType": "FARGATE", "Containers": list(containers), **more}


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve answers by path, and give the environment of the container that asks."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: dict[str, Any]) -> dict[str, str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers.get(self.path.removeprefix("/v4/1"))
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return {VARIABLE: f"http://127.0.0.1:{server.server_address[1]}/v4/1"}

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


OF_TASK = {"Limits": {"CPU": 0.25, "Memory": 512}}
OF_OWN = {"Limits": {"CPU": 2, "Memory": 128}}


@pytest.mark.parametrize(
    ("answers", "mebibytes"),
    [
        # Fargate: the task's limit alone.
        ({"": _container(OWN), "/task": _task(_container(OWN), **OF_TASK)}, 512),
        # EC2: the container's alone.
        ({"": _container(OWN, **OF_OWN), "/task": _task(_container(OWN, **OF_OWN))}, 128),
        # Whichever is lower.
        ({"": _container(OWN, **OF_OWN), "/task": _task(_container(OWN, **OF_OWN), **OF_TASK)}, 128),
        # A sidecar takes its own limit away, one that has ended does not.
        (
            {
                "": _container(OWN),
                "/task": _task(
                    _container(OWN),
                    _container(PROXY, Limits={"Memory": 64}),
                    _container(LOGS, Limits={"Memory": 64}, KnownStatus="STOPPED"),
                    **OF_TASK,
                ),
            },
            448,
        ),
        # One without a limit takes what it uses.
        (
            {
                "": _container(OWN),
                "/task": _task(
                    _container(OWN), _container(PROXY), _container(LOGS, Limits={"CPU": 1, "Memory": 100}), **OF_TASK
                ),
                "/task/stats": {
                    OWN: {"memory_stats": {"usage": 9 * MIB}},
                    PROXY: {"memory_stats": {"usage": 12 * MIB}},
                },
            },
            400,
        ),
        # Fargate answers null for the first second.
        (
            {
                "": _container(OWN),
                "/task": _task(_container(OWN), _container(PROXY), **OF_TASK),
                "/task/stats": {OWN: None, PROXY: None},
            },
            512,
        ),
        # Sidecars that were promised all of it do not leave nothing.
        (
            {"": _container(OWN), "/task": _task(_container(OWN), _container(PROXY, **OF_TASK), **OF_TASK)},
            512,
        ),
        # Whose container it is remains unknown: then nothing is a sidecar.
        ({"/task": _task(_container(OWN, **OF_TASK), **OF_TASK)}, 512),
        ({"": _container(OWN, **OF_OWN)}, 128),
        ({"": _container(OWN), "/task": _task(_container(OWN))}, None),
    ],
)
def test_the_limit_is_the_lowest_that_is_told_after_the_sidecars(
    answers: dict[str, Any], mebibytes: int | None, serve: Serve
) -> None:
    assert ecs_memory_limit(serve(answers)) == (mebibytes * MIB if mebibytes else None)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"7",
        b"[" * 100_000,
        b'{"Limits":',
        b'{"Limits": []}',
        b'{"Limits": {"Memory": "512"}}',
    ]
    + [json.dumps({"Limits": {"Memory": value}}).encode() for value in (-1, 0, True, None, 1.5, [512])]
    + [b'{"Limits": {"Memory": NaN}}', b'{"Containers": [1, null, {}], "DockerId": 7}', b"x" * (2 << 20)],
    ids=lambda answer: repr(answer[:40]),
)
def test_rubbish_tells_no_limit(answer: bytes, serve: Serve) -> None:
    assert ecs_memory_limit(serve({"": answer, "/task": answer, "/task/stats": answer})) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "rubbish",
        "http://",
        "https://127.0.0.1:1/",
        "http://127.0.0.1:99999999/",
        "http://[/",
        "http://127.0.0.1:1/",
    ],
)
def test_an_address_where_nobody_answers_tells_no_limit(address: str) -> None:
    assert ecs_memory_limit({VARIABLE: address}) is None
    assert ecs_memory_limit({}) is None


@pytest.mark.parametrize("dribble", [b"", b"H"])
def test_an_endpoint_that_hangs_is_waited_for_no_longer_than_the_time_out(dribble: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def hang() -> None:
            connection, _ = server.accept()
            with connection:
                # A byte now and then would keep a time-out for each read from ever running out.
                while not over.wait(0.02):
                    try:
                        connection.send(dribble)
                    except OSError:
                        return

        thread = threading.Thread(target=hang)
        thread.start()
        began = time.monotonic()
        assert ecs_memory_limit({VARIABLE: f"http://127.0.0.1:{server.getsockname()[1]}"}, timeout=0.2) is None
        assert time.monotonic() - began < 20
        over.set()
        thread.join()


def test_the_endpoint_is_asked_once(serve: Serve) -> None:
    answers: dict[str, Any] = {"": _container(OWN, **OF_OWN)}
    environ = serve(answers)
    assert ecs_memory_limit(environ) == 128 * MIB
    answers.clear()
    assert ecs_memory_limit(environ) == 128 * MIB
