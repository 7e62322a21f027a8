"""Another head on a network: its spec with the last layer, or all after a tap, replaced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsize.errors import Source, Span, UsageError
from convsize.graph.network import Network, Node
from convsize.language.tree import ExpectStmt, Item, TrunkStmt
from convsize.record import Record
from convsize.words import nearest, or_rather


class NewHead(Record):
    """A spec with new heads.

    places: where the new layers stand in it. dropped: the names of the layers that the old spec had in their place.
    """

    source: Source
    places: tuple[Span, ...]
    dropped: frozenset[str]

    def layers(self, network: Network) -> frozenset[str]:
        """The names of the new layers in the network that was built of the new spec."""
        return frozenset(_within(network, self.places))


class _Edit(Record):
    span: Span
    text: str


def with_heads(network: Network, heads: Sequence[str]) -> NewHead:
    """The spec of a network with new heads: `FC10`, `aux1=FC10` for an output by its name, or `@features GAP FC10`.

    A series takes the place of the last layer with weights of the trunk (or of the head that is named), so that a
    softmax after it stays. Begun by a tap it takes the place of all of the trunk after that. What the old spec
    expects of its figures (`expect` lines) is left out.

    Raises UsageError where there is no such output or tap, or where what is to be replaced is part of something else.
    """
    edits = [_Edit(stmt.span, "") for stmt in network.file.statements if isinstance(stmt, ExpectStmt)]
    replaced: dict[Span, str] = {}
    for head in heads:
        if set("#\n\r") & set(head) or not head.strip():
            raise UsageError(f"--head needs a series of layers, such as FC10, not `{head}`")
        name, series = _named(network, head)
        if series.startswith("@"):
            if name != "main":
                raise UsageError(f"--head {head}: only the trunk can be replaced from a tap, not `{name}`")
            tap, _, series = series[1:].partition(" ")
            first, *rest = _behind(network, tap)
            edits += [_Edit(span, "") for span in rest]
        else:
            first = _last(network, name, head)
        if not series.strip():
            raise UsageError(f"--head {head}: write layers after the tap, as in `@{tap} FC10`")
        if replaced.setdefault(first, series) != series:
            raise UsageError(f"--head {head}: `{replaced[first]}` replaces this layer already")
    edits += [_Edit(span, f" {series.strip()} ") for span, series in replaced.items()]
    gone = [edit.span for edit in edits]
    text, places = _edited(network.source.text, edits)
    source = Source(text, f"{network.source.name} with --head {' --head '.join(heads)}")
    return NewHead(source, places, frozenset(_within(network, gone)))


def _within(network: Network, places: Sequence[Span]) -> Iterator[str]:
    """The layers that are said, or are called for, in some places, by the names of their weights."""
    for node in network.layers:
        if any(place.start <= said.start < place.end for place in places for said in (node.span, *node.calls)):
            yield node.module


def _named(network: Network, head: str) -> tuple[str, str]:
    """The output that a head is for, and the series. `drop(p=0.5)` has an equals sign, too, and names no output."""
    name, equals, series = head.partition("=")
    if not equals or not name.strip().isidentifier():
        return "main", head.strip()
    if name.strip() not in network.outputs:
        guess = or_rather(nearest(name.strip(), network.outputs), f"it has {', '.join(network.outputs)}")
        raise UsageError(f"--head {head}: {network.name} has no output `{name.strip()}`{guess}")
    return name.strip(), series.strip()


def _weighted(network: Network, output: str) -> Node | None:
    """The last convolution or fully connected layer before an output; None where several values meet after it."""
    node = network.nodes[network.outputs[output]]
    # Norms and scales have weights as well, but multiply no matrices.
    while not node.inputs or not (network.parameters(node) and node.op.macs(network.input_shapes(node), node.output)):
        if len(node.inputs) != 1:
            return None
        node = network.nodes[node.inputs[0]]
    return node


def _last(network: Network, output: str, head: str) -> Span:
    """The place of the last layer with weights. Raises UsageError where more than the ends of outputs stands there."""
    node = _weighted(network, output)
    if node is None:
        raise UsageError(
            f"--head {head}: the output `{output}` of {network.name} does not end in one layer with weights; name "
            "a value of the spec (`as features`) and replace everything after it: --head '@features FC10'"
        )
    ends = {each.index for each in (_weighted(network, name) for name in network.outputs) if each is not None}
    if node.iterations or any(other.index not in ends for other in network.layers if other.span == node.span):
        raise UsageError(
            f"--head {head}: the last layer of {network.name} with weights, {node.name}, is written once but used "
            "several times; name a value of the spec (`as features`) and replace everything after it: --head "
            "'@features FC10'"
        )
    return node.span


def _behind(network: Network, tap: str) -> list[Span]:
    """What stands in the trunk after a value that has a name. Raises UsageError where that is not to be replaced."""
    trunk = [stmt.series for stmt in network.file.statements if isinstance(stmt, TrunkStmt)]
    items: list[Item] = [item for series in trunk for item in series.items]
    at = next((at for at, item in enumerate(items) if any(name.name == tap for name in item.names)), None)
    if at is None:
        known = [name.name for item in items for name in item.names]
        if tap in network.taps:
            raise UsageError(
                f"--head @{tap}: this value is an input or inside brackets, so nothing directly follows it"
            )
        near = nearest(tap, known)
        guess = or_rather(near and f"@{near}", "write `as NAME` after the last layer to keep")
        raise UsageError(f"--head @{tap}: the trunk of {network.name} has no value of that name{guess}")
    end = items[at].span.end
    behind = [Span(max(series.span.start, end), series.span.end) for series in trunk if series.span.end > end]
    # After a value that ends the trunk there is an empty place.
    return behind or [Span(end, end)]


def _edited(text: str, edits: Sequence[_Edit]) -> tuple[str, tuple[Span, ...]]:
    """The text with edits made, and the places of what they put in."""
    parts = []
    places = []
    length = at = 0
    for edit in sorted(edits, key=lambda each: each.span.values()):
        parts += [text[at : edit.span.start], edit.text]
        length += edit.span.start - at
        if edit.text:
            places.append(Span(length, length + len(edit.text)))
        length += len(edit.text)
        at = edit.span.end
    return "".join([*parts, text[at:]]), tuple(places)
