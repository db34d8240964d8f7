"""Requests that hang, and a main thread that does, against `baselib serve` as a process."""

import os
import signal
from pathlib import Path

from baselib.testing import StatsdReceiver
from tests.baselib.processes import Launch, status, until
from tests.baselib.web.served import Client, Served

SLOW = b"GET /slow HTTP/1.1\r\nHost: a\r\nX-Request-Id: the-slow-one\r\n\r\n"


def test_a_hung_request_is_reported_once_with_its_stack(tmp_path: Path, launch: Launch) -> None:
    with StatsdReceiver() as statsd:
        served = Served(tmp_path, launch, WEB_THREADS="2", REQUEST_SECONDS="1", **statsd.environment)
        with Client(served.port, SLOW) as hung:
            (line,) = served.program.ready(lambda: served.program.logged("request hung"), "it is reported")
            assert line["level"] == "WARNING"
            assert line["hung_request_id"] == "the-slow-one"
            assert line["route"] == "/slow"
            assert "in slow" in line["stack"]
            # Another one is reported by itself, and by then the first one would have been reported again.
            with Client(served.port, b"GET /nap?seconds=1.9 HTTP/1.1\r\nHost: a\r\n\r\n") as second:
                assert second.answer()[0] == 200
            served.let_go()
            assert hung.answer() == (200, b"finished")
        until(lambda: [line for line in statsd.lines if "requests.hung:" in line], "the metric arrives")
    assert sorted(line["route"] for line in served.program.logged("request hung")) == ["/nap", "/slow"]


def test_a_worker_whose_threads_all_hang_is_replaced(tmp_path: Path, launch: Launch) -> None:
    with StatsdReceiver() as statsd:
        served = Served(tmp_path, launch, WEB_THREADS="2", REQUEST_SECONDS="1", STOP_SECONDS="60", **statsd.environment)
        before = served.workers()
        with Client(served.port, SLOW), Client(served.port, SLOW):
            (line,) = served.program.ready(
                lambda: served.program.logged("every request thread hangs: replacing the worker"), "it is said"
            )
            assert sum("in slow" in stack for stack in line["stacks"].values()) == 2
            # Long before the time to stop is over, for which a hung request is not worth waiting.
            served.program.ready(lambda: served.workers() and not served.workers() & before, "another one is there")
        assert status(served.port, "/") == 200
        until(lambda: [line for line in statsd.lines if "restarts:" in line and "cause:hung" in line], "the metric")


def test_one_busy_thread_among_many_replaces_nothing(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="2", REQUEST_SECONDS="1")
    before = served.workers()
    with Client(served.port, SLOW) as hung:
        served.program.ready(lambda: served.program.logged("request hung"), "it is reported")
        for _ in range(3):
            assert status(served.port, "/nap?seconds=0.8") == 200
        assert served.workers() == before
        served.let_go()
        assert hung.answer()[0] == 200


def test_a_worker_that_times_out_says_what_its_threads_did(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    (worker,) = served.workers()
    os.kill(worker, signal.SIGABRT)
    (line,) = served.program.ready(lambda: served.program.logged("worker timed out"), "it is said")
    assert any("_turn" in stack for stack in line["stacks"].values())
    served.program.ready(lambda: served.workers() - {worker}, "another one is there")
    served.program.ready(lambda: status(served.port, "/") == 200, "it serves")
