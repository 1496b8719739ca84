"""Alembic's entry: the connection comes from `migrate.py`, which holds the lock."""

from alembic import context

from sparrel.control.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()
