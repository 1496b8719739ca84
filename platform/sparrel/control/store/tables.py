"""The tables. Text is compared byte by byte on both databases, so that order never depends on a locale."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from sparrel.kernel.fields import format_timestamp

metadata = MetaData()

Bytewise = Text().with_variant(Text(collation="C"), "postgresql")
Document = JSON().with_variant(JSONB(), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")


class Moment(TypeDecorator[datetime]):
    """A time as fixed-width RFC 3339 text in UTC: sorts as text, and is what the wire shows."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else format_timestamp(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


resources = Table(
    "resources",
    metadata,
    Column("name", Bytewise, primary_key=True),
    Column("account", Bytewise, nullable=False),
    Column("collection", Bytewise, nullable=False),
    Column("id", Bytewise, nullable=False),
    Column("parent", Bytewise, nullable=False),
    Column("state", Bytewise, nullable=False),
    Column("create_time", Moment, nullable=False),
    Column("update_time", Moment, nullable=False),
    Column("delete_time", Moment),
    Column("deleted", Integer, nullable=False),
    Column("lookup", Bytewise, unique=True),
    Column("version", BigInteger, nullable=False),
    Column("document", Document, nullable=False),
    Column("internal", Document, nullable=False),
    # The first columns are compared for equality by every list; name breaks ties, so a page is one range.
    Index("ix_resources_name", "collection", "account", "deleted", "name"),
    Index("ix_resources_created", "collection", "account", "deleted", "create_time", "name"),
    Index("ix_resources_state", "collection", "state", "account", "deleted", "name"),
    Index("ix_resources_parent", "collection", "parent", "deleted", "name"),
)
"""Every resource of every collection. Declared INDEXED fields get an index each (indexes.py)."""

collections = Table(
    "collections",
    metadata,
    Column("account", Bytewise, primary_key=True),
    Column("collection", Bytewise, primary_key=True),
    Column("live", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
"""How many rows each account has, kept in the writer's transaction; `revision` counts the writes."""

events = Table(
    "events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("time", Moment, nullable=False),
    Column("account", Bytewise, nullable=False),
    Column("actor", Bytewise, nullable=False),
    Column("key_id", Bytewise, nullable=False),
    Column("method", Bytewise, nullable=False),
    Column("resource", Bytewise, nullable=False),
    Column("code", Bytewise, nullable=False),
    Column("message", Bytewise, nullable=False),
    Column("admin", Integer, nullable=False),
    Column("payload", Document, nullable=False),
    Index("ix_events_account", "account", "time", "id"),
)
"""The audit log: only ever appended to."""

leases = Table(
    "leases",
    metadata,
    Column("name", Bytewise, primary_key=True),
    Column("holder", Bytewise, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires", Float, nullable=False),
)

replicas = Table(
    "replicas",
    metadata,
    Column("replica", Bytewise, primary_key=True),
    Column("deployment", Bytewise, nullable=False, index=True),
    Column("address", Bytewise, nullable=False),
    Column("phase", Bytewise, nullable=False),
    Column("running", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("requests_total", BigInteger, nullable=False),
    Column("generated_tokens_total", BigInteger, nullable=False),
    Column("message", Bytewise, nullable=False),
    Column("reported", Float, nullable=False),
)

demand = Table(
    "demand",
    metadata,
    Column("deployment", Bytewise, primary_key=True),
    Column("time", Float, nullable=False),
)
"""Newest time at which a request waited for a sleeping deployment."""
