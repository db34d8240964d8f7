"""What goes wrong before a data store is even asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from baselib.contract import DataStore
from baselib.contract.settings import DATA_STORE_VARIABLES


class UndeclaredDataStoreError(LookupError):
    """A data store is used that the service did not declare.

    Args:
        data_store: Which one.
    """

    def __init__(self, data_store: DataStore) -> None:
        super().__init__(
            f'{data_store} is not declared: name it in data_stores=["{data_store}"] where the service is made, '
            f"and set {DATA_STORE_VARIABLES[data_store]}"
        )


class MissingExtraError(ImportError):
    """The packages for a data store are not installed.

    Args:
        data_store: Which one.
        package: The first that was not found.
    """

    def __init__(self, data_store: DataStore, package: str | None) -> None:
        super().__init__(
            f"{data_store} needs the package {package}: require baselib[{data_store}] in pyproject.toml", name=package
        )


@contextmanager
def naming_extra(data_store: DataStore, packages: frozenset[str]) -> Iterator[None]:
    """Turn the failed import of one of the packages of an extra into an error that names the extra.

    Args:
        data_store: What the extra is called.
        packages: What it installs, as it is imported.

    Raises:
        MissingExtraError: One of the packages is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in packages:
            raise
        raise MissingExtraError(data_store, error.name) from None
