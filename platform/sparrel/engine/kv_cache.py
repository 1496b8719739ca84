"""
Who owns which key/value block.

A block holds `block_size` tokens of all layers and is in exactly one of three states:

    used     some sequence refers to it (refcount > 0); several may share a cached one
    cached   nobody refers to it, its content is known by hash; the least recently used is evicted first
    free     content worthless

    used + cached + free == total, always

A full block's hash covers its own tokens, all tokens before them and the isolation key, so equal
hashes mean equal content and no lookup ever crosses an isolation key.
"""

from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from hashlib import blake2b

from .request import SequenceState


class BlockManager:
    """Hands blocks to sequences and takes them back; knows nothing of tensors."""

    def __init__(self, num_blocks: int, block_size: int, prefix_caching: bool) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self.prefix_caching = prefix_caching
        self._refcount = [0] * num_blocks
        self._hash_of: list[bytes | None] = [None] * num_blocks
        self._by_hash: dict[bytes, int] = {}
        self._free: deque[int] = deque(range(num_blocks))
        self._cached: OrderedDict[int, None] = OrderedDict()

    @property
    def num_free(self) -> int:
        return len(self._free)

    @property
    def num_cached(self) -> int:
        return len(self._cached)

    @property
    def num_available(self) -> int:
        """Blocks that an allocation may take: free ones, then cached ones."""
        return len(self._free) + len(self._cached)

    def blocks_for(self, num_tokens: int) -> int:
        return -(-num_tokens // self.block_size)

    # --- the life of a sequence's blocks -------------------------------------------------------

    def admit(self, seq: SequenceState, headroom: int) -> bool:
        """
        Give a sequence blocks for all its tokens, the cached prefix first, and set `num_computed`.

        False, and nothing changed, unless `headroom` more blocks would stay available.
        """
        prefix = self._find_prefix(seq)
        needed = self.blocks_for(seq.num_tokens) - len(prefix)
        revived = sum(self._refcount[block] == 0 for block in prefix)
        if needed + headroom > self.num_available - revived:
            return False
        for block in prefix:
            self._acquire(block)
        seq.block_ids = prefix + [self._take() for _ in range(needed)]
        seq.num_registered = len(prefix)
        seq.num_computed = len(prefix) * self.block_size
        return True

    def extend(self, seq: SequenceState) -> bool:
        """Make room for all of the sequence's tokens; False, and nothing changed, if there is none."""
        missing = self.blocks_for(seq.num_tokens) - len(seq.block_ids)
        if missing > self.num_available:
            return False
        for _ in range(missing):
            seq.block_ids.append(self._take())
        return True

    def register(self, seq: SequenceState) -> None:
        """Make the blocks that are now full findable by later requests."""
        if not self.prefix_caching:
            return
        num_full = self._limit(seq, seq.num_computed)
        for index in range(seq.num_registered, num_full):
            block, digest = seq.block_ids[index], self._hash(seq, index)
            # NOTE: of two sequences that computed the same block at once, the first one's is kept.
            if digest not in self._by_hash:
                self._by_hash[digest] = block
                self._hash_of[block] = digest
        seq.num_registered = max(seq.num_registered, num_full)

    def release(self, seq: SequenceState) -> None:
        """Take all blocks back; those with a known hash stay cached, the tail to be evicted first."""
        for block in reversed(seq.block_ids):
            self._drop(block)
        seq.block_ids = []
        seq.num_registered = 0
        seq.num_computed = 0

    def discard(self, seq: SequenceState) -> list[int]:
        """Release, but forget the content of blocks that nobody else uses; returns those blocks."""
        sole = [block for block in seq.block_ids if self._refcount[block] == 1]
        for block in sole:
            self._forget(block)
        self.release(seq)
        return sole

    # --- hashes --------------------------------------------------------------------------------

    def _find_prefix(self, seq: SequenceState) -> list[int]:
        if not self.prefix_caching or seq.sampling.prompt_logprobs is not None:
            return []
        # NOTE: the last token is always computed, somebody must produce its logits.
        blocks = []
        for index in range(self._limit(seq, seq.num_tokens - 1)):
            block = self._by_hash.get(self._hash(seq, index))
            if block is None:
                break
            blocks.append(block)
        return blocks

    def _limit(self, seq: SequenceState, num_tokens: int) -> int:
        """Full blocks within the first `num_tokens` that the request allows to be cached."""
        limit = seq.request.cache_max_len
        return (num_tokens if limit is None else min(num_tokens, limit)) // self.block_size

    def _hash(self, seq: SequenceState, index: int) -> bytes:
        """Hash of the sequence's block `index`, chained to the one before it."""
        hashes = seq.block_hashes
        while len(hashes) <= index:
            start = len(hashes) * self.block_size
            parent = hashes[-1] if hashes else _root(seq.request.cache_salt)
            tokens = array("q", seq.token_ids[start : start + self.block_size])
            hashes.append(blake2b(parent + tokens.tobytes(), digest_size=16).digest())
        return hashes[index]

    # --- single blocks -------------------------------------------------------------------------

    def _take(self) -> int:
        if self._free:
            block = self._free.popleft()
        else:
            block, _ = self._cached.popitem(last=False)
            self._forget(block)
        self._refcount[block] = 1
        return block

    def _acquire(self, block: int) -> None:
        self._cached.pop(block, None)
        self._refcount[block] += 1

    def _drop(self, block: int) -> None:
        self._refcount[block] -= 1
        if self._refcount[block] > 0:
            return
        if self._hash_of[block] is None:
            # The block used last is the one still in the processor's cache.
            self._free.appendleft(block)
        else:
            self._cached[block] = None

    def _forget(self, block: int) -> None:
        digest = self._hash_of[block]
        if digest is not None:
            del self._by_hash[digest]
            self._hash_of[block] = None

    def check_invariants(self, sequences: Iterable[SequenceState]) -> None:
        """Raise AssertionError unless every block is accounted for exactly once."""
        references = Counter(block for seq in sequences for block in seq.block_ids)
        used = {block for block, count in enumerate(self._refcount) if count}
        assert all(self._refcount[block] == references[block] for block in range(self.num_blocks)), "refcount"
        assert sorted([*self._free, *self._cached, *used]) == list(range(self.num_blocks)), (
            "blocks lost or doubled"
        )
        assert all(self._hash_of[block] is not None for block in self._cached), "cached without a hash"
        assert all(self._hash_of[block] is None for block in self._free), "free with a hash"
        assert all(self._hash_of[block] == digest for digest, block in self._by_hash.items()), "hash index"


def _root(cache_salt: str) -> bytes:
    return blake2b(cache_salt.encode(), digest_size=16).digest()
