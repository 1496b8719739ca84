"""The engine for scripts: prompts in, results out, in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .config import Dtype, EngineConfig
from .engine import Engine
from .errors import EngineError
from .request import EngineRequest, FinishReason, OutputDelta, SamplingParams, TokenLogprobs


@dataclass(slots=True)
class Completion:
    """All that one prompt brought; `error` is set exactly when the reason is ERROR."""

    token_ids: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprobs] | None = None
    prompt_logprobs: list[TokenLogprobs | None] | None = None
    finish_reason: FinishReason | None = None
    cached_tokens: int = 0
    error: EngineError | None = None

    def add(self, delta: OutputDelta) -> None:
        self.token_ids += delta.token_ids
        if delta.logprobs is not None:
            self.logprobs = (self.logprobs or []) + delta.logprobs
        if delta.prompt_logprobs is not None:
            self.prompt_logprobs = delta.prompt_logprobs
        self.finish_reason = delta.finish_reason
        self.cached_tokens = delta.cached_tokens
        self.error = delta.error


class LLM:
    """
    A model for offline use.

        llm = LLM("models/demo")
        [result] = llm.generate([[1, 2, 3]], SamplingParams(max_tokens=8, temperature=0))
    """

    def __init__(self, folder: str | Path, dtype: Dtype = "float32", **config: Any) -> None:
        self.engine = Engine(EngineConfig(folder, dtype=dtype, **config))
        self._next_id = 0

    def generate(
        self, prompts: Sequence[Sequence[int]], sampling: SamplingParams | Sequence[SamplingParams]
    ) -> list[Completion]:
        """Run all prompts, batched; one result per prompt, in order, also for those that fail."""
        each = [sampling] * len(prompts) if isinstance(sampling, SamplingParams) else list(sampling)
        results: dict[str, Completion] = {}
        for prompt, params in zip(prompts, each, strict=True):
            request_id = str(self._next_id)
            self._next_id += 1
            results[request_id] = Completion()
            self.engine.add(EngineRequest(request_id, prompt, params))
        while self.engine.has_work:
            for delta in self.engine.step():
                results[delta.request_id].add(delta)
        return list(results.values())
