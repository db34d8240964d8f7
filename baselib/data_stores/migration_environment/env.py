"""Alembic runs this file for every command that needs the database; services have none of their own."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    # Each revision is committed by itself: its locks are held no longer than it takes.
    transaction_per_migration=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
