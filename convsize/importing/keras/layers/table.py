"""The classes of Keras that can be read, each with its signature and what writes its calls down."""

from __future__ import annotations

from convsize.importing.keras.layers.called import Writes
from convsize.importing.keras.layers.joins import JOINS
from convsize.importing.keras.layers.plain import PLAIN
from convsize.importing.keras.layers.pools import POOLS
from convsize.importing.keras.layers.weighted import WEIGHTED

__all__ = ["CLASSES"]

CLASSES: dict[str, tuple[str, Writes]] = {**WEIGHTED, **POOLS, **PLAIN, **JOINS}
