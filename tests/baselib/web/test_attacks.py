"""What a hostile client or a careless application does to a service under gunicorn, byte by byte."""

import contextlib
import json
import select
from collections.abc import Iterator

import pytest

from tests.baselib.processes import Launch, launching, status
from tests.baselib.web.served import Client, Served

SOURCE = """
    import threading, time
    from baselib.web import create_app
    from flask import Response, request
    from werkzeug.middleware.proxy_fix import ProxyFix

    HEADERS = [("Content-Type", "text/plain")]

    class Mounted:
        def __init__(self, application):
            self.application = application

        def __call__(self, environ, start_response):
            if environ["PATH_INFO"] == "/mounted":
                start_response("200 OK", HEADERS)
                return [str(len(HEADERS)).encode()]
            if environ["PATH_INFO"] == "/broken":
                raise ValueError("in front of Flask")
            return self.application(environ, start_response)

    def routes(app, service):
        app.wsgi_app = Mounted(app.wsgi_app)

        @app.get("/")
        def home():
            return "home"

        @app.get("/nap")
        def nap():
            time.sleep(float(request.args["seconds"]))
            return "rested"

        @app.post("/echo")
        def echo():
            return request.get_data()

        @app.get("/large")
        def large():
            return Response((b"#" * 65536 for _ in range(400)), content_type="text/plain")

        @app.get("/short")
        def short():
            return Response(iter([b"0123456789"]), headers={"Content-Length": "20"})

        @app.get("/interrupted")
        def interrupted():
            raise KeyboardInterrupt

    app = create_app(__name__, routes=routes)
    app.wsgi_app = ProxyFix(app.wsgi_app)
"""
HOST = b" HTTP/1.1\r\nHost: a\r\n"
CLOSE = b"Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("attacks")
    launch: Launch
    with launching(folder) as launch:
        yield Served(folder, launch, SOURCE, WEB_THREADS="2")


def get(path: bytes, rest: bytes = CLOSE) -> bytes:
    return b"GET " + path + HOST + rest


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /echo" + HOST + b"Content-Length: 100000\r\n\r\na",
        b"POST /echo" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\na",
        get(b"/large", b"\r\n"),
    ],
    ids=["body", "chunk", "answer"],
)
def test_clients_that_are_slow_after_their_head_keep_nobody_from_being_answered(served: Served, sent: bytes) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(Client(served.port, sent, buffer=4096))
        assert [status(served.port, "/") for _ in range(10)] == [200] * 10


def test_an_answer_shorter_than_it_says_is_not_filled_up_with_the_next_one(served: Served) -> None:
    with Client(served.port, get(b"/short", b"\r\n") + get(b"/")) as client:
        assert client.everything().endswith(b"\r\n\r\n0123456789")


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("path", [b"/healthz/live", b"/healthz/ready"])
def test_health_waits_for_no_thread_whatever_stands_around_it(served: Served, method: bytes, path: bytes) -> None:
    with contextlib.ExitStack() as stack:
        napping = [stack.enter_context(Client(served.port, get(b"/nap?seconds=1"))) for _ in range(2)]
        with Client(served.port, method + b" " + path + HOST + CLOSE) as client:
            head, _, body = client.everything().partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert bool(body) is (method == b"GET")
        # They have not been answered before.
        assert not select.select([client._socket for client in napping], [], [], 0)[0]


def test_what_one_answer_is_given_does_not_stay_for_the_next(served: Served) -> None:
    answers = []
    for _ in range(2):
        with Client(served.port, get(b"/mounted")) as client:
            answers.append(client.everything().lower())
    assert [answer.count(b"x-request-id:") for answer in answers] == [1, 1]


def test_an_exception_that_is_no_error_is_answered(served: Served) -> None:
    with Client(served.port, get(b"/interrupted")) as client:
        assert client.answer()[0] == 500


def test_a_failure_in_front_of_flask_has_one_request_id(served: Served) -> None:
    with Client(served.port, get(b"/broken")) as client:
        code, body = client.answer()
    assert code == 500
    given = json.loads(body)["request_id"]
    failures = served.program.ready(
        lambda: [line for line in served.program.logged("request failed") if line.get("request_id") == given],
        "its failure is logged",
    )
    assert failures[0]["error.type"] == "ValueError"
    # It has been counted by its span.
    assert served.program.ready(
        lambda: [line for line in served.program.logged("request finished") if line["request_id"] == given],
        "its end is logged",
    )


@pytest.mark.parametrize("name", [b"SCRIPT_NAME", b"PATH_INFO"])
def test_a_client_cannot_move_the_application(served: Served, name: bytes) -> None:
    with Client(served.port, get(b"/", name + b": /elsewhere\r\n" + CLOSE)) as client:
        assert client.answer()[0] == 200


@pytest.mark.parametrize(
    "host", [b"", b"Host: a b\r\n", b"Host: a/b\r\n", b"Host: u@a\r\n", b"Host: \xff\r\n", b"Host: a\r\nHost: b\r\n"]
)
def test_a_request_without_a_proper_host_is_refused(served: Served, host: bytes) -> None:
    # https://www.rfc-editor.org/rfc/rfc9112#section-3.2
    with Client(served.port, b"GET / HTTP/1.1\r\n" + host + CLOSE) as client:
        assert client.answer()[0] == 400


def test_a_request_of_an_old_client_without_a_host_lets_no_new_one_pass_without(served: Served) -> None:
    with Client(served.port, b"GET / HTTP/1.0\r\n\r\n") as old:
        assert old.answer()[0] == 200
    with Client(served.port, b"GET / HTTP/1.1\r\n\r\n") as new:
        assert new.answer()[0] == 400
