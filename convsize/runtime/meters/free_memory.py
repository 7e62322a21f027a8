"""How much memory is free, and what running out of it looks like."""

from __future__ import annotations

import os
from pathlib import Path

import torch


def free_bytes(device: str = "cpu") -> int:
    """What can still be allocated, as far as the system says so: else 2⁶³ bytes."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    try:
        # Linux gives back what files take in memory when it is asked for more; pages that are free now are fewer.
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**63


def out_of_memory(error: RuntimeError) -> bool:
    """Whether it says that memory has run out: the processor's allocator raises no class of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
