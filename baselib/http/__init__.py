"""The other services that a service declared it depends on."""

from baselib.http.reachability import dependency_check

__all__ = ["dependency_check"]
