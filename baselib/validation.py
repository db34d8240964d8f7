"""What a caller or sender may be told of data that does not fit its pydantic model: the place, never the value."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def misfits(error: "ValidationError") -> list[dict[str, str]]:
    """Each misfit with a `pointer` to its place and a `detail` that says what is wrong there.

    Args:
        error: What pydantic raised.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"pointer": "/" + "/".join(map(str, each["loc"])), "detail": each["msg"]} for each in found]
