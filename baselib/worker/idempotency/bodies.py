"""Whether two bodies say the same, without keeping them.

>>> body_hash('{"a": 1, "b": 2}') == body_hash('{"b":2,"a":1}')
True
"""

import hashlib
import json

from baselib.worker.message import Reject


def body_hash(body: object) -> str:
    """The SHA-256 of a body, the same for every way to write the same JSON.

    Of a model only the fields that were sent count: a field with a default, added in a later release, makes no other
    body of it.

    Args:
        body: A pydantic model, text, bytes, or what JSON can express.

    Raises:
        TypeError: It is something else.
    """
    return hashlib.sha256(_canonical(body)).hexdigest()


def require_same_body(recorded: str | None, found: str | None) -> None:
    """See that a key was not used for two things.

    Args:
        recorded: The hash in the record; None where it was not to be checked.
        found: That of the message in hand; None where it is not to be checked.

    Raises:
        Reject: They differ.
    """
    if recorded is not None and found is not None and recorded != found:
        # Neither body nor key: both may be personal data, and this is logged.
        raise Reject("its idempotency key belongs to a message with another body, which was handled before")


def _canonical(body: object) -> bytes:
    from pydantic import BaseModel  # noqa: PLC0415 - not every worker has models

    if isinstance(body, BaseModel):
        return _json(body.model_dump(mode="json", by_alias=True, exclude_unset=True))
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        try:
            return _json(json.loads(body))
        except (ValueError, RecursionError):
            return body.encode("utf-8", "surrogatepass")
    return _json(body)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
