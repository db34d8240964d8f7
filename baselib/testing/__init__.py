"""For tests and local development: an embedded AWS, a statsd socket that keeps what it gets, and a pytest plug-in."""

from baselib.testing.captured_errors import CapturedErrors
from baselib.testing.captured_logs import CapturedLogs
from baselib.testing.embedded_aws import EmbeddedAws
from baselib.testing.local_environment import local_environment
from baselib.testing.messages import sqs_message
from baselib.testing.statsd import StatsdReceiver

__all__ = ["CapturedErrors", "CapturedLogs", "EmbeddedAws", "StatsdReceiver", "local_environment", "sqs_message"]
