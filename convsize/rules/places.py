"""Where findings lie: layers by their place in the text, the tree's items, and tokens with one number changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from convsize.errors import Diagnostic, Fix, Label, Severity, Span
from convsize.geometry import AxisWindow
from convsize.graph.network import Network, Node
from convsize.language.tree import DefStmt, File, Group, HeadStmt, Item, Layer, Series, TrunkStmt
from convsize.ops.base import Kind
from convsize.rules.base import Context

FILTERS: frozenset[Kind] = frozenset({"convolution", "depthwise"})
"""Filters that slide over their input."""


def by_place(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    """Layers that are said at one place of the text, together: the iterations of a repeat, the calls of a block."""
    places: dict[Span, list[Node]] = {}
    for node in nodes:
        places.setdefault(node.span, []).append(node)
    yield from places.values()


def consumers(network: Network) -> list[list[int]]:
    """For every node the nodes that read it."""
    readers: list[list[int]] = [[] for _ in network.nodes]
    for node in network.nodes:
        for index in node.reads:
            readers[index].append(node.index)
    return readers


def origins(network: Network, passing: Callable[[Node], bool]) -> list[int]:
    """For every node the nearest one before it, or itself, that does not just pass its one input on."""
    found: list[int] = []
    for node in network.nodes:
        found.append(found[node.inputs[0]] if len(node.inputs) == 1 and passing(node) else node.index)
    return found


def in_between(node: Node) -> bool:
    """Whether it stands between layers with weights and leaves depth and positions alone: a norm, an activation."""
    return node.op.KIND in {"norm", "scale", "activation", "regularisation"}


def ancestors_of(network: Network, indices: Iterable[int]) -> set[int]:
    """Nodes and everything that any of them is computed from."""
    found = set(indices)
    waiting = list(found)
    while waiting:
        for source in network.nodes[waiting.pop()].inputs:
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


def axes_of(network: Network, node: Node) -> tuple[AxisWindow, ...]:
    """The layer's windows per axis; none where it sees single positions or everything."""
    return network.window(node).axes


def windowed_pools(network: Network) -> list[Node]:
    """The pools that slide a window, global ones left out."""
    return [node for node in network.layers if node.op.KIND == "pool" and axes_of(network, node)]


def trunk_cuts(network: Network) -> list[Node]:
    """The nodes that every path to the trunk's end passes, inputs left out, in order."""
    inside = network.ancestors(network.outputs["main"])
    reach = list(range(len(network.nodes)))
    for index in inside:
        for source in network.nodes[index].inputs:
            reach[source] = max(reach[source], index)
    cuts: list[Node] = []
    furthest = -1
    for index in sorted(inside):
        # Nothing before this node is still waited for after it.
        if furthest <= index and network.nodes[index].inputs:
            cuts.append(network.nodes[index])
        furthest = max(furthest, reach[index])
    return cuts


def last_weights(context: Context) -> int:
    """The index of the trunk's last layer with weights, whose depth is that of the task: classes, colours."""
    inside = context.network.ancestors(context.network.outputs["main"])
    return max((index for index in inside if index in context.rows and context.rows[index].weights), default=0)


def finding(
    code: str,
    node: Node,
    message: str,
    help_text: str,
    *,
    style: bool = False,
    fixes: tuple[Fix, ...] = (),
    labels: tuple[Label, ...] = (),
) -> Diagnostic:
    """A finding at a layer's place; inside a block the innermost call is pointed at as well."""
    around = tuple(Label(call, "in this call") for call in node.calls[-1:])
    severity: Severity = "advice" if style else "warning"
    return Diagnostic(code, severity, message, node.span, help_text, labels=(*labels, *around), fixes=fixes)


def series_of(file: File) -> Iterator[Series]:
    """Every series of the file: the trunk's lines, heads, blocks and the branches in them."""
    waiting: list[Series] = []
    for statement in file.statements:
        if isinstance(statement, TrunkStmt):
            waiting.append(statement.series)
        elif isinstance(statement, DefStmt | HeadStmt):
            waiting.append(statement.body)
    while waiting:
        series = waiting.pop()
        yield series
        waiting.extend(branch for item in series.items if isinstance(item.atom, Group) for branch in item.atom.branches)


def items_of(series: Series) -> Iterator[Item]:
    """Every item of a series, those inside its groups included."""
    waiting = list(series.items)
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item.atom, Group):
            waiting.extend(inner for branch in item.atom.branches for inner in branch.items)


class Places:
    """The text under findings, to be edited: made once for a run, and indexed on the first finding."""

    __slots__ = ("_counts", "_items", "_network")

    def __init__(self, network: Network) -> None:
        self._network = network
        self._counts: Counter[Span] | None = None
        self._items: dict[Span, tuple[Item, Series]] | None = None

    def whole(self, found: list[Node]) -> bool:
        """Whether these are all the layers of their place: only then may the text there be changed."""
        if self._counts is None:
            self._counts = Counter(node.span for node in self._network.nodes)
        return self._counts[found[0].span] == len(found)

    def item(self, span: Span) -> tuple[Item, Series] | None:
        """The item whose atom stands at a place, and its series; None for a layer that was passed as an argument."""
        if self._items is None:
            self._items = {
                item.atom.span: (item, series) for series in series_of(self._network.file) for item in series.items
            }
        return self._items.get(span)

    def retoken(self, found: list[Node], **changes: Any) -> str | None:
        """The token of these layers with some parts changed, in canonical spelling; None where there is no token."""
        from convsize.language.formatter import dim_text, layer_text

        place = self.item(found[0].span)
        if place is None or not isinstance(place[0].atom, Layer):
            return None
        return layer_text(place[0].atom.replace(**changes), dim_text)

    def stride(self, found: list[Node]) -> str | None:
        """The stride as the token of these layers writes it; None where there is no token, or no stride in it."""
        from convsize.language.formatter import dim_text

        place = self.item(found[0].span)
        if place is None or not isinstance(place[0].atom, Layer) or place[0].atom.stride is None:
            return None
        return "x".join(map(dim_text, place[0].atom.stride))

    def replaced(self, found: list[Node], token: str | None) -> tuple[Fix, ...]:
        """The fix that writes another token, where the whole place is to be changed: another layer, so never safe."""
        if token is None or not self.whole(found):
            return ()
        return (Fix(found[0].span, token, safe=False),)

    def removed(self, found: list[Node]) -> tuple[Fix, ...]:
        """The fix that takes an item away, where it stands among others, has no name and no repeat; never safe."""
        span = found[0].span
        place = self.item(span)
        if place is None or place[0].span != span or len(place[1].items) < 2 or not self.whole(found):
            return ()
        text = self._network.source.text
        # One of the two spaces around it goes as well.
        before, behind = text[span.start - 1 : span.start], text[span.end : span.end + 1]
        if before == " " and behind in (" ", "\r", "\n", "", ")", "]"):
            return (Fix(Span(span.start - 1, span.end), "", safe=False),)
        if before in ("\n", "(", "[", "") and behind == " ":
            return (Fix(Span(span.start, span.end + 1), "", safe=False),)
        return (Fix(span, "", safe=False),)
