"""Template-owned: the worker that `baselib worker` runs. The handlers are in handlers.py."""

from baselib.worker import Worker

from duolingo_mailer.handlers import register

worker = Worker(
    register,
)
