"""Changing a logger's level for a limited time, in this process or in all processes of the service.

>>> set_level("shop.orders", "DEBUG", seconds=600)
>>> logging.getLogger("shop.orders").isEnabledFor(logging.DEBUG)
True
>>> set_level("shop.orders", "DEBUG", seconds=0)
>>> logging.getLogger("shop.orders").level == logging.NOTSET
True
"""

import logging
import os
import threading
import time
from pathlib import Path
from typing import Final

from baselib.concurrency import start_thread
from baselib.contract import Settings
from baselib.telemetry.logs.level_file import LEVEL_NAMES, MOST_SECONDS, LevelChange, LevelFile, level_path

# How soon a process sees what was asked of all; a look costs one system call.
_LOOK_SECONDS: Final = 1.0

_logger = logging.getLogger(__name__)


def set_level(logger: str, level: str, seconds: float) -> None:
    """Change a logger's level in this process; it goes back by itself.

    Args:
        logger: The logger's name; `root` for all that have no level of their own.
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
        seconds: How long, at most a day; 0 ends the changes of this logger that this process made.

    Raises:
        ValueError: One of them is not acceptable.
    """
    LEVELS.change(_change(logger, level, seconds))


def request_level(settings: Settings, logger: str, level: str, seconds: float) -> None:
    """Change a logger's level in all processes of the service that runs in this container, within a second or two.

    Args:
        settings: The service's, so that its processes look where this one writes.
        logger: The logger's name; `root` for all that have no level of their own.
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
        seconds: How long, at most a day; 0 takes back what was requested for this logger.

    Raises:
        ValueError: One of them is not acceptable.
        OSError: The request cannot be written down.
    """
    LevelFile(_path(settings)).add(_change(logger, level, seconds))


def watch_requests(settings: Settings) -> None:
    """Obey from now on what `request_level` asks for.

    Args:
        settings: The service's.
    """
    LEVELS.watch(_path(settings))


class TemporaryLevels:
    """The changes in force in this process, and the levels to go back to.

    Of several changes of one logger the last one counts until it ends, then the one before it.
    """

    def __init__(self) -> None:
        self._own: list[LevelChange] = []
        self._asked: list[LevelChange] = []
        # For each changed logger: its level before, and the one that it was given.
        self._before: dict[str, tuple[int, int]] = {}
        self._file: LevelFile | None = None
        self._started = False
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._wake = threading.Event()

    def change(self, change: LevelChange) -> None:
        """Add a change, or end those of a logger with one that has already ended."""
        with self._lock:
            if change.until <= change.since:
                self._own = [own for own in self._own if own.logger != change.logger]
            else:
                # One that ends no later than this never counts again.
                self._own = [own for own in self._own if own.logger != change.logger or own.until > change.until]
                self._own.append(change)
            self._apply()
        self._start()
        self._wake.set()

    def watch(self, path: Path) -> None:
        """Obey from now on what is written to a file.

        Args:
            path: Where `request_level` writes.
        """
        with self._lock:
            if self._file is None or self._file.path != path:
                self._file = LevelFile(path)
        self._start()

    def look(self) -> None:
        """Read the file if it changed, and end what is over."""
        with self._lock:
            if self._file is not None:
                self._asked = list(self._file.changes())
            self._apply()

    def _apply(self) -> None:
        now = time.monotonic()
        self._own = [change for change in self._own if change.until > now]
        wanted: dict[str, LevelChange] = {}
        for change in sorted((*self._own, *self._asked), key=lambda change: change.since):
            if change.until > now:
                wanted[change.logger] = change
        for name in self._before.keys() - wanted.keys():
            before, given = self._before.pop(name)
            logger = logging.getLogger(name)
            # Whoever set another level meanwhile wants that one.
            if logger.level == given:
                logger.setLevel(before)
        for name, change in wanted.items():
            logger = logging.getLogger(name)
            level = logging.getLevelName(change.level)
            known = self._before.get(name)
            if known is None or known[1] != level:
                self._before[name] = (logger.level if known is None else known[0], level)
                logger.setLevel(level)
                # A warning, so that it is seen who asked for the lines that follow.
                _logger.warning("level of %s is %s for %.0f seconds", name, change.level, change.until - now)

    def _start(self) -> None:
        with self._lock:
            if not self._started:
                # Without a thread for now, the next change or configuration tries again.
                self._started = start_thread(self._run, name="baselib-log-levels") is not None

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                _logger.exception("could not look at the log levels asked for")
            ends = min((change.until for change in (*self._own, *self._asked)), default=float("inf"))
            self._wake.wait(min(max(ends - time.monotonic(), 0.0), _LOOK_SECONDS))
            self._wake.clear()

    def after_fork(self) -> None:
        """A forked child has the levels, and needs a thread of its own."""
        self._renew()
        if self._started:
            self._started = False
            self._start()


def _path(settings: Settings) -> Path:
    return level_path(settings.name.repository, (settings.port, settings.health_port))


def _change(logger: str, level: str, seconds: float) -> LevelChange:
    """A change that begins now."""
    level = level.upper()
    if level not in LEVEL_NAMES:
        raise ValueError(f"level is {level!r}: accepted is {', '.join(LEVEL_NAMES)}")
    if not 0 <= seconds <= MOST_SECONDS:
        raise ValueError(f"seconds is {seconds!r}: accepted is a number from 0 to {MOST_SECONDS}")
    if len(logger) > 200 or not logger.isprintable():
        raise ValueError("logger is no logger's name: accepted is a printable name of at most 200 characters")
    now = time.monotonic()
    return LevelChange(logger or "root", level, now, now + seconds)


LEVELS: Final = TemporaryLevels()
"""The changes in force in this process."""

os.register_at_fork(after_in_child=LEVELS.after_fork)
