"""A network as the library has it: everything that can be asked of one, each answer by the analysis that knows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from convsize.answers.report import Report as Report
from convsize.batches import require_batch, samples
from convsize.errors import Diagnostic, UsageError
from convsize.graph.network import Network as BareNetwork
from convsize.records import ITEM_SIZES
from convsize.words import plural

if TYPE_CHECKING:
    import networkx  # type: ignore[import-untyped]
    import torch

    from convsize.answers.difference import Difference
    from convsize.answers.fit import BatchFit, InputFit
    from convsize.answers.memory import TrainingMemory
    from convsize.answers.profile import Profile
    from convsize.answers.receipt import Receipt
    from convsize.answers.sizes import InputSizes
    from convsize.answers.time import TimePrediction
    from convsize.records import ConventionCount, TrainingSetting
    from convsize.records.device import Device
    from convsize.runtime.module import NetworkModule
    from convsize.views.drawing.parts import Detail, Heat


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
            volumes=bare.volumes,
            held=bare.held,
            called=bare.called,
        )

    def analyze(
        self, *, batch: int = 1, dtype: str = "float32", with_digest: bool = True, convention: str | None = None
    ) -> Report:
        """Volumes, parameters, work, receptive fields and activations, as records.

        Bytes and elements of activations are for the whole batch, everything else for one sample. Without
        `with_digest` the report's `graph` is empty, and the answer comes sooner. convention: counts multiply-adds as
        another tool does, `thop` or `fvcore`; `explain` says why it differs.

        Raises UsageError where the batch is below 1, the dtype is none of float64, float32, float16, bfloat16, or the
        tool is not known.

        >>> import convsize
        >>> report = convsize.load("specs/vgg_d.spec").analyze(batch=2)
        >>> report.totals.parameters, report.totals.macs
        (138357544, 15470264320)
        >>> pool = next(row for row in report.layers if row.name == "maxpool5")
        >>> pool.output, pool.receptive_field.size, pool.receptive_field.jump[0]
        ((512, 7, 7), (212, 212), Fraction(32, 1))
        """
        require_batch(batch)
        if dtype not in ITEM_SIZES:
            raise UsageError(f"there is no dtype `{dtype}` here; there are: {', '.join(ITEM_SIZES)}")
        from convsize.analyses.report import analyze

        counted = None if convention is None else self.explain(convention)
        return Report.over(analyze(self, batch=batch, dtype=dtype, with_digest=with_digest, counted=counted))

    def explain(self, convention: str) -> ConventionCount:
        """What another tool counts as multiply-adds of this network, for one sample, and why that differs from ours.

        convention: torch, torchvision, fvcore, ptflops, thop or torchinfo. Raises UsageError for another one.

        >>> import convsize
        >>> count = convsize.load("specs/resnet50.spec").explain("thop")
        >>> count.theirs, count.ours
        (4133742592, 4089184256)
        >>> count.rows[0].theirs, count.rows[0].why
        (44455936, '4 a value, 2 without a gain')
        """
        from convsize.analyses.work.conventions.recount import recounted

        return recounted(self, convention)

    def __repr__(self) -> str:
        into = ", ".join(str(self.nodes[index].output) for index in self.inputs.values())
        out = ", ".join(str(self.nodes[index].output) for index in self.outputs.values())
        return f"<Network {self.name}: {into} -> {out}, {plural(len(tuple(self.layers)), 'layer')}>"

    def __str__(self) -> str:
        return repr(self)

    def memory(
        self,
        batch: int | None = None,
        *,
        optimizer: str = "momentum",
        dtype: str = "float32",
        autocast: str | None = None,
        losses: Mapping[str, str] | None = None,
        checkpoint: tuple[str, ...] = (),
        frozen: tuple[str, ...] = (),
        accumulate: int = 1,
        in_place: bool = True,
        inference: bool = False,
        device: str = "cpu",
    ) -> TrainingMemory:
        """What a training step of a batch holds in memory, in bytes, as `convsize memory` has it.

        Where no batch is named, here as in `fit`, `time` and `profile`, a training step has 32 samples, a forward pass
        one.

        device: "cpu", "cuda", or a name or file that `convsize devices` takes. losses: the loss of every output by its
        name, "" for those that are not named. checkpoint and frozen: patterns of blocks and of layers.

        Raises UsageError where the setting makes no sense or the device is not known.

        >>> import convsize
        >>> memory = convsize.load("specs/lenet5.spec").memory(batch=32)
        >>> memory.saved, memory.peak.bytes
        (1036036, 2678800)
        """
        setting, known = self._setting(
            batch, optimizer, dtype, device, autocast, losses, checkpoint, frozen, accumulate, in_place, inference
        )
        from convsize.analyses.memory.peak import training_memory
        from convsize.answers.memory import TrainingMemory

        return TrainingMemory.over(training_memory(self, setting, known))

    def fit(
        self,
        memory: int | None = None,
        *,
        device: str = "cpu",
        reserve: int | None = None,
        largest: Literal["batch", "input"] = "batch",
        batch: int | None = None,
        optimizer: str = "momentum",
        dtype: str = "float32",
        autocast: str | None = None,
        checkpoint: tuple[str, ...] = (),
        frozen: tuple[str, ...] = (),
        accumulate: int = 1,
        lets: Mapping[str, Fraction | int] | None = None,
    ) -> BatchFit | InputFit:
        """The largest batch, or the largest input at a batch, whose training fits into `memory` bytes.

        Without `memory` it is the device's. reserve: bytes that stay free; by default what a GPU holds that is not
        predicted. lets: the constants that the network was built with, for the largest input.

        Raises UsageError where the memory is not known, or nothing is left of it.

        >>> import convsize
        >>> convsize.load("specs/lenet5.spec").fit(2**30).batch
        17708
        """
        setting, known = self._setting(
            batch, optimizer, dtype, device, autocast, None, checkpoint, frozen, accumulate, True, False
        )
        from convsize.analyses.memory.device import capacity
        from convsize.analyses.memory.fit import largest_batch, largest_input
        from convsize.answers.fit import BatchFit, InputFit

        room = capacity(setting.device, known, memory, reserve)
        if room is None:
            raise UsageError(f"the memory of `{device}` is not known: give it in bytes, such as fit(16 * 2**30)")
        if largest == "batch":
            return BatchFit.over(largest_batch(self, setting, room, known), setting=setting)
        return InputFit.over(largest_input(self, setting, room, known, exact(lets)), setting=setting)

    @staticmethod
    def _setting(
        batch: int | None,
        optimizer: str,
        dtype: str,
        device: str,
        autocast: str | None,
        losses: Mapping[str, str] | None,
        checkpoint: tuple[str, ...],
        frozen: tuple[str, ...],
        accumulate: int,
        in_place: bool,
        inference: bool,
    ) -> tuple[TrainingSetting, Device | None]:
        from convsize import devices
        from convsize.analyses.memory.step import require_known
        from convsize.records import TrainingSetting

        kind, known = devices.kind_of(device)
        setting = TrainingSetting(
            batch=samples(batch, training=not inference),
            optimizer=optimizer,
            dtype=dtype,
            frozen=frozen,
            accumulate=accumulate,
            device=kind,
            autocast=autocast,
            losses=tuple((losses or {}).items()),
            in_place=in_place,
            checkpoint=checkpoint,
            inference=inference,
        )
        require_known(setting)
        return setting, known

    def time(
        self,
        device: str,
        *,
        batch: int | None = None,
        training: bool = False,
        dtype: str = "float32",
        optimizer: str = "momentum",
        autocast: str | None = None,
    ) -> TimePrediction:
        """How long a forward pass, or a training step, takes on a device, in seconds, as `convsize time` has it.

        Raises UsageError where there is no such device, or it has no figures for the type.

        >>> import convsize
        >>> found = convsize.load("specs/vgg_d.spec").time("h200", batch=64)
        >>> found.between[0] < found.seconds < found.between[1]
        True
        """
        from convsize import devices
        from convsize.analyses.time.prediction import predict_time
        from convsize.answers.time import TimePrediction
        from convsize.records.time import TimeSetting

        batch = samples(batch, training=training)
        found = predict_time(self, devices.load(device), TimeSetting(batch, dtype, training, optimizer, autocast))
        return TimePrediction.over(found, rows=self.analyze(batch=batch, dtype=dtype, with_digest=False).layers)

    def sizes(self, lets: Mapping[str, Fraction | int] | None = None) -> InputSizes:
        """The input sizes that the network takes, as `convsize sizes` has them.

        lets: the constants that the network was built with. Raises UsageError where the sizes cannot be solved.

        >>> import convsize
        >>> convsize.load("specs/alexnet.spec").sizes().axes[0].valid.smallest
        67
        """
        from convsize.analyses.sizes.input_sizes import input_sizes
        from convsize.answers.sizes import InputSizes

        return InputSizes.over(input_sizes(self, exact(lets)))

    def diff(self, other: Network, *, batch: int = 1, dtype: str = "float32") -> Difference:
        """What changes from this network to another one, as `convsize diff` has it.

        >>> import convsize
        >>> change = convsize.load("specs/vgg_a.spec").diff(convsize.load("specs/vgg_b.spec"))
        >>> change.same, len(change.layers), len(change.checkpoint.missing)
        (False, 20, 4)
        """
        from convsize.analyses.diff.difference import difference
        from convsize.answers.difference import Difference

        reports = (network.analyze(batch=batch, dtype=dtype) for network in (self, other))
        return Difference.over(difference(self, other, *reports))

    def profile(
        self,
        batch: int | None = None,
        *,
        optimizer: str = "momentum",
        dtype: str = "float32",
        inference: bool = False,
        device: Literal["cpu", "cuda"] = "cpu",
        repeats: int = 10,
        threads: int | None = None,
        against: str | None = None,
        apart: bool = True,
    ) -> Profile:
        """Runs the network in PyTorch and measures every layer, as `convsize profile` does.

        against: the device whose roofline layers are held against. apart: measure in a process of its own, so that
        this one lives on where PyTorch ends it; what is set in this one, other than its number of threads, does not
        hold there.

        Raises UsageError where PyTorch or the device is not there, or the memory is too small, and CrashError where
        PyTorch ended the process that measures.

        >>> import convsize
        >>> found = convsize.load("specs/lenet5.spec").profile(inference=True, repeats=1, apart=False)
        >>> [layer.name for layer in found.layers][:3], found.layers[0].forward.median > 0
        (['conv1', 'tanh1', 'avgpool1'], True)
        """
        from convsize import devices
        from convsize.analyses.memory.step import require_known
        from convsize.records import TrainingSetting

        batch = samples(batch, training=not inference)
        setting = TrainingSetting(batch, optimizer, dtype, device=device, inference=inference)
        require_known(setting)
        roof = None if against is None else devices.load(against)
        require_torch()
        if apart:
            settings = {
                "batch": batch,
                "optimizer": optimizer,
                "dtype": dtype,
                "inference": inference,
                "device": device,
                "repeats": repeats,
                "threads": threads,
                "against": against,
            }
            from convsize.runtime.child.measuring import measured_apart

            return measured_apart(self, "profile", settings, setting)  # type: ignore[no-any-return]
        from convsize.answers.profile import Profile
        from convsize.runtime.profile.profile import profile

        found, _ = profile(self, setting, repeats=repeats, threads=threads, against=roof)
        return Profile.over(found, rows=self.analyze(batch=batch, dtype=dtype, with_digest=False).layers)

    def draw(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        detail: Detail = "block",
        heat: Heat | None = None,
        style: Literal["graph", "volumes"] = "graph",
        theme: Literal["light", "dark"] = "light",
    ) -> str:
        """A picture of the network: as a file in the format of its ending, or as text where no file is named.

        Returns the text, or the path. Raises UsageError where the ending is no format, or nothing can be written there.

        >>> import convsize
        >>> print(convsize.parse("input: 3@32x32\\nCRCRP FC10 S", name="tiny").draw().splitlines()[0])
        tiny · input 3@32x32 · 7,858 parameters · 173.6K MACs
        """
        report = self.analyze()
        if path is None:
            from convsize.views.drawing import text

            return text.render(report, detail=detail, heat=heat)
        from convsize import files
        from convsize.views.canvas.file import suffix_of
        from convsize.views.drawing.picture import picture

        shown = os.fspath(path)
        drawn = picture(report, suffix_of(shown), detail=detail, heat=heat, style=style, theme=theme)
        files.write(shown, drawn.draw())
        return shown

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

        >>> import convsize, torch
        >>> module = convsize.parse("input: 3@32x32\\nCRCRP FC10 S").to_torch(logits=True)
        >>> module(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
        >>> [name for name, _ in module.named_parameters()][:2]
        ['conv1.weight', 'conv1.bias']
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
        apart: bool = True,
    ) -> Receipt:
        """Builds the network in PyTorch and holds every prediction against what that does.

        Bytes saved for backward are measured at every one of `batches`, everything else at the last of them; the peak
        of training with the optimizer, under autocast where its type is given. On "meta" PyTorch works out shapes and
        calls without computing. Times are measured where `against` names a device or a device file that predicts them.
        apart: measure in a process of its own, as `profile` does.

        Raises UsageError where PyTorch, the device or its memory is not there, or an argument makes no sense, and
        CrashError where PyTorch ended the process that measures.

        >>> import convsize
        >>> receipt = convsize.load("specs/lenet5.spec").verify(device="meta", batches=(1,), apart=False)
        >>> line = receipt.lines[0]
        >>> line.quantity, line.predicted, line.measured, line.verdict
        ('output volumes', 12, 12, 'exact')
        """
        if not batches:
            raise UsageError("one batch at least must be named")
        for batch in batches:
            require_batch(batch)
        from convsize import devices
        from convsize.analyses.memory.step import require_known
        from convsize.records import TrainingSetting

        setting = TrainingSetting(max(batches), optimizer, dtype, autocast=autocast)
        require_known(setting)
        machine = None if against is None else devices.load(against)
        require_torch()
        if apart:
            settings = {
                "device": device,
                "batches": batches,
                "dtype": dtype,
                "optimizer": optimizer,
                "autocast": autocast,
                "against": against,
            }
            from convsize.runtime.child.measuring import measured_apart

            return measured_apart(self, "verify", settings, setting)  # type: ignore[no-any-return]
        from convsize.answers.receipt import Receipt
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
        return Receipt.over(receipt.replace(versions=(("convsize", __version__), *receipt.versions)))

    def to_networkx(self) -> networkx.MultiDiGraph:
        """The network as a networkx graph: a node for every input and layer, by name, an edge for every use of a value.

        Nodes carry op (the field's term), spec, output (C, H, W), parameters and macs; edges carry `input`, which of
        the layer's inputs they are, for a value may enter a layer twice.

        >>> import convsize
        >>> graph = convsize.parse("input: 3@8x8\\nC3D4 (C3 + x)").to_networkx()
        >>> sorted(graph.predecessors("add1")), graph.nodes["conv1"]["parameters"]
        (['conv1', 'conv2'], 112)
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
                parameters=sum(tensor.elements for tensor in self.own_parameters(node) if tensor.role != "buffer"),
                macs=node.op.macs(shapes, node.output) if node.inputs else 0,
            )
            for at, index in enumerate(node.inputs):
                graph.add_edge(self.nodes[index].name, node.name, input=at)
        return graph


def exact(lets: Mapping[str, Fraction | int] | None) -> dict[str, Fraction]:
    """Constants as the language computes with them."""
    return {name: Fraction(value) for name, value in (lets or {}).items()}


def require_torch() -> None:
    """Raises UsageError where PyTorch is not installed."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise UsageError("this needs PyTorch, which is not installed: pip install 'convsize[torch]'")
