"""The ways to say which queue.

>>> QueueAddress.parse("orders")
QueueAddress(name='orders', url=None, region=None, account=None)
>>> QueueAddress.parse("arn:aws:sqs:eu-west-1:123456789012:orders.fifo").region
'eu-west-1'
>>> QueueAddress.parse("https://sqs.eu-west-1.amazonaws.com/123456789012/orders").name
'orders'
"""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from baselib.queues.errors import UsageError

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
_NAME: Final = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9_-]+(\.fifo)?")
_ARN: Final = re.compile(r"arn:[a-z0-9-]+:sqs:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>.+)")
# https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
_HOST: Final = re.compile(r"sqs(-fips)?\.(?P<region>[a-z0-9-]+)\.(amazonaws\.|api\.)")


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """Where a queue is, as far as was said.

    Attributes:
        name: Its name.
        url: Its URL; None when it has to be asked for.
        region: Its region; None when it is the one that is set.
        account: The account that it belongs to; None when it is that of the credentials.
    """

    name: str
    url: str | None = None
    region: str | None = None
    account: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name, a URL or an ARN.

        Args:
            text: What was said.

        Raises:
            UsageError: It is none of the three.
        """
        if text.startswith("arn:"):
            return cls._from_arn(text)
        if "://" in text:
            return cls._from_url(text)
        return cls(_checked(text, text))

    @classmethod
    def _from_arn(cls, text: str) -> Self:
        found = _ARN.fullmatch(text)
        if found is None:
            raise UsageError(f"{text!r} is not the ARN of a queue: accepted is arn:aws:sqs:REGION:ACCOUNT:NAME")
        return cls(_checked(found["name"], text), None, found["region"], found["account"])

    @classmethod
    def _from_url(cls, text: str) -> Self:
        try:
            parts = urlsplit(text)
        except ValueError:
            raise UsageError(f"{text!r} is not a URL") from None
        host = _HOST.match(parts.hostname or "")
        return cls(_checked(parts.path.rpartition("/")[2], text), text, host["region"] if host else None)


def _checked(name: str, text: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{text!r} is not a queue: accepted is a name, a URL or an ARN")
    return name
