"""The library: a spec's text or file in, a network that can be asked everything out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from convsize.errors import Diagnostic, Source, SpecError, UsageError, stem_of
from convsize.geometry import Shape
from convsize.graph.build import build
from convsize.graph.network import Network as BareNetwork
from convsize.language.files import read
from convsize.language.parser import parse as parse_source
from convsize.language.tree import File, InputStmt
from convsize.records import ITEM_SIZES
from convsize.records import Report as BareReport

if TYPE_CHECKING:
    import networkx  # type: ignore[import-untyped]
    import torch

    from convsize.records import Receipt
    from convsize.runtime.module import NetworkModule


LARGEST_BATCH = 2**31 - 1


class Report(BareReport):
    """A report that shows itself in notebooks: the graph, the totals and the folded table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from convsize.views.report import notebook

        return notebook.html(self)

    def _repr_svg_(self) -> str | None:
        from convsize.views.report import notebook

        return notebook.svg(self)


class Network(BareNetwork):
    """A network with what the library can say of it.

    It stands above the floors of the package, so that the graph itself need know nothing of its analyses.
    """

    __slots__ = ()

    @classmethod
    def over(cls, bare: BareNetwork, warnings: tuple[Diagnostic, ...] = ()) -> Network:
        """The same network; `warnings` are what the parser had to say."""
        return cls(
            name=bare.name,
            file=bare.file,
            nodes=bare.nodes,
            inputs=bare.inputs,
            outputs=bare.outputs,
            taps=bare.taps,
            expectations=bare.expectations,
            diagnostics=(*warnings, *bare.diagnostics),
        )

    def analyze(self, *, batch: int = 1, dtype: str = "float32") -> Report:
        """Volumes, parameters, work, receptive fields and activations, as records.

        Bytes and elements of activations are for the whole batch, everything else for one sample.

        Raises UsageError where the batch is below 1 or the dtype is none of float64, float32, float16, bfloat16.
        """
        if not 1 <= batch <= LARGEST_BATCH:
            raise UsageError(f"a batch holds from 1 to {LARGEST_BATCH:,} samples, not {batch}")
        if dtype not in ITEM_SIZES:
            raise UsageError(f"there is no dtype `{dtype}` here; there are: {', '.join(ITEM_SIZES)}")
        from convsize.analyses.report import analyze

        return Report(*analyze(self, batch=batch, dtype=dtype))

    def _repr_html_(self) -> str:
        return self.analyze()._repr_html_()

    def _repr_svg_(self) -> str | None:
        return self.analyze()._repr_svg_()

    def to_torch(self, *, logits: bool = False, device: str | torch.device = "cpu") -> NetworkModule:
        """The network as an nn.Module that runs, its parameters named as in the report: bot3.conv2.weight.

        It takes its inputs by place or by name, and returns a dict where there are heads, with the trunk's end as
        "main". With `logits` the softmax (or log-softmax) that ends an output is left out, for losses such as
        cross_entropy take what stands before it; it belongs to inference. Weights start as He et al. 2015 say before
        rectifiers and as Glorot & Bengio 2010 say elsewhere, biases at 0.

        Raises UsageError where PyTorch is not installed, or where a head or an input has a name that no attribute or
        argument can have.
        """
        from convsize.lowering.plan import lower

        plan = lower(self, logits=logits)
        require_torch()
        from convsize.runtime.module import build_module

        return build_module(plan, device)

    def verify(
        self,
        *,
        device: Literal["cpu", "cuda", "meta"] = "cpu",
        batches: tuple[int, ...] = (1, 3),
        dtype: str = "float32",
        optimizer: str = "momentum",
        autocast: str | None = None,
        against: str | None = None,
    ) -> Receipt:
        """Builds the network in PyTorch and holds every prediction against what that does.

        Bytes saved for backward are measured at every one of `batches`, everything else at the last of them; the peak
        of training with the optimizer, under autocast where its type is given. On "meta" PyTorch works out shapes and
        calls without computing. Times are measured where `against` names a device or a device file that predicts them.

        Raises UsageError where PyTorch, the device or its memory is not there, or an argument makes no sense.
        """
        if not batches or not all(1 <= batch <= LARGEST_BATCH for batch in batches):
            raise UsageError(f"a batch holds from 1 to {LARGEST_BATCH:,} samples, not {', '.join(map(str, batches))}")
        from convsize import devices
        from convsize.analyses.memory.step import require_known
        from convsize.records import TrainingSetting

        require_known(TrainingSetting(max(batches), optimizer, dtype, autocast=autocast))
        machine = None if against is None else devices.load(against)
        require_torch()
        from convsize.runtime.verify.receipt import verify
        from convsize.version import __version__

        receipt = verify(
            self,
            device=device,
            batches=batches,
            dtype=dtype,
            optimizer=optimizer,
            autocast=autocast,
            against=machine,
        )
        return receipt._replace(versions=(("convsize", __version__), *receipt.versions))

    def to_networkx(self) -> networkx.MultiDiGraph:
        """The network as a networkx graph: a node for every input and layer, by name, an edge for every use of a value.

        Nodes carry op (the field's term), spec, output (C, H, W), parameters and macs; edges carry `input`, which of
        the layer's inputs they are, for a value may enter a layer twice.
        """
        import networkx

        graph = networkx.MultiDiGraph(name=self.name)
        for node in self.nodes:
            shapes = self.input_shapes(node)
            graph.add_node(
                node.name,
                op=node.op.NAME,
                spec=node.spec,
                output=node.output.dims,
                parameters=sum(tensor.elements for tensor in self.parameters(node) if tensor.role != "buffer"),
                macs=node.op.macs(shapes, node.output) if node.inputs else 0,
            )
            for at, index in enumerate(node.inputs):
                graph.add_edge(self.nodes[index].name, node.name, input=at)
        return graph


def require_torch() -> None:
    """Raises UsageError where PyTorch is not installed."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise UsageError("this needs PyTorch, which is not installed: pip install 'convsize[torch]'")


def load(
    path: str | os.PathLike[str],
    lets: Mapping[str, Fraction | int] | None = None,
    *,
    inputs: Mapping[str, Shape] | None = None,
) -> Network:
    """The network that a spec file says; it is named as the file is.

    lets overrides constants of the file, inputs the volumes of its inputs (the one without a name is
    called "input"). What the file states of its volumes and figures is for its own inputs: at other ones inline volumes
    and `expect` lines are left aside.

    Raises UsageError where the file cannot be read, SpecError where it is no spec or a wrong one.
    """
    return from_source(read(path), name=stem_of(os.fspath(path)), lets=lets, inputs=inputs)


def parse(
    text: str,
    name: str = "network",
    lets: Mapping[str, Fraction | int] | None = None,
    *,
    inputs: Mapping[str, Shape] | None = None,
) -> Network:
    """The network that a text says. Raises SpecError where the text is wrong."""
    return from_source(Source(text, f"<{name}>"), name=name, lets=lets, inputs=inputs)


def from_source(
    source: Source,
    *,
    name: str,
    lets: Mapping[str, Fraction | int] | None = None,
    inputs: Mapping[str, Shape] | None = None,
) -> Network:
    """The network that a source says; SpecError has every error of the text or, where that reads, of the network.

    `inputs` are the inputs of a spec that declares none, such as `CRCRP`.
    """
    file, found = _parsed(source)
    if inputs and not any(isinstance(stmt, InputStmt) for stmt in file.statements):
        # Behind the text, where they move no line and no column of it.
        lines = [f"input{'' if each == 'input' else f' {each}'}: {shape}" for each, shape in inputs.items()]
        source = Source("\n".join([source.text, *lines]) + "\n", source.name)
        file, found = _parsed(source)
    exact = {let: Fraction(value) for let, value in (lets or {}).items()}
    try:
        bare = build(file, exact, name=name, inputs=inputs)
    except SpecError:
        from convsize.check.advice import advised

        raise SpecError(source, advised(file, exact, inputs)) from None
    return Network.over(bare, found)


def _parsed(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """The tree with the parser's warnings. Raises SpecError with its errors."""
    file, found = parse_source(source)
    if any(each.severity == "error" for each in found):
        raise SpecError(source, found)
    return file, found
