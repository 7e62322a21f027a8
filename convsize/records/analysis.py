"""What the analyses say of one network."""

from __future__ import annotations

from fractions import Fraction

from convsize.errors import Diagnostic, Source
from convsize.record import Record


class ReceptiveField(Record):
    """What a unit of a layer sees of one input, per spatial axis of that input, in pixels.

    size: the extent of what the largest unit sees, not clipped at the borders; smallest: that along the smallest path.
    Pixels that every unit sees (through a gate from global pooling) count as far as the input reaches.
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


class ParameterRow(Record):
    """One parameter or buffer: its name in the layer, shape and role ("weight", "bias", "buffer")."""

    name: str
    shape: tuple[int, ...]
    role: str
    elements: int


class Lost(Record):
    """Pixels of a layer's input along one axis that none of the layer's outputs reads.

    pixels: how many real pixels (not padding) are never read; first: the index of the first of them; padding: how many
    padded positions are dropped as well; trailing: they all lie after the last window.
    """

    axis: int
    pixels: int
    first: int
    padding: int
    trailing: bool


class Iteration(Record):
    """One iteration of a repeat.

    repeat: the number of the repeat, unique in the network; index: the iteration, from 0.

    `block` says that what is repeated is a single call of a block, as in `bot(64)*3`.
    """

    repeat: int
    index: int
    block: bool


class Shift(Record):
    """Two branches of a join that look at different places along one axis of the input: a unit or more apart.

    first, other: the layers that the branches end in; pixels: how far the centres of the other's fields lie after
    those of the first's on average, negative where before; jump: how far apart those of neighbouring units lie.
    """

    first: str
    other: str
    axis: int
    pixels: Fraction
    jump: Fraction


class LayerRow(Record):
    """One layer: what it is, produces, holds, sees and costs.

    op is the op's name, kind what sort of layer it is (`convsize.ops.base.Kind`).

    output_elements and output_bytes are for the whole batch; parameter_bytes are those of the trained parameters.
    receptive_field is that in the first declared input that the layer sees; receptive_fields has one for each.
    blocks and iterations are what it stands in, outermost first: the instances of blocks, and of repeats which one,
    which iteration of it, and whether what is repeated is one call of a block. shifts are the branches of a join that
    look at different places, see `Shift`.

    module is what the weights of a `shared` block's layer are called; shares is the layer before it that uses them and
    where they count, None for the first one, and for a layer with weights of its own.

    called is what the spec calls its value where it is one of several (`[a | b] as p, q`); like is the layer whose
    extents it takes, as `up(@stem)` does, which is none of its inputs.
    """

    index: int
    name: str
    op: str
    kind: str
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
    output_elements: int
    output_bytes: int
    parameter_bytes: int
    receptive_field: ReceptiveField | None
    receptive_fields: tuple[tuple[str, ReceptiveField], ...]
    lost: tuple[Lost, ...]
    repeat_of: str | None
    blocks: tuple[str, ...]
    iterations: tuple[Iteration, ...]
    shifts: tuple[Shift, ...] = ()
    module: str | None = None
    shares: str | None = None
    called: str = ""
    like: str | None = None


class UnreadPixels(Record):
    """Positions of an input along one axis that no output of the network ever reads, as half-open index ranges.

    Where there are over a hundred ranges (a stride without a window leaves a hole at every step) only the first hundred
    are given; `pixels` counts all.
    """

    input: str
    axis: int
    pixels: int
    ranges: tuple[tuple[int, int], ...]


class Totals(Record):
    """Sums over the layers; bytes and elements of activations are for the whole batch, the rest for one sample.

    weight_layers: the largest number of convolutions and fully connected layers on any path to the trunk's end, the
    "layers" of VGG-16 and ResNet-152. flops = 2·macs + the itemised `work`. receptive_field: of the last layer of the
    trunk that still has a position (before global pooling or the first fully connected layer; after attention its
    units see the whole input); None without one.
    """

    parameters: int
    weights: int
    biases: int
    buffers: int
    macs: int
    flops: int
    work: tuple[tuple[str, int], ...]
    activation_elements: int
    activation_bytes: int
    parameter_bytes: int
    weight_layers: int
    layers: int
    receptive_field: ReceptiveField | None


class Insight(Record):
    """A sentence on what stands out, with the share it is about (0 … 1) and the layers."""

    kind: str
    text: str
    share: float
    layers: tuple[str, ...]


class Report(Record):
    """Everything the analyses say of one network.

    ends: the layers, or inputs, whose values its outputs are. placed: by input, where the trunk's end sees it, the last
    layer of the trunk that has a position. convention: whose way of counting the multiply-adds are, as "thop 0.1.1";
    "" where it is ours.
    """

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
    ends: tuple[str, ...] = ()
    placed: tuple[tuple[str, str], ...] = ()
    convention: str = ""
