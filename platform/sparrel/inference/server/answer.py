"""One request on its way through the engine: its prompts, choices, counts; the same for both dialects."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparrel.engine import EngineRequest
from sparrel.inference.codec import Codec
from sparrel.inference.logprobs import openai_form
from sparrel.inference.requests import GenerationRequest
from sparrel.inference.responses import Envelope, Usage
from sparrel.inference.server.choice import Choice, Piece
from sparrel.inference.server.fanout import TokenSource, run_choices
from sparrel.inference.server.metrics import Metrics
from sparrel.inference.server.prompts import Prompt


@dataclass(slots=True)
class Answer:
    """`choices` and `engine_requests` run in parallel; choice i belongs to prompt i // n."""

    request: GenerationRequest
    envelope: Envelope
    codec: Codec
    prompts: Sequence[Prompt]
    choices: Sequence[Choice]
    engine_requests: Sequence[EngineRequest]
    metrics: Metrics

    @property
    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=sum(len(prompt.token_ids) for prompt in self.prompts),
            completion_tokens=sum(choice.num_tokens for choice in self.choices),
            cached_tokens=sum(choice.cached_tokens for choice in self.choices[:: self.request.n]),
        )

    async def run(self, engine: TokenSource) -> AsyncGenerator[Piece]:
        """Yield the pieces, keeping the metrics up to date."""
        pieces = run_choices(engine, self.choices, self.engine_requests)
        try:
            async for piece in pieces:
                first = self.choices[0]
                if first.timings is not None:
                    self.metrics.timings, self.metrics.cached_tokens = first.timings, first.cached_tokens
                yield piece
        finally:
            await pieces.aclose()

    def prompt_of(self, index: int) -> Prompt:
        return self.choices[index].prompt

    def closing(self) -> dict[str, Any]:
        """Return what rides in the last chunk or in the body, beside choices and usage."""
        if not self.request.perf_metrics_in_response:
            return {}
        return {"perf_metrics": self.metrics.report(finished=True)}

    def raw_output(self, index: int) -> dict[str, Any]:
        """Return a finished choice's optional extras."""
        if not self.request.raw_output:
            return {}
        choice = self.choices[index]
        wanted = self.request.logprobs_form is not None
        raw: Mapping[str, Any] = {
            "prompt_fragments": choice.prompt.fragments,
            "prompt_token_ids": list(choice.prompt.token_ids),
            "completion": choice.prompt.opening + choice.raw_text,
            "completion_token_ids": choice.token_ids,
            "completion_logprobs": openai_form(choice.entries, self.codec) if wanted else None,
        }
        return {"raw_output": raw}
