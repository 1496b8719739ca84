"""From a declaration's fields to command-line flags, and from given flags back to a request body.

A field with a docstring becomes a flag of its own name; one inside a message too, unless that name is taken:
`autoscalingPolicy.scaleUpWindow` is `--scale-up-window`. Fields without a docstring get none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from sparrel.cli import durations
from sparrel.kernel.fields import FieldSpec, Kind, Message
from sparrel.kernel.resource import Param, Resource


class GoDuration(click.ParamType):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return durations.to_wire(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Pairs(click.ParamType):
    """`key=value[,key=value]`; numbers where the field wants them."""

    name = "key=value,..."

    def __init__(self, kind: Kind) -> None:
        self._numbers = kind in (Kind.FLOAT, Kind.INT32, Kind.INT64)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        pairs = [pair.partition("=") for pair in str(value).split(",") if pair]
        if not pairs or any(not key or not equals for key, equals, _ in pairs):
            self.fail(f"{value!r} is not of the form key=value,key=value", param, ctx)
        try:
            return {key: float(text) if self._numbers else text for key, _, text in pairs}
        except ValueError:
            self.fail(f"{value!r}: the values must be numbers", param, ctx)


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: where its value goes in the body."""

    key: str
    """Click's name of the value."""
    path: tuple[str, ...]
    """Wire names, outermost first."""
    option: click.Option


def field_flags(resource: type[Resource], *, create: bool, taken: frozenset[str] = frozenset()) -> list[Flag]:
    """Return the flags of a create or an update command."""
    flags: dict[str, Flag] = {}
    for path, spec in sorted(_leaves(resource, create), key=lambda leaf: len(leaf[0])):
        if spec.name not in flags and spec.name not in taken:
            flags[spec.name] = Flag(spec.name, tuple(path), _option(spec))
    return list(flags.values())


def body_of(flags: list[Flag], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request body of the flags that were given."""
    body: dict[str, Any] = {}
    for flag in flags:
        value = values.get(flag.key)
        if value is None or value == ():
            continue
        inner = body
        for part in flag.path[:-1]:
            inner = inner.setdefault(part, {})
        inner[flag.path[-1]] = list(value) if isinstance(value, tuple) else value
    return body


def param_option(param: Param) -> click.Option:
    """Return the flag of a query parameter; its value goes by the parameter's own name."""
    return click.Option(
        [*_names(_kebab(param.name), param.kind), param.name],
        type=_type(param.kind),
        default=None,
        help=param.doc,
    )


def _leaves(
    message: type[Message], create: bool, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[list[str], FieldSpec]]:
    for spec in message.fields().values():
        if spec.output_only or (spec.immutable and not create):
            continue
        if spec.kind is Kind.MESSAGE and spec.message is not None:
            yield from _leaves(spec.message, create, (*prefix, spec.wire))
        elif spec.doc and spec.message is None:
            yield [*prefix, spec.wire], spec


def _option(spec: FieldSpec) -> click.Option:
    many = spec.kind is Kind.LIST
    kind = spec.item if many and spec.item else spec.kind
    return click.Option(
        [*_names(spec.name.replace("_", "-"), kind), spec.name],
        type=_choice(spec) or _type(kind, spec.item),
        multiple=many,
        default=None,
        help=spec.doc.split("\n\n")[0].replace("\n", " ") + (" May be repeated." if many else ""),
    )


def _names(name: str, kind: Kind) -> list[str]:
    return [f"--{name}/--no-{name}"] if kind is Kind.BOOL else [f"--{name}"]


def _choice(spec: FieldSpec) -> click.Choice[str] | None:
    if spec.enum is None:
        return None
    members = [str(member) for member in spec.enum]
    return click.Choice([name for name in members if not name.endswith("UNSPECIFIED")], case_sensitive=False)


def _type(kind: Kind, item: Kind | None = None) -> Any:
    if kind is Kind.DURATION:
        return GoDuration()
    if kind is Kind.MAP:
        return Pairs(item or Kind.STRING)
    return {Kind.BOOL: None, Kind.INT32: int, Kind.INT64: int, Kind.FLOAT: float}.get(kind, str)


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
