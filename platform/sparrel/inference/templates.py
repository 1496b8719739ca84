"""A conversation to prompt text, through the model's Jinja chat template in a sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sparrel.errors import InvalidArgument, NotFound
from sparrel.inference.messages import Message

NO_TEMPLATE = "model is missing conversation_config, please use /completions API instead"


class ChatTemplate:
    """One model's template; compiled once, rendered per request."""

    def __init__(
        self, source: str | None, special_tokens: Mapping[str, str], default_system: str | None = None
    ) -> None:
        self._template = None if source is None else _environment().from_string(source)
        self._special_tokens = dict(special_tokens)
        self._default_system = default_system

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the prompt that ends where the assistant's turn begins."""
        if self._template is None:
            raise NotFound(NO_TEMPLATE)
        variables = {**self._special_tokens, **(options or {})}
        try:
            return self._template.render(
                messages=list(messages), tools=list(tools) or None, add_generation_prompt=True, **variables
            )
        except jinja2.TemplateError as error:
            raise InvalidArgument(f"messages: the model's chat template refused them: {error}") from None
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            kind = type(error).__name__
            raise InvalidArgument(f"messages: the model's chat template failed on them ({kind})") from None

    def with_default_system(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Return what the template reads; a first system message, even an empty one, replaces the default."""
        shown = [message.for_template() for message in messages]
        if self._default_system and shown[0]["role"] != "system":
            shown.insert(0, {"role": "system", "content": self._default_system})
        return shown


def evict_to_fit(
    messages: Sequence[Mapping[str, Any]], limit: int, count: Callable[[Sequence[Mapping[str, Any]]], int]
) -> list[Mapping[str, Any]]:
    """Drop the oldest turns until the prompt has at most `limit` tokens, as `count` measures it.

    System messages and the last turn stay; when these alone are too long, the system text is cut at its end.
    """
    if count(messages) <= limit:
        return list(messages)
    droppable = [i for i, message in enumerate(messages[:-1]) if message["role"] != "system"]

    def without(dropped: int) -> list[Mapping[str, Any]]:
        gone = set(droppable[:dropped])
        while dropped < len(droppable) and messages[droppable[dropped]]["role"] == "tool":
            # A tool's answer means nothing without the call before it.
            gone.add(droppable[dropped])
            dropped += 1
        return [message for i, message in enumerate(messages) if i not in gone]

    fewest = _first_true(len(droppable), lambda dropped: count(without(dropped)) <= limit)
    kept = without(fewest)
    if count(kept) <= limit or not any(message["role"] == "system" for message in kept):
        return kept
    longest = max(len(message["content"]) for message in kept if message["role"] == "system")
    cut = _first_true(longest, lambda removed: count(_with_shorter_system(kept, longest - removed)) <= limit)
    return _with_shorter_system(kept, longest - cut)


def _with_shorter_system(messages: Sequence[Mapping[str, Any]], length: int) -> list[Mapping[str, Any]]:
    return [{**m, "content": m["content"][:length]} if m["role"] == "system" else m for m in messages]


def _first_true(highest: int, holds: Callable[[int], bool]) -> int:
    """Smallest number in 0..highest for which `holds`, which stays true once it is; else `highest`."""
    low, high = 0, highest
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _GenerationBlock]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    """Jinja's own filter escapes for HTML, which a prompt must not be."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


class _GenerationBlock(Extension):
    """`{% generation %}…{% endgeneration %}` marks words for training; here it is only its body."""

    tags = {"generation"}  # noqa: RUF012  jinja2 declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)
