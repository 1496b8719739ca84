"""Calls written as `<tool_call>{"name": "f", "arguments": {…}}</tool_call>` (Hermes, Qwen, demo models)."""

from __future__ import annotations

import json
import re
from typing import Any

from sparrel.inference.partial import split_before_partial
from sparrel.inference.tools.calls import CallDelta, Parsed, ToolParser, new_call_id

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_HEADER = re.compile(
    r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=[{\[])', re.DOTALL
)


class HermesFormat:
    def parser(self, *, only_first: bool) -> ToolParser:
        return HermesParser(only_first=only_first)

    def opening(self, name: str | None) -> str:
        # No space at the end: models have learnt it as part of the token that follows.
        return OPEN if name is None else f'{OPEN}{{"name": "{name}", "arguments":'


class HermesParser:
    """Outside: content. Inside before the arguments: hold. Inside the arguments: stream them."""

    def __init__(self, *, only_first: bool = False) -> None:
        self._only_first = only_first
        self._held = ""
        self._calls = 0
        self._inside = False
        self._value: _JsonValue | None = None
        self._refused = ""

    @property
    def done(self) -> bool:
        return self._only_first and self._calls > 0 and not self._inside

    def feed(self, text: str) -> Parsed:
        self._held += text
        content, calls = "", []
        while not self.done:
            if not self._inside:
                content += self._leave_content()
            if not self._inside:
                break
            call, goes_on = self._read_call()
            calls += call
            content += self._refused
            self._refused = ""
            if not goes_on:
                break
        return Parsed(content, tuple(self._keep(calls)))

    def finish(self) -> Parsed:
        held, self._held = self._held, ""
        if self.done:
            return Parsed()
        if not self._inside:
            return Parsed(held)
        if self._value is not None:
            return Parsed()
        whole = _whole_call(held)
        if whole is None:
            return Parsed(OPEN + held)
        return Parsed("", tuple(self._keep([self._announce(*whole)])))

    def _leave_content(self) -> str:
        before, found, after = self._held.partition(OPEN)
        if found:
            self._inside, self._held = True, after
            return before
        content, self._held = split_before_partial(self._held, (OPEN,))
        return content

    def _read_call(self) -> tuple[list[CallDelta], bool]:
        """Consume what is held of the current call; the flag says whether another round can go on."""
        if self._value is not None:
            return self._read_arguments(self._value)
        header = _HEADER.match(self._held)
        if header:
            self._held = self._held[header.end() :]
            self._value = _JsonValue()
            announced = self._announce(json.loads(header[1], strict=False), "")
            more, goes_on = self._read_arguments(self._value)
            return [announced, *more], goes_on
        body, closed, after = self._held.partition(CLOSE)
        if not closed:
            return [], False
        self._inside, self._held = False, after
        whole = _whole_call(body)
        if whole is None:
            self._refused = OPEN + body + CLOSE
            return [], True
        return [self._announce(*whole)], True

    def _read_arguments(self, value: _JsonValue) -> tuple[list[CallDelta], bool]:
        deltas = []
        if not value.complete:
            arguments, self._held = value.take(self._held)
            if arguments:
                deltas.append(CallDelta(self._calls - 1, arguments))
        if not value.complete:
            return deltas, False
        _, closed, after = self._held.partition(CLOSE)
        if not closed:
            return deltas, False
        self._inside, self._held, self._value = False, after, None
        return deltas, True

    def _announce(self, name: str, arguments: str) -> CallDelta:
        self._calls += 1
        return CallDelta(self._calls - 1, arguments, name, new_call_id())

    def _keep(self, calls: list[CallDelta]) -> list[CallDelta]:
        return [call for call in calls if call.index == 0] if self._only_first else calls


class _JsonValue:
    """Finds where an object or array ends, character by character."""

    def __init__(self) -> None:
        self.complete = False
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def take(self, text: str) -> tuple[str, str]:
        """Split `text` into what belongs to the value and what follows it."""
        for position, character in enumerate(text):
            self._step(character)
            if self.complete:
                return text[: position + 1], text[position + 1 :]
        return text, ""

    def _step(self, character: str) -> None:
        if self._in_string:
            if self._escaped:
                self._escaped = False
            elif character == "\\":
                self._escaped = True
            elif character == '"':
                self._in_string = False
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1
            self.complete = self._depth == 0


def _whole_call(body: str) -> tuple[str, str] | None:
    """Read a complete call in any key order; None when it is not one."""
    try:
        call: Any = json.loads(body, strict=False)
    except ValueError:
        return None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments = call.get("arguments", call.get("parameters", {}))
    return call["name"], arguments if isinstance(arguments, str) else json.dumps(
        arguments, ensure_ascii=False
    )
