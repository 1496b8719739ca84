"""
Logits to tokens, for the whole batch at once.

Rows are split by what they need: greedy rows cost one argmax; random rows that filter by rank
(top_k, top_p) are sorted, the others are not. Each random row draws a single uniform number
that depends on nothing but its seed and its position, and reads its token off the cumulative
distribution: so the outcome does not depend on the rest of the batch, on preemption, or on chunking.

Shape letters: R rows, V vocabulary, C candidates (V, or fewer after sorting).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .errors import NumericalError, ProcessorFailed, RequestError
from .request import Logprob, SamplingParams, SequenceState, TokenLogprobs

# A nucleus nearly always lies within so many candidates; when it does not, the row is sorted in full.
SHORTLIST = 512


@dataclass(slots=True)
class Sampled:
    """One row's outcome: a token, or the error that ends the request."""

    token_id: int
    logprobs: TokenLogprobs | None = None
    error: RequestError | None = None


class Sampler:
    """Stateless but for the end-of-sequence ids; what a request accumulates lives on its `SequenceState`."""

    def __init__(self, eos_ids: frozenset[int]) -> None:
        self.eos_ids = eos_ids

    def sample(self, logits: Tensor, seqs: list[SequenceState]) -> list[Sampled]:
        """logits [R, V] float32, changed in place; one outcome per row."""
        finite = torch.isfinite(logits.amax(-1))
        wanted = [row for row, seq in enumerate(seqs) if seq.sampling.logprobs is not None]
        raw = logits[wanted].log_softmax(-1) if wanted else None
        errors = self._edit(logits, seqs)
        tokens = self._choose(logits, seqs)
        # The only point where the host waits for the device.
        token_ids, is_finite = tokens.tolist(), finite.tolist()
        outcomes = [Sampled(token) for token in token_ids]
        for row, seq in enumerate(seqs):
            if not is_finite[row]:
                outcomes[row].error = NumericalError(
                    f"The model produced NaN or infinity for {seq.request_id!r}."
                )
            elif row in errors:
                outcomes[row].error = errors[row]
            else:
                _remember(seq, token_ids[row])
        if raw is not None:
            tops = [seqs[row].sampling.logprobs or 0 for row in wanted]
            entries = gather_logprobs(raw, [token_ids[row] for row in wanted], tops)
            for row, entry in zip(wanted, entries, strict=True):
                outcomes[row].logprobs = entry
        return outcomes

    # --- logits before any choice --------------------------------------------------------------

    def _edit(self, logits: Tensor, seqs: list[SequenceState]) -> dict[int, RequestError]:
        """Apply penalties, bias, forbidden tokens and processors; returns the rows whose processor failed."""
        penalised = [row for row, seq in enumerate(seqs) if seq.sampling.penalised]
        if penalised:
            logits[penalised] = _penalise(logits[penalised], [seqs[row] for row in penalised])
        errors: dict[int, RequestError] = {}
        for row, seq in enumerate(seqs):
            sampling = seq.sampling
            if sampling.logit_bias:
                ids = torch.tensor(list(sampling.logit_bias), device=logits.device)
                logits[row, ids] += torch.tensor(list(sampling.logit_bias.values()), device=logits.device)
            if seq.num_output < sampling.min_tokens:
                forbidden = [*sampling.stop_token_ids, *(() if sampling.ignore_eos else self.eos_ids)]
                logits[row, forbidden] = -math.inf
            if seq.request.logits_processor is not None:
                error = _process(seq, logits[row])
                if error is not None:
                    errors[row] = error
        return errors

    # --- the choice ----------------------------------------------------------------------------

    def _choose(self, logits: Tensor, seqs: list[SequenceState]) -> Tensor:
        """[R] token ids."""
        greedy = [row for row, seq in enumerate(seqs) if seq.sampling.greedy]
        if len(greedy) == len(seqs):
            return logits.argmax(-1)
        ranked = [
            row for row, seq in enumerate(seqs) if not seq.sampling.greedy and _needs_ranking(seq.sampling)
        ]
        plain = [
            row
            for row, seq in enumerate(seqs)
            if not seq.sampling.greedy and not _needs_ranking(seq.sampling)
        ]
        tokens = torch.empty(len(seqs), dtype=torch.long, device=logits.device)
        if greedy:
            tokens[greedy] = logits[greedy].argmax(-1)
        for rows, choose in ((ranked, _choose_ranked), (plain, _choose_plain)):
            if rows:
                group = [seqs[row] for row in rows]
                temperature = _column(group, lambda sampling: sampling.temperature, logits)
                tokens[rows] = choose(logits[rows] / temperature, group)
        return tokens


def _needs_ranking(sampling: SamplingParams) -> bool:
    return sampling.top_k > 0 or sampling.top_p < 1.0


def _choose_plain(logits: Tensor, seqs: list[SequenceState]) -> Tensor:
    return _draw(_filter(logits, seqs), seqs)


def _choose_ranked(logits: Tensor, seqs: list[SequenceState]) -> Tensor:
    """Draw among candidates sorted by probability, which is where top_k and top_p are defined."""
    top_k = _column(seqs, lambda sampling: sampling.top_k or logits.shape[-1], logits)
    top_p = _column(seqs, lambda sampling: sampling.top_p, logits)
    limited = [seq.sampling.top_k for seq in seqs]
    size = max(limited) if all(limited) else max(SHORTLIST, *limited)
    while True:
        size = min(size, logits.shape[-1])
        values, ids = (
            logits.topk(size)
            if size < logits.shape[-1]
            else logits.sort(dim=-1, descending=True, stable=True)
        )
        values = values.masked_fill(torch.arange(size, device=logits.device) >= top_k, -math.inf)
        # Probabilities among what top_k left: of the whole row where it is off.
        total = torch.where(
            top_k <= size, values.logsumexp(-1, keepdim=True), logits.logsumexp(-1, keepdim=True)
        )
        mass = (values - total).exp().cumsum(-1, dtype=torch.float64)
        complete = (top_k <= size) | (mass[:, -1:] >= top_p)
        if size == logits.shape[-1] or bool(complete.all()):
            break
        size = logits.shape[-1]
    before = torch.cat((torch.zeros_like(mass[:, :1]), mass[:, :-1]), dim=-1)
    outside = before >= top_p
    outside[:, 0] = False
    values = values.masked_fill(outside, -math.inf)
    return ids.gather(-1, _draw(_filter(values, seqs), seqs)[:, None]).squeeze(-1)


def _filter(logits: Tensor, seqs: list[SequenceState]) -> Tensor:
    """The filters that do not depend on rank: min_p, typical_p, mirostat; [R, C] to the same."""
    if any(seq.sampling.min_p > 0.0 for seq in seqs):
        min_p = _column(seqs, lambda sampling: sampling.min_p, logits)
        logits = logits.masked_fill(logits < logits.amax(-1, keepdim=True) + min_p.log(), -math.inf)
    if any(seq.sampling.typical_p < 1.0 for seq in seqs):
        logits = _keep_typical(logits, _column(seqs, lambda sampling: sampling.typical_p, logits))
    if any(seq.sampling.mirostat_target is not None for seq in seqs):
        logits = _keep_unsurprising(logits, seqs)
    return logits


def _keep_typical(logits: Tensor, typical_p: Tensor) -> Tensor:
    """Keep the tokens whose information is nearest to the entropy, up to a mass of `typical_p`."""
    logprobs = logits.log_softmax(-1)
    probs = logprobs.exp()
    entropy = -(probs * logprobs).nansum(-1, keepdim=True)
    order = (-logprobs - entropy).abs().argsort(dim=-1, stable=True)
    mass = probs.gather(-1, order).cumsum(-1, dtype=torch.float64)
    outside = (mass - probs.gather(-1, order)) >= typical_p
    outside[:, 0] = False
    outside &= typical_p < 1.0
    return logits.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), -math.inf)


def _keep_unsurprising(logits: Tensor, seqs: list[SequenceState]) -> Tensor:
    """Mirostat 2: drop what is more surprising than the running limit mu, in bits; the likeliest stays."""
    limits = [_mirostat_limit(seq) for seq in seqs]
    mu = torch.tensor(limits, dtype=logits.dtype, device=logits.device)[:, None]
    surprise = logits.log_softmax(-1) / -math.log(2.0)
    return logits.masked_fill((surprise > mu) & (logits < logits.amax(-1, keepdim=True)), -math.inf)


def _mirostat_limit(seq: SequenceState) -> float:
    target = seq.sampling.mirostat_target
    if target is None:
        return math.inf
    return 2.0 * math.log2(target) if seq.mirostat_mu is None else seq.mirostat_mu


def _draw(logits: Tensor, seqs: list[SequenceState]) -> Tensor:
    """[R, C] to [R]: invert the cumulative distribution at each row's own uniform number."""
    probs = logits.softmax(-1, dtype=torch.float32)
    cumulative = probs.cumsum(-1, dtype=torch.float64)
    uniform = torch.tensor([uniform_at(seq.seed, seq.num_output) for seq in seqs], dtype=torch.float64)
    point = uniform.to(logits.device)[:, None] * cumulative[:, -1:]
    # NOTE: right=True skips candidates of no probability, also at uniform number 0.
    chosen = torch.searchsorted(cumulative, point, right=True).clamp_(max=logits.shape[-1] - 1)
    if any(seq.sampling.mirostat_target is not None for seq in seqs):
        _adapt_mirostat(probs.gather(-1, chosen).squeeze(-1).tolist(), seqs)
    return chosen.squeeze(-1)


def _adapt_mirostat(probs: list[float], seqs: list[SequenceState]) -> None:
    for prob, seq in zip(probs, seqs, strict=True):
        target = seq.sampling.mirostat_target
        if target is not None and prob > 0.0:
            error = -math.log2(prob) - math.log2(target)
            seq.mirostat_mu = _mirostat_limit(seq) - seq.sampling.mirostat_lr * error


def _column(seqs: list[SequenceState], read: Callable[[SamplingParams], float], like: Tensor) -> Tensor:
    """[R, 1] of one parameter."""
    return torch.tensor([float(read(seq.sampling)) for seq in seqs], dtype=like.dtype, device=like.device)[
        :, None
    ]


# --- penalties and processors ------------------------------------------------------------------


def _penalise(logits: Tensor, seqs: list[SequenceState]) -> Tensor:
    for seq in seqs:
        if seq.token_counts is None:
            _count_tokens(seq, logits)
    counts = torch.stack([seq.token_counts for seq in seqs if seq.token_counts is not None])
    seen = torch.stack([seq.token_seen for seq in seqs if seq.token_seen is not None])
    repetition = _column(seqs, lambda sampling: sampling.repetition_penalty, logits)
    logits = torch.where(seen, torch.where(logits > 0, logits / repetition, logits * repetition), logits)
    frequency = _column(seqs, lambda sampling: sampling.frequency_penalty, logits)
    presence = _column(seqs, lambda sampling: sampling.presence_penalty, logits)
    return logits - counts * frequency - (counts > 0) * presence


def _count_tokens(seq: SequenceState, logits: Tensor) -> None:
    output = torch.tensor(seq.output_ids, dtype=torch.long, device=logits.device)
    known = torch.tensor(seq.token_ids, dtype=torch.long, device=logits.device)
    seq.token_counts = torch.bincount(output, minlength=logits.shape[-1]).to(logits.dtype)
    seq.token_seen = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device).index_fill_(
        0, known, True
    )


def _remember(seq: SequenceState, token: int) -> None:
    if seq.token_counts is not None and seq.token_seen is not None:
        seq.token_counts[token] += 1
        seq.token_seen[token] = True


def _process(seq: SequenceState, logits: Tensor) -> ProcessorFailed | None:
    assert seq.request.logits_processor is not None
    try:
        seq.request.logits_processor(seq.output_ids, logits)
    except Exception as cause:
        error = ProcessorFailed(f"The logits processor of {seq.request_id!r} raised {cause!r}.")
        error.__cause__ = cause
        return error
    return None


# --- numbers -----------------------------------------------------------------------------------

_MASK = (1 << 64) - 1


def uniform_at(seed: int, index: int) -> float:
    """A uniform number in [0, 1) that depends on these two alone (SplitMix64, as a counter)."""
    return (_mix(_mix(seed & _MASK) + (index + 1) * 0x9E3779B97F4A7C15 & _MASK) >> 11) * 2.0**-53


def _mix(state: int) -> int:
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
    return state ^ state >> 31


def gather_logprobs(logprobs: Tensor, token_ids: list[int], tops: list[int]) -> list[TokenLogprobs]:
    """Log-probabilities [R, V] to one entry per row: its token and `tops[row]` alternatives."""
    chosen = (
        logprobs.gather(-1, torch.tensor(token_ids, device=logprobs.device)[:, None]).squeeze(-1).tolist()
    )
    most = min(max(tops), logprobs.shape[-1])
    values, ids = logprobs.topk(most) if most else (logprobs[:, :0], logprobs[:, :0])
    rows = zip(token_ids, chosen, tops, ids.tolist(), values.tolist(), strict=True)
    return [
        TokenLogprobs(
            token, logprob, tuple(Logprob(int(i), v) for i, v in zip(ids[:top], values[:top], strict=True))
        )
        for token, logprob, top, ids, values in rows
    ]
