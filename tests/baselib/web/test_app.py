"""The application that `create_app` makes, seen by its callers."""

import pytest
from flask import Flask, abort, request
from flask.typing import ResponseReturnValue

from baselib.contract import ConfigurationError
from baselib.lifecycle import Life, Phase
from baselib.service import Service
from baselib.testing import StatsdReceiver
from baselib.web import create_app
from tests.baselib.processes import IDENTITY, until


def _ready() -> Life:
    life = Life()
    life.advance(Phase.READY)
    return life


def _refusing(app: Flask, service: Service) -> None:
    @app.before_request
    def refuse() -> None:
        abort(401)

    @app.get("/")
    def home() -> str:
        return "home"


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready", "/healthz/dependencies", "/healthz/info"])
def test_a_hook_that_aborts_does_not_touch_the_health_endpoints(path: str) -> None:
    client = create_app(__name__, routes=_refusing, environ=IDENTITY, life=_ready()).test_client()
    assert client.get("/").status_code == 401
    assert client.get(path).status_code == 200


def test_a_probe_makes_no_request_metric(capsys: pytest.CaptureFixture[str]) -> None:
    with StatsdReceiver() as statsd:
        app = create_app(__name__, environ={**IDENTITY, **statsd.environment}, life=_ready())
        client = app.test_client()
        client.get("/healthz/live", buffered=True)
        client.get("/nothing", buffered=True)
        until(lambda: any("requests" in line for line in statsd.lines), "the other request arrives")
    assert len([line for line in statsd.lines if line.startswith("duolingo.api.requests:")]) == 1
    assert capsys.readouterr().out.count("request finished") == 1


def test_readiness_follows_the_life_of_the_process() -> None:
    life = Life()
    client = create_app(__name__, environ=IDENTITY, life=life).test_client()
    told = []
    for phase in Phase:
        life.advance(phase)
        answer = client.get("/healthz/ready")
        told.append((answer.status_code, answer.json))
    assert told == [
        (503, {"status": "not ready", "reason": "starting"}),
        (200, {"status": "ready"}),
        (503, {"status": "not ready", "reason": "draining"}),
        (503, {"status": "not ready", "reason": "stopped"}),
    ]


def test_a_request_is_still_answered_while_draining() -> None:
    life = _ready()
    life.advance(Phase.DRAINING)

    def routes(app: Flask, service: Service) -> None:
        app.add_url_rule("/", view_func=lambda: "home")

    assert create_app(__name__, routes=routes, environ=IDENTITY, life=life).test_client().get("/").text == "home"


def test_a_health_check_of_the_service_is_asked() -> None:
    def routes(app: Flask, service: Service) -> None:
        @service.health_check("licence", required_for_traffic=True)
        def licence() -> None:
            raise RuntimeError("expired")

    client = create_app(__name__, routes=routes, environ=IDENTITY, life=_ready()).test_client()
    assert client.get("/healthz/ready").json == {"status": "not ready", "reason": "failed: licence"}
    answer = client.get("/healthz/dependencies").json
    assert answer is not None
    assert answer["status"] == "failed"
    assert "expired" in answer["checks"]["licence"]["last_error"]


def test_every_declared_need_is_demanded_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_app(
            __name__,
            data_stores=["postgres"],
            queues=["mail"],
            hard_dependencies=["shop-prices"],
            soft_dependencies=["shop-photos"],
            environ={**IDENTITY, "PORT": "none"},
        )
    assert caught.value.code == 78
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == ["PORT", "QUEUE_MAIL_URL", "DATABASE_URL", "SHOP_PRICES_URL"]


def test_several_applications_live_in_one_process() -> None:
    def named(name: str) -> Flask:
        def routes(app: Flask, service: Service) -> None:
            app.add_url_rule("/", view_func=lambda: f"{name} for {request.path}")

        return create_app(name, routes=routes, environ={**IDENTITY, "SERVICE_NAME": name}, life=_ready())

    first, second = named("one"), named("two")
    assert first.test_client().get("/").text == "one for /"
    assert second.test_client().get("/").text == "two for /"
    for app, name in ((first, "one"), (second, "two")):
        info = app.test_client().get("/healthz/info").json
        assert info is not None
        assert info["service"] == name


def test_views_get_the_service_that_reads_the_same_settings() -> None:
    seen: list[Service] = []

    def routes(app: Flask, service: Service) -> None:
        seen.append(service)

        @app.get("/owner")
        def owner() -> ResponseReturnValue:
            return service.settings.owner

    app = create_app(__name__, routes=routes, environ=IDENTITY)
    assert app.extensions["baselib"] is seen[0]
    assert app.test_client().get("/owner").text == "platform"
