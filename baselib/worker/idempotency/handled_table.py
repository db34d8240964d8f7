"""The table of handled messages in a service's own database."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData, Table
    from sqlalchemy.schema import SchemaItem

TABLE: Final = "handled_messages"
_INDEX: Final = "handled_messages_by_time"


class Operations(Protocol):
    """What is used of Alembic's `op`."""

    def create_table(self, table_name: str, /, *columns: "SchemaItem") -> object:
        """Make a table."""

    def create_index(self, index_name: str, table_name: str, columns: Sequence[str], /) -> object:
        """Make an index."""


def create_handled_messages(op: Operations) -> None:
    """Make the table, in a migration.

    Args:
        op: `alembic.op`.
    """
    op.create_table(TABLE, *_columns())
    op.create_index(_INDEX, TABLE, ["handled_at"])


def handled_messages(metadata: "MetaData") -> "Table":
    """Add the table to the models of a service, so that a comparison of models and database knows it.

    Args:
        metadata: That of the models; the table is added once, however often this is called.
    """
    from sqlalchemy import Index, Table  # noqa: PLC0415 - only services with a database have it

    found = metadata.tables.get(TABLE)
    if found is not None:
        return found
    table = Table(TABLE, metadata, *_columns())
    Index(_INDEX, table.c.handled_at)
    return table


def _columns() -> "list[Column[Any]]":
    from sqlalchemy import Column, DateTime, String, Text  # noqa: PLC0415 - as above

    return [
        Column("key", Text, primary_key=True),
        # A SHA-256; NULL where bodies are not to be compared.
        Column("body_hash", String(64), nullable=True),
        Column("handled_at", DateTime(timezone=True), nullable=False),
    ]
