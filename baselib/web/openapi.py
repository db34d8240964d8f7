"""Bodies checked against pydantic models, and an OpenAPI document made from them, by spectree.

from baselib.web import validate

@routes.post("/greetings")
@validate(body=Greeting, answers={201: Greeted})
def greet(json: Greeting) -> ...
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from flask import Flask, Request
from flask import request as flask_request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from spectree import Response, SpecTree
from spectree.plugins.flask_plugin import FlaskPlugin
from werkzeug.exceptions import NotFound

from baselib.contract import Settings
from baselib.health.access import may_see_details
from baselib.web.problems import Problem

DOCUMENT_PATH: Final = "/openapi.json"

_View = TypeVar("_View", bound=Callable[..., Any])


def _refuse(request: Request, response: Any, error: Any, *_: Any) -> None:
    """Turn what spectree found into problem JSON; it calls this before every validated view."""
    if error is None:
        return
    if request.method not in {"GET", "DELETE"} and request.get_json(silent=True) is None:
        raise Problem(400, "the body is not JSON, or its Content-Type is not application/json")
    found = error.errors(include_url=False, include_context=False, include_input=False)
    raise Problem(
        422,
        "the request does not have the form that the OpenAPI document describes",
        errors=[{"pointer": "/" + "/".join(map(str, each["loc"])), "detail": each["msg"]} for each in found],
    )


class _Plugin(FlaskPlugin):
    """Shows the document to those only who may see the detail endpoints, and no page that loads code from elsewhere."""

    def register_route(self, app: Flask) -> None:
        service = app.extensions["baselib"]

        def document() -> ResponseReturnValue:
            if not may_see_details(flask_request.environ, service.settings.health_token):
                raise NotFound
            return app.json.response(self.spectree.spec)

        app.add_url_rule(DOCUMENT_PATH, endpoint="openapi", view_func=document)


_specification: Final = SpecTree(backend=_Plugin, page_templates={}, annotations=False, before=_refuse)


def validate(
    *,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    answers: Mapping[int, type[BaseModel] | None] | None = None,
) -> Callable[[_View], _View]:
    """Check a view's request before it runs, and describe it in the OpenAPI document.

    Args:
        body: The model of the JSON body, which the view gets as its argument `json`; 422 where it does not fit.
        query: The model of the query string, which the view gets as its argument `query`.
        answers: The model of the answer for each status.
    """
    described = Response(**{f"HTTP_{status}": model for status, model in (answers or {200: None}).items()})

    def decorate(view: _View) -> _View:
        # spectree could pass the models too, but for that it evaluates every annotation of the view, and those of
        # Flask's own types exist for type checkers only.
        @functools.wraps(view)
        def call(*arguments: Any, **named: Any) -> Any:
            checked = flask_request.context  # type: ignore[attr-defined]
            if body is not None:
                named["json"] = checked.json
            if query is not None:
                named["query"] = checked.query
            return view(*arguments, **named)

        decorated: _View = _specification.validate(json=body, query=query, resp=described)(call)
        return decorated

    return decorate


def register(app: Flask, settings: Settings) -> None:
    """Add the document of an application's routes.

    Args:
        app: The application, made by `create_app`, with its routes.
        settings: Gives the document's title and version.
    """
    _specification.config.title = settings.name.repository
    _specification.config.version = settings.release
    _specification.register(app)
