"""The Flask application of a service, with everything around it that every service has."""

from collections.abc import Callable, Mapping, Sequence

from flask import Flask

from baselib.contract import DataStore, Needs
from baselib.health import HealthEndpoints
from baselib.lifecycle import LIFE, Life
from baselib.service import Service
from baselib.web import openapi, problems
from baselib.web.requests import RequestSpans, note_route


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
    app.before_request(note_route)
    problems.register(app)
    if routes is not None:
        routes(app, service)
    openapi.register(app, service.settings)
    spans = RequestSpans(app.wsgi_app)
    app.wsgi_app = HealthEndpoints(service.settings, life, service.checks, spans)  # type: ignore[method-assign]
    return app
