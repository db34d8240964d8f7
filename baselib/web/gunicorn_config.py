"""gunicorn's configuration where gunicorn is started by hand: `gunicorn --config python:baselib.web.gunicorn_config`.

`baselib serve` needs no such file, and ends with the contract's exit codes besides. Both read the service's own
`gunicorn.conf.py` where there is one.
"""

from baselib.service import read_settings
from baselib.web.gunicorn_options import gunicorn_options
from baselib.web.service_config import read_service_config

globals().update(gunicorn_options(read_settings(), service=read_service_config()))
