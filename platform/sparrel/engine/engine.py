"""
The LLM engine: token ids in, token ids out. Knows neither Ray nor HTTP nor text.

    engine = Engine(EngineConfig("models/demo"))
    engine.add(EngineRequest("r1", [1, 2, 3], SamplingParams(max_tokens=8)))
    while engine.has_work:
        for delta in engine.step():
            ...

Every request that `add` accepts as a call ends in exactly one delta with a finish reason, whatever
happens to it. Not thread-safe: one thread calls, as `AsyncEngine` does.
"""

import time
from dataclasses import dataclass

from .attention import StepInterrupted
from .config import EngineConfig
from .errors import CacheTooSmall, EngineDead, InvalidRequest, PromptTooLong, QueueFull, RequestError
from .loading import load
from .request import EngineRequest, FinishReason, OutputDelta, RequestTimings, SequenceState, TokenLogprobs
from .runner import ChunkResult
from .sampler import uniform_at
from .scheduler import Scheduler

_EWMA = 0.1
_MIN_BUDGET = 32


@dataclass(frozen=True)
class EngineStats:
    """A snapshot; totals count since the engine started."""

    running: int
    waiting: int
    blocks_total: int
    blocks_free: int
    blocks_cached: int
    prompt_tokens_total: int
    generated_tokens_total: int
    cached_tokens_total: int
    preemptions_total: int
    step_time_ewma_s: float


class Engine:
    """The synchronous core. `add` and `abort` may be called between any two steps."""

    def __init__(self, config: EngineConfig) -> None:
        loaded = load(config)
        self.config = config
        self.max_model_len = loaded.max_model_len
        self.vocab_size = loaded.vocab_size
        self.eos_ids = loaded.eos_ids
        self._blocks = loaded.blocks
        self._runner = loaded.runner
        self._scheduler = Scheduler(self._blocks, config.max_num_seqs)
        self._sequences: dict[str, SequenceState] = {}
        self._ready: list[OutputDelta] = []
        self._arrivals = 0
        self._prompt_tokens = self._generated_tokens = self._cached_tokens = 0
        self._step_time = self._token_time = 0.0
        self._fault: BaseException | None = None

    # --- requests ------------------------------------------------------------------------------

    def add(self, request: EngineRequest) -> None:
        """
        Queue a request. One that cannot be served gets its final delta from the next `step`.

        Raises InvalidRequest if the id is in use: its deltas could not be told apart.
        """
        if request.request_id in self._sequences:
            raise InvalidRequest(f"A request with id {request.request_id!r} is being served already.")
        timings = RequestTimings(queued=time.monotonic())
        try:
            max_tokens = self._admissible(request)
        except RequestError as error:
            self._ready.append(_final(request.request_id, FinishReason.ERROR, timings, error=error))
            return
        seed = request.sampling.seed
        if seed is None:
            seed = int(uniform_at(self.config.seed, self._arrivals) * 2**53)
        tokens = list(request.prompt_token_ids)
        seq = SequenceState(request, self._arrivals, seed, max_tokens, tokens, timings)
        self._arrivals += 1
        self._sequences[request.request_id] = seq
        self._scheduler.add(seq)

    def _admissible(self, request: EngineRequest) -> int:
        """The number of tokens the request may generate; raises why it cannot be served."""
        num_prompt, capacity = (
            len(request.prompt_token_ids),
            self._blocks.num_blocks * self._blocks.block_size,
        )
        if num_prompt == 0:
            raise InvalidRequest("The prompt is empty.")
        self._check_tokens(request)
        if num_prompt > self.max_model_len - 1:
            raise PromptTooLong(num_prompt, self.max_model_len - 1)
        if num_prompt > capacity:
            raise CacheTooSmall(num_prompt, capacity)
        limit = self.config.max_waiting
        if limit is not None and len(self._scheduler.waiting) >= limit:
            raise QueueFull(limit)
        room = min(self.max_model_len - num_prompt, capacity - num_prompt + 1)
        wanted = request.sampling.max_tokens
        return room if wanted is None else min(wanted, room)

    def _check_tokens(self, request: EngineRequest) -> None:
        sampling = request.sampling
        for name, tokens in (
            ("prompt_token_ids", request.prompt_token_ids),
            ("logit_bias", sampling.logit_bias),
            ("stop_token_ids", sampling.stop_token_ids),
        ):
            if tokens and not (min(tokens) >= 0 and max(tokens) < self.vocab_size):
                raise InvalidRequest(
                    f"{name} holds an id outside the vocabulary of {self.vocab_size} tokens."
                )

    def abort(self, request_id: str) -> None:
        """End a request and free its blocks now; the next `step` has its final delta. Ignores unknown ids."""
        seq = self._sequences.pop(request_id, None)
        if seq is not None:
            self._scheduler.remove(seq)
            self._ready.append(self._final_of(seq, [], None, FinishReason.ABORT))

    @property
    def has_work(self) -> bool:
        return bool(self._sequences or self._ready)

    # --- the loop ------------------------------------------------------------------------------

    def step(self) -> list[OutputDelta]:
        """Advance every running request, and say what is new."""
        if self._fault is not None:
            raise EngineDead("The engine has stopped after a fault.") from self._fault
        deltas, self._ready = self._ready, []
        try:
            return deltas + self._run()
        except Exception as fault:
            self._fault = fault
            raise EngineDead(f"The engine stopped: {fault!r}") from fault

    def _run(self) -> list[OutputDelta]:
        chunks = self._scheduler.schedule(self._budget())
        if not chunks:
            return []
        started = time.monotonic()
        self._mark_started([chunk.seq for chunk in chunks], started)
        try:
            results = self._runner.run(chunks)
        except StepInterrupted:
            # NOTE: never twice in a row, or a stream of aborts would stop everybody.
            self._runner.attention.interruptible = False
            return []
        self._runner.attention.interruptible = True
        deltas = [self._advance(result) for result in results]
        self._observe(time.monotonic() - started, sum(chunk.length for chunk in chunks))
        return [delta for delta in deltas if delta is not None]

    def set_interrupt(self, on: bool) -> None:
        """
        While on, a step gives up at its next layer and returns early; the next one does its work again.

        The one method that another thread may call while `step` runs.
        """
        self._runner.attention.interrupt = on

    def _advance(self, result: ChunkResult) -> OutputDelta | None:
        """Take a chunk's outcome into its sequence; the delta if there is anything to tell."""
        seq = result.chunk.seq
        if result.error is not None:
            return self._fail(seq, result.error)
        seq.num_computed = result.chunk.end
        self._blocks.register(seq)
        if result.sampled is None:
            return None
        if seq.max_tokens == 0:
            return self._finish(seq, [], None, FinishReason.LENGTH)
        token = result.sampled.token_id
        seq.token_ids.append(token)
        self._generated_tokens += 1
        seq.timings.last_token = time.monotonic()
        if seq.timings.first_token is None:
            seq.timings.first_token = seq.timings.last_token
        logprobs = None if result.sampled.logprobs is None else [result.sampled.logprobs]
        reason = self._finish_reason(seq, token)
        if reason is not None:
            return self._finish(seq, [token], logprobs, reason)
        return _delta(seq, [token], logprobs)

    def _finish_reason(self, seq: SequenceState, token: int) -> FinishReason | None:
        sampling = seq.sampling
        if token in sampling.stop_token_ids or (token in self.eos_ids and not sampling.ignore_eos):
            return FinishReason.STOP
        return FinishReason.LENGTH if seq.num_output >= seq.max_tokens else None

    def _finish(
        self,
        seq: SequenceState,
        tokens: list[int],
        logprobs: list[TokenLogprobs] | None,
        reason: FinishReason,
    ) -> OutputDelta:
        del self._sequences[seq.request_id]
        self._scheduler.remove(seq)
        return self._final_of(seq, tokens, logprobs, reason)

    def _fail(self, seq: SequenceState, error: RequestError) -> OutputDelta:
        # NOTE: its blocks may hold NaN, and a masked NaN still spoils whoever gets them next.
        del self._sequences[seq.request_id]
        self._runner.attention.clear(self._blocks.discard(seq))
        self._scheduler.remove(seq)
        return self._final_of(seq, [], None, FinishReason.ERROR, error)

    def _final_of(
        self,
        seq: SequenceState,
        tokens: list[int],
        logprobs: list[TokenLogprobs] | None,
        reason: FinishReason,
        error: RequestError | None = None,
    ) -> OutputDelta:
        delta = _delta(seq, tokens, logprobs)
        delta.finish_reason, delta.error = reason, error
        return delta

    # --- bookkeeping ---------------------------------------------------------------------------

    def _mark_started(self, seqs: list[SequenceState], now: float) -> None:
        for seq in seqs:
            if seq.timings.prefill_start is None:
                seq.timings.prefill_start = now
                self._prompt_tokens += seq.num_prompt
                self._cached_tokens += seq.cached_tokens or 0

    def _budget(self) -> int:
        """Tokens for the next step: fewer than allowed where that many would take too long."""
        most, target = self.config.max_batched_tokens, self.config.target_step_s
        if target is None:
            return most
        least = max(_MIN_BUDGET, len(self._scheduler.running) + 1)
        # Before anything was measured the smallest chunk is the safe guess.
        affordable = int(target / self._token_time) if self._token_time else least
        return min(most, max(least, affordable))

    def _observe(self, elapsed: float, num_tokens: int) -> None:
        self._step_time += _EWMA * (elapsed - self._step_time) if self._step_time else elapsed
        # A small step says little about the cost of a token in a large one.
        if num_tokens >= _MIN_BUDGET:
            cost = elapsed / num_tokens
            self._token_time += 0.5 * (cost - self._token_time) if self._token_time else cost

    def stats(self) -> EngineStats:
        return EngineStats(
            running=len(self._scheduler.running),
            waiting=len(self._scheduler.waiting),
            blocks_total=self._blocks.num_blocks,
            blocks_free=self._blocks.num_free,
            blocks_cached=self._blocks.num_cached,
            prompt_tokens_total=self._prompt_tokens,
            generated_tokens_total=self._generated_tokens,
            cached_tokens_total=self._cached_tokens,
            preemptions_total=self._scheduler.num_preemptions,
            step_time_ewma_s=self._step_time,
        )

    def check_invariants(self) -> None:
        """Raise AssertionError unless all blocks and sequences are accounted for; for tests and debugging."""
        listed = self._scheduler.running + self._scheduler.waiting
        assert sorted(seq.request_id for seq in listed) == sorted(self._sequences), "sequence lost or doubled"
        assert all(not seq.block_ids for seq in self._scheduler.waiting), "a waiting sequence holds blocks"
        self._blocks.check_invariants(self._scheduler.running)


def _delta(seq: SequenceState, tokens: list[int], logprobs: list[TokenLogprobs] | None) -> OutputDelta:
    prompt_logprobs, seq.prompt_logprobs = seq.prompt_logprobs, None
    return OutputDelta(
        request_id=seq.request_id,
        token_ids=tokens,
        logprobs=logprobs,
        finish_reason=None,
        cached_tokens=seq.cached_tokens or 0,
        error=None,
        prompt_logprobs=prompt_logprobs,
        timings=seq.timings,
    )


def _final(
    request_id: str, reason: FinishReason, timings: RequestTimings, *, error: RequestError | None = None
) -> OutputDelta:
    return OutputDelta(request_id, [], None, reason, 0, error, None, timings)
