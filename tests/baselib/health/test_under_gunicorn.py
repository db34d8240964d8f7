"""Checks in the workers of a real gunicorn that loads the application before it forks."""

import json
import textwrap
import threading
from pathlib import Path

from tests.baselib.processes import IDENTITY, Launch, ask, descendants, free_port, status, until

SOURCE = """
    import os, pathlib, time
    from baselib.web import create_app

    def routes(app, service):
        @service.start_up("warm cache", retry=0.05)
        def warm():
            if not pathlib.Path("warm").exists():
                raise OSError("cold")

        @service.health_check("licence", required_for_traffic=True, interval=0.1)
        def licence():
            with open("checked", "a") as file:
                file.write(f"{os.getpid()} ")

        @service.health_check("hung", timeout=0.2, interval=0.1)
        def hung():
            time.sleep(1000)

        @app.get("/slow")
        def slow():
            pathlib.Path(f"begun-{os.getpid()}").touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.02)
            return "finished"

    app = create_app(__name__, routes=routes)
"""


def _serve(folder: Path, launch: Launch, **environment: str) -> tuple[int, int]:
    (folder / "service.py").write_text(textwrap.dedent(SOURCE))
    port = free_port()
    program = launch(
        *("serve", "--host", "127.0.0.1", "service:app"),
        **{**IDENTITY, "PORT": str(port), "DRAIN_SECONDS": "0", **environment},
    )
    program.ready(lambda: status(port, "/healthz/live") == 200, "it is alive")
    program.ready(lambda: status(port, "/healthz/ready") == 503, "it is not ready")
    answer = ask(port, "/healthz/ready")
    assert answer is not None
    assert json.loads(answer.body) == {"status": "not ready", "reason": "starting: warm cache"}
    (folder / "warm").touch()
    program.ready(lambda: status(port, "/healthz/ready") == 200, "it is ready")
    return port, program.id


def test_workers_check_by_themselves_and_the_master_does_not(tmp_path: Path, launch: Launch) -> None:
    port, master = _serve(tmp_path, launch, WEB_CONCURRENCY="2")
    checked = {int(line) for line in (tmp_path / "checked").read_text().split()}
    assert checked
    assert checked <= descendants(master)
    answer = ask(port, "/healthz/dependencies")
    assert answer is not None
    checks = json.loads(answer.body)["checks"]
    assert (checks["licence"]["status"], checks["hung"]["status"]) == ("healthy", "failed")


def test_with_every_thread_busy_and_a_hung_check_readiness_answers(tmp_path: Path, launch: Launch) -> None:
    port, _ = _serve(tmp_path, launch, WEB_CONCURRENCY="1", WEB_THREADS="1")
    slow = [threading.Thread(target=ask, args=(port, "/slow")) for _ in range(3)]
    try:
        for each in slow:
            each.start()
        until(lambda: list(tmp_path.glob("begun-*")), "the only thread is busy")
        for path in ("/healthz/live", "/healthz/ready") * 3:
            assert status(port, path) == 200
        assert any(each.is_alive() for each in slow)
    finally:
        (tmp_path / "go").touch()
        for each in slow:
            each.join()
