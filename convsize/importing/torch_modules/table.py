"""The classes of torch.nn that can be read, each with its signature and what writes its call down."""

from __future__ import annotations

from collections.abc import Callable

from convsize.importing.given import Given
from convsize.importing.torch_modules.plain import PLAIN
from convsize.importing.torch_modules.pools import POOLS
from convsize.importing.torch_modules.weighted import WEIGHTED
from convsize.importing.writer import Wire, Writer

__all__ = ["CLASSES"]

CLASSES: dict[str, tuple[str, Callable[[Writer, Wire, Given], Wire]]] = {**WEIGHTED, **POOLS, **PLAIN}
