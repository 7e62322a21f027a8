"""What the analyses find out, as frozen records that every view reads.

Counts are plain ints for one sample unless a field says "batch"; bytes are bytes; formatting is the views' work.
"""

from fractions import Fraction
from typing import Literal, NamedTuple

from convsize.errors import Diagnostic, Severity, Source

Dtype = Literal["float64", "float32", "float16", "bfloat16"]
ITEM_SIZES: dict[str, int] = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


class ReceptiveField(NamedTuple):
    """What a unit of a layer sees of one input, per spatial axis of that input, in pixels.

    size: the largest path's extent, not clipped at the borders; smallest: the smallest path's.
    jump: how far apart the fields of neighbouring units lie (the effective stride); below 1 after upsampling.
    start: the first pixel that unit 0 sees, negative where it sees padding; centre: the middle of unit 0's field.
    seen: the share of the input (0 … 1, over all axes) that the best placed unit sees, clipped at the borders.
    whole: the unit sees all positions of its input map (after global pooling or a fully connected layer): the size is
    then the clipped one, and jump is 0.
    aligned: False where branches with different centres or jumps were joined on the way.
    """

    size: tuple[int, ...]
    smallest: tuple[int, ...]
    jump: tuple[Fraction, ...]
    start: tuple[Fraction, ...]
    centre: tuple[Fraction, ...]
    seen: Fraction
    whole: bool = False
    aligned: bool = True


class ParameterRow(NamedTuple):
    """One parameter or buffer: its name in the layer, shape and role ("weight", "bias", "buffer")."""

    name: str
    shape: tuple[int, ...]
    role: str
    elements: int


class Lost(NamedTuple):
    """Pixels of a layer's input along one axis that none of the layer's outputs reads.

    pixels: how many real pixels (not padding) are never read; first: the index of the first of them; padding: how many
    padded positions are dropped as well; trailing: they all lie behind the last window.
    """

    axis: int
    pixels: int
    first: int
    padding: int
    trailing: bool


class LayerRow(NamedTuple):
    """One layer: what it is, produces, holds, sees and costs.

    output_elements and output_bytes are for the whole batch; parameter_bytes are those of the trained parameters.
    receptive_field is that in the first declared input that the layer sees; receptive_fields has one for each.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which a row has no use for
    name: str
    op: str
    spec: str
    line: int
    column: int
    inputs: tuple[str, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    parameters: int
    weights: int
    biases: int
    buffers: int
    tensors: tuple[ParameterRow, ...]
    macs: int
    flops: int
    work: tuple[tuple[str, int], ...]
    connections: int
    output_elements: int
    output_bytes: int
    parameter_bytes: int
    receptive_field: ReceptiveField | None
    receptive_fields: tuple[tuple[str, ReceptiveField], ...]
    lost: tuple[Lost, ...]
    repeat_of: str | None
    blocks: tuple[str, ...]
    turns: tuple[tuple[int, int, bool], ...]


class UnreadPixels(NamedTuple):
    """Positions of an input along one axis that no output of the network ever reads, as half-open index ranges.

    Where there are over a hundred ranges (a stride without a window leaves a hole at every step) only the first hundred
    are given; `pixels` counts all.
    """

    input: str
    axis: int
    pixels: int
    ranges: tuple[tuple[int, int], ...]


class Totals(NamedTuple):
    """Sums over the layers; bytes and elements of activations are for the whole batch, the rest for one sample.

    weight_layers: the largest number of convolutions and fully connected layers on any path to the trunk's end, the
    "layers" of VGG-16 and ResNet-152. flops = 2·macs + the itemised `work`. receptive_field: of the last layer of the
    trunk that still has a position (before global pooling or the first fully connected layer); None without one.
    """

    parameters: int
    trainable: int
    weights: int
    biases: int
    buffers: int
    macs: int
    flops: int
    work: tuple[tuple[str, int], ...]
    connections: int
    activation_elements: int
    activation_bytes: int
    parameter_bytes: int
    weight_layers: int
    layers: int
    receptive_field: ReceptiveField | None


class Insight(NamedTuple):
    """A sentence on what stands out, with the share it is about (0 … 1) and the layers."""

    kind: str
    text: str
    share: float
    layers: tuple[str, ...]


class Report(NamedTuple):
    """Everything the analyses say of one network."""

    name: str
    source: Source
    graph: str
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    batch: int
    dtype: str
    layers: tuple[LayerRow, ...]
    totals: Totals
    unread: tuple[UnreadPixels, ...]
    insights: tuple[Insight, ...]
    diagnostics: tuple[Diagnostic, ...]


class FileFindings(NamedTuple):
    """What a check found in one file, in the order of the text.

    suppressed: how many findings comments in the file keep quiet. failure: where the tool itself broke on this file, in
    one line; the findings are then not all there is to say.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...] = ()
    suppressed: int = 0
    failure: str | None = None


class RulePage(NamedTuple):
    """A rule as formats describe it: its code, name, usual level, one line on it, and the paragraphs of its page."""

    code: str
    name: str
    level: Severity
    summary: str
    page: str


class CheckReport(NamedTuple):
    """What a check found in all files, sorted by file; `rules` are all that there are, `version` is the tool's."""

    files: tuple[FileFindings, ...]
    rules: tuple[RulePage, ...]
    version: str


# ---- which input sizes a network takes -------------------------------------------------------------------------------


class Progression(NamedTuple):
    """The extents start … start + width - 1, and all of them again after every `modulus` pixels, without end."""

    modulus: int
    start: int
    width: int = 1

    def has(self, extent: int) -> bool:
        """Whether an extent is one of them."""
        return extent >= self.start and (extent - self.start) % self.modulus < self.width


class SizeRange(NamedTuple):
    """The extents first, first + step … last."""

    first: int
    last: int
    step: int

    def has(self, extent: int) -> bool:
        """Whether an extent is one of them."""
        return self.first <= extent <= self.last and (extent - self.first) % self.step == 0


class SizeSet(NamedTuple):
    """A set of extents: progressions without end, and what lies outside them."""

    progressions: tuple[Progression, ...]
    ranges: tuple[SizeRange, ...]

    def has(self, extent: int) -> bool:
        """Whether an extent is in the set."""
        return any(one.has(extent) for one in self.progressions) or any(one.has(extent) for one in self.ranges)

    @property
    def smallest(self) -> int | None:
        """The smallest extent, or None of an empty set."""
        firsts = [one.start for one in self.progressions] + [one.first for one in self.ranges]
        return min(firsts, default=None)

    def below(self, extent: int) -> int | None:
        """The largest extent of the set that is at most `extent`."""
        found = []
        for one in self.progressions:
            if one.start <= extent:
                turn, rest = divmod(extent - one.start, one.modulus)
                found.append(one.start + turn * one.modulus + min(rest, one.width - 1))
        for span in self.ranges:
            if span.first <= extent:
                last = min(span.last, extent)
                found.append(last - (last - span.first) % span.step)
        return max(found, default=None)

    def above(self, extent: int) -> int | None:
        """The smallest extent of the set that is at least `extent`."""
        found = []
        for one in self.progressions:
            turn, rest = divmod(max(extent - one.start, 0), one.modulus)
            found.append(one.start + (turn * one.modulus + rest if rest < one.width else (turn + 1) * one.modulus))
        for span in self.ranges:
            if extent <= span.last:
                first = max(extent, span.first)
                found.append(first + (span.first - first) % span.step)
        return min(found, default=None)


class AxisSizes(NamedTuple):
    """Which extents one axis of one or several inputs may have, the other axes as `others` says.

    valid: the network can be built; exact: besides, no window leaves real pixels behind the last one it reads;
    checkpoint: valid, and every parameter keeps the shape it has at the declared size.
    """

    inputs: tuple[str, ...]
    axis: int
    name: str
    declared: int
    valid: SizeSet
    exact: SizeSet
    checkpoint: SizeSet


class Bound(NamedTuple):
    """A layer that ties sizes down: its name, its shorthand, its place, and in a sentence how."""

    layer: str
    spec: str
    line: int
    text: str


class NearSize(NamedTuple):
    """A wished extent of an axis with the nearest ones at or below it and at or above it."""

    axis: AxisSizes
    wished: int
    below: int | None
    above: int | None
    exact_below: int | None
    exact_above: int | None


class SizeAnswer(NamedTuple):
    """What becomes of a network at some input volumes: `diagnostics` say why it cannot be built, else `dropping` which
    layers leave real pixels behind.
    """

    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    diagnostics: tuple[Diagnostic, ...]
    dropping: tuple[Bound, ...]


class InputSizes(NamedTuple):
    """Which input sizes a network takes.

    inputs: the volumes as declared; base: those at which the other axes are held while one varies, which are the
    declared ones if the network can be built at them. checkpoint: layers whose parameters follow the input size.
    coupled: layers that tie axes together, so that an axis' extents hold for the others at `base` only; without them
    every combination of the axes' extents will do.
    """

    name: str
    source: Source
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    base: tuple[tuple[str, tuple[int, ...]], ...]
    axes: tuple[AxisSizes, ...]
    checkpoint: tuple[Bound, ...]
    coupled: tuple[Bound, ...]

    def least(self, *, exact: bool) -> tuple[tuple[str, tuple[int, ...]], ...] | None:
        """The smallest valid (or exact) volume of every input; None where there is none or axes are tied together."""
        if self.coupled:
            return None
        found = []
        for name, (depth, *_) in self.inputs:
            own = [(one.exact if exact else one.valid).smallest for one in self.axes if name in one.inputs]
            extents = tuple(extent for extent in own if extent is not None)
            if len(extents) != len(own):
                return None
            found.append((name, (depth, *extents)))
        return tuple(found)


class SizesReport(NamedTuple):
    """The answer to `sizes`: the sets, what is wrong at the declared size, and what was asked besides."""

    sizes: InputSizes
    declared: tuple[Diagnostic, ...]
    near: tuple[NearSize, ...]
    why: tuple[SizeAnswer, ...]


# ---- what changed between two networks -------------------------------------------------------------------------------


class LayerChange(NamedTuple):
    """A layer of one network, of the other, or of both where it is another one there.

    kind: "changed" has other numbers; "rewired" the same ones, but reads other layers; "resized" only another volume or
    other weights, because of a layer before it; "renamed" only another name.
    """

    kind: Literal["added", "removed", "changed", "rewired", "resized", "renamed"]
    before: LayerRow | None
    after: LayerRow | None


class FigureChange(NamedTuple):
    """A total before and after: one number, or one for every axis; None where there is none."""

    name: str
    unit: Literal["count", "bytes", "pixels"]
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None


class KeyChange(NamedTuple):
    """A key of a checkpoint with its shape before and after; None where it is not there."""

    key: str
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None


class CheckpointFit(NamedTuple):
    """Whether a checkpoint of the first network loads into the second, as a strict load decides.

    missing: keys that only the second has; unexpected: that only the first has; mismatched: of another shape.
    matching: how many agree.
    """

    missing: tuple[KeyChange, ...]
    unexpected: tuple[KeyChange, ...]
    mismatched: tuple[KeyChange, ...]
    matching: int

    @property
    def loads(self) -> bool:
        """Whether nothing is in the way."""
        return not (self.missing or self.unexpected or self.mismatched)


class Difference(NamedTuple):
    """What changed from one network to another; `same` says that their structures are the same, by their digests.

    outputs: the volumes of the trunk's end and of the heads before and after, None where a head is not there.
    """

    before: Report
    after: Report
    same: bool
    figures: tuple[FigureChange, ...]
    inputs: tuple[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None], ...]
    outputs: tuple[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None], ...]
    layers: tuple[LayerChange, ...]
    checkpoint: CheckpointFit


# ---- what training holds ---------------------------------------------------------------------------------------------


class TrainingSetting(NamedTuple):
    """How a network is trained: what its memory depends on besides the network."""

    batch: int = 1
    optimizer: str = "momentum"
    dtype: str = "float32"


class TrainingMoment(NamedTuple):
    """A stretch of a step in one layer (None: the loss or the optimizer), in bytes: the most that lived in it, and what
    lived at its end.
    """

    moment: str
    layer: str | None
    highest: int
    end: int


class TrainingPeak(NamedTuple):
    """The most bytes that live at any operator boundary of a step, where that is, and what they are.

    parts: parameters, buffers, gradients, optimizer, activations, inputs, other at that moment. "activations" are all
    tensors of the forward and the backward pass, with the gradients of activations and what the optimizer needs for a
    moment; "other" is the loss, the gradient that backward starts from, and numbers handed to operators.
    """

    bytes: int
    moment: str
    layer: str | None
    parts: tuple[tuple[str, int], ...]
    timeline: tuple[TrainingMoment, ...]


class TrainingMemory(NamedTuple):
    """What training holds, in bytes of the whole batch.

    saved: what autograd's graph holds after the forward pass and the loss, besides parameters, buffers, inputs and
    targets; saved_by_layer: the same by the layer that made it. optimizer_state is that from the second step on.
    first, steady: the peaks of the first step, in which the state appears, and of every later one.
    """

    name: str
    source: Source
    setting: TrainingSetting
    parameters: int
    buffers: int
    gradients: int
    optimizer_state: int
    inputs: int
    saved: int
    saved_by_layer: tuple[tuple[str, int], ...]
    first: TrainingPeak
    steady: TrainingPeak


# ---- receipts: what was predicted, and what PyTorch then did ---------------------------------------------------------


class Line(NamedTuple):
    """One quantity of a receipt.

    predicted, measured: plain numbers of `unit`; where the quantity is a set of facts (volumes, names with shapes),
    predicted says how many there are and measured how many of them PyTorch has as well. measured is None where nothing
    could be measured, predicted where there is no prediction for this device. verdict: "exact", or "within" where the prediction bounds what was measured, "FAILS", or
    "not measured". note: what the figure is, or why there is none.
    """

    quantity: str
    unit: Literal["volumes", "tensors", "macs", "flops", "bytes", "layers", "outputs"]
    predicted: int | None
    measured: int | None
    verdict: Literal["exact", "within", "FAILS", "not measured"]
    note: str = ""
    failures: tuple[str, ...] = ()

    @property
    def difference(self) -> int | None:
        """Predicted less measured."""
        return None if self.measured is None or self.predicted is None else self.predicted - self.measured


class Receipt(NamedTuple):
    """What was predicted of one network, what PyTorch then did on a device, and whether they agree.

    versions: names and versions of what took part; device: its kind, and its name where it has one.
    """

    name: str
    spec: str
    graph: str
    device: str
    dtype: str
    batches: tuple[int, ...]
    versions: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing fails."""
        return all(line.verdict != "FAILS" for line in self.lines)
