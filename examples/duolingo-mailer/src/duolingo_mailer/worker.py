"""Template-owned: the worker that `baselib worker` runs. The handlers are in handlers.py.

So is what else the worker is given, such as `OPTIONS = {"queues": ["bulk"], "threads": 8}`, if there is anything.
"""

from baselib.worker import Worker

from duolingo_mailer import handlers

worker = Worker(
    handlers.register,
    **getattr(handlers, "OPTIONS", {}),
)
