"""The message handlers of duolingo-mailer."""

from baselib.testing import sqs_message
from baselib.worker import Outcome

from duolingo_mailer.handlers import Welcome
from duolingo_mailer.worker import worker


def test_welcomes(captured_metrics: list[str]) -> None:
    assert worker.handle_raw(sqs_message(Welcome(name="Ana")))[0] is Outcome.DONE
    assert "test.welcomes:1|c" in captured_metrics
