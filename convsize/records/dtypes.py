"""The types of numbers that networks are computed in."""

from __future__ import annotations

from typing import Literal, get_args

ITEM_SIZES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
"""The types of numbers that a network can be computed in, with the bytes of a value."""

AutocastType = Literal["bfloat16", "float16"]
AUTOCAST: tuple[str, ...] = get_args(AutocastType)
"""The types that autocast computes in."""
