"""Bodies and query strings checked against pydantic models before a view runs.

from baselib.web import validate

@routes.post("/greetings")
@validate(body=Greeting, answers={201: Greeted})
def greet(json: Greeting) -> ...
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar, cast

from flask import request
from pydantic import BaseModel, ValidationError

from baselib.validation import misfits
from baselib.web.problems import Problem

# Where a view keeps what the OpenAPI document says of it.
DESCRIPTION: Final = "__baselib_description__"

_View = TypeVar("_View", bound=Callable[..., Any])
_Model = TypeVar("_Model", bound=BaseModel)


class Description(NamedTuple):
    """What a view takes and answers.

    Args:
        body: The model of the JSON body.
        query: The model of the query string.
        answers: The model of the answer for each status.
    """

    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answers: Mapping[int, type[BaseModel] | None]


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

    def decorate(view: _View) -> _View:
        @functools.wraps(view)
        def call(*arguments: Any, **named: Any) -> Any:
            if query is not None:
                named["query"] = _query(query)
            if body is not None:
                named["json"] = _body(body)
            return view(*arguments, **named)

        setattr(call, DESCRIPTION, Description(body, query, answers or {200: None}))
        return cast("_View", call)

    return decorate


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
