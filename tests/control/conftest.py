"""Every test of the control plane runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sparrel.control.store import Store
from tests.support.platform import Platform, running_platform
from tests.support.postgres import postgres_server
from tests.support.stores import Clock, empty_postgres, opened


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the newest schema: copying it is faster than migrating each test's own."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"

    async def migrate() -> None:
        await (await Store.open(f"sqlite:///{path}")).close()

    asyncio.run(migrate())
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty database of the kind under test."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "sparrel.db")
        return f"sqlite:///{tmp_path}/sparrel.db"
    url: str = request.getfixturevalue("postgres_url")
    asyncio.run(empty_postgres(url))
    return url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database_url: str, clock: Clock) -> AsyncIterator[Store]:
    async with opened(database_url, clock) as store:
        yield store


@pytest.fixture
async def platform(store: Store, tmp_path: Path) -> AsyncIterator[Platform]:
    """A control plane with accounts `acme` and `other`, spoken to in process."""
    async with running_platform(store, tmp_path) as platform:
        yield platform
