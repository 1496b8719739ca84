"""
The engine's vocabulary: what goes in, what comes out, and the state in between.

Every other file of the engine speaks these types; this one imports none of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from .errors import EngineError, InvalidSampling

if TYPE_CHECKING:
    from torch import Tensor

MAX_LOGIT_BIAS = 200.0


class FinishReason(StrEnum):
    """Why a request ended."""

    STOP = "stop"
    """An end-of-sequence or stop token; it is counted and is the last of `token_ids`."""
    LENGTH = "length"
    ABORT = "abort"
    ERROR = "error"


# --- what goes in ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SamplingParams:
    """
    How to choose the next token. The order is: repetition, presence and frequency penalties, bias,
    forbidden tokens, logits processor, temperature, top_k, top_p, min_p, typical_p, mirostat.

        SamplingParams(max_tokens=64, temperature=0.7, top_p=0.9, seed=1)
    """

    max_tokens: int | None = None
    """None: up to the context. 0: only read the prompt. Lowered to what fits."""
    min_tokens: int = 0
    """End-of-sequence and stop tokens are forbidden until so many tokens are out."""
    temperature: float = 1.0
    """0 is greedy."""
    top_p: float = 1.0
    top_k: int = 0
    """0 is off."""
    min_p: float = 0.0
    """Drop tokens less likely than this share of the likeliest one's probability."""
    typical_p: float = 1.0
    presence_penalty: float = 0.0
    """Presence and frequency count generated tokens only."""
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    """Counts prompt and generated tokens."""
    mirostat_target: float | None = None
    """Target perplexity, so the target surprise is its base-2 logarithm. None is off."""
    mirostat_lr: float = 0.1
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    seed: int | None = None
    """The same seed gives the same tokens whatever else is in the batch."""
    ignore_eos: bool = False
    stop_token_ids: tuple[int, ...] = ()
    """End the request like end-of-sequence does, also under `ignore_eos`."""
    logprobs: int | None = None
    """Alternatives per generated token, 0 for the sampled one only. Natural logarithms of the model's
    own distribution, before penalties and temperature."""
    prompt_logprobs: int | None = None
    """The same for prompt tokens; the first has none. Such a request does not read the prefix cache."""

    def __post_init__(self) -> None:
        self._check_ranges()
        bias = {int(token): float(value) for token, value in self.logit_bias.items()}
        for token, value in bias.items():
            _require(
                abs(value) <= MAX_LOGIT_BIAS, f"logit_bias[{token}]", f"within ±{MAX_LOGIT_BIAS:g}", value
            )
        object.__setattr__(self, "logit_bias", MappingProxyType(bias))
        object.__setattr__(self, "stop_token_ids", tuple(self.stop_token_ids))

    def _check_ranges(self) -> None:
        for name, low in (
            ("max_tokens", 0),
            ("min_tokens", 0),
            ("top_k", 0),
            ("logprobs", 0),
            ("prompt_logprobs", 0),
        ):
            value = getattr(self, name)
            _require(value is None or value >= low, name, f"at least {low}", value)
        for name in ("top_p", "min_p", "typical_p"):
            value = getattr(self, name)
            _require(0.0 <= value <= 1.0, name, "between 0 and 1", value)
        for name in ("presence_penalty", "frequency_penalty"):
            value = getattr(self, name)
            _require(-2.0 <= value <= 2.0, name, "between -2 and 2", value)
        _require(
            0.0 <= self.temperature < math.inf, "temperature", "finite and not negative", self.temperature
        )
        _require(
            0.0 < self.repetition_penalty <= 2.0,
            "repetition_penalty",
            "above 0, up to 2",
            self.repetition_penalty,
        )
        _require(0.0 <= self.mirostat_lr <= 1.0, "mirostat_lr", "between 0 and 1", self.mirostat_lr)
        target = self.mirostat_target
        _require(
            target is None or 1.0 <= target < math.inf, "mirostat_target", "a perplexity, 1 or more", target
        )
        limit = self.max_tokens
        _require(
            limit is None or self.min_tokens <= limit,
            "min_tokens",
            f"at most max_tokens ({limit})",
            self.min_tokens,
        )

    @property
    def greedy(self) -> bool:
        return self.temperature == 0.0

    @property
    def penalised(self) -> bool:
        """Whether past tokens change the logits."""
        return (self.presence_penalty, self.frequency_penalty, self.repetition_penalty) != (0.0, 0.0, 1.0)


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise InvalidSampling(f"{name} must be {rule}, not {value}.")


class LogitsProcessor(Protocol):
    """
    A request's own rule over the next token: structured output, forced tokens, tests.

    Called once per generated token with the tokens so far; changes `logits` [vocab] in place.
    An exception ends this request with ProcessorFailed and no other.
    """

    def __call__(self, output_ids: Sequence[int], logits: "Tensor") -> None: ...


@dataclass(frozen=True)
class EngineRequest:
    """One prompt, one sequence of new tokens."""

    request_id: str
    prompt_token_ids: Sequence[int]
    sampling: SamplingParams
    cache_salt: str = ""
    """Isolation key: prompts share cached blocks only under equal salts."""
    cache_max_len: int | None = None
    """Longest cacheable prefix in tokens; 0 keeps the request out of the prefix cache."""
    priority: int = 0
    """Higher runs first; equal ones run in order of arrival."""
    logits_processor: LogitsProcessor | None = None


# --- what comes out ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Logprob:
    """An alternative: its natural log-probability under the model."""

    token_id: int
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """The chosen token and the likeliest alternatives, best first."""

    token_id: int
    logprob: float
    top: tuple[Logprob, ...]


@dataclass(slots=True)
class RequestTimings:
    """`time.monotonic()` at each station; None until it is reached."""

    queued: float
    prefill_start: float | None = None
    first_token: float | None = None
    last_token: float | None = None


@dataclass(slots=True)
class OutputDelta:
    """
    News of one request. The last one, and only that, has a `finish_reason`.

    `error` is set exactly when the reason is ERROR.
    """

    request_id: str
    token_ids: list[int]
    logprobs: list[TokenLogprobs] | None
    finish_reason: FinishReason | None
    cached_tokens: int
    error: EngineError | None
    prompt_logprobs: list[TokenLogprobs | None] | None
    timings: RequestTimings

    def merge(self, later: "OutputDelta") -> None:
        """Append the next delta of the same request, for a consumer that lags."""
        self.token_ids = self.token_ids + later.token_ids
        if later.logprobs is not None:
            self.logprobs = (self.logprobs or []) + later.logprobs
        if self.prompt_logprobs is None:
            self.prompt_logprobs = later.prompt_logprobs
        self.finish_reason = later.finish_reason
        self.cached_tokens = later.cached_tokens
        self.error = later.error
        self.timings = later.timings


# --- the state in between ----------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class SequenceState:
    """
    A request on its way. Who writes what: the scheduler `num_computed`, the cache manager the
    block lists, the engine the tokens, the sampler its own three fields at the end.
    """

    request: EngineRequest
    arrival: int
    seed: int
    max_tokens: int
    token_ids: list[int]
    timings: RequestTimings
    num_computed: int = 0
    """Leading tokens whose keys and values are in the cache."""
    block_ids: list[int] = field(default_factory=list)
    block_hashes: list[bytes] = field(default_factory=list)
    num_registered: int = 0
    """Leading blocks that the prefix cache knows by hash."""
    cached_tokens: int | None = None
    """Prompt tokens found in the prefix cache when the request first ran."""
    prompt_logprobs: list[TokenLogprobs | None] | None = None
    token_counts: "Tensor | None" = None
    """[vocab] how often each token was generated; only for penalised requests."""
    token_seen: "Tensor | None" = None
    """[vocab] whether a token is in the prompt or the output; only for penalised requests."""
    mirostat_mu: float | None = None

    @property
    def request_id(self) -> str:
        return self.request.request_id

    @property
    def sampling(self) -> SamplingParams:
        return self.request.sampling

    @property
    def num_prompt(self) -> int:
        return len(self.request.prompt_token_ids)

    @property
    def num_tokens(self) -> int:
        return len(self.token_ids)

    @property
    def num_output(self) -> int:
        return len(self.token_ids) - self.num_prompt

    @property
    def output_ids(self) -> list[int]:
        return self.token_ids[self.num_prompt :]

    @property
    def num_uncomputed(self) -> int:
        return len(self.token_ids) - self.num_computed

    @property
    def order(self) -> tuple[int, int]:
        """Sort key: who runs first."""
        return (-self.request.priority, self.arrival)
