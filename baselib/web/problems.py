"""Every error answer is problem JSON (RFC 9457) with the request's id.

from baselib.web import Problem

raise Problem(409, "this name is taken", errors=[...])
"""

from http import HTTPStatus
from typing import Any

from flask import Flask, got_request_exception, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from baselib.telemetry import current_span


class Problem(HTTPException):
    """An error answer.

    Args:
        status: The HTTP status, 400 to 599.
        detail: What went wrong this time, for a person.
        members: Further members of the problem object.
    """

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.code = status
        self.members = members


def register(app: Flask) -> None:
    """Answer every error of an application with problem JSON, and keep the exception for the observers.

    Args:
        app: The application.
    """
    app.register_error_handler(HTTPException, _answer)
    got_request_exception.connect(_note, app)


def _answer(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.get_response(request.environ)
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    body: dict[str, Any] = {"type": "about:blank", "title": _title(code), "status": int(code)}
    if error.description and code != HTTPStatus.INTERNAL_SERVER_ERROR:
        body["detail"] = error.description
    if isinstance(error, Problem):
        body.update(error.members)
    span = current_span()
    if span is not None:
        body["request_id"] = span.request_id
    headers = [item for item in error.get_headers(request.environ) if item[0].lower() != "content-type"]
    return body, int(code), [*headers, ("Content-Type", "application/problem+json")]


def _title(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "Error"


def _note(sender: Flask, exception: BaseException, **_: Any) -> None:
    span = current_span()
    if span is not None:
        span.error = exception
