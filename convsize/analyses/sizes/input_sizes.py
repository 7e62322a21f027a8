"""Which input sizes a network takes, and what becomes of it at a wished one.

What holds for one size only is no condition: inline volumes and `expect` lines. Nor are the largest extents that a
network may have at all. Fully connected layers are made as large as what reaches them; which sizes leave their weights
as they are is a set of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from convsize.analyses.sizes.axis import AxisWalk, left_behind
from convsize.analyses.sizes.plan import Plan
from convsize.errors import SpecError, UsageError
from convsize.geometry import AXIS_NAMES, Shape
from convsize.graph.build import attempt, build
from convsize.graph.network import Network
from convsize.language.tree import ExpectStmt, File, HeadStmt, InputStmt
from convsize.records import AxisSizes, Bound, InputSizes, NearSize, SizeAnswer, SizeSet
from convsize.words import form, grid_word, listed, plural

_NEARBY = 64
_MOST_STEPS = 100_000
"""Steps of unrolling in all trials together for a size that fits near one that does not: at least two trials of a
network at the limit, and all of them for networks of up to 700 layers."""

_CHARACTERS_A_STEP = 16
"""Characters of a spec whose names are checked in about the time of one step."""

_ROUND_SIZES = (224, 256, 299, 384, 512, 572, 1024)


def input_sizes(network: Network, lets: Mapping[str, Fraction] | None = None) -> InputSizes:
    """The extents that every axis of a network's inputs may have.

    Inputs that are declared with the same extents vary together; every other input is held while one varies. lets are
    the constants that the network was built with.

    Raises UsageError where the sizes repeat beyond 65,536 pixels, or a layer's own numbers depend on the input size.
    """
    inputs = tuple((name, network.nodes[index].output) for name, index in network.inputs.items())
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, shape in inputs:
        groups.setdefault(shape.spatial, []).append(name)
    plan = Plan(network)
    axes = []
    solved: dict[object, AxisWalk] = {}
    for extents, names in groups.items():
        for axis, extent in enumerate(extents):
            key = plan.signature(names, axis)
            walk = solved.get(key)
            if walk is None:
                walk = solved[key] = AxisWalk(plan, names, axis)
                walk.solve()
                walk.note()
            walk.note_single_positions()
            valid, exact, kept = walk.valid, walk.exact, walk.checkpoint
            axes.append(AxisSizes(tuple(names), axis, AXIS_NAMES[len(extents)][axis], extent, valid, exact, kept))
    if plan.flat_depths:
        _refuse_own_numbers(network, axes, lets)
    declared = tuple((name, _declared(network.file)[name].dims) for name, _ in inputs)
    base = tuple((name, shape.dims) for name, shape in inputs)
    if plan.checkpoint and base != declared:
        # Parameters follow the input size, and at the declared one, where nothing can be built, there are none.
        axes = [axis.replace(checkpoint=SizeSet((), ())) for axis in axes]
        plan.checkpoint.clear()
    place = network.source.place
    return InputSizes(
        name=network.name,
        source=network.source,
        inputs=declared,
        base=base,
        axes=tuple(axes),
        checkpoint=tuple(plan.checkpoint.values()),
        coupled=tuple(plan.coupled.values()),
        left_out=tuple(sorted({place(span.start).line for span in network.volumes})),
    )


def structure(file: File, lets: Mapping[str, Fraction] | None = None, *, name: str = "network") -> Network:
    """The network of a spec without what it says of one size: at its declared size, else at one near by that fits.

    The sizes are solved from the layers' numbers, which are the same at every size; so any size will do to have them.

    Raises the SpecError of the declared size where none near by fits either.
    """
    declared = attempt(file, lets, name=name, stated=False)
    if declared.network is not None:
        return declared.network
    if all(found.code[:2] in ("E2", "E3") for found in declared.diagnostics):
        # A trial checks the names of the whole text as well, even where that is far more than what is built.
        left = _MOST_STEPS
        reading = len(file.source.text) // _CHARACTERS_A_STEP
        for inputs in _candidates(_declared(file)):
            found = attempt(file, lets, name=name, inputs=inputs, stated=False)
            if found.network is not None:
                return found.network
            left -= found.steps + reading
            if left <= 0:
                break
    raise SpecError(file.source, declared.diagnostics)


def trunk(file: File) -> File:
    """The spec without its heads, and without what it expects, which may be of them."""
    return file.replace(
        statements=tuple(stmt for stmt in file.statements if not isinstance(stmt, HeadStmt | ExpectStmt))
    )


def at(file: File, lets: Mapping[str, Fraction] | None, inputs: Mapping[str, Shape]) -> SizeAnswer:
    """What becomes of a network with the given input volumes: why it cannot be built, or which layers drop pixels."""
    dims = tuple((name, shape.dims) for name, shape in inputs.items())
    try:
        network = build(file, lets, inputs=inputs, stated=False)
    except SpecError as error:
        return SizeAnswer(dims, error.diagnostics, ())
    return SizeAnswer(dims, (), tuple(_dropping(network)))


def _dropping(network: Network) -> Iterator[Bound]:
    """The layers whose windows leave real pixels behind."""
    for node in network.layers:
        (first, *_), output = network.input_shapes(node), node.output
        window = network.window(node)
        if window.kind != "axes" or node.op.EXTENTS == "cropped":
            continue
        lost = []
        for at_axis, one in enumerate(window.axes):
            if one.transposed or one.stride == 1:
                continue
            extent = first.spatial[at_axis]
            pixels = left_behind(extent, one, output.spatial[at_axis])
            if pixels:
                lost.append(
                    f"{pixels} of the {plural(extent, grid_word(first.rank))} of the {AXIS_NAMES[first.rank][at_axis]}"
                )
        if lost:
            line = network.source.place(node.span.start).line
            yield Bound(node.name, node.spec, line, f"drops {' and '.join(lost)}")


def near(sizes: InputSizes, wished: Sequence[int], name: str | None = None) -> tuple[NearSize, ...]:
    """For every axis the nearest extents to a wished one: one number for all axes, or one for each axis.

    It goes to the input of that name, and to those that vary with it; without a name to every input that has as many
    axes as there are numbers. Raises UsageError where there is none.
    """
    asked = _asked(sizes, wished, name)
    found = []
    for axis in sizes.axes:
        if not set(axis.inputs) & asked:
            continue
        extent = wished[axis.axis] if len(wished) > 1 else wished[0]
        valid, exact = axis.valid, axis.exact
        found.append(
            NearSize(axis, extent, valid.below(extent), valid.above(extent), exact.below(extent), exact.above(extent))
        )
    return tuple(found)


def wished_inputs(sizes: InputSizes, wished: Sequence[int], name: str | None = None) -> dict[str, Shape]:
    """The volumes of all inputs, those that are asked for (as by `near`) with the wished extents.

    Raises UsageError where no input has as many axes as there are numbers.
    """
    asked = _asked(sizes, wished, name)
    return {
        each: Shape(depth, (tuple(wished) if len(wished) > 1 else tuple(wished) * len(extents)))
        if each in asked
        else Shape(depth, tuple(extents))
        for each, (depth, *extents) in sizes.inputs
    }


def _asked(sizes: InputSizes, wished: Sequence[int], name: str | None) -> set[str]:
    """The inputs that a wish is about: those of the same shape as the named one, else all that it fits."""
    ranks = {each: len(dims) - 1 for each, dims in sizes.inputs}
    if name is not None and name not in ranks:
        there = ", ".join(f"`{each}`" for each in ranks)
        raise UsageError(f"{sizes.name} has no input `{name}`: it has {there}")
    asked = set(ranks)
    if name is not None:
        extents = dict(sizes.inputs)[name][1:]
        asked = {each for each, dims in sizes.inputs if dims[1:] == extents}
    found = {each for each in asked if ranks[each] == len(wished) or (len(wished) == 1 and ranks[each])}
    if not found:
        axes = sorted({ranks[each] for each in asked})
        of = f"{listed(list(map(str, axes)), 'or')} {form(axes[-1], 'axis')}"
        raise UsageError(f"{plural(len(wished), 'number')} for {of}: write one number, or one for every axis")
    return found


def _declared(file: File) -> dict[str, Shape]:
    return {
        stmt.name.name if stmt.name is not None else "input": Shape(stmt.volume.channels, stmt.volume.extents)
        for stmt in file.statements
        if isinstance(stmt, InputStmt)
    }


def _candidates(declared: Mapping[str, Shape]) -> Iterator[dict[str, Shape]]:
    """Input volumes to try, the nearest first, then sizes that networks are often drawn for."""
    for step in range(1, _NEARBY + 1):
        for sign in (1, -1):
            shapes = {
                name: shape.replace(spatial=tuple(max(extent + sign * step, 1) for extent in shape.spatial))
                for name, shape in declared.items()
            }
            yield shapes
    for extent in _ROUND_SIZES:
        yield {name: shape.replace(spatial=(extent,) * shape.rank) for name, shape in declared.items()}


def _refuse_own_numbers(network: Network, axes: Sequence[AxisSizes], lets: Mapping[str, Fraction] | None) -> None:
    """Raises UsageError where an op's own numbers follow the input size, as `FC{c/2}` after `flat` would.

    Built again at a small and at a large size, the layers must be the same.
    """
    base = {name: network.nodes[index].output for name, index in network.inputs.items()}
    for axis in axes:
        for extent in (axis.valid.smallest, axis.valid.above(2 * axis.declared)):
            if extent is None:
                continue
            inputs = dict(base)
            for name in axis.inputs:
                extents = list(base[name].spatial)
                extents[axis.axis] = extent
                inputs[name] = base[name].replace(spatial=tuple(extents))
            try:
                other = build(network.file, lets, inputs=inputs, stated=False).nodes
            except SpecError as error:
                if any(found.code == "E103" for found in error.diagnostics):
                    continue  # beyond what any network may be
                other = ()
            changed = next(
                (
                    one
                    for one, two in zip(network.nodes, other, strict=False)
                    if one.inputs and one.op != two.op and one.like is None
                ),
                None,
            )
            if changed is not None or len(other) != len(network.nodes):
                where = (
                    f"`{changed.spec}` ({changed.name})"
                    if changed is not None
                    else "a layer after a flattened or swapped volume"
                )
                raise UsageError(
                    f"{network.source.name}: the numbers of {where} depend on the input size, through `c` or a depth "
                    "left out after a flattened or swapped volume: the sizes cannot be solved; write the number itself"
                )
