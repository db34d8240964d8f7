"""Web services: Flask under gunicorn, behind an Application Load Balancer.

from baselib.web import create_app

app = create_app(__name__, routes=register)
"""

from typing import TYPE_CHECKING, Any

from baselib.web.app import create_app
from baselib.web.problems import Problem

if TYPE_CHECKING:
    from baselib.web.validate import validate

__all__ = ["Problem", "create_app", "validate"]


def __getattr__(name: str) -> Any:
    if name == "validate":
        # Needs pydantic, whose import costs as much as Flask's.
        from baselib.web.validate import validate  # noqa: PLC0415

        globals()["validate"] = validate
        return validate
    raise AttributeError(f"module 'baselib.web' has no attribute {name!r}")
