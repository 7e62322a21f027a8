"""The reader: follows the calls of a list and writes down layers; what cannot be said is kept as an obstacle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convsize.importing.axes import BATCH_AXIS, Axes, Factor, UnsayableError, flat, merged, regrouped, size, standard
from convsize.importing.calls import BATCH, Call, CallList, Ref
from convsize.importing.layers import Graph, Held, Layer, Obstacle
from convsize.importing.values import Constant, Meaning, Spoilt, Unknown, Value, Weight

__all__ = ["Asked", "Handler", "Reader"]


class Asked:
    """A call with its arguments as meanings."""

    def __init__(self, reader: Reader, call: Call) -> None:
        self.reader = reader
        self.call = call
        self.arguments = call.arguments
        self.shape = call.results[0].shape

    def number(self, name: str, default: Any = None) -> Any:
        """An argument that is no tensor; infinities are floats."""
        found = self.arguments.get(name)
        if found is None:
            return default
        return float(found) if found in ("inf", "-inf", "nan") else found

    def sizes(self, name: str, axes: int, default: int = 1) -> tuple[int, ...]:
        """A size for every axis; one number holds for all."""
        found = self.number(name)
        if found is None or found == ():
            return (default,) * axes
        found = found if isinstance(found, tuple) else (found,)
        return tuple(found) if len(found) == axes else tuple(found) * axes

    def meaning(self, name: str) -> Meaning | None:
        """A tensor, as what it stands for; None where the argument is left out."""
        found = self.arguments.get(name)
        return self.reader.names[found.ref] if isinstance(found, Ref) else None

    def meanings(self, name: str) -> list[Meaning]:
        """The tensors of a list."""
        found = self.arguments.get(name)
        if not isinstance(found, tuple):
            raise UnsayableError("a list of tensors that is none")
        return [self.reader.names[each.ref] for each in found if isinstance(each, Ref)]

    def value(self, name: str) -> Value:
        """A tensor that must be computed from the input."""
        found = self.meaning(name)
        if not isinstance(found, Value):
            raise UnsayableError("it works on weights or constants alone")
        return found

    def weight(self, name: str, what: str = "weights") -> Weight | None:
        """A parameter as it is; None where it is left out."""
        found = self.meaning(name)
        if found is None:
            return None
        if isinstance(found, Value):
            raise UnsayableError(f"{what} that are computed from the input")
        if not isinstance(found, Weight) or found.times != 1:
            raise UnsayableError(f"{what} that are computed from others or fixed")
        if [each.axis for each in flat(found.axes)] != [at for at, n in enumerate(found.shape) if n > 1]:
            raise UnsayableError(f"{what} with their axes in another order")
        return found


Handler = Callable[[Asked], "Meaning | list[Meaning]"]


class Reader:
    """Reads one call list."""

    def __init__(self, calls: CallList, handlers: dict[str, Handler]) -> None:
        self.calls = calls
        self.handlers = handlers
        self.layers: list[Layer] = []
        self.names: dict[str, Meaning] = {}
        self.memory: list[tuple[int, int, int]] = []
        """For every layer whose memory its output lies in: the layer that owns it and the maps from and to."""
        self.obstacles: list[Obstacle] = []
        self.scope = calls.calls[0].scope if calls.calls else ()

    def graph(self) -> Graph:
        """The layers of all calls, with every obstacle."""
        for tensor in self.calls.tensors:
            if tensor.kind == "input":
                if tensor.shape[:1] != (BATCH,) or len(tensor.shape) < 2:
                    raise UnsayableError("an input that holds no batch of volumes")
                self.names[tensor.name] = self.add("input", (), tensor.shape[1:], name=tensor.name)
            elif tensor.kind == "param":
                axes = standard(1, tensor.shape)[1:]
                self.names[tensor.name] = Weight(tensor.path, tensor.shape, axes)
            elif tensor.kind == "buffer":
                self.names[tensor.name] = Constant(tensor.shape, tensor.numbers or None)
            else:
                self.names[tensor.name] = Constant(tensor.shape, tensor.numbers or None)
        self.buffers = {tensor.name: tensor.path for tensor in self.calls.tensors if tensor.kind == "buffer"}
        for call in self.calls.calls:
            self._read(call)
        outputs = []
        for output in self.calls.outputs:
            found = self.names[output.name]
            try:
                outputs.append((output.label, self.volume(found)))
            except UnsayableError as problem:
                if not isinstance(found, Unknown):
                    self.obstacles.append(Obstacle("output", str(problem), output.label, ""))
        return Graph(tuple(self.layers), tuple(outputs), tuple(self.obstacles))

    def _read(self, call: Call) -> None:
        arguments = [self.names[name] for name in call.references()]
        if any(isinstance(each, Unknown) for each in arguments):
            for result in call.results:
                self.names[result.name] = Unknown()
            return
        self.scope = call.scope
        try:
            if any(isinstance(each, Spoilt) for each in arguments):
                raise UnsayableError("it reads what was changed in place, in part or by another name")
            in_place = call.op.endswith("_") and call.op != "detach_"  # which changes no value
            handler = self.handlers.get(call.op.rstrip("_") if in_place else call.op)
            if any(result.dtype.startswith(("float16", "bfloat16", "float64")) for result in call.results):
                raise UnsayableError("it works in another precision than float32")
            if handler is None:
                if self._constant(arguments, in_place):
                    self._bind(call, [Constant(result.shape) for result in call.results])
                    return
                raise UnsayableError("there is no layer for it")
            found = handler(Asked(self, call))
            several = found if isinstance(found, list) else [found]
            self._fits(call, several)
            if in_place:
                self._change(call, several[0])
            self._bind(call, several)
        except UnsayableError as problem:
            place = call.scope[-1] if call.scope else None
            self.obstacles.append(
                Obstacle(call.op, str(problem), place.path if place else "", place.kind if place else "")
            )
            self._bind(call, [Unknown() for _ in call.results])

    def _constant(self, arguments: list[Meaning], in_place: bool) -> bool:
        """Whether what a call gives is fixed, and what it changes in place is not read by its values."""
        if any(not isinstance(each, Constant) for each in arguments):
            return False
        first = arguments[0] if arguments else None
        return not in_place or not isinstance(first, Constant) or first.data is None

    def _bind(self, call: Call, found: list[Meaning]) -> None:
        for result, meaning in zip(call.results, found, strict=False):
            self.names[result.name] = meaning

    def _fits(self, call: Call, found: list[Meaning]) -> None:
        """What was understood has the shape that the call gave."""
        for result, meaning in zip(call.results, found, strict=False):
            if isinstance(meaning, Value) and tuple(map(size, meaning.axes)) != result.shape:
                raise UnsayableError(f"its result was read as {tuple(map(size, meaning.axes))}, and is {result.shape}")

    def _change(self, call: Call, new: Meaning) -> None:
        """A call in place: names of the same memory are of the new value, or may not be read any more."""
        first = next(iter(call.references()))
        old = self.names[first]
        if not isinstance(old, Value) or not isinstance(new, Value):
            raise UnsayableError("it changes weights or constants in place")
        if new.layer == old.layer:
            return
        owner, low, high = self.memory[old.layer]
        over = {
            at
            for at, (root, start, end) in enumerate(self.memory)
            if at != new.layer and root == owner and start < high and low < end
        }
        same = self.layers[new.layer].volume == self.layers[old.layer].volume
        for name, meaning in self.names.items():
            if isinstance(meaning, Value) and (old.copy or meaning.copy):
                if (meaning.layer, meaning.copy) == (old.layer, old.copy):
                    self.names[name] = meaning.replace(layer=new.layer, copy=0) if same else Spoilt()
            elif isinstance(meaning, Value) and meaning.layer in over:
                sure = meaning.layer == old.layer and meaning.alias and old.alias and same
                self.names[name] = meaning.replace(layer=new.layer) if sure else Spoilt()

    def add(
        self,
        kind: str,
        inputs: tuple[int, ...],
        volume: tuple[int, ...],
        weights: dict[str, Held] | None = None,
        /,
        shares: tuple[int, int] | None = None,
        **numbers: Any,
    ) -> Value:
        """Another layer, as the value that it gives. shares: of which maps of its input its output is the memory."""
        at = len(self.layers)
        held = tuple((weights or {}).items())
        self.layers.append(Layer(kind, tuple(numbers.items()), inputs, volume, held, self.scope))
        if shares is None:
            self.memory.append((at, 0, volume[0]))
        else:
            owner, low, _ = self.memory[inputs[0]]
            self.memory.append((owner, low + shares[0], low + shares[1]))
        return Value(at, standard(BATCH, volume))

    def volume(self, meaning: Meaning) -> int:
        """The layer whose volume a tensor is, samples first; makes the layers that bring it into this form.

        Raises UnsayableError where no layers do.
        """
        if not isinstance(meaning, Value):
            raise UnsayableError("it works on weights or constants alone")
        axes = meaning.axes
        if merged(axes[0]) != (Factor(BATCH_AXIS, 1, BATCH),) or any(each.axis < 0 for each in flat(axes[1:])):
            raise UnsayableError(f"it mixes samples with other axes: {described(axes)}")
        if meaning.rolled:
            raise UnsayableError("its positions are rolled round")
        volume = self.layers[meaning.layer].volume
        shape = tuple(map(size, axes[1:]))
        if not shape:
            raise UnsayableError("it has samples alone, and no depth: a squeeze(dim) or flatten(1) keeps one")
        factors = merged(flat(axes[1:]))
        if factors == merged(flat(standard(BATCH, volume)[1:])):
            if shape == volume:
                return meaning.layer
            whole = (0, volume[0])
            if len(shape) == 1:
                return self.add("flat", (meaning.layer,), shape, shares=whole).layer
            return self.add("reshape", (meaning.layer,), shape, shares=whole, sizes=shape).layer
        return self._rearranged(meaning.layer, axes[1:], shape)

    def _rearranged(self, layer: int, axes: Axes, shape: tuple[int, ...]) -> int:
        """A volume whose values stand in another order."""
        volume = self.layers[layer].volume
        depth = merged(axes[0])
        rest = tuple(each if each else () for each in axes[1:])
        plain = standard(BATCH, volume)[2:]
        if len(depth) == 2 and all(each.axis == 0 for each in depth) and merged(flat(rest)) == merged(flat(plain)):
            inner, outer = depth
            if inner.stride == 1 and outer.stride == inner.size and inner.size * outer.size == volume[0]:
                shuffled = self.add("shuffle", (layer,), volume, groups=outer.size).layer
                return self.volume(
                    Value(shuffled, (standard(BATCH, volume)[0], *regrouped(standard(BATCH, volume)[1:], shape)))
                )
        if len(volume) == 3 and len(shape) == 3:
            for ratio in (2, 3, 4, 8, 16):
                d, h, w = volume
                if d % ratio**2 == 0 and axes == (
                    merged((Factor(0, ratio**2, d // ratio**2),)),
                    merged((Factor(1, 1, h), Factor(0, ratio, ratio))),
                    merged((Factor(2, 1, w), Factor(0, 1, ratio))),
                ):
                    return self.add("pixelshuffle", (layer,), shape, ratio=ratio).layer
                if (
                    h % ratio == 0
                    and w % ratio == 0
                    and axes
                    == (
                        merged((Factor(0, 1, d), Factor(1, 1, ratio), Factor(2, 1, ratio))),
                        merged((Factor(1, ratio, h // ratio),)),
                        merged((Factor(2, ratio, w // ratio),)),
                    )
                ):
                    return self.add("unshuffle", (layer,), shape, ratio=ratio).layer
        raise UnsayableError(f"it rearranges a volume into {described(axes)}")

    def sequence(self, value: Value) -> Value:
        """The value as a view of a volume of one axis of positions, where depth and positions are axes of it."""
        volume = self.layers[value.layer].volume
        plain = standard(BATCH, volume)
        places = [at for at, axis in enumerate(value.axes) if axis == plain[1]]
        if len(volume) == 2 and len(value.axes) == 3 and value.axes[1:] in ((plain[1], plain[2]), (plain[2], plain[1])):
            return value
        if value.rolled or len(value.axes) != 3 or not places or value.axes[0] != plain[0]:
            raise UnsayableError(f"it is no sequence: {described(value.axes)}")
        (place, *_) = places
        other = value.axes[3 - place]
        if other != merged(flat(plain[2:])):
            raise UnsayableError(f"it is no sequence of positions in their order: {described(value.axes)}")
        shape = (volume[0], size(other))
        made = self.add("reshape", (value.layer,), shape, shares=(0, volume[0]), sizes=shape)
        return made if place == 1 else Value(made.layer, (made.axes[0], made.axes[2], made.axes[1]))

    def like(self, value: Value, layer: int) -> Value:
        """The same view of another layer that has the same volume."""
        return value.replace(layer=layer, alias=True, copy=0)

    def buffer(self, asked: Asked, name: str) -> str:
        """The path of a buffer among the arguments."""
        found = asked.arguments.get(name)
        if not isinstance(found, Ref) or found.ref not in self.buffers:
            raise UnsayableError("its running statistics are no buffers")
        return self.buffers[found.ref]


def _key(factor: Factor) -> tuple[int, ...]:
    return (factor.axis, factor.stride, factor.size)


def described(axes: Axes) -> str:
    """Axes as a message says them: `samples·2, depth/4, height, width`."""

    def one(factor: Factor) -> str:
        name = {-1: "samples", -2: "copies", 0: "depth"}.get(factor.axis, f"axis {factor.axis}")
        return f"{name}·{factor.size}" + (f"/{factor.stride}" if factor.stride > 1 else "")

    return ", ".join("·".join(map(one, axis)) or "1" for axis in axes)
