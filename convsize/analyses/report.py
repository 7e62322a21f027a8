"""Runs every analysis of a network and puts what they find side by side."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.activations import activations
from convsize.analyses.depth import weight_depths
from convsize.analyses.facts import gather
from convsize.analyses.parameters import count_parameters, counted_once
from convsize.analyses.pixels.lost import lost_pixels, unread_pixels
from convsize.analyses.receptive_field.network import Fields, before_positions_end, receptive_fields
from convsize.analyses.work.layers import itemised, layer_work
from convsize.errors import Diagnostic, UsageError
from convsize.graph.network import Network
from convsize.records import ITEM_SIZES, ConventionCount, LayerRow, ReceptiveField, Report, Shift, Totals


def analyze(
    network: Network,
    *,
    batch: int = 1,
    dtype: str = "float32",
    with_digest: bool = True,
    counted: ConventionCount | None = None,
) -> Report:
    """Everything the analyses say of a network, layer by layer and in total.

    Elements and bytes of activations are for the whole batch in the given dtype, all else is for one sample. Without
    `with_digest` the report has none: working it out takes a good part of the whole, and hashlib loads OpenSSL.
    counted: what another tool counts as multiply-adds, which then stand in the place of ours.

    Raises UsageError where the batch is below 1 or the dtype is not one of records.ITEM_SIZES.
    """
    from convsize.analyses.insights import insights

    if batch < 1:
        raise UsageError(f"a batch has at least 1 sample, not {batch}")
    if dtype not in ITEM_SIZES:
        raise UsageError(f"there is no dtype `{dtype}` here; there are: {', '.join(ITEM_SIZES)}")
    itemsize = ITEM_SIZES[dtype]
    nodes = network.nodes
    facts = gather(network)
    used = count_parameters(facts)
    counts = counted_once(network, used)
    work = layer_work(facts)
    outputs = activations(network, batch, itemsize)
    depths = weight_depths(network, facts)
    fields = receptive_fields(network, facts)
    lost = lost_pixels(network, facts)
    unread = unread_pixels(network, facts)

    place = network.source.place
    seen = _seen(fields, len(nodes))
    shifts: dict[int, tuple[Shift, ...]] = {}
    for each in reversed(fields.values()):
        shifts.update(each.shifts)
    names = [node.name for node in nodes]
    theirs = dict(counted.layers) if counted else {}
    rows = []
    for node in nodes:
        index = node.index
        if not node.inputs:
            continue
        count, done, output, own = counts[index], work[index], outputs[index], seen[index]
        start = place(node.span.start)
        rows.append(
            LayerRow(
                index=index,
                name=node.name,
                op=node.op.NAME,
                kind=node.op.KIND,
                spec=node.spec,
                line=start.line,
                column=start.column,
                inputs=tuple([names[each] for each in node.inputs]),
                input_shapes=tuple([shape.dims for shape in facts[index].inputs]),
                output=node.output.dims,
                parameters=count.parameters,
                weights=count.weights,
                biases=count.biases,
                buffers=count.buffers,
                tensors=count.tensors,
                macs=(theirs[node.name] or 0) if counted else done.macs,
                flops=done.flops,
                work=done.work,
                output_elements=output.elements,
                output_bytes=output.bytes,
                parameter_bytes=count.parameters * itemsize,
                receptive_field=own[0][1] if own else None,
                receptive_fields=own,
                lost=lost.layers[index],
                repeat_of=None if node.repeat_of is None else names[node.repeat_of],
                blocks=node.blocks,
                iterations=node.iterations,
                shifts=shifts.get(index, ()),
                module=node.shared if used[index].tensors else None,
                shares=names[node.first] if node.first is not None and used[index].tensors else None,
                called=network.called.get(index, ""),
                like=None if node.like is None else names[node.like],
            )
        )
    layers = tuple(rows)
    end = network.outputs["main"]
    placed = _placed(network, fields, end)
    field = next((fields[name].rows[index] for name, index in placed), None)
    totals = _totals(layers, depths[end], field)
    failed: tuple[Diagnostic, ...] = ()
    if network.expectations:
        from convsize.analyses.expectations.figures import failures

        failed = failures(network, facts, used, work, depths, fields)
    graph = ""
    if with_digest:
        from convsize.graph.digest import digest

        graph = digest(network)
    return Report(
        name=network.name,
        source=network.source,
        graph=graph,
        inputs=tuple((name, nodes[index].output.dims) for name, index in network.inputs.items()),
        outputs=tuple((name, nodes[index].output.dims) for name, index in network.outputs.items()),
        batch=batch,
        dtype=dtype,
        layers=layers,
        totals=totals,
        unread=unread.rows or (),
        insights=insights(network, layers, totals, fields, unread.rows, lost.complete),
        ends=tuple(names[index] for index in network.outputs.values()),
        placed=tuple((name, names[index]) for name, index in placed),
        convention=f"{counted.tool} {counted.version}" if counted else "",
        diagnostics=tuple(
            sorted((*network.diagnostics, *failed), key=lambda found: (found.span.start, found.span.end, found.code))
        ),
    )


def broken(network: Network) -> tuple[Diagnostic, ...]:
    """The expectations of a network that do not hold, as its report has them, and nothing that they do not need."""
    if not network.expectations:
        return ()
    from convsize.analyses.expectations.figures import failures

    facts = gather(network)
    seen = any(each.check.metric.name == "receptive_field" for each in network.expectations)
    fields = receptive_fields(network, facts) if seen else {}
    depths = weight_depths(network, facts)
    return failures(network, facts, count_parameters(facts), layer_work(facts), depths, fields)


def _seen(fields: dict[str, Fields], count: int) -> list[tuple[tuple[str, ReceptiveField], ...]]:
    """For every node the inputs it sees, with its receptive field in each, as they were declared."""
    seen: list[tuple[tuple[str, ReceptiveField], ...]] = [()] * count
    known: dict[int, tuple[tuple[str, ReceptiveField], ...]] = {}
    for name, found in fields.items():
        known.clear()
        for index, row in enumerate(found.rows):
            if row is None:
                continue
            if seen[index]:
                seen[index] = (*seen[index], (name, row))
            else:
                alone = known.get(id(row))
                if alone is None:
                    alone = known[id(row)] = ((name, row),)
                seen[index] = alone
    return seen


def _placed(network: Network, fields: dict[str, Fields], end: int) -> list[tuple[str, int]]:
    """The last layers of the trunk that have a position, for the inputs that its end sees."""
    found = []
    for name, field in fields.items():
        last = before_positions_end(network, field.rows, end) if field.rows[end] is not None else None
        if last is not None:
            found.append((name, last))
    return found


def _totals(rows: Sequence[LayerRow], weight_layers: int, field: ReceptiveField | None) -> Totals:
    return Totals(
        parameters=sum(row.parameters for row in rows),
        weights=sum(row.weights for row in rows),
        biases=sum(row.biases for row in rows),
        buffers=sum(row.buffers for row in rows),
        macs=sum(row.macs for row in rows),
        flops=sum(row.flops for row in rows),
        work=itemised(item for row in rows for item in row.work),
        activation_elements=sum(row.output_elements for row in rows),
        activation_bytes=sum(row.output_bytes for row in rows),
        parameter_bytes=sum(row.parameter_bytes for row in rows),
        weight_layers=weight_layers,
        layers=len(rows),
        receptive_field=field,
    )
