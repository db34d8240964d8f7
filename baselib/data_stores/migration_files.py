"""The revision files of a service, and what Alembic is told of them."""

from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from baselib.data_stores.errors import naming_extra

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

PACKAGES: Final = frozenset({"alembic", "sqlalchemy", "psycopg"})
"""What migrations need of the extra `postgres`."""

_ENVIRONMENT: Final = Path(__file__).with_name("migration_environment")
_FOLDER: Final = "migrations"


def folder_of(package: str | Path) -> Path:
    """The folder of the revision files, whether it is there or not.

    Args:
        package: The service's package, or the folder itself.

    Raises:
        ModuleNotFoundError: There is no such package.
    """
    if isinstance(package, Path):
        return package
    # The package itself is not imported: its modules may want an environment that is not there.
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"there is no package {package!r} with a folder {_FOLDER}", name=package)
    return Path(next(iter(found.submodule_search_locations))) / _FOLDER


def config_of(folder: Path) -> "Config":
    """Alembic's configuration, which stands in no file of the service.

    Args:
        folder: The folder of the revision files.

    Raises:
        MissingExtraError: `baselib[postgres]` is not installed.
    """
    with naming_extra("postgres", PACKAGES):
        from alembic.config import Config  # noqa: PLC0415 - only what migrates pays for it

    # A library does not print.
    config = Config(cmd_opts=Namespace(quiet=True))
    options = {
        "script_location": str(_ENVIRONMENT),
        "version_locations": str(folder),
        # The only character that stands between paths and is in none.
        "path_separator": "newline",
        "file_template": "%(year)d%(month).2d%(day).2d_%(rev)s_%(slug)s",
        "timezone": "UTC",
    }
    for name, value in options.items():
        config.set_main_option(name, value.replace("%", "%%"))
    return config


def directory_of(package: str | Path) -> "ScriptDirectory":
    """The revision files as Alembic reads them.

    Args:
        package: The service's package, or the folder of its revision files.

    Raises:
        NotADirectoryError: There are none.
        MissingExtraError: `baselib[postgres]` is not installed.
    """
    folder = folder_of(package)
    if not folder.is_dir():
        raise NotADirectoryError(f"there are no revision files: {folder} is not a folder")
    config = config_of(folder)
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory.from_config(config)


def in_order(directory: "ScriptDirectory") -> list[str]:
    """The revisions that there are files of, the oldest first."""
    return [script.revision for script in directory.walk_revisions()][::-1]
