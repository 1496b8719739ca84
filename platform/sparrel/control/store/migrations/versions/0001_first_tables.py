"""The first tables.

They are written out rather than taken from tables.py: a migration must not change when the tables do.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
document = sa.JSON().with_variant(JSONB(), "postgresql")
serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, bytewise, nullable=False, **options)


def upgrade() -> None:
    op.create_table(
        "resources",
        text("name", primary_key=True),
        text("account"),
        text("collection"),
        text("id"),
        text("parent"),
        text("state"),
        text("create_time"),
        text("update_time"),
        sa.Column("delete_time", bytewise),
        sa.Column("deleted", sa.Integer, nullable=False),
        sa.Column("lookup", bytewise, unique=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("document", document, nullable=False),
        sa.Column("internal", document, nullable=False),
    )
    op.create_index("ix_resources_name", "resources", ["collection", "account", "deleted", "name"])
    op.create_index(
        "ix_resources_created", "resources", ["collection", "account", "deleted", "create_time", "name"]
    )
    op.create_index("ix_resources_state", "resources", ["collection", "state", "account", "deleted", "name"])
    op.create_index("ix_resources_parent", "resources", ["collection", "parent", "deleted", "name"])
    op.create_table(
        "collections",
        text("account", primary_key=True),
        text("collection", primary_key=True),
        sa.Column("live", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        text("time"),
        text("account"),
        text("actor"),
        text("key_id"),
        text("method"),
        text("resource"),
        text("code"),
        text("message"),
        sa.Column("admin", sa.Integer, nullable=False),
        sa.Column("payload", document, nullable=False),
    )
    op.create_index("ix_events_account", "events", ["account", "time", "id"])
    op.create_table(
        "leases",
        text("name", primary_key=True),
        text("holder"),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "replicas",
        text("replica", primary_key=True),
        text("deployment", index=True),
        text("address"),
        text("phase"),
        sa.Column("running", sa.Integer, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("requests_total", sa.BigInteger, nullable=False),
        sa.Column("generated_tokens_total", sa.BigInteger, nullable=False),
        text("message"),
        sa.Column("reported", sa.Float, nullable=False),
    )
    op.create_table(
        "demand",
        text("deployment", primary_key=True),
        sa.Column("time", sa.Float, nullable=False),
    )


def downgrade() -> None:
    for table in ("demand", "replicas", "leases", "events", "collections", "resources"):
        op.drop_table(table)
