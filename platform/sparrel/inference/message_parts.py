"""One assistant message out of raw model text: reasoning, content and tool calls."""

from __future__ import annotations

from dataclasses import dataclass

from sparrel.inference.reasoning import ReasoningSplitter
from sparrel.inference.tools import CallDelta, ToolParser


@dataclass(frozen=True, slots=True)
class Parts:
    reasoning: str = ""
    content: str = ""
    calls: tuple[CallDelta, ...] = ()


class MessageSplitter:
    """Feeds text through the two optional readers, thinking first; one per choice."""

    def __init__(self, reasoning: ReasoningSplitter | None = None, tools: ToolParser | None = None) -> None:
        self._reasoning = reasoning
        self._tools = tools
        self.called = False
        """Whether a tool call has begun."""

    @property
    def done(self) -> bool:
        return self._tools is not None and self._tools.done

    def feed(self, text: str) -> Parts:
        if self._reasoning is None:
            return self._feed_content("", text)
        thought = self._reasoning.feed(text)
        return self._feed_content(thought.reasoning, thought.content)

    def finish(self) -> Parts:
        rest = self._reasoning.finish() if self._reasoning is not None else None
        parts = self._feed_content(rest.reasoning, rest.content) if rest is not None else Parts()
        if self._tools is None:
            return parts
        last = self._tools.finish()
        self.called = self.called or bool(last.calls)
        return Parts(parts.reasoning, parts.content + last.content, parts.calls + last.calls)

    def _feed_content(self, reasoning: str, content: str) -> Parts:
        if self._tools is None or not content:
            return Parts(reasoning, content)
        parsed = self._tools.feed(content)
        self.called = self.called or bool(parsed.calls)
        return Parts(reasoning, parsed.content, parsed.calls)
