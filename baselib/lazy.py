"""Packages whose names are imported when they are first used, so that a service pays only for what it runs."""

import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any


def lazy_names(package: str, homes: Mapping[str, str], packages: Collection[str] = ()) -> Callable[[str], Any]:
    """The `__getattr__` of a package (PEP 562); what it has found becomes an attribute of the package.

    Args:
        package: The package's `__name__`.
        homes: The module that each name is in. None may be called as the name: it would be taken for it.
        packages: The names of packages inside.
    """

    def find(name: str) -> Any:
        from importlib import import_module  # noqa: PLC0415 - only paid for when a name is asked for

        if name in packages:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(homes[name]), name)
        # Kept, because a client is asked for at every call.
        setattr(sys.modules[package], name, found)
        return found

    return find
