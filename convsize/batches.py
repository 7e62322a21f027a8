"""How many samples a batch may have: one limit for every command and every question."""

from convsize.errors import UsageError

LARGEST_BATCH = 2**31 - 1
TRAINING_BATCH = 32
"""The samples of a training step where nothing else is said; everything else is about one sample."""


def require_batch(batch: int) -> None:
    """Raises UsageError where a batch has no sample, or more than are counted.

    >>> require_batch(32)
    """
    if not 1 <= batch <= LARGEST_BATCH:
        raise UsageError(f"a batch has from 1 to {LARGEST_BATCH:,} samples, not {batch:,}")


def samples(batch: int | None, *, training: bool) -> int:
    """The batch that was named, or the one that is taken everywhere where none is.

    >>> samples(None, training=True), samples(None, training=False), samples(8, training=True)
    (32, 1, 8)
    """
    if batch is not None:
        return batch
    return TRAINING_BATCH if training else 1
