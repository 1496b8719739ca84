"""The store: SQLite by default, PostgreSQL for more than one machine, one interface."""

from sparrel.control.store.replicas import ReplicaRow
from sparrel.control.store.store import Store
from sparrel.control.store.transactions import Transaction
from sparrel.kernel.rows import Event, Page, Query, Row

__all__ = ["Event", "Page", "Query", "ReplicaRow", "Row", "Store", "Transaction"]
