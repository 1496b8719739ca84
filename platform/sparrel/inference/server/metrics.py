"""What one request cost: response headers and `perf_metrics` from one set of numbers."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sparrel.engine import RequestTimings

_HOST = socket.gethostname()


@dataclass(slots=True)
class Metrics:
    """Filled while the request runs; times are `time.monotonic()`, reported as seconds."""

    deployment: str | None
    received: float = field(default_factory=time.monotonic)
    tokenized: float | None = None
    prompt_tokens: int = 0
    cached_tokens: int | None = None
    concurrent: int = 0
    timings: RequestTimings | None = None
    """The first choice's stations in the engine."""

    def tokenized_now(self, num_tokens: int) -> None:
        self.tokenized, self.prompt_tokens = time.monotonic(), num_tokens

    def report(self, *, finished: bool) -> dict[str, str]:
        """Return what is known now; before the end there is no generation time."""
        numbers = {
            "prompt-tokens": str(self.prompt_tokens),
            "speculation-prompt-tokens": "0",
            "speculation-prompt-matched-tokens": "0",
            "backend-host": _HOST,
            "num-concurrent-requests": str(self.concurrent),
        }
        if self.cached_tokens is not None:
            numbers["cached-prompt-tokens"] = str(self.cached_tokens)
        if self.deployment:
            numbers["deployment"] = self.deployment
        spans = [*self._spans()]
        if finished:
            spans += [("server-processing-time", self.received, time.monotonic()), *self._generation_spans()]
        for name, start, end in spans:
            if start is not None and end is not None:
                numbers[name] = f"{max(0.0, end - start):.6f}"
        return numbers

    def headers(self, *, finished: bool) -> list[tuple[bytes, bytes]]:
        return [
            (b"fireworks-" + name.encode(), value.encode("latin-1", "replace"))
            for name, value in self.report(finished=finished).items()
        ]

    def _spans(self) -> Sequence[tuple[str, float | None, float | None]]:
        stations = self.timings
        if stations is None:
            return [("tokenizer-duration", self.received, self.tokenized)]
        return [
            ("tokenizer-duration", self.received, self.tokenized),
            ("prefill-queue-duration", stations.queued, stations.prefill_start),
            ("prefill-duration", stations.prefill_start, stations.first_token),
            ("server-time-to-first-token", self.received, stations.first_token),
        ]

    def _generation_spans(self) -> Sequence[tuple[str, float | None, float | None]]:
        stations = self.timings
        return (
            [] if stations is None else [("generation-duration", stations.first_token, stations.last_token)]
        )
