"""gunicorn's own messages in the service's log form."""

from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger


class GunicornLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's messages to the root logger, and leaves the access log to the request's span."""

    def setup(self, cfg: Config) -> None:
        """Take over the level and nothing else."""
        super().setup(cfg)
        for handler in list(self.error_log.handlers):
            self.error_log.removeHandler(handler)
        self.error_log.propagate = True

    def access(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""
