"""The worker as a whole, against `baselib serve` as a process: stopping, reloading, forking, spreading the work."""

import contextlib
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.baselib.processes import Answer, Launch, ask, status, until
from tests.baselib.web.served import SOURCE, Client, Served

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n"])
def test_stopping_does_not_wait_for_clients_that_do_not_ask(tmp_path: Path, launch: Launch, sent: bytes) -> None:
    served = Served(tmp_path, launch, STOP_SECONDS="60")
    with Client(served.port, sent), Client(served.port, GET) as kept:
        assert kept.answer()[0] == 200
        served.program.send(signal.SIGTERM)
        # Less than the time to stop, which a waiting worker would use up.
        assert served.program.wait(30) == 0


def test_a_request_on_a_kept_connection_is_answered_while_the_worker_stops(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    with Client(served.port, GET) as kept, Client(served.port) as silent:
        assert kept.answer()[0] == 200
        served.program.send(signal.SIGTERM)
        served.program.ready(lambda: ask(served.port, "/healthz/live", 1) is None, "the listener is closed")
        kept.send(GET)
        silent.send(GET)
        for client in (kept, silent):
            head, _, _ = client.everything().partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert b"Connection: close" in head
    assert served.program.wait() == 0


def test_nothing_is_lost_when_workers_are_replaced_again_and_again(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_CONCURRENCY="2")
    stopped = threading.Event()
    answers: Counter[int] = Counter()

    def call() -> None:
        client = Client(served.port)
        while not stopped.is_set():
            client.send(GET)
            head = b""
            while b"\r\n\r\n" not in head:
                part = client._socket.recv(65536)
                if not part:
                    answers[0] += 1
                    client = Client(served.port)
                    break
                head += part
            else:
                answers[int(head.split()[1])] += 1
                if b"Connection: close" in head:
                    client.close()
                    client = Client(served.port)
        client.close()

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for number in (signal.SIGHUP, signal.SIGHUP):
        before = served.workers()
        served.program.send(number)

        def others(old: set[int] = before) -> bool:
            now = served.workers()
            return len(now) == 2 and not now & old

        until(others, "other workers are there")
    stopped.set()
    for caller in callers:
        caller.join()
    assert set(answers) == {200}


def test_the_work_is_spread_over_the_workers(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch, WEB_CONCURRENCY="2")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(served.port)) for _ in range(16)]
        for client in clients:
            client.send(GET)
        seen = Counter(client.answer()[1] for client in clients)
    # By the connections: a worker that has its three for each thread leaves the others to the next one.
    assert len(seen) == 2
    assert max(seen.values()) <= 13


def test_threads_and_locks_made_before_the_fork_do_not_hang_a_worker(tmp_path: Path, launch: Launch) -> None:
    source = (
        SOURCE
        + """
    import gc, logging, socket
    from baselib.telemetry import metrics

    pair = socket.socketpair()

    def work():
        while True:
            metrics.incr("before")
            logging.getLogger("before").info("before the fork")
            time.sleep(0.001)

    threading.Thread(target=work, daemon=True).start()

    @app.get("/after")
    def after():
        metrics.incr("after")
        logging.getLogger("after").info("after the fork")
        return {"frozen": gc.get_freeze_count(), "enabled": gc.isenabled()}
    """
    )
    served = Served(tmp_path, launch, source, WEB_CONCURRENCY="4", STATSD_HOST="127.0.0.1", STATSD_PORT="9")
    for _ in range(20):
        answer: Answer | None = ask(served.port, "/after")
        assert answer is not None
        assert answer.status == 200
        assert b'"enabled":true' in answer.body.replace(b" ", b"")
        assert b'"frozen":0' not in answer.body.replace(b" ", b"")


def test_a_view_that_exits_costs_one_answer_and_no_thread(tmp_path: Path, launch: Launch) -> None:
    source = (
        SOURCE
        + """
    @app.get("/exit")
    def leave():
        raise SystemExit(3)
    """
    )
    served = Served(tmp_path, launch, source, WEB_THREADS="1")
    before = served.workers()
    for _ in range(3):
        assert status(served.port, "/exit") == 500
    assert status(served.port, "/") == 200
    assert served.workers() == before


def test_health_is_answered_within_a_second_while_every_thread_is_busy_and_clients_are_slow(
    tmp_path: Path, launch: Launch
) -> None:
    served = Served(tmp_path, launch, WEB_THREADS="2")
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(Client(served.port, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")) for _ in range(2)]
        served.begun()
        for _ in range(50):
            stack.enter_context(Client(served.port, b"GET"))
        waited = []
        for _ in range(5):
            for path in ("/healthz/live", "/healthz/ready"):
                began = time.monotonic()
                assert status(served.port, path) == 200
                waited.append(time.monotonic() - began)
        assert min(waited) < 1
        served.let_go()
        assert [client.answer()[0] for client in slow] == [200, 200]


def test_tls_is_refused(tmp_path: Path, launch: Launch) -> None:
    from gunicorn.config import Config  # noqa: PLC0415

    from baselib.web.gthread import HealthFirstThreadWorker  # noqa: PLC0415

    config = Config()
    config.set("certfile", str(tmp_path / "cert.pem"))
    with pytest.raises(RuntimeError, match="load balancer ends TLS"):
        HealthFirstThreadWorker.check_config(config, None)


def test_a_reload_does_not_load_new_code(tmp_path: Path, launch: Launch) -> None:
    served = Served(tmp_path, launch)
    before = served.workers()
    (tmp_path / "service.py").write_text("raise RuntimeError('this is new')\n")
    served.program.send(signal.SIGHUP)
    served.program.ready(lambda: served.workers() and not served.workers() & before, "other workers are there")
    assert status(served.port, "/") == 200


def test_a_main_thread_that_hangs_is_reported_and_replaced(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("timeout = 2\n")
    source = (
        SOURCE
        + """
    turn = reception.Reception.tick

    def tick(self, now):
        if pathlib.Path("hang").exists():
            pathlib.Path("hang").unlink()
            time.sleep(600)
        turn(self, now)

    reception.Reception.tick = tick
    """
    )
    served = Served(tmp_path, launch, source)
    before = served.workers()
    (tmp_path / "hang").touch()
    (line,) = served.program.ready(lambda: served.program.logged("worker timed out"), "it is said")
    assert any("in tick" in stack for stack in line["stacks"].values())
    served.program.ready(lambda: served.workers() - before, "another one is there")
    served.program.ready(lambda: status(served.port, "/") == 200, "it serves")


def test_health_does_not_wait_behind_middleware_of_the_services_own(tmp_path: Path, launch: Launch) -> None:
    around = """
    from werkzeug.middleware.proxy_fix import ProxyFix
    app.wsgi_app = ProxyFix(app.wsgi_app)
    """
    served = Served(tmp_path, launch, SOURCE + around, WEB_THREADS="1")
    with Client(served.port, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") as slow:
        served.begun()
        for path in ("/healthz/live", "/healthz/ready"):
            answer = ask(served.port, path)
            assert answer is not None
            assert answer.status == 200
        served.let_go()
        assert slow.answer()[0] == 200
