"""The other services that a service declared it depends on, and how it calls them.

>>> from baselib import http
>>> from baselib.contract import Settings
>>> settings = Settings(product="duolingo", service="api", owner="platform")
>>> http.configure_http(settings, soft=["duolingo-users"])
>>> users = http.client("duolingo-users")
>>> users.get("/names", fallback=[]).json()
[]
>>> users.get("/names")
Traceback (most recent call last):
baselib.http.errors.UnavailableError: duolingo-users: has no address here
>>> http.client("duolingo-mail")
Traceback (most recent call last):
LookupError: 'duolingo-mail' is not a declared dependency of this service; declared are: duolingo-users
"""

from baselib.http.clients import client, configure_http
from baselib.http.dependency import DependencyClient
from baselib.http.errors import (
    BadBodyError,
    BadStatusError,
    BulkheadFullError,
    CallTimeoutError,
    CircuitOpenError,
    ConnectFailedError,
    DeadlinePassedError,
    DependencyError,
    UnavailableError,
)
from baselib.http.reachability import dependency_check
from baselib.http.response import Response

__all__ = [
    "BadBodyError",
    "BadStatusError",
    "BulkheadFullError",
    "CallTimeoutError",
    "CircuitOpenError",
    "ConnectFailedError",
    "DeadlinePassedError",
    "DependencyClient",
    "DependencyError",
    "Response",
    "UnavailableError",
    "client",
    "configure_http",
    "dependency_check",
]
