"""The options that gunicorn is run with, all from the settings."""

import gc
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from baselib import container
from baselib.contract import Settings
from baselib.contract.timing import KEEP_ALIVE_SECONDS
from baselib.telemetry import REPORTER, start_errors
from baselib.web.board import Board, BoardReporter
from baselib.web.draining import DrainingMaster
from baselib.web.hooks import HOOKS, Hook, chain
from baselib.web.request_head import LONGEST_LINE_BYTES, MOST_FIELDS
from baselib.web.watchdog import worker_abort

# With one worker, its restart would leave nobody to answer.
_LEAST_WORKERS: Final = 2
# Beyond three connections for each thread gunicorn lets the next worker have the connection, so that one worker does
# not end up with all of them.
_CONNECTIONS_PER_THREAD: Final = 3
# Of the worker's main thread, which never runs the application. Half of the load balancer's idle time-out, so that a
# worker that is stuck as a whole is replaced before the requests in its sockets are given up.
_MAIN_THREAD_SECONDS: Final = 30
# RFC 1918, RFC 6598, RFC 4193 and this machine.
_PRIVATE_NETWORKS: Final = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7,127.0.0.0/8,::1"
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a heartbeat file there never waits for a disk


def gunicorn_options(
    settings: Settings,
    host: str = "0.0.0.0",  # noqa: S104 - see baselib.cli
    service: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The options that gunicorn is run with.

    Args:
        settings: Gives port, processes, threads and the budgets of a request and of stopping.
        host: The address to listen on.
        service: The service's own hooks and settings, as `read_service_config` gives them.
    """
    theirs = dict(service or {})
    master = DrainingMaster(settings)
    board = Board()
    reporter = BoardReporter(board, settings.web_threads)
    ours: dict[str, list[Hook]] = {
        "when_ready": [master.when_ready, reporter.when_ready],
        "pre_fork": [_ForkPreparation(settings, board).pre_fork],
        "post_fork": [master.post_fork, _post_fork],
        "worker_abort": [worker_abort],
        "worker_exit": [master.worker_exit],
        "on_exit": [reporter.on_exit, master.on_exit],
    }
    hooks = {
        name: chain(name, *ours.get(name, ()), theirs=theirs.pop(name, None))
        for name in HOOKS
        if name in ours or name in theirs
    }
    return {
        "bind": [f"{host}:{settings.port}"],
        "worker_class": "baselib.web.gthread.HealthFirstThreadWorker",
        "workers": worker_count(settings),
        "threads": settings.web_threads,
        "worker_connections": _CONNECTIONS_PER_THREAD * settings.web_threads,
        "preload_app": True,
        "keepalive": KEEP_ALIVE_SECONDS,
        "timeout": _MAIN_THREAD_SECONDS,
        "graceful_timeout": math.ceil(settings.stop_seconds),
        "worker_tmp_dir": str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK) else None,
        # It would be a file in the home directory, which is read-only in a container.
        "control_socket_disable": True,
        # Python's `sendfile` waits for a slow reader without end.
        "sendfile": False,
        # The request line has been measured before gunicorn sees it; gunicorn's own limit cannot be as high as the load
        # balancer's.
        "limit_request_line": 0,
        "limit_request_field_size": LONGEST_LINE_BYTES,
        "limit_request_fields": MOST_FIELDS,
        # Who may say by X-Forwarded-Proto that the client used https: the load balancer, which overwrites the header.
        "forwarded_allow_ips": _PRIVATE_NETWORKS,
        "secure_scheme_headers": {"X-FORWARDED-PROTO": "https"},
        "forwarder_headers": "",
        "logger_class": "baselib.web.gunicorn_logger.GunicornLogger",
        **hooks,
        **theirs,
    }


def worker_count(settings: Settings) -> int:
    """How many workers there are: as the settings say, or one for each CPU of the container's share.

    Args:
        settings: Gives the number, if the environment does.
    """
    return settings.web_concurrency or max(_LEAST_WORKERS, math.ceil(container.cpu_limit()))


def _post_fork(server: Any, worker: Any) -> None:
    """A worker begins: its requests are answered first and reported then."""
    REPORTER.report_in_batches()


class _ForkPreparation:
    """What the master does before each fork."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._settings = settings
        self._board = board
        self._frozen = False

    def pre_fork(self, server: Any, worker: Any) -> None:
        """Tell the worker what it cannot read from gunicorn's options, and keep memory shared with it."""
        worker.request_seconds = self._settings.request_seconds
        worker.board = self._board
        worker.slot = self._board.free_slot(getattr(other, "slot", None) for other in server.WORKERS.values())
        if not self._frozen:
            start_errors()
            # What is frozen is never looked at by the collector again, and so its pages are never copied:
            # https://docs.python.org/3/library/gc.html#gc.freeze
            gc.collect()
            gc.freeze()
            self._frozen = True
