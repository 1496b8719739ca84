"""Lists: SQL agrees with a plain reading of the filter, and pages cover each row exactly once."""

from __future__ import annotations

import dataclasses
import itertools
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparrel.control.store import Query, Row, Store
from sparrel.kernel.filtering import parse
from sparrel.kernel.ordering import parse_order
from sparrel.resources.deployment import Deployment
from tests.support.stores import START, make_row, opened

TITLES = ["", "alpha", "Alpha beta", "beta", "100%", "a_b", 'q"x', "ünï", "betaalpha"]
STATES = ["READY", "FAILED", "CREATING"]

# --- an oracle: the same filters, evaluated in Python --------------------------------------------------


def title_is(text: str) -> tuple[str, Any]:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'display_name="{quoted}"', lambda d: d["displayName"] == text


def title_starts(text: str) -> tuple[str, Any]:
    return f'displayName="{text}*"', lambda d: d["displayName"].startswith(text)


def title_ends(text: str) -> tuple[str, Any]:
    return f'display_name="*{text}"', lambda d: d["displayName"].endswith(text)


def title_not(text: str) -> tuple[str, Any]:
    return f'display_name!="*{text}*"', lambda d: text not in d["displayName"]


def title_has(text: str) -> tuple[str, Any]:
    return f'display_name:"{text}"', lambda d: text.lower() in d["displayName"].lower()


def bare(text: str) -> tuple[str, Any]:
    def found(d: dict[str, Any]) -> bool:
        places = (d["name"].rsplit("/", 1)[1], d["displayName"], d["description"])
        return any(text.lower() in place.lower() for place in places)

    return f'"{text}"', found


def count(op: str, number: int) -> tuple[str, Any]:
    compare = {
        "=": int.__eq__,
        "!=": int.__ne__,
        "<": int.__lt__,
        "<=": int.__le__,
        ">": int.__gt__,
        ">=": int.__ge__,
    }[op]
    return f"min_replica_count{op}{number}", lambda d: compare(d["minReplicaCount"], number)


def state(name: str) -> tuple[str, Any]:
    return f"state={name}", lambda d: d["state"] == name


def env(value: str) -> tuple[str, Any]:
    return f'annotations.env="{value}"', lambda d: d["annotations"].get("env") == value


def not_env(value: str) -> tuple[str, Any]:
    return f"annotations.env!={value}", lambda d: d["annotations"].get("env") != value


def window(op: str, seconds: int) -> tuple[str, Any]:
    def matches(d: dict[str, Any]) -> bool:
        text = (d["autoscalingPolicy"] or {}).get("scaleUpWindow")
        if text is None:
            return False
        return float(text[:-1]) < seconds if op == "<" else float(text[:-1]) >= seconds

    return f"autoscaling_policy.scale_up_window{op}{seconds}s", matches


def created(op: str, day: int) -> tuple[str, Any]:
    moment = f"2026-01-{day:02}T00:00:00.000000Z"
    return (
        f"create_time{op}{moment}",
        lambda d: d["createTime"] < moment if op == "<" else d["createTime"] >= moment,
    )


FIXED: list[tuple[str, Any]] = [
    ("enable_addons=true", lambda d: d["enableAddons"]),
    ("enable_addons!=true", lambda d: not d["enableAddons"]),
    ("annotations:env", lambda d: "env" in d["annotations"]),
    ("annotations:*", lambda d: bool(d["annotations"])),
    ("expire_time:*", lambda d: d["expireTime"] is not None),
    ("autoscaling_policy:*", lambda d: d["autoscalingPolicy"] is not None),
    ("extra_args:x", lambda d: "x" in d["extraArgs"]),
    ("expire_time<2027-01-01T00:00:00Z", lambda d: d["expireTime"] is not None),
]
TITLE_PARTS = st.sampled_from(["", "a", "alpha", "beta", "100%", "_", "%", "ünï", "Al"])
LEAVES = st.one_of(
    st.sampled_from(FIXED),
    st.sampled_from(TITLES).map(title_is),
    TITLE_PARTS.map(title_starts),
    TITLE_PARTS.filter(bool).map(title_ends),
    TITLE_PARTS.filter(bool).map(title_not),
    TITLE_PARTS.map(title_has),
    st.sampled_from(["d1", "beta", "nothing", "LONG"]).map(bare),
    st.tuples(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(-1, 5)).map(
        lambda a: count(*a)
    ),
    st.sampled_from(STATES).map(state),
    st.sampled_from(["prod", "dev"]).map(env),
    st.sampled_from(["prod", "dev"]).map(not_env),
    st.tuples(st.sampled_from(["<", ">="]), st.sampled_from([5, 30, 100])).map(lambda a: window(*a)),
    st.tuples(st.sampled_from(["<", ">="]), st.integers(1, 28)).map(lambda a: created(*a)),
)


def combine(children: st.SearchStrategy[tuple[str, Any]]) -> st.SearchStrategy[tuple[str, Any]]:
    both = st.lists(children, min_size=2, max_size=3)
    return st.one_of(
        children.map(lambda c: (f"NOT ({c[0]})", lambda d: not c[1](d))),
        children.map(lambda c: (f"-({c[0]})", lambda d: not c[1](d))),
        both.map(lambda cs: (" AND ".join(f"({c[0]})" for c in cs), lambda d: all(c[1](d) for c in cs))),
        both.map(lambda cs: (" ".join(f"({c[0]})" for c in cs), lambda d: all(c[1](d) for c in cs))),
        both.map(lambda cs: (" OR ".join(f"({c[0]})" for c in cs), lambda d: any(c[1](d) for c in cs))),
    )


FILTERS = st.recursive(LEAVES, combine, max_leaves=6)
ORDERS = st.lists(
    st.sampled_from(
        [
            "display_name",
            "create_time",
            "min_replica_count",
            "enable_addons",
            "expire_time",
            "state",
            "name",
            "autoscaling_policy.scale_up_window",
        ]
    ).flatmap(lambda name: st.sampled_from([name, f"{name} desc"])),
    max_size=3,
).map(",".join)


def some_deployments(number: int = 60) -> list[Row]:
    """Return rows with every kind of value, set and unset."""
    chance = random.Random(7)
    rows = []
    for index in range(number):
        expires = "2026-06-01T00:00:00.000000Z" if chance.random() < 0.3 else None
        policy = Deployment.model_validate(
            {"autoscalingPolicy": {"scaleUpWindow": chance.choice(["1s", "30s", "100s", None])}}
        ).to_document()["autoscalingPolicy"]
        rows.append(
            make_row(
                f"accounts/a/deployments/d{index}",
                chance.choice(STATES),
                at=START + timedelta(days=chance.randrange(28)),
                displayName=chance.choice(TITLES),
                description=chance.choice(["", "long words"]),
                minReplicaCount=chance.randrange(5),
                enableAddons=chance.random() < 0.5,
                annotations=chance.choice([{}, {"env": "prod"}, {"env": "dev", "b": "1"}]),
                extraArgs=chance.choice([[], ["x"], ["y", "x"]]),
                expireTime=expires,
                autoscalingPolicy=chance.choice([None, policy]),
            )
        )
    return rows


@pytest.fixture
async def filled(store: Store) -> Store:
    async with store.transaction() as tx:
        await tx.insert_many(some_deployments())
    return store


async def every_page(store: Store, query: Query, sizes: list[int]) -> list[Row]:
    """Walk through a list with changing page sizes."""
    rows: list[Row] = []
    for size in itertools.cycle(sizes):
        page = await store.list(dataclasses.replace(query, page_size=size))
        rows += page.rows
        assert len(page.rows) <= size
        if page.next_cursor is None:
            assert page.total == len(rows)
            return rows
        query = dataclasses.replace(query, cursor=page.next_cursor)
    raise AssertionError


LENIENT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


async def test_sql_agrees_with_a_plain_reading_of_the_filter(filled: Store) -> None:
    documents = [row.document for row in await filled.scan("deployments")]
    loop_filters: list[tuple[str, Any]] = []

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=LENIENT)
    @given(FILTERS)
    def collect(example: tuple[str, Any]) -> None:
        loop_filters.append(example)

    collect()
    for text, matches in loop_filters:
        query = Query(collection="deployments", account="a", filter=parse(Deployment, text), page_size=100)
        page = await filled.list(query)
        expected = sorted(d["name"] for d in documents if matches(d))
        assert [row.name for row in page.rows] == expected, text
        assert page.total == len(expected), text


async def test_pages_cover_each_row_exactly_once_in_order(filled: Store) -> None:
    walks: list[tuple[str, list[int]]] = []

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=LENIENT)
    @given(ORDERS, st.lists(st.integers(1, 40), min_size=1, max_size=4))
    def collect(order: str, sizes: list[int]) -> None:
        walks.append((order, sizes))

    collect()
    for order, sizes in walks:
        query = Query(collection="deployments", account="a", order=parse_order(Deployment, order))
        walked = [row.name for row in await every_page(filled, query, sizes)]
        at_once = [row.name for row in (await filled.list(dataclasses.replace(query, page_size=100))).rows]
        assert walked == at_once, order
        assert len(set(walked)) == 60


async def test_rows_written_meanwhile_neither_repeat_nor_push_others_out(filled: Store) -> None:
    query = Query(collection="deployments", account="a", page_size=20)
    first = await filled.list(query)
    await filled.insert(make_row("accounts/a/deployments/a0"))
    await filled.insert(make_row("accounts/a/deployments/z0"))
    seen = [row.name for row in first.rows]
    cursor = first.next_cursor
    while cursor is not None:
        page = await filled.list(dataclasses.replace(query, cursor=cursor))
        seen += [row.name for row in page.rows]
        cursor = page.next_cursor
    assert len(seen) == len(set(seen)) == 61
    assert "accounts/a/deployments/z0" in seen


async def test_a_total_follows_every_change(filled: Store) -> None:
    query = Query(collection="deployments", account="a", filter=parse(Deployment, "state=READY"), page_size=1)
    before = (await filled.list(query)).total
    await filled.insert(make_row("accounts/a/deployments/new", "READY"))
    assert (await filled.list(query)).total == before + 1
    row = await filled.get("accounts/a/deployments/new")
    assert row is not None
    row.set_state("FAILED")
    await filled.replace(row, expected_version=row.version)
    assert (await filled.list(query)).total == before
    await filled.delete("accounts/a/deployments/new")
    assert (await filled.list(query)).total == before


async def test_accounts_and_parents_do_not_mix(store: Store) -> None:
    for account in ("a", "b"):
        await store.insert(make_row(f"accounts/{account}/models/m"))
    await store.insert(make_row("accounts/a/users/u/apiKeys/k", ""))
    assert (await store.list(Query(collection="models", account="a"))).total == 1
    assert (await store.list(Query(collection="models"))).total == 2
    assert (await store.list(Query(collection="apiKeys", parent="accounts/a/users/u"))).total == 1
    assert (await store.list(Query(collection="apiKeys", parent="accounts/a/users/v"))).total == 0


async def test_a_list_with_a_declared_filter_uses_its_index(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/plan.db") as store:
        query = Query(collection="deployments", account="a", filter=parse(Deployment, 'display_name="x"'))
        statement = store._lister._rows(query, (*query.order,))
        compiled = statement.compile(
            dialect=store._reader_engine.dialect, compile_kwargs={"literal_binds": True}
        )
        async with store._reading() as connection:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")).all()
        assert "ix_deployments_displayname" in str(plan)
