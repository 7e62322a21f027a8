"""Receipts: the exported file against the module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convsize.lowering.plan import Plan
from convsize.lowering.source.file import write
from convsize.records import Line
from convsize.records.receipt import Verdict


def source(plan: Plan, module: nn.Module, inputs: list[Tensor], device: str, dtype: torch.dtype) -> Line:
    """Whether the exported file loads the module's weights and gives its outputs."""
    namespace: dict[str, object] = {"__name__": "exported"}
    # The text is convsize's own: of the spec it holds names, which are identifiers, and numbers.
    exec(compile(write(plan), "<exported>", "exec"), namespace)
    classes = [each for each in namespace.values() if isinstance(each, type) and each.__module__ == "exported"]
    with torch.device(device):
        exported: nn.Module = classes[-1]().to(dtype).eval()
    exported.load_state_dict(module.state_dict())
    with torch.no_grad():
        ours, theirs = module(*inputs), exported(*inputs)
    one, other = (each if isinstance(each, dict) else {"main": each} for each in (ours, theirs))
    if device == "meta":
        failures = [name for name in one if name not in other or one[name].shape != other[name].shape]
        note = "the file's state_dict and the volumes of its outputs are the module's; meta has no values"
    else:
        failures = [name for name in one if name not in other or not _same(one[name], other[name])]
        note = "the file's state_dict and the values of its outputs are the module's"
    verdict: Verdict = "FAILS" if failures else "exact"
    return Line("exported source", "outputs", len(one), len(one) - len(failures), verdict, note, tuple(failures))


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two outputs have the same values, and are no numbers in the same places."""
    alike = one.shape == other.shape and one.dtype == other.dtype
    return alike and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
