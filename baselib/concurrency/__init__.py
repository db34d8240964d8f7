"""Threads that may not be had, and what a forked process has to make anew."""

from baselib.concurrency.forks import renew_after_fork
from baselib.concurrency.threads import start_thread

__all__ = ["renew_after_fork", "start_thread"]
