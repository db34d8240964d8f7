"""Worker services: a daemon that consumes an SQS queue, and a cron job that runs once.

from baselib.worker import Message, Worker

def register(worker: Worker) -> None:
worker.handle(send_welcome, body=Welcome)
"""

from baselib.worker.consumer import Outcome
from baselib.worker.cron import Job
from baselib.worker.message import Message, Reject, Retry
from baselib.worker.producer import send
from baselib.worker.worker import Worker

__all__ = ["Job", "Message", "Outcome", "Reject", "Retry", "Worker", "send"]
