"""Template-owned: what every service of this kind promises."""

from baselib.testing import sqs_message
from baselib.worker import Outcome

from duolingo_mailer.worker import worker


def test_rejects_what_is_not_json() -> None:
    assert worker.handle_raw(sqs_message("not json"))[0] is Outcome.REJECTED
