"""
Tensors in, tokens out: runs one step's chunks through the model.

`StepInput` is plain data made from the plan, all that another rank would need to run its share of
the same step; sequences, sampling and everything else stay with the rank that schedules.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .attention import (
    AttentionPlan,
    Blocks,
    DecodeGroup,
    PagedAttention,
    PrefillSegment,
    StepInterrupted,
    group_by_length,
)
from .errors import NumericalError, RequestError
from .models import CausalModel
from .request import TokenLogprobs
from .sampler import Sampled, Sampler, gather_logprobs
from .scheduler import Chunk

# Rows of prompt logits held at once: [64, 150k] float32 is 38 MB.
_PROMPT_ROWS = 64


@dataclass(slots=True)
class StepInput:
    """One step of the model over flat tokens; decoding sequences first, by context length."""

    input_ids: Tensor
    positions: Tensor
    max_position: int
    attention: AttentionPlan


@dataclass(slots=True)
class ChunkResult:
    """What a chunk brought: a sampled token if it completed the sequence, or an error."""

    chunk: Chunk
    sampled: Sampled | None
    error: RequestError | None = None


class Runner:
    """Owns the model and the cache tensors of one rank."""

    def __init__(
        self, model: CausalModel, attention: PagedAttention, sampler: Sampler, device: torch.device
    ) -> None:
        self.model = model
        self.attention = attention
        self.sampler = sampler
        self.device = device

    @torch.inference_mode()
    def run(self, chunks: list[Chunk]) -> list[ChunkResult]:
        chunks = sorted(chunks, key=lambda chunk: (chunk.length > 1, chunk.end))
        hidden = self.forward(self.build(chunks))
        last, offset = [], 0
        for chunk in chunks:
            if chunk.seq.sampling.prompt_logprobs is not None and chunk.start < chunk.seq.num_prompt:
                self._score_prompt(chunk, hidden[offset : offset + chunk.length])
            offset += chunk.length
            last.append(offset - 1)
        return self._sample(chunks, hidden[last] if len(last) < offset else hidden)

    def forward(self, step: StepInput) -> Tensor:
        """[T, hidden]; what every rank does with the same input."""
        self.attention.begin(step.attention)
        try:
            return self.model.forward(step.input_ids, step.positions, step.max_position, self.attention)
        except StepInterrupted:
            self.attention.forget(step.attention)
            raise

    # --- building the step ---------------------------------------------------------------------

    def build(self, chunks: list[Chunk]) -> StepInput:
        """Chunks sorted: single tokens by context length, then longer ones."""
        block_size = self.attention.block_size
        tokens: list[int] = []
        positions: list[int] = []
        slots: list[int] = []
        for chunk in chunks:
            tokens += chunk.seq.token_ids[chunk.start : chunk.end]
            positions += range(chunk.start, chunk.end)
            blocks = chunk.seq.block_ids
            slots += [
                blocks[p // block_size] * block_size + p % block_size for p in range(chunk.start, chunk.end)
            ]
        num_single = sum(chunk.length == 1 for chunk in chunks)
        plan = AttentionPlan(
            slots=self._tensor(slots),
            decodes=self._decode_groups(chunks[:num_single]),
            prefills=self._prefill_segments(chunks[num_single:], num_single),
        )
        return StepInput(self._tensor(tokens), self._tensor(positions), max(positions), plan)

    def _decode_groups(self, chunks: list[Chunk]) -> list[DecodeGroup]:
        groups = []
        for start, end in group_by_length([chunk.end for chunk in chunks]):
            members = chunks[start:end]
            width = -(-members[-1].end // self.attention.block_size)
            tables = [self._table(chunk, width) for chunk in members]
            groups.append(
                DecodeGroup(
                    start=start,
                    end=end,
                    blocks=self._blocks([block for table in tables for block in table]),
                    lengths=self._tensor([chunk.end for chunk in members]),
                    max_length=members[-1].end,
                )
            )
        return groups

    def _prefill_segments(self, chunks: list[Chunk], start: int) -> list[PrefillSegment]:
        segments = []
        for chunk in chunks:
            width = -(-chunk.end // self.attention.block_size)
            table = self._blocks(self._table(chunk, width))
            segments.append(PrefillSegment(start, start + chunk.length, table, chunk.end))
            start += chunk.length
        return segments

    @staticmethod
    def _table(chunk: Chunk, width: int) -> list[int]:
        """The sequence's blocks up to the chunk's end, padded by repeating the first."""
        blocks = chunk.seq.block_ids[:width]
        return blocks + blocks[:1] * (width - len(blocks))

    def _blocks(self, table: list[int]) -> Blocks:
        first, num = table[0], len(table)
        return slice(first, first + num) if table == list(range(first, first + num)) else self._tensor(table)

    def _tensor(self, values: list[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.long).to(self.device)

    # --- reading the result --------------------------------------------------------------------

    def _sample(self, chunks: list[Chunk], hidden: Tensor) -> list[ChunkResult]:
        """hidden [len(chunks), hidden], the last row of each chunk."""
        rows = [row for row, chunk in enumerate(chunks) if chunk.completes]
        results = [ChunkResult(chunk, None) for chunk in chunks]
        if len(rows) < len(chunks):
            self._check_unfinished(results, hidden)
            hidden = hidden[rows]
        if rows:
            sampled = self.sampler.sample(self.model.logits(hidden), [chunks[row].seq for row in rows])
            for row, outcome in zip(rows, sampled, strict=True):
                results[row].sampled, results[row].error = outcome, outcome.error
        return results

    @staticmethod
    def _check_unfinished(results: list[ChunkResult], hidden: Tensor) -> None:
        """NaN anywhere in a chunk reaches its last row; it must not stay in the cache unseen."""
        for result, is_finite in zip(results, torch.isfinite(hidden.sum(-1)).tolist(), strict=True):
            if not is_finite and not result.chunk.completes:
                request_id = result.chunk.seq.request_id
                result.error = NumericalError(f"The model produced NaN or infinity for {request_id!r}.")

    def _score_prompt(self, chunk: Chunk, hidden: Tensor) -> None:
        """Log-probabilities of the prompt tokens that this chunk's rows predict."""
        seq, top = chunk.seq, chunk.seq.sampling.prompt_logprobs or 0
        if seq.prompt_logprobs is None:
            seq.prompt_logprobs = [None]
        # After a preemption earlier rows come by again; they are known already.
        first = len(seq.prompt_logprobs) - 1
        for start in range(max(first, chunk.start), min(chunk.end, seq.num_prompt - 1), _PROMPT_ROWS):
            end = min(start + _PROMPT_ROWS, chunk.end, seq.num_prompt - 1)
            logprobs = self.model.logits(hidden[start - chunk.start : end - chunk.start]).log_softmax(-1)
            targets = seq.token_ids[start + 1 : end + 1]
            entries: list[TokenLogprobs] = gather_logprobs(logprobs, targets, [top] * len(targets))
            seq.prompt_logprobs.extend(entries)
