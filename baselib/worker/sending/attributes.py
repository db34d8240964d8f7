"""The attributes of a message as SQS wants them."""

from collections.abc import Mapping
from typing import Any, Final

from baselib.worker.limits import ATTRIBUTE_NAME, FORBIDDEN, MAXIMUM_NAME_CHARACTERS, utf8_bytes
from baselib.worker.pointers import SIZE_ATTRIBUTES
from baselib.worker.sending.errors import UnsendableError

_SHOWN_CHARACTERS: Final = 64


def number(value: int) -> dict[str, Any]:
    """A whole number as the value of an attribute."""
    return {"DataType": "Number", "StringValue": str(value)}


def text(value: str) -> dict[str, Any]:
    """A text as the value of an attribute."""
    return {"DataType": "String", "StringValue": value}


def written(attributes: Mapping[str, str | int | bytes]) -> dict[str, dict[str, Any]]:
    """Attributes as SQS wants them.

    Args:
        attributes: Texts, whole numbers and bytes by their names.

    Raises:
        UnsendableError: SQS would refuse a name or a value.
    """
    return {_name(name): _value(name, value) for name, value in attributes.items()}


def attributes_bytes(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """What attributes count towards the size of a message: their names, types and values.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageAttributeValue.html

    Args:
        attributes: As `written` returns them.
    """
    return sum(
        utf8_bytes(name)
        + utf8_bytes(value["DataType"])
        + (len(value["BinaryValue"]) if "BinaryValue" in value else utf8_bytes(value["StringValue"]))
        for name, value in attributes.items()
    )


def _name(name: object) -> str:
    if not isinstance(name, str) or len(name) > MAXIMUM_NAME_CHARACTERS or not ATTRIBUTE_NAME.fullmatch(name):
        shown = repr(name)[:_SHOWN_CHARACTERS]
        raise UnsendableError(
            f"attribute {shown} has a name that SQS refuses: accepted are up to {MAXIMUM_NAME_CHARACTERS} letters, "
            "digits, - and _, with single periods between them, and neither AWS. nor Amazon. in front"
        )
    if name in SIZE_ATTRIBUTES:
        raise UnsendableError(f"attribute {name!r} is reserved for messages whose body is in S3")
    return name


def _value(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, str) and value:
        found = FORBIDDEN.search(value)
        if found:
            raise UnsendableError(f"attribute {name!r} holds U+{ord(found[0]):04X} at {found.start()}: SQS refuses it")
        return text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, bytes) and value:
        return {"DataType": "Binary", "BinaryValue": value}
    what = "is empty" if value in ("", b"") else f"is of type {type(value).__name__}"
    raise UnsendableError(f"attribute {name!r} {what}: accepted are text, a whole number, or bytes, none of them empty")
