"""How pieces are written as chat messages and as text completions."""

from __future__ import annotations

from typing import Any, Protocol

from sparrel.inference.logprobs import render
from sparrel.inference.server.answer import Answer
from sparrel.inference.server.choice import Piece
from sparrel.inference.tools import CallDelta, join_fragments


class Dialect(Protocol):
    chat: bool

    def first_chunks(self, answer: Answer, index: int) -> list[dict[str, Any]]:
        """Return the chunk choices that come before a choice's first piece."""
        ...

    def delta(self, answer: Answer, piece: Piece, *, first: bool) -> dict[str, Any]:
        """Return a piece as the `choices[0]` of a stream chunk."""
        ...

    def whole(self, answer: Answer, piece: Piece) -> dict[str, Any]:
        """Return everything of one choice as an entry of `choices`."""
        ...

    def prompt_ids(self, answer: Answer) -> dict[str, Any]:
        """Return what goes beside `choices` about the prompt, if asked for."""
        ...


class ChatDialect:
    chat = True

    def first_chunks(self, answer: Answer, index: int) -> list[dict[str, Any]]:
        return [{"index": index, "delta": {"role": "assistant"}, "finish_reason": None, "logprobs": None}]

    def delta(self, answer: Answer, piece: Piece, *, first: bool) -> dict[str, Any]:
        delta: dict[str, Any] = {}
        if piece.reasoning:
            delta["reasoning_content"] = piece.reasoning
        if piece.content:
            delta["content"] = piece.content
        if piece.calls:
            delta["tool_calls"] = [_call_fragment(call) for call in join_fragments(piece.calls)]
        return {"index": piece.index, "delta": delta, **_ending(answer, piece)}

    def whole(self, answer: Answer, piece: Piece) -> dict[str, Any]:
        calls = _whole_calls(piece.calls)
        content = piece.content or None if calls else piece.content
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if piece.reasoning:
            message["reasoning_content"] = piece.reasoning
        if calls:
            message["tool_calls"] = calls
        return {"index": piece.index, "message": message, **_ending(answer, piece)}

    def prompt_ids(self, answer: Answer) -> dict[str, Any]:
        if not answer.request.return_token_ids:
            return {}
        return {"prompt_token_ids": list(answer.prompts[0].token_ids)}


class CompletionDialect:
    chat = False

    def first_chunks(self, answer: Answer, index: int) -> list[dict[str, Any]]:
        return []

    def delta(self, answer: Answer, piece: Piece, *, first: bool) -> dict[str, Any]:
        choice = {"text": piece.content, "index": piece.index, **_ending(answer, piece)}
        if first and answer.request.return_token_ids:
            choice["prompt_token_ids"] = list(answer.prompt_of(piece.index).token_ids)
        return choice

    def whole(self, answer: Answer, piece: Piece) -> dict[str, Any]:
        return self.delta(answer, piece, first=True)

    def prompt_ids(self, answer: Answer) -> dict[str, Any]:
        return {}


def _ending(answer: Answer, piece: Piece) -> dict[str, Any]:
    """Finish reason, log-probabilities and the optional extras: the same in every form."""
    form = answer.request.logprobs_form
    # An empty list would make an object that shipped clients take for something else.
    logprobs = render(piece.entries, form, answer.codec) if form and piece.entries else None
    ending: dict[str, Any] = {"finish_reason": piece.finish_reason, "logprobs": logprobs}
    if answer.request.return_token_ids:
        ending["token_ids"] = piece.token_ids
    if piece.finish_reason is not None:
        ending |= answer.raw_output(piece.index)
    return ending


def _call_fragment(call: CallDelta) -> dict[str, Any]:
    if call.name is None:
        return {"index": call.index, "function": {"arguments": call.arguments}}
    function = {"name": call.name, "arguments": call.arguments}
    return {"index": call.index, "id": call.id, "type": "function", "function": function}


def _whole_calls(fragments: list[CallDelta]) -> list[dict[str, Any]]:
    return [_call_fragment(call) for call in join_fragments(fragments)]
