"""Indexes on the fields that declarations mark INDEXED: a new resource needs no migration."""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from sparrel.control.store.expressions import Expressions
from sparrel.kernel.catalog import catalog
from sparrel.kernel.filtering import Operand, operand


def create_declared_indexes(connection: Connection) -> None:
    expressions = Expressions(connection.dialect.name)
    for collection, resource in catalog().items():
        for field in resource.fields().values():
            if field.indexed:
                sql = _create(expressions, collection, operand(resource, (field.name,)))
                connection.execute(text(sql))


def _create(expressions: Expressions, collection: str, field: Operand) -> str:
    """Index the rows of one collection by one field; the rest of the key lets a page be one range."""
    name = "ix_" + re.sub(r"\W", "_", f"{collection}_{'_'.join(field.path)}").lower()
    return (
        f"CREATE INDEX IF NOT EXISTS {name} ON resources"
        f" (({expressions.indexed_text(field)}), account, deleted, name)"
        f" WHERE collection = '{collection}'"
    )
