"""Tell a model's thinking from its answer while text arrives."""

from __future__ import annotations

from dataclasses import dataclass

from sparrel.inference.partial import split_before_partial

OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Thought:
    reasoning: str = ""
    content: str = ""


class ReasoningSplitter:
    """`<think>…</think>` at the start of the output is reasoning, the rest content.

    `started` says that the prompt already opened the thinking, as some templates do.
    """

    def __init__(self, *, started: bool = False) -> None:
        self._thinking = started
        self._undecided = not started
        self._after = False
        self._held = ""

    def feed(self, text: str) -> Thought:
        if not (self._undecided or self._thinking or self._after):
            return Thought(content=text)
        self._held += text
        if self._undecided and not self._decide():
            return Thought()
        reasoning = self._take_reasoning() if self._thinking else ""
        return Thought(reasoning, "" if self._thinking else self._take_content())

    def finish(self) -> Thought:
        """The output ended: what was held back is what it looked like so far."""
        held, self._held = self._held, ""
        if self._after:
            return Thought()
        return Thought(reasoning=held) if self._thinking else Thought(content=held)

    def _decide(self) -> bool:
        start = self._held.lstrip()
        if start.startswith(OPEN):
            self._held = start.removeprefix(OPEN)
            self._thinking, self._undecided = True, False
        elif not OPEN.startswith(start):
            self._undecided = False
        return not self._undecided

    def _take_reasoning(self) -> str:
        reasoning, closed, after = self._held.partition(CLOSE)
        if closed:
            self._thinking, self._after, self._held = False, True, after
            return reasoning
        reasoning, self._held = split_before_partial(self._held, (CLOSE,))
        return reasoning

    def _take_content(self) -> str:
        """White space between the thinking and the answer belongs to neither."""
        content, self._held = self._held, ""
        if self._after:
            content = content.lstrip()
            self._after = not content
        return content
