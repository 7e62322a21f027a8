"""PyTorch's caching allocator on CUDA: what blocks and segments hold beyond the bytes that were asked for.

Sizes are rounded up to 512 bytes. Blocks up to 1 MiB come from segments of 2 MiB, larger ones from segments of 20 MiB
or, from 10 MiB on, of their own size in steps of 2 MiB; the smallest free block that is large enough is taken, and
split where the rest can serve. Segments are kept. Source: c10/cuda/CUDACachingAllocator.cpp, PyTorch 2.13; the rules
were read there, their result has not been compared with a GPU's.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from convsize.analyses.memory.tape import Storage

_STEP = 512
_SMALL = 2**20
_SMALL_SEGMENT = 2 * 2**20
_MEDIUM = 10 * 2**20
_MEDIUM_SEGMENT = 20 * 2**20
_LARGE_STEP = 2 * 2**20


class _Block:
    __slots__ = ("after", "before", "free", "number", "size", "small")

    def __init__(self, number: int, size: int, small: bool) -> None:
        self.number = number
        self.size = size
        self.small = small
        self.free = False
        self.before: _Block | None = None
        self.after: _Block | None = None


class CachingAllocator:
    """What is allocated in blocks and reserved in segments, in bytes, and the most of each."""

    def __init__(self) -> None:
        self.allocated = self.reserved = 0
        self.most_allocated = self.most_reserved = 0
        self._blocks: dict[Storage, _Block] = {}
        self._free: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        self._by_number: dict[int, _Block] = {}
        self._count = 0

    def watch(self, storage: Storage, comes: bool) -> None:
        """A storage comes or goes."""
        if not storage.size:
            return
        if comes:
            self._blocks[storage] = self._take(-(-storage.size // _STEP) * _STEP)
        else:
            self._give_back(self._blocks.pop(storage))

    def _take(self, size: int) -> _Block:
        small = size <= _SMALL
        free = self._free[small]
        place = bisect_left(free, (size, 0))
        block = self._by_number[free.pop(place)[1]] if place < len(free) else self._segment(size, small)
        rest = block.size - size
        if rest >= _STEP if small else rest > _SMALL:
            block.size = size
            other = self._block(rest, small)
            other.before, other.after, block.after = block, block.after, other
            if other.after is not None:
                other.after.before = other
            self._release(other)
        block.free = False
        self.allocated += block.size
        self.most_allocated = max(self.most_allocated, self.allocated)
        return block

    def _segment(self, size: int, small: bool) -> _Block:
        whole = _SMALL_SEGMENT if small else _MEDIUM_SEGMENT
        if size >= _MEDIUM:
            whole = -(-size // _LARGE_STEP) * _LARGE_STEP
        self.reserved += whole
        self.most_reserved = max(self.most_reserved, self.reserved)
        return self._block(whole, small)

    def _block(self, size: int, small: bool) -> _Block:
        self._count += 1
        block = self._by_number[self._count] = _Block(self._count, size, small)
        return block

    def _release(self, block: _Block) -> None:
        block.free = True
        insort(self._free[block.small], (block.size, block.number))

    def _give_back(self, block: _Block) -> None:
        """Frees a block and joins it with the free ones next to it."""
        self.allocated -= block.size
        for other in (block.before, block.after):
            if other is None or not other.free:
                continue
            free = self._free[block.small]
            del free[bisect_left(free, (other.size, other.number))]
            del self._by_number[other.number]
            block.size += other.size
            if other is block.before:
                block.before = other.before
                if block.before is not None:
                    block.before.after = block
            else:
                block.after = other.after
                if block.after is not None:
                    block.after.before = block
        self._release(block)
