"""One choice of an answer, from the engine's token ids to what clients read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sparrel.engine import FinishReason, OutputDelta, RequestTimings
from sparrel.errors import Unavailable
from sparrel.inference.codec import Codec
from sparrel.inference.detokenizer import detokenizer
from sparrel.inference.logprobs import TokenEntry
from sparrel.inference.message_parts import MessageSplitter, Parts
from sparrel.inference.requests import ChatRequest, GenerationRequest
from sparrel.inference.server.echo import Echo, echo_prompt, token_entry
from sparrel.inference.server.failures import as_client_error
from sparrel.inference.server.prompts import Prompt
from sparrel.inference.stops import StopMatcher
from sparrel.inference.tools import CallDelta


@dataclass(slots=True)
class Piece:
    """News of one choice; pieces of the same choice can be merged, so that a slow client gets fewer."""

    index: int
    content: str = ""
    reasoning: str = ""
    calls: list[CallDelta] = field(default_factory=list)
    entries: list[TokenEntry] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)
    finish_reason: str | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell yet."""
        return not (self.content or self.reasoning or self.calls or self.entries or self.finish_reason)

    def merge(self, later: Piece) -> None:
        self.content += later.content
        self.reasoning += later.reasoning
        self.calls += later.calls
        self.entries += later.entries
        self.token_ids += later.token_ids
        self.finish_reason = later.finish_reason


class Choice:
    """Text, stop words, message parts and log-probabilities of one engine request."""

    def __init__(
        self,
        index: int,
        prompt: Prompt,
        request: GenerationRequest,
        codec: Codec,
        *,
        splitter: MessageSplitter | None,
        stop_in_output: bool,
    ) -> None:
        self.index = index
        self.prompt = prompt
        self.num_tokens = 0
        self.cached_tokens = 0
        self.timings: RequestTimings | None = None
        self.finished = False
        self.raw_text = ""
        """Everything generated, before it is taken apart."""
        self.token_ids: list[int] = []
        self.entries: list[TokenEntry] = []
        """Log-probabilities of generated tokens, without echoed ones."""
        self._request = request
        self._codec = codec
        self._splitter = splitter or MessageSplitter()
        self._text = detokenizer(codec)
        self._stops = StopMatcher(request.stop, include=stop_in_output) if request.stop else None
        self._started = False
        self._offset = 0

    def feed(self, delta: OutputDelta) -> Piece:
        """Return what the engine's news means for the client; raises SparrelError for its errors."""
        if delta.error is not None:
            raise as_client_error(delta.error)
        if delta.finish_reason is FinishReason.ABORT:
            raise Unavailable("The request was aborted")
        self.cached_tokens, self.timings = delta.cached_tokens, delta.timings
        piece = Piece(self.index)
        if not self._started:
            self._start(piece, delta)
        text, stopped = self._read_tokens(piece, delta)
        if stopped:
            self._finish(piece, text, "stop")
        elif delta.finish_reason is not None:
            self._finish(piece, text + self._flush_text(), delta.finish_reason.value)
        else:
            self._show(piece, text)
            if self._splitter.done:
                self._finish(piece, "", "stop")
        return piece

    def _start(self, piece: Piece, delta: OutputDelta) -> None:
        self._started = True
        request = self._request
        if request.echo or request.echo_last:
            last = None if request.echo else request.echo_last
            echo = self._echo(delta, last)
            piece.content, piece.entries, self._offset = echo.text, list(echo.entries), len(echo.text)
        if self.prompt.opening:
            self._take_apart(piece, self._splitter.feed(self.prompt.opening))

    def _echo(self, delta: OutputDelta, last: int | None) -> Echo:
        chat = isinstance(self._request, ChatRequest)
        return echo_prompt(self.prompt.token_ids, delta.prompt_logprobs, last, self._codec, show_bos=chat)

    def _read_tokens(self, piece: Piece, delta: OutputDelta) -> tuple[str, bool]:
        """Decode the new tokens; the flag says that a stop word ended the text."""
        ended = delta.finish_reason is FinishReason.STOP
        if self._stops is None and delta.logprobs is None:
            self._count(piece, delta.token_ids)
            return self._text.push(delta.token_ids[:-1] if ended else delta.token_ids), False
        shown = ""
        for position, token_id in enumerate(delta.token_ids):
            self._count(piece, [token_id])
            if delta.logprobs is not None:
                entry = token_entry(token_id, self._offset, delta.logprobs[position])
                piece.entries.append(entry)
                self.entries.append(entry)
            # The token that ended the output is not part of the text, special or not.
            last = ended and position == len(delta.token_ids) - 1
            text = "" if last else self._text.push((token_id,))
            self._offset += len(text)
            if self._stops is None:
                shown += text
                continue
            released = self._stops.push(text)
            shown += released.text
            if released.matched:
                return shown, True
        return shown, False

    def _count(self, piece: Piece, token_ids: list[int]) -> None:
        self.num_tokens += len(token_ids)
        piece.token_ids += token_ids
        if self._request.return_token_ids or self._request.raw_output:
            self.token_ids += token_ids

    def _flush_text(self) -> str:
        text = self._text.flush()
        if self._stops is None:
            return text
        released = self._stops.push(text)
        return released.text if released.matched else released.text + self._stops.flush()

    def _finish(self, piece: Piece, text: str, reason: str) -> None:
        self._show(piece, text)
        self._take_apart(piece, self._splitter.finish())
        self.finished = True
        piece.finish_reason = "tool_calls" if reason == "stop" and self._splitter.called else reason

    def _show(self, piece: Piece, text: str) -> None:
        if not text:
            return
        if self._request.raw_output:
            self.raw_text += text
        self._take_apart(piece, self._splitter.feed(text))

    def _take_apart(self, piece: Piece, parts: Parts) -> None:
        piece.content += parts.content
        piece.reasoning += parts.reasoning
        piece.calls += parts.calls
