"""What a tool-call parser reports, and the protocol it follows."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

_ALPHABET = string.ascii_letters + string.digits


@dataclass(slots=True)
class CallDelta:
    """News of one tool call: the first has `name`, later ones only more of `arguments`."""

    index: int
    arguments: str = ""
    name: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a stretch of model output turned out to be."""

    content: str = ""
    calls: tuple[CallDelta, ...] = ()


class ToolParser(Protocol):
    """Separates calls from content while text arrives; one per choice.

    The concatenation of what `feed` and `finish` report does not depend on how the text was cut.
    """

    @property
    def done(self) -> bool:
        """Whether nothing that may still come matters: the one call asked for is complete."""
        ...

    def feed(self, text: str) -> Parsed: ...

    def finish(self) -> Parsed:
        """The output ended: report what was held back."""
        ...


class ToolFormat(Protocol):
    """One way of writing tool calls in text."""

    def parser(self, *, only_first: bool) -> ToolParser: ...

    def opening(self, name: str | None) -> str:
        """Return the text that makes the model's next words a call (of `name`, if given)."""
        ...


def new_call_id() -> str:
    return "call_" + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def join_fragments(calls: Iterable[CallDelta]) -> list[CallDelta]:
    """Join fragments of the same call that follow each other."""
    joined: list[CallDelta] = []
    for call in calls:
        if joined and joined[-1].index == call.index and call.name is None:
            joined[-1] = replace(joined[-1], arguments=joined[-1].arguments + call.arguments)
        else:
            joined.append(call)
    return joined
