"""What changed between two networks: layers, totals, volumes, and whether a checkpoint still loads.

Layers are matched by what they are and where they stand, not by their names: a layer put in front renames all that come
after it. Checkpoints are matched by name and shape, as they are loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from convsize.analyses.diff.alignment import Pairs, aligned
from convsize.graph.network import Network, Node
from convsize.records import CheckpointFit, Difference, FigureChange, KeyChange, LayerChange, LayerRow, Report

_Kind = Literal["changed", "rewired", "resized", "renamed"]


def difference(before: Network, after: Network, one: Report, two: Report) -> Difference:
    """Everything that changed from one network to another; their reports are for one batch and dtype."""
    return Difference(
        before=one,
        after=two,
        same=one.graph == two.graph,
        figures=_figures(one, two),
        inputs=_volumes(dict(one.inputs), dict(two.inputs)),
        outputs=_volumes(dict(one.outputs), dict(two.outputs)),
        layers=tuple(_changes(before, after, one, two)),
        checkpoint=checkpoint_fit(before, after),
    )


# ---- totals ----------------------------------------------------------------------------------------------------------


def _figures(before: Report, after: Report) -> tuple[FigureChange, ...]:
    one, two = before.totals, after.totals
    field_before = None if one.receptive_field is None else one.receptive_field.size
    field_after = None if two.receptive_field is None else two.receptive_field.size
    return (
        FigureChange("parameters", "count", (one.parameters,), (two.parameters,)),
        FigureChange("buffers", "count", (one.buffers,), (two.buffers,)),
        FigureChange("macs", "count", (one.macs,), (two.macs,)),
        FigureChange("flops", "count", (one.flops,), (two.flops,)),
        FigureChange("activation_bytes", "bytes", (one.activation_bytes,), (two.activation_bytes,)),
        FigureChange("parameter_bytes", "bytes", (one.parameter_bytes,), (two.parameter_bytes,)),
        FigureChange("layers", "count", (one.layers,), (two.layers,)),
        FigureChange("weight_layers", "count", (one.weight_layers,), (two.weight_layers,)),
        FigureChange("receptive_field", "pixels", field_before, field_after),
    )


def _volumes(
    before: Mapping[str, tuple[int, ...]], after: Mapping[str, tuple[int, ...]]
) -> tuple[tuple[str, tuple[int, ...] | None, tuple[int, ...] | None], ...]:
    return tuple((name, before.get(name), after.get(name)) for name in dict.fromkeys((*before, *after)))


# ---- layers ----------------------------------------------------------------------------------------------------------


def _changes(before: Network, after: Network, one: Report, two: Report) -> Iterable[LayerChange]:
    """The changes in the order of the second network, what was removed where it stood."""
    old, new = list(before.layers), list(after.layers)
    rows_before = {row.index: row for row in one.layers}
    rows_after = {row.index: row for row in two.layers}
    pairs = _matched(old, new)
    # Inputs are the same by their place among the inputs.
    partner = dict(zip(before.inputs.values(), after.inputs.values(), strict=False))
    partner.update((old[left].index, new[right].index) for left, right in pairs)
    taken = set(partner.values())
    left = right = 0
    for at_old, at_new in (*pairs, (len(old), len(new))):
        for node in old[left:at_old]:
            yield LayerChange("removed", rows_before[node.index], None)
        for node in new[right:at_new]:
            yield LayerChange("added", None, rows_after[node.index])
        left, right = at_old + 1, at_new + 1
        if at_old < len(old):
            first, second = old[at_old], new[at_new]
            row_before, row_after = rows_before[first.index], rows_after[second.index]
            other = first.op != second.op and _calls(before, first) != _calls(after, second)
            kind: _Kind | None = "changed" if other else _kind(first, second, row_before, row_after, partner, taken)
            if kind is not None:
                yield LayerChange(kind, row_before, row_after)


def _calls(network: Network, node: Node) -> object:
    """What a layer computes, every default and padding resolved: `C3` and `C3p1` are one, as the digest has it."""
    calls = node.op.torch(*network.input_shapes(node))
    return [(call.target, [pair for pair in call.kwargs if pair[0] != "ceil_mode"]) for call in calls], node.output


def _kind(
    first: Node, second: Node, before: LayerRow, after: LayerRow, partner: Mapping[int, int], taken: set[int]
) -> _Kind | None:
    # Where a layer in between is new or gone, its neighbours are not rewired: it says all there is to say.
    settled = all(index in partner for index in first.inputs) and all(index in taken for index in second.inputs)
    if settled and tuple(partner[index] for index in first.inputs) != second.inputs:
        return "rewired"
    if (before.output, before.tensors) != (after.output, after.tensors):
        return "resized"
    return "renamed" if before.name != after.name else None


def _matched(old: Sequence[Node], new: Sequence[Node]) -> Pairs:
    """Layers that belong together: equal ones first, then those of the same kind between them."""
    for key in (_whole, _kind_of):
        pairs = aligned([key(node) for node in old], [key(node) for node in new])
        if pairs is not None:
            return _filled(old, new, pairs)
    # Two long networks that have nothing in common: names are all there is to go by.
    places = {node.name: at for at, node in enumerate(new)}
    pairs = []
    for at, node in enumerate(old):
        place = places.get(node.name)
        if place is not None and type(new[place].op) is type(node.op) and (not pairs or place > pairs[-1][1]):
            pairs.append((at, place))
    return pairs


def _whole(node: Node) -> object:
    return node.op


def _kind_of(node: Node) -> object:
    return type(node.op)


def _filled(old: Sequence[Node], new: Sequence[Node], pairs: Pairs) -> Pairs:
    """The pairs, and within each gap between them the layers of one kind in their order: they were changed."""
    found: Pairs = []
    left = right = 0
    for at_old, at_new in (*pairs, (len(old), len(new))):
        if left < at_old and right < at_new:
            kinds = aligned(
                [_kind_of(node) for node in old[left:at_old]], [_kind_of(node) for node in new[right:at_new]]
            )
            found += [(left + one, right + two) for one, two in kinds or ()]
        if at_old < len(old):
            found.append((at_old, at_new))
        left, right = at_old + 1, at_new + 1
    return found


# ---- checkpoints -----------------------------------------------------------------------------------------------------


def checkpoint_fit(before: Network, after: Network) -> CheckpointFit:
    """Whether a checkpoint of the first network loads into the second: every key `layer.parameter` with its shape.

    The lists are those of PyTorch's `load_state_dict(strict=True)`: missing and mismatched keys in the order of the
    second network, unexpected ones in that of the first.
    """
    old, new = _keys(before), _keys(after)
    both = [key for key in new if key in old]
    return CheckpointFit(
        missing=tuple(KeyChange(key, None, shape) for key, shape in new.items() if key not in old),
        unexpected=tuple(KeyChange(key, shape, None) for key, shape in old.items() if key not in new),
        mismatched=tuple(KeyChange(key, old[key], new[key]) for key in both if old[key] != new[key]),
        matching=sum(old[key] == new[key] for key in both),
    )


def _keys(network: Network) -> dict[str, tuple[int, ...]]:
    return {
        f"{node.module}.{parameter.name}": parameter.shape
        for node in network.layers
        for parameter in network.own_parameters(node)
    }
