"""gunicorn's configuration where gunicorn is started by hand: `gunicorn --config python:baselib.web.gunicorn_config`.

`baselib serve` needs no such file, and ends with the contract's exit codes besides.
"""

from baselib.service import read_settings
from baselib.web.gunicorn_options import gunicorn_options

globals().update(gunicorn_options(read_settings()))
