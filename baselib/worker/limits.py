"""What SQS accepts of a sender, in one place.

Read on 23 November 2026:

- https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
- https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

import re
from typing import Final

# Until August 2025 it was 256 KiB
# (https://aws.amazon.com/about-aws/whats-new/2025/08/amazon-sqs-max-payload-size-1mib/).
MAXIMUM_BYTES: Final = 1_048_576
"""What one message may hold, and what the messages of one call may hold together: 1 MiB."""

MAXIMUM_ENTRIES: Final = 10
"""How many messages one call may send."""

MAXIMUM_ATTRIBUTES: Final = 10
MAXIMUM_DELAY_SECONDS: Final = 900
MAXIMUM_NAME_CHARACTERS: Final = 256
"""The longest name of an attribute."""

FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that neither a body nor the value of an attribute may hold."""

ATTRIBUTE_NAME: Final = re.compile(r"(?!(?i:aws|amazon)\.)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html"""

FIFO_ID: Final = re.compile(r"[!-~]{1,128}")
"""A message group's or a deduplication's id: letters, digits and punctuation of ASCII."""

FIFO_SUFFIX: Final = ".fifo"
"""How the name of a FIFO queue, and of no other, ends."""


def utf8_bytes(text: str) -> int:
    """How many bytes a text takes.

    Args:
        text: It holds none of the forbidden characters.
    """
    return len(text) if text.isascii() else len(text.encode())
