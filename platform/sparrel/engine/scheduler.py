"""
Who runs in the next step, and how far.

Running sequences go on first, those that decode before those that prefill, so a long prompt slows
others down by at most one chunk. What is left of the token budget goes to waiting requests in
order. When blocks run out, the last in order gives its blocks back and waits again; what it had
generated is kept and recomputed later, so preemption changes nothing but time.
"""

from bisect import insort
from dataclasses import dataclass
from operator import attrgetter

from .kv_cache import BlockManager
from .request import SequenceState

_order = attrgetter("order")


@dataclass(slots=True)
class Chunk:
    """Compute `length` tokens of a sequence, from `start` on."""

    seq: SequenceState
    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def completes(self) -> bool:
        """Whether all known tokens are computed after it, so that a new one can be sampled."""
        return self.end == self.seq.num_tokens


class Scheduler:
    """Owns the queue and the running list; every sequence is in exactly one of them."""

    def __init__(self, blocks: BlockManager, max_num_seqs: int) -> None:
        self.blocks = blocks
        self.max_num_seqs = max_num_seqs
        self.waiting: list[SequenceState] = []
        self.running: list[SequenceState] = []
        self.num_preemptions = 0

    def add(self, seq: SequenceState) -> None:
        insort(self.waiting, seq, key=_order)

    def remove(self, seq: SequenceState) -> None:
        """Forget a sequence, wherever it is, and take its blocks back at once."""
        self.blocks.release(seq)
        (self.running if seq in self.running else self.waiting).remove(seq)

    def schedule(self, budget: int) -> list[Chunk]:
        """Choose up to `budget` tokens of work; empty only when there is nothing to do."""
        preempted = self._make_room()
        chunks: list[Chunk] = []
        for seq in sorted(self.running, key=lambda seq: (seq.num_uncomputed > 1, seq.order)):
            budget -= self._plan(seq, budget, chunks)
        if not preempted:
            self._admit(budget, chunks)
        return chunks

    def _make_room(self) -> bool:
        """Give every running sequence the block its next token needs, the last in order paying."""
        preempted = False
        self.running.sort(key=_order)
        for seq in list(self.running):
            while seq in self.running and not self.blocks.extend(seq):
                self._preempt(self.running[-1])
                preempted = True
        return preempted

    def _preempt(self, seq: SequenceState) -> None:
        self.running.remove(seq)
        self.blocks.release(seq)
        self.add(seq)
        self.num_preemptions += 1

    def _admit(self, budget: int, chunks: list[Chunk]) -> None:
        """Start waiting requests, strictly in order: who does not fit is not overtaken."""
        while self.waiting and budget > 0 and len(self.running) < self.max_num_seqs:
            seq = self.waiting[0]
            # NOTE: a block of headroom per running sequence, or the newcomer would soon be preempted.
            if not self.blocks.admit(seq, headroom=len(self.running)):
                return
            self.waiting.pop(0)
            self.running.append(seq)
            if seq.cached_tokens is None:
                seq.cached_tokens = seq.num_computed
            budget -= self._plan(seq, budget, chunks)

    def _plan(self, seq: SequenceState, budget: int, chunks: list[Chunk]) -> int:
        length = min(seq.num_uncomputed, budget)
        if length > 0:
            chunks.append(Chunk(seq, seq.num_computed, length))
        return length
