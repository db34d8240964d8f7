"""Web services: Flask under gunicorn, behind an Application Load Balancer.

from baselib.web import create_app

app = create_app(__name__, routes=register)
"""

from baselib.web.app import create_app
from baselib.web.openapi import validate
from baselib.web.problems import Problem

__all__ = ["Problem", "create_app", "validate"]
