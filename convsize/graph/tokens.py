"""Layer tokens and words to ops: numbers evaluated, defaults applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from convsize.errors import Span
from convsize.geometry import Padding, Shape
from convsize.graph.evaluate import BuildError, Lookup, evaluate, number_text, whole
from convsize.graph.scope import Bound, Choice, TapValue
from convsize.language.formatter import expr_text, layer_text
from convsize.language.tree import Call, Dims, Expr, Layer, Pads
from convsize.ops import catalogue
from convsize.ops.base import Argument, Op, ParamSpec, Suffixes

LARGEST_EXTENT = 2**24
LARGEST_DEPTH = 2**31 - 1
_POOLS = ("M", "A")
_PARTS = Layer.field_names()[2:-1]
"""What a layer says of itself between its mnemonic and the places in the text."""


class Defaults:
    """What the file's `default` lines say, merged into layers as they are written.

    words: the calls that state arguments, by the op that takes them where they are left out.
    """

    def __init__(self, layers: tuple[Layer, ...], calls: tuple[Call, ...] = ()) -> None:
        self.words: dict[type[Op], list[Call]] = {}
        for call in calls:
            op = catalogue.word(call.name.name)
            if op is not None:
                self.words.setdefault(op, []).append(call)
        self._by_mnemonic: dict[str, Layer] = {}
        for layer in layers:
            before = self._by_mnemonic.get(layer.mnemonic)
            self._by_mnemonic[layer.mnemonic] = layer if before is None else _fill(layer, before, _PARTS)
        self._merged: dict[int, Layer] = {}  # by identity: hashing a layer walks all its expressions

    def apply(self, layer: Layer) -> Layer:
        """The layer with what it leaves out filled in.

        A pool that writes its own window takes only the rounding. `DW` follows the bias and padding of `C` where it
        has none of its own, `T` its bias.
        """
        if not self._by_mnemonic:
            return layer
        merged = self._merged.get(id(layer))
        if merged is None:
            merged = self._merged[id(layer)] = self._merge(layer)
        return merged

    def _merge(self, layer: Layer) -> Layer:
        own = self._by_mnemonic.get(layer.mnemonic)
        if own is not None:
            if layer.mnemonic in _POOLS and layer.size is not None:
                layer = _fill(layer, own, ("rounding",))
            else:
                layer = _fill(layer, own, _PARTS)
        convolution = self._by_mnemonic.get("C")
        if convolution is not None and layer.mnemonic == "DW":
            layer = _fill(layer, convolution, ("bias", "padding"))
        if convolution is not None and layer.mnemonic == "T":
            layer = _fill(layer, convolution, ("bias",))
        return layer


def _fill(layer: Layer, source: Layer, fields: tuple[str, ...]) -> Layer:
    missing = {name: getattr(source, name) for name in fields if getattr(layer, name) is None}
    return layer.replace(**missing)


_WHAT = {
    "size": "the size",
    "depth": "the depth",
    "stride": "the stride",
    "dilation": "the dilation",
    "groups": "the number of groups",
    "output_padding": "the output padding",
    "padding": "the padding",
}


def _bounded(expr: Expr, lookup: Lookup, what: str, least: int, largest: int) -> int:
    value = whole(expr, lookup, expr_text)
    if value < least:
        raise BuildError(
            "E111", f"{_WHAT[what]} is {value}, it must be at least {least}", expr.span, "write a larger one"
        )
    if value > largest:
        raise BuildError("E103", f"{_WHAT[what]} {value} is beyond {largest}", expr.span, "write a smaller one")
    return value


def _dims(dims: Dims | None, lookup: Lookup, what: str, least: int = 1) -> tuple[int, ...] | None:
    if dims is None:
        return None
    return tuple(_bounded(dim, lookup, what, least, LARGEST_EXTENT) for dim in dims)


def _padding(pads: Pads | None, lookup: Lookup) -> Padding | None:
    if pads is None:
        return None
    pairs = []
    for before, after in pads.pairs:
        first = _bounded(before, lookup, "padding", 0, LARGEST_EXTENT)
        pairs.append((first, first if after is None else _bounded(after, lookup, "padding", 0, LARGEST_EXTENT)))
    return Padding(pads.mode, tuple(pairs), pads.fill)


def suffixes_of(layer: Layer, lookup: Lookup) -> Suffixes:
    """The layer's numbers. Raises BuildError for numbers that are no sizes, and what `lookup` raises."""
    depth, groups = layer.depth, layer.groups
    return Suffixes(
        size=_dims(layer.size, lookup, "size"),
        depth=None if depth is None else _bounded(depth, lookup, "depth", 1, LARGEST_DEPTH),
        stride=_dims(layer.stride, lookup, "stride"),
        padding=_padding(layer.padding, lookup),
        dilation=_dims(layer.dilation, lookup, "dilation"),
        groups=None if groups is None else _bounded(groups, lookup, "groups", 1, LARGEST_DEPTH),
        output_padding=_dims(layer.output_padding, lookup, "output_padding", 0),
        bias=layer.bias,
        count_zeros=layer.count_zeros,
        rounding=layer.rounding,
        standard=layer.standard,
        epsilon=None if layer.epsilon is None else evaluate(layer.epsilon, lookup),
    )


def evaluated_text(layer: Layer, lookup: Lookup) -> str:
    """The token as a spec would write it with every expression evaluated: `C1D256`."""
    return layer_text(layer, lambda expr: number_text(evaluate(expr, lookup)))


def signature_text(name: str, params: tuple[ParamSpec, ...]) -> str:
    """A word's signature as the help prints it: `up(scale… or @tap, mode=nearest)`."""
    parts = []
    for param in params:
        text = param.name + ("…" if param.variadic else "") + (" or @tap" if param.like else "")
        if not param.required and param.default is not None:
            default = param.default
            text += f"={float(default):g}" if isinstance(default, Fraction) else f"={default}"
        parts.append(f"@{text}" if param.kind == "tap" else text)
    return f"{name}({', '.join(parts)})"


def given_taps(
    params: tuple[ParamSpec, ...], positional: tuple[Bound, ...], named: tuple[tuple[str, Bound], ...]
) -> tuple[tuple[TapValue, ...], tuple[Bound, ...], tuple[tuple[str, Bound], ...]]:
    """The taps that a word takes, in its order, and the other arguments."""
    names = [param.name for param in params if param.kind == "tap"]
    if not names:
        return (), positional, named
    placed = [value for value in positional if isinstance(value, TapValue)]
    by_name = {key: value for key, value in named if key in names[len(placed) :] and isinstance(value, TapValue)}
    found = (*placed, *(by_name[name] for name in names if name in by_name))
    if len(placed) > len(names) or list(by_name) != names[len(placed) : len(found)]:
        return (), positional, named  # whose error is said with those of the other arguments
    rest = tuple(value for value in positional if not isinstance(value, TapValue))
    return found, rest, tuple((key, value) for key, value in named if key not in by_name)


def word_arguments(
    name: str,
    params: tuple[ParamSpec, ...],
    positional: tuple[Bound, ...],
    named: tuple[tuple[str, Bound], ...],
    span: Span,
    defaults: Mapping[str, Argument],
) -> dict[str, Argument]:
    """A word's arguments by name, checked against what it takes; `defaults` are those of the file.

    Raises BuildError E105 with the signature.
    """
    found = stated_arguments(name, params, positional, named, span)
    for param in params:
        if param.name not in found:
            if param.required and param.name not in defaults:
                one_of = f", one of {', '.join(param.choices)}," if param.choices else ""
                raise _wrong(name, params, span)(f"`{param.name}`{one_of} is missing for")
            found[param.name] = defaults.get(param.name, param.default)
    return found


def _wrong(name: str, params: tuple[ParamSpec, ...], span: Span) -> Callable[[str], BuildError]:
    signature = signature_text(name, params) if params else f"{name}, without brackets"
    return lambda reason: BuildError("E105", f"{reason} `{name}`", span, f"write it as `{signature}`")


def stated_arguments(
    name: str,
    params: tuple[ParamSpec, ...],
    positional: tuple[Bound, ...],
    named: tuple[tuple[str, Bound], ...],
    span: Span,
) -> dict[str, Argument]:
    """The arguments that are written, by name. Raises BuildError E105 with the signature."""
    wrong = _wrong(name, params, span)
    found: dict[str, Argument] = {}
    waiting = list(positional)
    # A choice may stand right after a variadic list, so it is recognised by being a name and not a number.
    for at, param in enumerate(params, start=1):
        if param.variadic:
            taken = []
            while waiting and not isinstance(waiting[0], Choice):
                taken.append(_word_argument(param, waiting.pop(0), wrong))
            if len(taken) == 1 and isinstance(taken[0], Shape):
                found[param.name] = taken[0]
            elif any(isinstance(value, Shape) for value in taken):
                raise wrong("a tap stands alone, without numbers beside it, in")
            elif taken:
                found[param.name] = _listed(param, taken)
        elif waiting and param.kind != "tap" and not _meant_later(waiting[0], param, params[at:]):
            found[param.name] = _word_argument(param, waiting.pop(0), wrong)
    if waiting:
        raise wrong("too many arguments for")
    by_name = {param.name: param for param in params}
    for key, value in named:
        if key not in by_name:
            raise wrong(f"there is no argument `{key}` of")
        if key in found:
            raise wrong(f"`{key}` is given twice to")
        argument = _word_argument(by_name[key], value, wrong)
        listed = by_name[key].variadic and not isinstance(argument, Shape)
        found[key] = _listed(by_name[key], [argument]) if listed else argument
    return found


def _meant_later(value: Bound, param: ParamSpec, later: tuple[ParamSpec, ...]) -> bool:
    """Whether a name is no choice of this parameter, but of one after it: defaults between them need not be said."""
    if not isinstance(value, Choice) or value.name in param.choices:
        return False
    return any(value.name in each.choices for each in later)


def _listed(param: ParamSpec, values: Sequence[Argument]) -> Argument:
    """The values of a variadic argument: whole numbers, or any."""
    if param.kind == "number":
        return tuple(value for value in values if isinstance(value, Fraction))
    return tuple(value for value in values if isinstance(value, int))


def with_defaults(op: Op, defaults: Mapping[str, Argument], shape: Shape, *, sized: bool) -> Op:
    """The op of a token with what the file's defaults say of the word of the same op.

    sized: whether the token has a number of its own after its letters, which goes before one that is a default.
    Raises GeometryError where the numbers make no layer.
    """
    params = type(op).PARAMS
    taken = {param.name for param in params if not (sized and param.kind == "int")}
    plain = {param.name: 1 if param.required else param.default for param in params}
    before = type(op).from_arguments(plain, shape)
    after = type(op).from_arguments(plain | {key: defaults[key] for key in defaults if key in taken}, shape)
    changed = {field: getattr(after, field) for field in op.FIELDS if getattr(after, field) != getattr(before, field)}
    return type(op)(**{field: getattr(op, field) for field in op.FIELDS} | changed)


def _word_argument(param: ParamSpec, value: Bound, wrong: Callable[[str], BuildError]) -> Argument:
    if param.kind == "tap":
        raise wrong(f"`{param.name}` must be a tap, as `@{param.name}`, for")
    if param.kind == "choice":
        if isinstance(value, Choice) and value.name in param.choices:
            return value.name
        raise wrong(f"`{param.name}` must be one of {', '.join(param.choices)} for")
    if isinstance(value, TapValue) and param.like:
        return value.shape
    if not isinstance(value, Fraction):
        raise wrong(f"`{param.name}` must be a number{' or a tap' if param.like else ''} for")
    if param.kind == "number":
        return value
    if value.denominator != 1:
        raise wrong(f"`{param.name}` must be a whole number, not {number_text(value)}, for")
    return value.numerator


def word_text(name: str, positional: tuple[Bound, ...], named: tuple[tuple[str, Bound], ...]) -> str:
    """The word with its evaluated arguments: `drop(0.5)`."""
    parts = [_bound_text(value) for value in positional] + [f"{key}={_bound_text(value)}" for key, value in named]
    return f"{name}({', '.join(parts)})" if parts else name


def _bound_text(value: Bound) -> str:
    if isinstance(value, Fraction):
        return number_text(value)
    if isinstance(value, TapValue):
        return f"@{value.name}"
    return value.name if isinstance(value, Choice) else "…"
