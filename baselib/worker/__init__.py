"""Worker services: a daemon that consumes SQS queues or runs a loop, and a cron job that runs once.

from baselib.worker import Message, Worker

def register(worker: Worker) -> None:
worker.handle(send_welcome, body=Welcome)
"""

from typing import TYPE_CHECKING

from baselib.lazy import lazy_names

if TYPE_CHECKING:
    from baselib.worker.cron import Job
    from baselib.worker.engine.outcome import Outcome
    from baselib.worker.envelopes import EVENTBRIDGE, SNS, Envelope
    from baselib.worker.message import Message, Reject, Retry
    from baselib.worker.producer import send, send_many
    from baselib.worker.sending.errors import SendError, UnsendableError
    from baselib.worker.sending.outgoing import Outgoing
    from baselib.worker.worker import Worker

__all__ = [
    "EVENTBRIDGE",
    "SNS",
    "Envelope",
    "Job",
    "Message",
    "Outcome",
    "Outgoing",
    "Reject",
    "Retry",
    "SendError",
    "UnsendableError",
    "Worker",
    "send",
    "send_many",
]

_HOMES = {
    "EVENTBRIDGE": "baselib.worker.envelopes",
    "SNS": "baselib.worker.envelopes",
    "Envelope": "baselib.worker.envelopes",
    "Job": "baselib.worker.cron",
    "Message": "baselib.worker.message",
    "Outcome": "baselib.worker.engine.outcome",
    "Outgoing": "baselib.worker.sending.outgoing",
    "Reject": "baselib.worker.message",
    "Retry": "baselib.worker.message",
    "SendError": "baselib.worker.sending.errors",
    "UnsendableError": "baselib.worker.sending.errors",
    "Worker": "baselib.worker.worker",
    "send": "baselib.worker.producer",
    "send_many": "baselib.worker.producer",
}
# A daemon does not pay for what a cron job needs, nor the other way round.
__getattr__ = lazy_names(__name__, _HOMES)
