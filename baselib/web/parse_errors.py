"""The status that answers what gunicorn's parser refuses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from gunicorn.http import errors
from werkzeug.exceptions import HTTPException

# The first that fits counts: an invalid header of an answer is the application's mistake, not the client's.
_STATUSES: Final[Mapping[type[Exception], HTTPStatus]] = {
    errors.InvalidResponseHeader: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InvalidResponseHeaderName: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ConfigurationProblem: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.ForbiddenProxyRequest: HTTPStatus.FORBIDDEN,
    errors.ParseException: HTTPStatus.BAD_REQUEST,
}


def status_of(error: BaseException) -> HTTPStatus:
    """The status that an exception is answered with; 500 for all that is not the client's mistake.

    Args:
        error: What the parser, or an application that is not Flask's, has raised.
    """
    if isinstance(error, HTTPException):
        return HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    found = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)
