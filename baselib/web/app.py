"""The Flask application of a service, with everything around it that every service has."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from baselib.contract import DataStore, Needs
from baselib.health import HealthEndpoints
from baselib.health.access import may_see_details
from baselib.lifecycle import LIFE, Life
from baselib.service import Service
from baselib.web import problems
from baselib.web.requests import RequestSpans

OPENAPI_PATH: Final = "/openapi.json"


def create_app(
    import_name: str,
    *,
    routes: Callable[[Flask, Service], None] | None = None,
    data_stores: Sequence[DataStore] = (),
    queues: Sequence[str] = (),
    hard_dependencies: Sequence[str] = (),
    soft_dependencies: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    life: Life = LIFE,
) -> Flask:
    """Make the application of a web service: settings checked, logs, metrics and errors on, health endpoints answered.

    Args:
        import_name: The calling module's `__name__`.
        routes: Adds the service's own routes, and may add health checks to the service it is given.
        data_stores: The data stores that the service uses; their URLs become required.
        queues: The names of queues that it sends to; their URLs become required.
        hard_dependencies: Other services that it cannot work without; their URLs become required.
        soft_dependencies: Other services that it can do without for a while.
        environ: The environment variables; `os.environ` when None.
        life: The phase of the process; a test may bring its own.

    Raises:
        ConfigurationError: A variable is wrong or missing; ends the process with exit code 78.
    """
    needs = Needs(
        kind="web",
        queues=tuple(queues),
        data_stores=tuple(data_stores),
        hard_dependencies=tuple(hard_dependencies),
        soft_dependencies=tuple(soft_dependencies),
    )
    service = Service(needs, environ)
    app = Flask(import_name)
    app.extensions["baselib"] = service
    problems.register(app)
    if routes is not None:
        routes(app, service)
    app.add_url_rule(OPENAPI_PATH, "openapi", lambda: _openapi(app, service))
    spans = RequestSpans(app.wsgi_app, service.settings.request_seconds)
    endpoints = HealthEndpoints(service.settings, life, service.checks, spans)
    # The worker looks here, because a service may put middleware of its own around `wsgi_app`.
    app.extensions["baselib.health"] = endpoints
    app.wsgi_app = endpoints  # type: ignore[method-assign]
    return app


def _openapi(app: Flask, service: Service) -> ResponseReturnValue:
    """The OpenAPI document, for those who may see the detail endpoints."""
    if not may_see_details(request.environ, service.settings.health_token, service.settings.trusted_proxies):
        raise NotFound
    # Imported when somebody asks: what draws the document costs more to import than Flask.
    from baselib.web.openapi import document  # noqa: PLC0415

    return app.json.response(document(app, service.settings))
