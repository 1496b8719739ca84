"""The filter language is AIP-160, checked against the declaration before any SQL is made."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrel.errors import InvalidArgument
from sparrel.kernel.filtering import And, Compare, Contains, Filter, Literal, Not, Or, Pattern, Present, parse
from sparrel.kernel.ordering import parse_order
from sparrel.resources.deployment import Deployment
from sparrel.resources.model import Model


def shape(tree: Filter | None) -> object:
    """Return a tree as nested tuples, short enough to read."""
    match tree:
        case And(items):
            return ("and", *map(shape, items))
        case Or(items):
            return ("or", *map(shape, items))
        case Not(item):
            return ("not", shape(item))
        case Compare(operand, op, value):
            return (".".join(operand.path), op, value)
        case Contains(operand, value):
            return (".".join(operand.path), ":", value)
        case Present(operand):
            return (".".join(operand.path), ":", "*")
        case Literal(_, text):
            return text
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("   ", None),
        ("foo", "foo"),
        ('"foo bar"', "foo bar"),
        ("foo bar", ("and", "foo", "bar")),
        ("foo AND bar", ("and", "foo", "bar")),
        ("a AND b OR c", ("and", "a", ("or", "b", "c"))),
        ("(a AND b) OR c", ("or", ("and", "a", "b"), "c")),
        ("NOT foo", ("not", "foo")),
        ("-foo", ("not", "foo")),
        ("foo-bar", "foo-bar"),
        ("ANDROID ORANGE NOTE", ("and", "ANDROID", "ORANGE", "NOTE")),
        ("state=READY", ("state", "=", "READY")),
        ('state = "READY"', ("state", "=", "READY")),
        ("display_name='x y'", ("displayName", "=", "x y")),
        ("displayName=x", ("displayName", "=", "x")),
        (r'display_name="a\"b"', ("displayName", "=", 'a"b')),
        ("min_replica_count >= -1", ("minReplicaCount", ">=", -1)),
        ("enable_addons!=true", ("enableAddons", "!=", True)),
        ("create_time>2026-01-01T00:00:00Z", ("createTime", ">", "2026-01-01T00:00:00.000000Z")),
        ("create_time>'2026-01-01T01:00:00+01:00'", ("createTime", ">", "2026-01-01T00:00:00.000000Z")),
        ("autoscaling_policy.scale_up_window<=30s", ("autoscalingPolicy.scaleUpWindow", "<=", 30.0)),
        ("annotations.env=prod", ("annotations.env", "=", "prod")),
        ('annotations."a b"=c', ("annotations.a b", "=", "c")),
        ("annotations:env", ("annotations", ":", "env")),
        ("display_name:x", ("displayName", ":", "x")),
        ("expire_time:*", ("expireTime", ":", "*")),
        ("state:READY", ("state", "=", "READY")),
        ("state=(READY OR FAILED)", ("or", ("state", "=", "READY"), ("state", "=", "FAILED"))),
        ("base_model='accounts/fireworks/models/m'", ("baseModel", "=", "accounts/sparrel/models/m")),
    ],
)
def test_what_a_filter_means(text: str, expected: object) -> None:
    assert shape(parse(Deployment, text)) == expected


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ('"a*"', Pattern("a", False, True)),
        ('"*a"', Pattern("a", True, False)),
        ('"*a*"', Pattern("a", True, True)),
        ('"*"', Pattern("", False, True)),
        (r'"a\*"', "a*"),
        ('"a*b"', "a*b"),
    ],
)
def test_a_star_is_a_wildcard_at_the_ends_only(text: str, pattern: object) -> None:
    tree = parse(Deployment, f"display_name={text}")
    assert isinstance(tree, Compare)
    assert tree.value == pattern


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nope=1", "unknown field"),
        ("status.nope=1", "unknown field"),
        ("display_name.x=1", "unknown field"),
        ("direct_route_api_keys:x", "unknown field"),
        ("state=NOPE", "no value"),
        ("state>READY", "no order"),
        ("enable_addons=1", "true or false"),
        ("min_replica_count=many", "number"),
        ("create_time>yesterday", "RFC 3339"),
        ("autoscaling_policy=x", "':'"),
        ("autoscaling_policy:x", "message"),
        ('display_name>"a*"', "wildcard"),
        ("a=", "invalid filter"),
        ("(a", "invalid filter"),
        ("a)", "invalid filter"),
        ("a AND", "invalid filter"),
        ('"a', "invalid filter"),
        ("=a", "invalid filter"),
        ("(" * 60 + "a" + ")" * 60, "nested"),
        ("a " * 300, "more than"),
        ("a" * 9000, "longer"),
    ],
)
def test_what_is_wrong_is_said(text: str, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason):
        parse(Deployment, text)


def test_computed_fields_cannot_be_filtered_by() -> None:
    with pytest.raises(InvalidArgument):
        parse(Model, "deployed_model_refs:x")


@given(st.text())
def test_any_text_is_a_filter_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        parse(Deployment, text)


def test_orders_are_fields_with_a_direction() -> None:
    keys = parse_order(Deployment, "create_time desc, displayName")
    assert [(key.operand.path, key.descending) for key in keys] == [
        (("createTime",), True),
        (("displayName",), False),
    ]
    assert parse_order(Model, "") == parse_order(Model, "name") == ()
    assert parse_order(Deployment, "")[0].operand.path == ("createTime",)
    assert parse_order(Deployment, "status.code")[0].operand.path == ("status", "code")


@pytest.mark.parametrize(
    "text", ["nope", "name sideways", "name desc desc", "annotations", "a,,b", ",".join(["id"] * 9)]
)
def test_other_orders_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_order(Deployment, text)
