"""Web services: Flask under gunicorn, behind an Application Load Balancer.

from baselib.web import create_app

app = create_app(__name__, routes=register)
"""

from typing import TYPE_CHECKING

from baselib.lazy import lazy_names
from baselib.web.app import create_app
from baselib.web.problems import Problem

if TYPE_CHECKING:
    from baselib.web.validation import validate

__all__ = ["Problem", "create_app", "validate"]

# Needs pydantic, whose import costs as much as Flask's.
__getattr__ = lazy_names(__name__, {"validate": "baselib.web.validation"})
