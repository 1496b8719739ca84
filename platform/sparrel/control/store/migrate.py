"""Bringing a database to the newest schema, by one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from sparrel.control.store.indexes import create_declared_indexes

_LOCK = 0x5350_4152  # "SPAR", any number that nobody else on the server uses


async def migrate(engine: AsyncEngine) -> None:
    """Upgrade the schema and build the declared indexes, in one transaction under a lock."""
    async with engine.begin() as connection:
        # On SQLite the writer's BEGIN IMMEDIATE is already the lock.
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await connection.run_sync(_upgrade)
        await connection.run_sync(create_declared_indexes)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
