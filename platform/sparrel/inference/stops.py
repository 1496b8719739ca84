"""Find stop words in text that arrives in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sparrel.inference.partial import split_before_partial


@dataclass(frozen=True, slots=True)
class Released:
    text: str
    matched: bool = False
    """A stop word has been completed: `text` is the last there is."""


class StopMatcher:
    """Ends the text at the first moment at which it ends with a stop word, however it is cut.

    With `include` the text ends with the stop word (the longest, if several end there); without, before it.
    """

    def __init__(self, words: Sequence[str], *, include: bool) -> None:
        self._words = sorted(words, key=len, reverse=True)
        self._include = include
        self._tail = ""
        self._longest = max(map(len, words), default=0)

    def push(self, text: str) -> Released:
        """Return what may be shown now."""
        return self._push_including(text) if self._include else self._push_excluding(text)

    def flush(self) -> str:
        """The output ended without a stop word: return what was held back."""
        held, self._tail = ("" if self._include else self._tail), ""
        return held

    def _push_including(self, text: str) -> Released:
        # Everything up to the end of a match is shown anyway, so nothing has to be held back.
        buffer = self._tail + text
        match = self._first_match(buffer)
        if match is not None:
            return Released(buffer[len(self._tail) : match[1]], matched=True)
        self._tail = buffer[-(self._longest - 1) :] if self._longest > 1 else ""
        return Released(text)

    def _push_excluding(self, text: str) -> Released:
        buffer = self._tail + text
        match = self._first_match(buffer)
        if match is not None:
            return Released(buffer[: match[0]], matched=True)
        shown, self._tail = split_before_partial(buffer, self._words)
        return Released(shown)

    def _first_match(self, buffer: str) -> tuple[int, int] | None:
        """Start and end of the match that ends first; words are sorted so that the longest wins a tie."""
        best: tuple[int, int] | None = None
        for word in self._words:
            start = buffer.find(word)
            if start >= 0 and (best is None or start + len(word) < best[1]):
                best = (start, start + len(word))
        return best
