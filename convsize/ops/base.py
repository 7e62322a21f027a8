"""What an op is: the facts every op file states, and the plain data they are stated in.

An op returns facts, never sums: a window, not a receptive field; parameter shapes, not a count; which tensors backward
keeps, not bytes of a network. A rule that an op leaves out is an error when its file is imported: unknown is never
zero.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self, dataclass_transform, get_args

from convsize.geometry import Extents, Padding, Rounding, Shape, Window
from convsize.record import Record


class Parameter(Record):
    """A tensor that belongs to an op, by its name in PyTorch's `state_dict` and its shape.

    role: "weight" and "bias" are trained; a "buffer" is state that is kept but not trained.
    """

    name: str
    shape: tuple[int, ...]
    role: Literal["weight", "bias", "buffer"] = "weight"
    dtype: Literal["float", "int64"] = "float"

    @property
    def elements(self) -> int:
        """The number of values; a scalar () has one."""
        product = 1
        for extent in self.shape:
            product *= extent
        return product


WorkKind = Literal["bias", "activation", "norm", "pool", "join", "resample", "scale"]


class Work(Record):
    """Floating point operations of one sample that are not multiply-adds of a convolution or a matrix product."""

    kind: WorkKind
    flops: int


class SaveMode(Record):
    """The circumstances that decide what autograd keeps.

    needs: for every input, whether a gradient flows into it; trains: whether the op's parameters are trained;
    itemsize: bytes of one activation element; parameter_itemsize: of one of the parameters, more under autocast.
    """

    batch: int
    device: Literal["cpu", "cuda"] = "cpu"
    training: bool = True
    inplace: bool = False
    needs: tuple[bool, ...] = (True,)
    trains: bool = True
    itemsize: int = 4
    parameter_itemsize: int = 0

    def statistic_itemsize(self, *, affine: bool = True) -> int:
        """Bytes of one of a norm's statistics: a CPU keeps them in the wider of its types, CUDA in float32 or more.

        affine: whether the norm has parameters, whose type counts as well.
        """
        least = 4 if self.device == "cuda" else 0
        return max(self.itemsize, self.parameter_itemsize if affine else 0, least)


class Saved(Record):
    """One tensor that autograd keeps for backward.

    "input" (the one at `place`), "output" and "parameter" (by `name`) are storages that exist anyway; an "extra" is a
    tensor of its own of `size` bytes, `name` saying what it is.
    """

    what: Literal["input", "output", "parameter", "extra"]
    place: int = 0
    name: str = ""
    size: int = 0


TorchValue = int | float | bool | str | None | tuple[int, ...] | tuple[float, ...]


class TorchCall(Record):
    """One call of PyTorch as plain data.

    target: "nn.Conv2d" (a module, built with `kwargs`), "F.pad" or "torch.cat" (a function, called with the tensors
    and `kwargs`), or "convsize.Affine" (a module PyTorch has not; lowering writes it out). Several calls make a
    pipeline: the first takes the op's inputs, each next one the result before it.

    like: a call that runs the same way, for a target that convsize does not know: what a training step allocates and
    which type autocast takes are those of that call. "nn.Hardtanh" is like "nn.ReLU6".
    """

    target: str
    kwargs: tuple[tuple[str, TorchValue], ...] = ()
    like: str = ""

    @property
    def convolution(self) -> TorchCall | None:
        """The convolution that it is, or that it computes besides other things; None where it is no such thing."""
        if self.target.startswith("nn.Conv"):
            return self
        if self.target == "convsize.Blur":
            given = dict(self.kwargs)
            maps = given.pop("channels")
            depths = (("in_channels", maps), ("out_channels", maps), ("groups", maps), ("bias", False))
            return TorchCall(self.like, (*depths, *given.items()))
        if self.target != "convsize.StdConv":
            return None
        kwargs = tuple(pair for pair in self.kwargs if pair[0] not in ("gain", "eps"))
        kernel = dict(kwargs)["kernel_size"]
        assert isinstance(kernel, tuple)
        return TorchCall(f"nn.Conv{len(kernel)}d", kwargs)

    @property
    def kernel(self) -> str:
        """The call by which it is known how this one runs."""
        return self.like or self.target


class Suffixes(Record):
    """A layer token's numbers once evaluated and with the file's defaults applied; None where nothing was said.

    size, stride, dilation, output_padding hold one number for every axis or one per axis. standard: how the filters are
    standardised; epsilon: what is added to their variance.
    """

    size: Extents | None = None
    depth: int | None = None
    stride: Extents | None = None
    padding: Padding | None = None
    dilation: Extents | None = None
    groups: int | None = None
    output_padding: Extents | None = None
    bias: bool | None = None
    count_zeros: bool | None = None
    rounding: Rounding | None = None
    standard: Literal["ws", "sws"] | None = None
    epsilon: Fraction | None = None


class ParamSpec(Record):
    """An argument of a word: `up(scale, mode=nearest)`.

    kind: "int" must be whole, "number" any rational, "choice" one of `choices`, "tap" a named value, which enters the
    op after the one before it. `required` arguments have no default; a `variadic` last one takes all the rest. like: a
    tap may stand there, `up(@stem)`, which is read for its shape alone: the argument is its volume.
    """

    name: str
    kind: Literal["int", "number", "choice", "tap"] = "int"
    required: bool = True
    default: int | Fraction | str | None = None
    choices: tuple[str, ...] = ()
    variadic: bool = False
    like: bool = False


Argument = int | Fraction | str | None | Shape | tuple[int, ...] | tuple[Fraction, ...]


class MapRange(Record):
    """The maps of an output that are maps of one input as they are: input number `place` from `first` to before `last`.

    place: None for maps of zeros, which are no input's; `first` is 0 then.
    """

    place: int | None
    first: int
    last: int


MapsRead = int | tuple[MapRange, ...]
"""Which maps of its inputs a map of an op's output is made of.

A number n: the maps of the output, and those of every input, make n equal parts; a map is made of the same part of
every input, or of the only map of an input that has one. 1: of all maps; the depth: of the map in its own place.
Ranges: the maps of the output in their order, each a map of an input as it is.
"""

Kind = Literal[
    "input",
    "convolution",
    "depthwise",
    "transposed",
    "dense",
    "lookup",
    "attention",
    "pool",
    "norm",
    "scale",
    "activation",
    "regularisation",
    "reshaping",
    "sum",
    "difference",
    "gate",
    "quotient",
    "concatenation",
]
"""What sort of layer an op is.

convolution, depthwise, transposed: filters that slide, over all maps, map by map, and backwards. dense: every unit
reads every value. lookup: rows of a table, by tokens. attention: positions, weighted by what they hold. scale: learned
or constant factors. regularisation: works in training alone. reshaping: moves values. sum, difference, gate,
quotient, concatenation: joins.
"""

CONVOLUTIONS: frozenset[Kind] = frozenset({"convolution", "depthwise", "transposed"})
"""The kinds that PyTorch computes as convolutions."""

Values = Literal[
    "any",
    "linear",
    "moved",
    "averaged",
    "summed",
    "chosen",
    "multiplied",
    "non-negative",
    "shares",
    "distribution",
    "logarithms",
]
"""What an op's values are, in evaluation.

linear: sums of its inputs with weights of either sign. moved: its inputs' values as they are, in any type, or zeros.
averaged: means of its inputs; summed: sums. chosen: the largest of some inputs. multiplied: products of inputs.
non-negative: 0 or more. shares: from 0 to 1. distribution: shares that sum to 1 over the depth; logarithms: those of
such. any: nothing is known.
"""

Statistics = Literal["", "batch", "map", "group", "position", "neighbours", "squares", "map squares", "maps"]
"""Over what a norm takes mean and variance.

batch: every map, over all samples and positions. map: every map of a sample. group: a group of maps. position: the
depth at every position. neighbours: the maps around each. squares, map squares: no mean is taken; of squares, over the
depth at every position or over every map of a sample. maps: a map among all maps of a sample.
"""

ExtentRule = Literal["windows", "kept", "reduced", "flattened", "reshaped", "cropped", "resized", "swapped"]
"""How the output's extents follow those of the input.

windows: as the op's window says; where it sees everything the output has the same extents whatever enters. kept: as
they are, though it sees everything. reduced: 1 along the axes that it sees the whole of, the others as they are.
flattened: all values make one vector. reshaped: stated extents, of as many values as enter. cropped: stated extents, of
no more. resized: the input's times `scale`, rounded down, or where there is no scale stated extents, whatever enters:
those of a tap that the layer names, where it does. swapped: the depth is an extent and that one the depth, as of the
op's `axis`.
"""

_RULES = ("output", "window", "parameters", "macs", "work", "saved", "torch")
_CHOICES = {
    "KIND": get_args(Kind),
    "VALUES": get_args(Values),
    "STATISTICS": get_args(Statistics),
    "EXTENTS": get_args(ExtentRule),
}
_LINEAR = frozenset({"linear", "moved", "averaged", "summed"})
_SIGNED_ALIKE = frozenset({"moved", "averaged", "summed", "chosen", "multiplied"})
_NON_NEGATIVE = frozenset({"non-negative", "shares", "distribution"})


def _of_class(kind: object) -> bool:
    """Whether an annotation, as text or evaluated, says that an attribute is the class's and no field."""
    text = kind if isinstance(kind, str) else str(kind)
    return text.removeprefix("typing.").startswith("ClassVar")


@dataclass_transform(frozen_default=True)
class Op:
    """One kind of layer with its numbers.

    A concrete op is a class in a file of its own, whose fields are annotated; it is made, compared and printed as a
    frozen dataclass is, of which every class would cost half a millisecond at every start. Its docstring is its
    reference page. `inputs` are the volumes of one sample; nothing here knows the batch but `saved`.
    """

    NAME: ClassVar[str] = ""
    """The field's term, lowercase, as figures and reports print it: "convolution"."""
    KIND: ClassVar[Kind]
    """What sort of layer it is: pictures are coloured by it, rules and insights ask for it."""
    VALUES: ClassVar[Values]
    """What its values are."""
    STATISTICS: ClassVar[Statistics] = ""
    """Over what it normalises; every norm states it."""
    EXTENTS: ClassVar[ExtentRule] = "windows"
    """How its output's extents follow those of its input."""
    CLAMPS: ClassVar[tuple[float, float] | None] = None
    """The bounds at which it cuts values off, where it leaves those between as they are: (0, inf) of a ReLU."""
    STEM: ClassVar[str] = ""
    """The stem of layer names: "conv" makes conv1, conv2 …"""
    SPELLING: ClassVar[str] = ""
    """How a spec says it: "C3D64/2p1", "drop(p)"."""
    SUFFIXES: ClassVar[tuple[str, ...]] = ()
    """The heads of the suffixes its token takes: "size", "D", "/", "p", "d", "g", "a", "b", "z", "rounding"."""
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = ()
    """What the word takes, where the op is a word."""
    FIELDS: ClassVar[tuple[str, ...]] = ()
    """Its numbers by name, in the order in which they are given: what is annotated and no ClassVar."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        own = inspect.get_annotations(cls)
        cls.FIELDS = (*cls.FIELDS, *(field for field, kind in own.items() if not _of_class(kind)))
        missing = [rule for rule in _RULES if getattr(cls, rule) is getattr(Op, rule)]
        missing += [fact for fact in ("STEM", "SPELLING") if not getattr(cls, fact)]
        missing += [fact for fact in ("KIND", "VALUES") if not hasattr(cls, fact)]
        if getattr(cls, "KIND", "") == "norm" and not cls.STATISTICS:
            missing.append("STATISTICS")
        if missing and cls.NAME:
            raise TypeError(f"op {cls.__name__} states no {', '.join(missing)}")
        for fact, known in _CHOICES.items() if cls.NAME else ():
            stated = getattr(cls, fact)
            if stated not in known:
                raise TypeError(
                    f"op {cls.__name__} states {fact} {stated!r}; there are {', '.join(filter(None, known))}"
                )

    def __init__(self, *values: Any, **named: Any) -> None:
        given = dict(zip(self.FIELDS, values, strict=False)) | named
        if len(given) != len(values) + len(named) or given.keys() != set(self.FIELDS):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.FIELDS) or 'nothing'}: not {values}, {named}")
        self.__dict__.update((field, given[field]) for field in self.FIELDS)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: ops do not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted: ops do not change")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *map(self.__dict__.get, self.FIELDS)))

    def __repr__(self) -> str:
        values = ", ".join(f"{field}={getattr(self, field)!r}" for field in self.FIELDS)
        return f"{type(self).__name__}({values})"

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        """The op that a layer token says, for the volume `source` that enters it.

        Raises GeometryError where the numbers make no layer.
        """
        raise TypeError(f"{cls.__name__} is not a layer token")

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        """The op that a word says; `arguments` are complete and of the kinds that PARAMS names.

        Raises GeometryError where the numbers make no layer.
        """
        raise TypeError(f"{cls.__name__} is not a word")

    def output(self, *inputs: Shape) -> Shape:
        """The output volume. Raises GeometryError with the numbers where there is none."""
        raise NotImplementedError

    def window(self, *inputs: Shape) -> Window:
        """Which positions of its inputs one output sees."""
        raise NotImplementedError

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Weights, biases and buffers by name and shape, in PyTorch's order."""
        raise NotImplementedError

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiply-adds of convolutions and matrix products, one sample; an explicit 0 elsewhere."""
        raise NotImplementedError

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        """Floating point operations beside the multiply-adds, one sample, by kind."""
        raise NotImplementedError

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        """Which tensors autograd keeps for backward, deduplicated by the caller by storage."""
        raise NotImplementedError

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        """The PyTorch calls that do the same, every padding resolved."""
        raise NotImplementedError

    # ---- facts about the layer with its numbers; what is not stated is the answer that holds for any op ----

    def maps_read(self, *inputs: Shape) -> MapsRead:
        """Which maps of its inputs a map of its output is made of: of all of them, where nothing else is stated."""
        return 1

    def window_of(self, place: int, *inputs: Shape) -> Window:
        """Which positions of the input at a place one output sees, where not the same of all."""
        return self.window(*inputs)

    @property
    def multiple(self) -> int:
        """What the extents of its input must be multiples of."""
        return 1

    def macs_backward(self, inputs: tuple[Shape, ...], output: Shape, needs: Sequence[bool], *, trains: bool) -> int:
        """Multiply-adds of its backward pass: once more for weights that are trained, once for inputs that need it."""
        return self.macs(inputs, output) * (trains + any(needs))

    @property
    def scale(self) -> tuple[Fraction, ...]:
        """By what it multiplies every extent, where its extents are `resized` so."""
        return ()

    def without_effect(self, *inputs: Shape) -> str | None:
        """Why it changes nothing, whatever the values; None where it does something."""
        return None

    @property
    def random(self) -> bool:
        """Whether it draws random numbers in training."""
        return False

    @property
    def in_place(self) -> bool:
        """Whether PyTorch lets it overwrite its input at no cost: its backward needs the output alone.

        PyTorch has `inplace` for others, whose backward needs the input, as well: ReLU6, SiLU, hardswish, mish and
        hardsigmoid. Autograd first clones it, so nothing is saved, and training pays for a copy.
        """
        return False

    @property
    def ends_in_logits(self) -> bool:
        """Whether cross entropy has it in itself, so that the values before it are a network's logits."""
        return False

    # ---- what follows from the facts ----

    def is_linear(self) -> bool:
        """Whether it is linear in its input, so that two of them in a row are one linear layer."""
        return self.VALUES in _LINEAR

    @classmethod
    def reads_tokens(cls) -> bool:
        """Whether what enters is whole numbers that name rows of a table."""
        return cls.KIND == "lookup"

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        """Whether no value can be negative; `inputs` says so of its inputs."""
        return self.VALUES in _NON_NEGATIVE or (self.VALUES in _SIGNED_ALIKE and bool(inputs) and all(inputs))

    @classmethod
    def page(cls) -> str:
        """The reference page: the docstring."""
        return inspect.cleandoc(cls.__doc__ or "")
