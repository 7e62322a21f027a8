"""What a forward pass computes itself, without a module: slices, reshapes and functions, as a person writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from convsize.lowering.plan import Plan, Step
from convsize.lowering.source.blocks import Function, Template
from convsize.lowering.source.layout import Bracket, Expr, call, flat
from convsize.ops.base import TorchValue

Express = Callable[[Sequence[TorchValue], str], Expr]
"""Writes the values that the instances of a block have, for an argument of this name."""


def volumes_of(plan: Plan, formal: Mapping[int, int]) -> list[tuple[int, ...]]:
    """The depth and extents of every value, and of those that stand for others, which come in order after them."""
    found = [*(each.dims for each in plan.inputs), *(step.output for step in plan.steps)]
    for value in sorted(formal):
        found.append(found[formal[value]])
    return found


def function(steps: Sequence[Step], place: int, volumes: Sequence[tuple[int, ...]], express: Express) -> Function:
    """The call at a place of a layer; `steps` are the layer in every instance of the block."""
    calls = [step.calls[place] for step in steps]
    sources = [_entering(step, place, volumes) for step in steps]
    known = [source for source in sources if source is not None]
    arguments = [dict(each.kwargs) for each in calls]
    if len(known) == len(steps):
        if calls[0].target == "torch.narrow":
            cuts = [_cut(each) for each in arguments]
            if None not in cuts:
                return _slice([each for each in cuts if each is not None], [source[0] for source in known], express)
        if calls[0].target == "torch.reshape":
            shapes = [each["shape"] for each in arguments]
            whole = [tuple(map(int, shape)) for shape in shapes if isinstance(shape, tuple) and shape[0] == -1]
            if len(whole) == len(steps):
                return _reshape(known, whole, express)
    keys = [key for key, _ in calls[0].kwargs]
    return Function(calls[0].target, tuple((key, express([each[key] for each in arguments], key)) for key in keys))


def _entering(step: Step, place: int, volumes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """The depth and extents that enter the call at a place; None after a call that is not known."""
    volume = volumes[step.inputs[0]]
    for each in step.calls[:place]:
        shape = dict(each.kwargs).get("shape")
        if each.target == "torch.reshape" and isinstance(shape, tuple):
            volume = tuple(map(int, shape[1:]))
        elif each.target != "nn.Softmax":
            return None
    return volume


def _cut(arguments: Mapping[str, TorchValue]) -> tuple[int, int] | None:
    """The first map that a slice keeps, and the one after the last; None where it slices along another axis."""
    start, length = arguments.get("start"), arguments.get("length")
    if arguments.get("dim") != 1 or not isinstance(start, int) or not isinstance(length, int):
        return None
    return start, start + length


def _slice(cuts: Sequence[tuple[int, int]], depths: Sequence[int], express: Express) -> Function:
    starts, stops = [start for start, _ in cuts], [stop for _, stop in cuts]
    if len(set(cuts)) == 1:
        return Function("[:]", (("start", str(starts[0])), ("stop", str(stops[0]))))
    equal = {part(cut, depth) for cut, depth in zip(cuts, depths, strict=True)}
    if len(equal) == 1 and None not in equal:
        ((count, number),) = [each for each in equal if each is not None]
        return Function("chunk", (("count", str(count)), ("number", str(number))))
    start = "" if set(starts) == {0} else express(starts, "start")
    stop = "" if stops == list(depths) else express(stops, "stop")
    return Function("[:]", (("start", start), ("stop", stop)))


def part(cut: tuple[int, int], depth: int) -> tuple[int, int] | None:
    """(n, k) where a slice is the k-th of n equal parts of the depth."""
    start, stop = cut
    width = stop - start
    return None if depth % width or start % width else (depth // width, start // width)


def _reshape(sources: Sequence[tuple[int, ...]], shapes: Sequence[tuple[int, ...]], express: Express) -> Function:
    pairs = [(source, shape[1:]) for source, shape in zip(sources, shapes, strict=True)]
    if all(len(new) == len(old) + 1 and new[2:] == old[1:] and new[0] * new[1] == old[0] for old, new in pairs):
        numbers = [new[0] for _, new in pairs]
        widths = [new[1] for _, new in pairs]
        by_width = len(set(numbers)) > 1 and len(set(widths)) == 1
        sizes: list[Expr] = ["-1", str(widths[0])] if by_width else [express(numbers, "parts"), "-1"]
        return Function("unflatten", (("dim", "1"), ("sizes", Bracket("(", sizes, ")"))))
    if all(len(old) == len(new) + 1 and new[1:] == old[2:] and new[0] == old[0] * old[1] for old, new in pairs):
        return Function("flatten", (("start_dim", "1"), ("end_dim", "2")))
    columns = list(zip(*shapes, strict=True)) if len({len(shape) for shape in shapes}) == 1 else []
    varying = [at for at, column in enumerate(columns) if len(set(column)) > 1]
    if columns and len(varying) <= 1:
        one_varies = [str(each) for each in shapes[0]]
        for at in varying:
            one_varies[at], one_varies[0] = "-1", "{}.shape[0]"
        return Function("reshape", (("shape", Bracket("", list(one_varies), "")),))
    return Function("reshape", (("shape", express(shapes, "shape")),))


def split_at(template: Template, volumes: Sequence[tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """Lines that take all equal parts of one value, in order, by the first of them: one statement makes them all."""
    takers: dict[tuple[int, int], dict[int, int]] = {}
    for at, line in enumerate(template.lines):
        if not isinstance(line.child, Step) or len(line.child.calls) != 1:
            continue
        if line.child.call.target != "torch.narrow":
            continue
        found = set()
        for group in template.groups:
            step = group.children[at][1]
            assert isinstance(step, Step)
            cut = _cut(dict(step.call.kwargs))
            found.add(None if cut is None else part(cut, volumes[step.inputs[0]][0]))
        each = found.pop()
        if each is not None and not found and each[0] > 1:
            takers.setdefault((line.reads[0], each[0]), {}).setdefault(each[1], at)
    complete = [
        [lines[number] for number in range(count)] for (_, count), lines in takers.items() if len(lines) == count
    ]
    return {min(lines): tuple(lines) for lines in complete}


def expression(each: Function, operands: Sequence[Expr]) -> Expr:
    """The call on its operands."""
    texts = [flat(operand) for operand in operands]
    arguments = [(f"{key}=", value) for key, value in each.arguments]
    values = [value for _, value in each.arguments]
    if each.target == "[:]":
        start, stop = map(flat, values)
        return f"{texts[0]}[:, {start}:{stop}]" if _plain(start) and _plain(stop) else _spaced(texts[0], start, stop)
    if each.target == "chunk":
        return f"{texts[0]}.chunk({flat(values[0])}, dim=1)[{flat(values[1])}]"
    if each.target in ("unflatten", "flatten"):
        return call(f"{texts[0]}.{each.target}", [("", value) for value in values])
    if each.target == "reshape":
        shape = values[0]
        if isinstance(shape, Bracket) and not shape.open:
            return call(f"{texts[0]}.reshape", [("", flat(size).replace("{}", texts[0])) for size in shape.parts])
        return call(f"{texts[0]}.reshape", [("", shape)])
    if each.target == "nn.Flatten":
        return call("torch.flatten", [("", operands[0]), ("", "1")])
    if each.target == "torch.cat":
        return call(each.target, [("", Bracket("[", list(operands), "]")), *arguments])
    if each.target == "torch.add":
        return " + ".join([*texts, *map(flat, values)]).replace(" + -", " - ")
    if each.target == "torch.sub":
        return " - ".join(texts)
    if each.target == "torch.div":
        return " / ".join(texts)
    if each.target == "torch.mul":
        return " * ".join([*texts, *map(flat, values)])
    if each.target == "F.interpolate" and len(texts) > 1:
        return call(each.target, [("", operands[0]), ("size=", f"{texts[1]}.shape[2:]"), *arguments])
    if each.target == "F.pad":
        return call(each.target, [("", operands[0]), ("", values[0]), *arguments[1:]])
    return call(each.target, [("", operands[0]), *arguments])


def _plain(bound: str) -> bool:
    return not bound or bound.isalnum()


def _spaced(text: str, start: str, stop: str) -> str:
    """A slice with an expression in it, spaced as formatters do."""
    return f"{text}[:, {start + ' ' if start else ''}:{' ' + stop if stop else ''}]"
