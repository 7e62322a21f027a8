"""Sources: existing models as specs, imported, checked, and proved equal by running them."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from convsize.api import parse
from convsize.errors import ConvsizeError, UsageError
from convsize.geometry import Shape
from convsize.importing.fronts import FORMS as FILES
from convsize.importing.importer import Imported, import_calls
from convsize.network import Network, require_torch
from convsize.record import Record
from convsize.words import listed, plural

if TYPE_CHECKING:
    import torch

    from convsize.importing.calls import CallList
    from convsize.runtime.importing.prove import Proof

__all__ = ["SourceSpec", "from_torch", "import_file", "import_source", "is_source", "name_of"]

_SOURCE = re.compile(r"(torchvision|timm|[A-Za-z_][\w.]*|[^:]+\.py):[A-Za-z_][\w.]*(\(.*\))?", re.DOTALL)


FORMS = f"write torchvision:resnet50, timm:resnet50, package.module:factory(arguments), or name {FILES}"


MOST_RUN = 500_000_000
"""Values, of parameters and of all results, up to which what a file says is run: some 10 GB."""


class SourceSpec(Record):
    """A model as a spec. proofs: what running both showed, at each size of the input that was tried.

    unproved: why nothing was run, where there are no proofs.
    """

    source: str
    text: str
    network: Network
    imported: Imported
    proofs: tuple[Proof, ...]
    notes: tuple[str, ...] = ()
    unproved: str = "PyTorch is not installed"

    def receipt(self) -> list[str]:
        """What was proved, as lines."""
        sizes = listed(["+".join(str(Shape(s[0], s[1:])) for s in each.inputs) for each in self.proofs if each.holds])
        worst = max((each.difference for each in self.proofs if each.holds), default=0.0)
        said = [
            f"static check: exact: the volumes of all {plural(self.imported.layers, 'layer')}, and "
            f"{plural(len(self.imported.mapping), 'tensor')} by name and size",
            f"proof: largest difference {worst:.1e} of the largest output, in float64 with random weights, at {sizes}"
            if self.proofs
            else f"proof: not run, as {self.unproved}: activations and wiring are not compared",
        ]
        macs = self.network.analyze(with_digest=False).totals.macs
        if self.proofs and self.proofs[0].macs != macs:
            said.append(
                f"note: PyTorch counts {self.proofs[0].macs:,} multiply-adds of the model, the spec has {macs:,}"
            )
        for proof in self.proofs[1:]:
            shapes = "+".join(str(Shape(s[0], s[1:])) for s in proof.inputs)
            if proof.spec:
                said.append(f"note: the spec is for inputs of this size; for {shapes} {proof.spec}")
            elif proof.problem:
                said.append(f"note: the spec is proved for inputs of this size alone; {shapes} gives {proof.problem}")
            elif not proof.holds:
                said.append(
                    f"note: the spec is for inputs of this size; for {shapes} the model computes something else"
                )
        if self.imported.unread:
            values = sum(size for _, size in self.imported.unread)
            names = [name for name, _ in self.imported.unread]
            said.append(f"note: {values:,} of the model's parameters are needed by no output: {listed(names, most=3)}")
        return [*said, *(f"note: {each}" for each in self.said())]

    def said(self) -> tuple[str, ...]:
        """What there is to know beside the proof: in what the spec is not the model, and what was taken as fixed."""
        return *self.imported.notes, *self.notes


def is_source(text: str) -> bool:
    """Whether a text names a model of a library or of the user's, rather than a file."""
    return bool(_SOURCE.fullmatch(text)) and not os.path.exists(text)  # noqa: PTH110 (pathlib costs a start)


def name_of(source: str) -> str:
    """What a network is called that comes from a source: `torchvision:resnet50` gives resnet50."""
    found = re.sub(r"\W+", "_", source.partition(":")[2].partition("(")[0] or source).strip("_")
    return found or "network"


def import_source(
    source: str,
    inputs: Mapping[str, Shape] | None = None,
    name: str | None = None,
    *,
    weights: str | None = None,
    target: str = "",
) -> SourceSpec:
    """The spec of a model by name: captured in a process of its own, checked, and run beside the model.

    inputs: the volumes of its inputs in their order; the published one where none is given. weights: a safetensors file
    of the model's, which is written to `target` under the names that the spec's tensors have.

    Raises UsageError where the model cannot be found, built or captured, RefusedError where a spec cannot say it.
    """
    require_torch()
    from convsize.importing.calls import decode
    from convsize.runtime.child.apart import Apart

    def work(asked: Any) -> Any:
        from convsize.runtime.importing import work as desk

        return desk.work(getattr(desk, asked[0])(*asked[1:]))

    desk: Any = Apart(work, "name another model, or write its spec by hand")
    shapes = tuple(each.dims for each in (inputs or {}).values())
    calls = decode(desk(("Capture", source, shapes)), source)
    found = _specified(source, calls, name or name_of(source), lambda text, mapping: desk(("Prove", text, mapping)))
    if weights is not None:
        sizes = {
            f"{node.name}.{parameter.name}": parameter.shape
            for node in found.network.layers
            for parameter in found.network.parameters(node)
        }
        count = desk(("Rename", weights, target, found.imported.mapping, sizes))
        found = found.replace(notes=(*found.notes, f"{plural(count, 'tensor')} of {weights} written to {target}"))
    return found


def import_file(source: str, inputs: Mapping[str, Shape] | None = None, name: str | None = None) -> SourceSpec:
    """The spec of the model in a file: ONNX, Keras, or pasted text. Nothing of the model is run.

    Where PyTorch is there, the spec is run beside the calls that the file was read as.

    Raises UsageError where the file cannot be read, RefusedError where a spec cannot say what the model computes.
    """
    from importlib.util import find_spec

    from convsize.importing.fronts import read_file

    if len(inputs or {}) > 1:
        raise UsageError("a file takes one --input; its inputs have the sizes that it says")
    shapes = [each.dims for each in (inputs or {}).values()]
    calls = read_file(source, shapes[0] if shapes else None)

    values = sum(each.size for each in calls.tensors)
    values += sum(math.prod(result.shape) for call in calls.calls for result in call.results)
    large = f"its tensors hold {plural(values, 'value')}, and a file of more than {MOST_RUN:,} is not run"

    def prove(text: str, mapping: Any) -> tuple[Proof, ...]:
        if values > MOST_RUN or find_spec("torch") is None:
            return ()
        from convsize.runtime.importing.replay import replayed

        return replayed(calls, text, mapping)

    stem = re.sub(r"\W+", "_", os.path.splitext(os.path.basename(source))[0]).strip("_")  # noqa: PTH119, PTH122
    found = _specified(source, calls, name or stem or "network", prove)
    return found.replace(unproved=large) if values > MOST_RUN else found


def from_torch(module: torch.nn.Module, *inputs: tuple[int, ...], name: str | None = None) -> Network:
    """The network that a PyTorch module computes, proved equal to it.

    inputs: the depth and extents of each of its inputs, (3, 224, 224), without the batch. The module is left as it
    was; what is run is a copy with other weights.

    Warns of what the network takes as fixed though a checkpoint may fill it, and of dropouts that train otherwise.

    Raises UsageError where PyTorch cannot export the module, RefusedError where a spec cannot say what it computes.

    >>> import convsize, torch
    >>> net = convsize.from_torch(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()), (3, 32, 32))
    >>> net, net.analyze().totals.parameters
    (<Network Sequential: 3@32x32 -> 8@30x30, 2 layers>, 224)
    """
    require_torch()
    from convsize.runtime.importing.capture import capture
    from convsize.runtime.importing.work import proved

    called = name or type(module).__name__
    training = module.training
    try:
        calls = capture(called, module.eval(), *inputs)
        found = _specified(called, calls, called, lambda text, mapping: proved(module, text, mapping))
    finally:
        module.train(training)
    for note in found.said():
        warnings.warn(f"{called}: {note}", stacklevel=2)
    return found.network


def _specified(source: str, calls: CallList, name: str, prove: Any) -> SourceSpec:
    """The spec of a call list with what it must come to, once running has shown that it is the model."""
    imported = import_calls(calls)
    network = parse(imported.text, name)
    report = network.analyze()
    expected = f"expect: params={report.totals.parameters} macs={report.totals.macs} graph={report.graph}\n"
    text = imported.text + expected
    proofs = prove(imported.text, imported.mapping)
    if not proofs:
        return SourceSpec(source, text, parse(text, name), imported, proofs, calls.notes)
    first = proofs[0]
    if first.counts:
        raise UsageError(
            f"`{source}` computes something else for another number of samples than the one that it was captured with: "
            "it reads the size of the batch, or holds a tensor of that size, which a spec cannot say"
        )
    if first.problem:
        raise UsageError(f"`{source}`, run in float64 with random weights, proves nothing: {first.problem}")
    if not first.holds:
        raise ConvsizeError(
            f"the spec of `{source}` has the model's volumes and parameters, but computes something else: outputs "
            f"differ by {first.difference:.1e} of the largest. Nothing is written. Please report it"
        )
    return SourceSpec(source, text, parse(text, name), imported, proofs, calls.notes)
