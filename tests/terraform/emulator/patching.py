"""How a gap in moto is closed: a function of ours around, or in place of, one of moto's."""

import functools
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]

PATCHES: list[Function] = []


def around(owner: type, name: str) -> Callable[[Function], Function]:
    """Call the decorated function in place of a method, with the method itself as the first argument.

    Args:
        owner: A class of moto.
        name: A method of that class, or a property, of which the getter is meant.
    """
    original = getattr(owner, name)
    getter = original.fget if isinstance(original, property) else None

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def replacement(self: Any, *arguments: Any, **named: Any) -> Any:
            return function(getter or original, self, *arguments, **named)

        setattr(owner, name, property(replacement, original.fset) if getter else replacement)
        PATCHES.append(function)
        return function

    return decorate


def missing(owner: type, name: str) -> Callable[[Function], Function]:
    """Add the decorated function as a method that a class of moto lacks.

    Args:
        owner: A class of moto.
        name: The method.

    Raises:
        AttributeError: moto has it by now, and the patch should go.
    """
    if hasattr(owner, name):
        raise AttributeError(f"{owner.__qualname__} has {name} by now")

    def decorate(function: Function) -> Function:
        setattr(owner, name, function)
        PATCHES.append(function)
        return function

    return decorate


def remember(owner: type, **values: Any) -> None:
    """Give a class of moto attributes that it lacks, with what AWS answers where nothing was said.

    Args:
        owner: A class of moto.
        values: The attributes.

    Raises:
        AttributeError: moto has one by now, and the patch should go.
    """
    for name, value in values.items():
        if hasattr(owner, name):
            raise AttributeError(f"{owner.__qualname__} has {name} by now")
        setattr(owner, name, value)
