"""The key under which a message's record is kept.

>>> queue_key("main", "order-17")
'main#order-17'
"""

import hashlib
from typing import Final
from uuid import UUID

from baselib.worker.message import Reject

Key = str | int | UUID
"""What may be a key."""

# A partition key of DynamoDB has at most 2,048 bytes, an index of PostgreSQL takes about 2,700
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
_LONGEST_CHARACTERS: Final = 200
_HASHED: Final = "sha256:"


def queue_key(queue: str, key: Key | None) -> str:
    """The key of a message, which no message of another queue can have.

    A key that is long, or that holds more than printable ASCII, is replaced by its SHA-256.

    Args:
        queue: The queue's name.
        key: What the service names the message by.

    Raises:
        Reject: The key is None or empty: such messages would all be taken for one.
        TypeError: It is of another type.
    """
    if key is None or key == "":
        raise Reject("the message has no idempotency key: it is None or empty")
    if not isinstance(key, str | int | UUID) or isinstance(key, bool):
        raise TypeError(f"an idempotency key is a str, an int or a UUID, not {type(key).__name__}")
    text = str(key)
    # What looks like a hash is hashed as well, so that no key can be made to look like another one's hash.
    if len(text) > _LONGEST_CHARACTERS or not text.isascii() or not text.isprintable() or text.startswith(_HASHED):
        text = _HASHED + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{queue}#{text}"
