"""gunicorn, run from Python, so that the process ends with the contract's exit codes."""

import logging
import signal
import sys
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.util import import_app

from baselib.contract import ExitCode, Settings
from baselib.service import Service, read_settings
from baselib.web.gunicorn_options import gunicorn_options
from baselib.web.service_config import read_service_config

_logger = logging.getLogger("baselib.web")

_GUNICORN_FAILURES: Final = frozenset({1, Arbiter.WORKER_BOOT_ERROR, Arbiter.APP_LOAD_ERROR})


def serve(location: str, host: str = "0.0.0.0") -> None:  # noqa: S104 - see baselib.cli
    """Serve a WSGI application until SIGTERM; ends the process.

    Args:
        location: The application, as `package.module:name`.
        host: The address to listen on.

    Raises:
        SystemExit: Always, with one of the contract's exit codes.
    """
    # Until gunicorn has handlers: process 1 of a container ignores what it does not handle.
    signal.signal(signal.SIGTERM, _end_at_once)
    sys.path.insert(0, "")
    # Loaded before gunicorn's options are made, so that one start shows every wrong variable, also those that the
    # application's own needs make required.
    application = import_app(location)
    service = getattr(application, "extensions", {}).get("baselib")
    if isinstance(service, Service):
        settings = service.settings
    else:
        settings = read_settings()
        _logger.warning(
            "%s is not what create_app returned: health questions, if it answers them, wait for a request thread; "
            "put middleware around app.wsgi_app instead",
            location,
        )
    try:
        _Server(application, settings, host).run()
    except SystemExit as end:
        if end.code in _GUNICORN_FAILURES:
            raise SystemExit(int(ExitCode.CRASHED)) from end
        raise


def _end_at_once(*_: object) -> None:
    raise SystemExit(int(ExitCode.FINISHED))


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, application: Any, settings: Settings, host: str) -> None:
        self._application = application
        self._options = gunicorn_options(settings, host, read_service_config())
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._application
