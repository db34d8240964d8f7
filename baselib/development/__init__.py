"""`baselib dev`: the service of a folder with an embedded AWS and reload, without Docker."""

from baselib.development.runner import run

__all__ = ["run"]
