"""The store keeps what it acknowledged, tells racing writers apart, and forgets nothing in an audit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from sparrel.control.controller.runtime import Phase, ReplicaReport
from sparrel.control.store import Event, Query, Store
from sparrel.errors import Aborted, AlreadyExists, NotFound, StorageFull, Unavailable
from tests.support.stores import Clock, make_row, opened

MODEL = "accounts/a/models/m"


async def test_a_row_comes_back_as_it_was_stored(store: Store) -> None:
    stored = await store.insert(make_row(MODEL, displayName="M", annotations={"k": "v"}))
    row = await store.get(MODEL)
    assert row == stored
    assert row.document["name"] == MODEL
    assert row.document["createTime"] == "2026-01-01T00:00:00.000000Z"
    assert row.version == 1


async def test_an_absent_row_is_none(store: Store) -> None:
    assert await store.get(MODEL) is None
    assert await store.by_lookup("x") is None


async def test_a_lookup_finds_its_row_and_is_unique(store: Store) -> None:
    row = make_row(MODEL)
    row.lookup = "hash"
    await store.insert(row)
    found = await store.by_lookup("hash")
    assert found is not None
    assert found.name == MODEL
    twin = make_row("accounts/a/models/twin")
    twin.lookup = "hash"
    with pytest.raises(AlreadyExists):
        await store.insert(twin)


async def test_of_concurrent_creates_exactly_one_wins(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.insert(make_row(MODEL, displayName=str(n))) for n in range(8)), return_exceptions=True
    )
    assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == 7


async def test_of_concurrent_replaces_of_one_version_exactly_one_wins(store: Store) -> None:
    row = await store.insert(make_row(MODEL))
    outcomes = await asyncio.gather(
        *(store.replace(make_row(MODEL, displayName=str(n)), expected_version=1) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Aborted) for outcome in outcomes) == 7
    row = await store.get(MODEL)
    assert row is not None
    assert row.version == 2


async def test_replacing_or_deleting_an_absent_row_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.replace(make_row(MODEL), expected_version=1)
    with pytest.raises(NotFound):
        await store.delete(MODEL)


async def test_deleting_another_version_is_aborted(store: Store) -> None:
    await store.insert(make_row(MODEL))
    with pytest.raises(Aborted):
        await store.delete(MODEL, expected_version=7)
    await store.delete(MODEL, expected_version=1)
    assert await store.get(MODEL) is None


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    async def fail_at_the_end() -> None:
        async with store.transaction() as tx:
            await tx.insert(make_row(MODEL))
            await tx.append_event(Event(account="a", actor="x", method="CreateModel", resource=MODEL))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_at_the_end()
    assert await store.get(MODEL) is None
    assert await store.events("a") == []
    assert (await store.list(Query(collection="models", account="a"))).total == 0


async def test_totals_follow_inserts_soft_deletes_and_deletes(store: Store) -> None:
    names = [f"accounts/a/deployments/d{n}" for n in range(3)]
    for name in names:
        await store.insert(make_row(name))
    row = await store.get(names[0])
    assert row is not None
    row.document["deleteTime"] = "2026-01-02T00:00:00Z"
    await store.replace(row, expected_version=1)
    await store.delete(names[1])
    live = await store.list(Query(collection="deployments", account="a"))
    everything = await store.list(Query(collection="deployments", account="a", show_deleted=True))
    assert (live.total, everything.total) == (1, 2)
    assert [row.name for row in live.rows] == [names[2]]


async def test_events_are_listed_newest_first(store: Store) -> None:
    for method in ("CreateModel", "UpdateModel"):
        await store.append_event(Event(account="a", actor="x@a", method=method, resource=MODEL))
    assert [event.method for event in await store.events("a")] == ["UpdateModel", "CreateModel"]
    assert await store.events("b") == []


async def test_scan_returns_the_rows_in_the_given_states(store: Store) -> None:
    await store.insert(make_row("accounts/a/deployments/d1", "READY"))
    await store.insert(make_row("accounts/b/deployments/d2", "FAILED"))
    assert len(await store.scan("deployments")) == 2
    assert [row.id for row in await store.scan("deployments", states=["FAILED"])] == ["d2"]


async def test_reopening_finds_everything_and_migrates_nothing_twice(database_url: str) -> None:
    async with opened(database_url) as first:
        await first.insert(make_row(MODEL))
    async with opened(database_url) as second:
        assert await second.get(MODEL) is not None


async def test_many_may_open_an_empty_database_at_once(database_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(database_url) for _ in range(4)))
    await asyncio.gather(*(store.insert(make_row(f"{MODEL}{n}")) for n, store in enumerate(stores)))
    assert (await stores[0].list(Query(collection="models", account="a"))).total == 4
    for store in stores:
        await store.close()


# --- leases ----------------------------------------------------------------------------------------


async def test_a_lease_has_one_holder_until_it_expires(store: Store, clock: Clock) -> None:
    first = await store.leases.acquire("controller", "a", ttl_s=10)
    assert first is not None
    assert await store.leases.acquire("controller", "b", ttl_s=10) is None
    clock.advance(11)
    second = await store.leases.acquire("controller", "b", ttl_s=10)
    assert second is not None
    assert second > first
    assert not await store.leases.renew("controller", "a", first, ttl_s=10)


async def test_a_renewed_lease_stays_and_a_released_one_is_free(store: Store, clock: Clock) -> None:
    token = await store.leases.acquire("controller", "a", ttl_s=10)
    assert token is not None
    clock.advance(9)
    assert await store.leases.renew("controller", "a", token, ttl_s=10)
    clock.advance(9)
    assert await store.leases.acquire("controller", "b", ttl_s=10) is None
    await store.leases.release("controller", "a", token)
    assert await store.leases.acquire("controller", "b", ttl_s=10) == token + 1


async def test_of_concurrent_acquirers_one_gets_the_lease(store: Store) -> None:
    tokens = await asyncio.gather(*(store.leases.acquire("l", f"h{n}", ttl_s=10) for n in range(6)))
    assert sum(token is not None for token in tokens) == 1


async def test_an_outdated_holder_cannot_write(store: Store, clock: Clock) -> None:
    old = await store.leases.acquire("controller", "a", ttl_s=1)
    assert old is not None
    clock.advance(2)
    await store.leases.acquire("controller", "b", ttl_s=1)

    async def write_as_the_former_holder() -> None:
        async with store.transaction() as tx:
            await tx.check_lease("controller", old)
            await tx.insert(make_row(MODEL))

    with pytest.raises(Aborted):
        await write_as_the_former_holder()
    assert await store.get(MODEL) is None


# --- replicas and demand ---------------------------------------------------------------------------


async def test_the_newest_report_of_a_replica_counts(store: Store) -> None:
    for running in (1, 5):
        await store.replicas.upsert(ReplicaReport("r1", "d1", "http://x", Phase.RUNNING, running), 100.0)
    await store.replicas.upsert(ReplicaReport("r2", "d2", "http://y", Phase.STARTING), 101.0)
    (row,) = await store.replicas.list("d1")
    assert (row.replica, row.running, row.phase) == ("r1", 5, "RUNNING")
    assert len(await store.replicas.list()) == 2
    await store.replicas.remove(["r1", "r2"])
    assert await store.replicas.list() == []


async def test_demand_keeps_the_newest_time_and_clearing_keeps_what_came_later(store: Store) -> None:
    await store.demand.signal("d1", 10.0)
    await store.demand.signal("d1", 30.0)
    await store.demand.signal("d1", 20.0)
    assert await store.demand.read() == {"d1": 30.0}
    await store.demand.clear("d1", 25.0)
    assert await store.demand.read() == {"d1": 30.0}
    await store.demand.clear("d1", 30.0)
    assert await store.demand.read() == {}


# --- failures --------------------------------------------------------------------------------------


async def test_a_full_disk_is_said_so_and_stores_nothing(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/full.db") as store:
        await store.insert(make_row(MODEL))
        async with store._writer_engine.connect() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count={pages}"))

        async def fill() -> None:
            for n in range(100):
                await store.insert(make_row(f"{MODEL}{n}", description="x" * 900))

        with pytest.raises(StorageFull):
            await fill()
        assert await store.get(MODEL) is not None
        assert (await store.list(Query(collection="models", account="a"))).total == len(
            await store.scan("models")
        )


async def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await Store.open(f"postgresql://nobody@/none?host={tmp_path}")


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://"])
async def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SPARREL_DATABASE_URL"):
        await Store.open(url)
