"""How many threads compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def computing_threads(count: int | None) -> Iterator[int]:
    """So many threads of the processor, or PyTorch's own number, which they are again afterwards; how many they are."""
    usual = torch.get_num_threads()
    torch.set_num_threads(count or usual)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(usual)
