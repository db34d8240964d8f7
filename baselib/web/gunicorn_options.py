"""The options that gunicorn is run with, all from the settings."""

import math
import os
from pathlib import Path
from typing import Any, Final

from baselib import container
from baselib.contract import Settings
from baselib.contract.timing import KEEP_ALIVE_SECONDS
from baselib.web.draining import DrainingMaster

# With one worker, its restart would leave nobody to answer.
_LEAST_WORKERS: Final = 2
# An idle keep-alive connection occupies a worker's place; beyond three for each thread gunicorn lets the next worker
# have the connection, so that one worker does not end up with all of them.
_CONNECTIONS_PER_THREAD: Final = 3
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a heartbeat file there never waits for a disk


def gunicorn_options(settings: Settings, host: str = "0.0.0.0") -> dict[str, Any]:  # noqa: S104 - see baselib.cli
    """The options that gunicorn is run with.

    Args:
        settings: Gives port, processes, threads and the budget of stopping.
        host: The address to listen on.
    """
    master = DrainingMaster(settings)
    return {
        "bind": [f"{host}:{settings.port}"],
        "worker_class": "baselib.web.gthread.HealthFirstThreadWorker",
        "workers": settings.web_concurrency or max(_LEAST_WORKERS, math.ceil(container.cpu_limit())),
        "threads": settings.web_threads,
        "worker_connections": _CONNECTIONS_PER_THREAD * settings.web_threads,
        "preload_app": True,
        "keepalive": KEEP_ALIVE_SECONDS,
        "timeout": 60,
        "graceful_timeout": math.ceil(settings.stop_seconds),
        "worker_tmp_dir": str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK) else None,
        # It would be a file in the home directory, which is read-only in a container.
        "control_socket_disable": True,
        # No lower than the load balancer's own limits, or gunicorn refuses what it lets through:
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
        "limit_request_line": 8190,
        "limit_request_field_size": 16380,
        "logger_class": "baselib.web.gunicorn_logger.GunicornLogger",
        "when_ready": master.when_ready,
        "worker_exit": master.worker_exit,
        "on_exit": master.on_exit,
    }
