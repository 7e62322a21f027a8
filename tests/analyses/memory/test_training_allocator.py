"""The caching allocator's rules by hand: c10/cuda/CUDACachingAllocator.cpp."""

from convsize.analyses.memory.cuda_allocator import CachingAllocator
from convsize.analyses.memory.tape import Storage

MIB = 2**20


def storage(size):
    return Storage(size, "activations", 0, 0)


def test_small_blocks_share_a_segment():
    allocator = CachingAllocator()
    first, second = storage(1), storage(513)
    for each in (first, second, storage(0)):
        allocator.watch(each, True)
    assert (allocator.allocated, allocator.reserved) == (512 + 1024, 2 * MIB)
    allocator.watch(first, False)
    allocator.watch(second, False)
    allocator.watch(storage(MIB), True)  # the two and the rest are one block again
    assert (allocator.allocated, allocator.reserved, allocator.most_allocated) == (MIB, 2 * MIB, MIB)


def test_medium_blocks_are_cut_from_20_mib_and_large_ones_stand_alone():
    allocator = CachingAllocator()
    for size in (MIB + 1, 9 * MIB, 9 * MIB):
        allocator.watch(storage(size), True)
    # 1 MiB and 512 bytes, 9 MiB, and 9 MiB with what is left of 20 MiB, which is less than a block may be split for.
    assert (allocator.allocated, allocator.reserved) == (20 * MIB, 20 * MIB)
    allocator.watch(storage(11 * MIB + 5), True)
    assert (allocator.allocated, allocator.reserved) == (20 * MIB + 12 * MIB, 32 * MIB)


def test_the_smallest_free_block_that_is_large_enough():
    allocator = CachingAllocator()
    large, larger = storage(30 * MIB), storage(40 * MIB)
    for each in (larger, large):
        allocator.watch(each, True)
    for each in (larger, large):
        allocator.watch(each, False)
    allocator.watch(storage(29 * MIB), True)  # in the 30, of which no more than 1 MiB is left: it is not split
    assert (allocator.allocated, allocator.reserved) == (30 * MIB, 70 * MIB)
    allocator.watch(storage(39 * MIB - 512), True)  # in the 40, which is split
    assert (allocator.allocated, allocator.reserved) == (69 * MIB - 512, 70 * MIB)
