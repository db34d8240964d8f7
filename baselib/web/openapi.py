"""Bodies and query strings checked against pydantic models, and an OpenAPI document made from the same models.

from baselib.web import validate

@routes.post("/greetings")
@validate(body=Greeting, answers={201: Greeted})
def greet(json: Greeting) -> ...
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from flask import Flask, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError
from spectree import Response, SpecTree
from spectree.plugins.flask_plugin import FlaskPlugin
from werkzeug.exceptions import NotFound

from baselib.contract import Settings
from baselib.health.access import may_see_details
from baselib.validation import misfits
from baselib.web.problems import Problem

DOCUMENT_PATH: Final = "/openapi.json"

# Where a view keeps its description until its application makes the document.
_DESCRIPTION: Final = "__baselib_openapi__"

_View = TypeVar("_View", bound=Callable[..., Any])
_Model = TypeVar("_Model", bound=BaseModel)


class _Plugin(FlaskPlugin):
    """Shows the document to those only who may see the detail endpoints, and no page that loads code from elsewhere."""

    def register_route(self, app: Flask) -> None:
        """Add the document's own route."""
        settings: Settings = app.extensions["baselib"].settings

        def document() -> ResponseReturnValue:
            if not may_see_details(request.environ, settings.health_token):
                raise NotFound
            return app.json.response(self.spectree.spec)

        app.add_url_rule(DOCUMENT_PATH, endpoint="openapi", view_func=document)

    def parse_func(self, route: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Each method of a route, with its view as spectree would have decorated it."""
        for method, view in super().parse_func(route):
            description = getattr(view, _DESCRIPTION, None)
            if description is None:
                yield method, view
            else:
                # Only for the document: requests do not pass through it.
                yield method, self.spectree.validate(**description, skip_validation=True)(view)


def validate(
    *,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    answers: Mapping[int, type[BaseModel] | None] | None = None,
) -> Callable[[_View], _View]:
    """Check a view's request before it runs, and describe it in the OpenAPI document.

    What is no JSON is answered with 400, what has another form with 422, both as problem JSON that names the place and
    does not repeat the value. Answers are described and not checked.

    Args:
        body: The model of the JSON body, which the view gets as its argument `json`.
        query: The model of the query string, which the view gets as its argument `query`.
        answers: The model of the answer for each status.
    """
    described = Response(**{f"HTTP_{status}": model for status, model in (answers or {200: None}).items()})

    def decorate(view: _View) -> _View:
        @functools.wraps(view)
        def call(*arguments: Any, **named: Any) -> Any:
            if query is not None:
                named["query"] = _query(query)
            if body is not None:
                named["json"] = _body(body)
            return view(*arguments, **named)

        setattr(call, _DESCRIPTION, {"json": body, "query": query, "resp": described})
        return cast("_View", call)

    return decorate


def register(app: Flask, settings: Settings) -> None:
    """Add the document of an application's routes.

    Args:
        app: The application, made by `create_app`, with its routes.
        settings: Gives the document's title and version.
    """
    SpecTree(
        backend=_Plugin, page_templates={}, annotations=False, title=settings.name.repository, version=settings.release
    ).register(app)


def _body(model: type[_Model]) -> _Model:
    if not request.is_json:
        raise Problem(400, "the body is not JSON: its Content-Type is not application/json")
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise Problem(400, "the body is not JSON") from error
        raise _refusal(error) from error


def _query(model: type[_Model]) -> _Model:
    # A name that comes once is a value, one that comes again is a list.
    given = {name: values if len(values) > 1 else values[0] for name, values in request.args.lists()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> Problem:
    return Problem(422, "the request does not have the form that the OpenAPI document describes", errors=misfits(error))
