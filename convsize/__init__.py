"""Sizes convolutional networks from their shorthand: volumes, receptive fields, parameters, memory, multiply-adds.

    >>> import convsize
    >>> net = convsize.parse("input: 3@32x32\\nCRCRP FC10 S")
    >>> net.analyze(batch=8).totals.parameters
    7858

Everything is imported on first use: `import convsize` itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convsize.answers.report import Report as Report
    from convsize.api import load as load
    from convsize.api import parse as parse
    from convsize.errors import ConvsizeError as ConvsizeError
    from convsize.errors import CrashError as CrashError
    from convsize.errors import SpecError as SpecError
    from convsize.errors import UsageError as UsageError
    from convsize.network import Network as Network
    from convsize.sources import from_torch as from_torch
    from convsize.version import __version__ as __version__

__all__ = ["ConvsizeError", "CrashError", "Network", "Report", "SpecError", "UsageError", "from_torch", "load", "parse"]

_HOMES = {
    "__version__": "version",
    "ConvsizeError": "errors",
    "CrashError": "errors",
    "Network": "network",
    "Report": "answers.report",
    "SpecError": "errors",
    "UsageError": "errors",
    "from_torch": "sources",
    "load": "api",
    "parse": "api",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
