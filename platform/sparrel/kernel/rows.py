"""What the kernel asks of a store: rows, queries and transactions.

`sparrel.control.store` implements it on SQLite and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sparrel.kernel.filtering import Filter
from sparrel.kernel.ordering import OrderKey


@dataclass(slots=True)
class Row:
    """One stored resource.

    Storing a row copies name, state, create and update time into its document; `delete_time` follows the
    document's `deleteTime`.
    """

    name: str
    account: str
    collection: str
    id: str
    parent: str
    create_time: datetime
    update_time: datetime
    state: str = ""
    delete_time: datetime | None = None
    lookup: str | None = None
    """Unique value it is found by without its name (the hash of a key)."""
    version: int = 0
    """Counts writes; 0 before the first."""
    document: dict[str, Any] = field(default_factory=dict)
    """The public fields in wire form."""
    internal: dict[str, Any] = field(default_factory=dict)
    """The server's own bookkeeping, never shown."""

    def set_state(self, state: str, code: str = "OK", message: str = "") -> None:
        """Set the state and the status that explains it."""
        self.state = state
        self.document["state"] = state
        if "status" in self.document:
            self.document["status"] = {"code": code, "message": message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list request; `parent` narrows to one collection, `account` to one account, neither to all."""

    collection: str
    parent: str | None = None
    account: str | None = None
    filter: Filter | None = None
    order: tuple[OrderKey, ...] = ()
    """Empty: by name. A tie is always broken by name."""
    page_size: int = 50
    cursor: tuple[Any, ...] | None = None
    """Order values of the last row already seen (`Page.next_cursor`)."""
    show_deleted: bool = False
    count: bool = True
    """Whether `Page.total` is wanted."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    total: int
    """Rows that match, over all pages; -1 when not asked for."""
    next_cursor: tuple[Any, ...] | None
    """None on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the audit log; never holds a secret, a prompt or a completion."""

    account: str
    actor: str
    """E-mail address of the caller, or the name of the part of the platform that acted."""
    method: str
    """`CreateDeployment` and the like."""
    resource: str
    payload: dict[str, Any] = field(default_factory=dict)
    code: str = "OK"
    message: str = ""
    admin: bool = False
    key_id: str = ""
    time: datetime | None = None


class Reader(Protocol):
    async def get(self, name: str) -> Row | None: ...

    async def list(self, query: Query) -> Page: ...

    async def by_lookup(self, lookup: str) -> Row | None: ...


class Transaction(Reader, Protocol):
    """Writes that happen together or not at all."""

    def now(self) -> datetime: ...

    async def get(self, name: str, *, lock: bool = False) -> Row | None:
        """Return a row; with `lock` nobody else changes it before this transaction ends."""

    async def insert(self, row: Row) -> Row:
        """Store a new row; raise AlreadyExists."""

    async def replace(self, row: Row, *, expected_version: int) -> Row:
        """Store a changed row; raise Aborted when its version is no longer the expected one."""

    async def delete(self, name: str, *, expected_version: int | None = None) -> None:
        """Remove a row for good; raise NotFound, or Aborted on another version."""

    async def append_event(self, event: Event) -> None: ...


class Store(Reader, Protocol):
    def now(self) -> datetime: ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]: ...

    async def scan(self, collection: str, *, states: Collection[str] | None = None) -> Sequence[Row]: ...
