"""`baselib doctor`: what a service is configured with and from where, what follows from it, and what is wrong.

>>> from baselib.doctor import diagnose
>>> identity = {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "platform"}
>>> diagnose(identity).exit_code
0
>>> for problem in diagnose({**identity, "PORT": "http"}).problems:
...     print(problem.text)
PORT is 'http': accepted is a port from 1 to 65535
"""

from baselib.doctor.diagnosis import diagnose, diagnose_location
from baselib.doctor.report import Diagnosis, Finding, Problem

__all__ = ["Diagnosis", "Finding", "Problem", "diagnose", "diagnose_location"]
