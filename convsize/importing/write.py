"""Writing: the text of a spec."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator

from convsize.importing.items import Bind, Branches, Leaf, Repeat, Series, Start, Tap
from convsize.importing.layers import Graph
from convsize.importing.structure import Structure
from convsize.importing.tokens import Defaults, Expr, norm_numbers, usual_norm, written

__all__ = ["defaults_of", "in_order", "layer_text", "write"]

WIDTH = 116


def defaults_of(graph: Graph) -> Defaults:
    """What most layers of a graph have, so that the file states it once."""
    biases = Counter(layer.number("bias") for layer in graph.layers if layer.kind in ("C", "DW", "T"))
    norms = []
    for kind in ("BN", "LN", "IN", "GN"):
        found = [layer for layer in graph.layers if layer.kind == kind]
        plain = [layer for layer in found if layer.number("bias") != (kind != "IN")] or found
        counted = Counter(map(norm_numbers, plain))
        if counted:
            most = max(counted, key=lambda each: (counted[each], each))
            if most != usual_norm(kind):
                norms.append((kind, most))
    return Defaults(biases[True] >= biases[False], tuple(norms))


def write(source: str, graph: Graph, structure: Structure, defaults: Defaults, expected: tuple[str, ...] = ()) -> str:
    """The spec of a structure as one file."""
    names = _Names(graph)
    lines = [f"# imported from {source}"]
    for at in structure.inputs:
        shape = _shape(graph.layers[at].volume)
        several = len(structure.inputs) > 1
        lines.append(f"input {names(at)}: {shape}" if several else f"input: {shape}")
    stated = _stated(defaults)
    if stated:
        lines.append(f"default: {stated}")
    if len(structure.inputs) == 1:
        names.taken(structure.inputs[0], "input")
    for block in structure.blocks:
        taken = [each if default is None else f"{each}={default}" for each, default in block.parameters]
        head = f"{block.name}({', '.join(taken)})" if taken else block.name
        lines += _wrapped(f"def {head}: {' '.join(texts(block.body, names))}")
    lines += _wrapped(" ".join(texts(structure.trunk, names)))
    for label, source_, series in structure.heads:
        tap = "" if source_ is None else f" @{names(source_)}"
        lines += _wrapped(f"head {names.label(label)}{tap}: {' '.join(texts(series, names))}")
    if expected:
        lines += _wrapped(f"expect: {' '.join(expected)}")
    return "\n".join(lines) + "\n"


def texts(series: Series, names: Callable[[int], str]) -> Iterator[str]:
    """The items of a series as words."""
    for item in series:
        if isinstance(item, Leaf):
            yield layer_text(item)
        elif isinstance(item, Start):
            yield "x"
        elif isinstance(item, Tap):
            yield f"@{names(item.layer)}"
        elif isinstance(item, Repeat):
            body = list(texts(item.body, names))
            whole = len(item.body) == 1 and not isinstance(item.body[0], Repeat)
            count = f"{{{item.count.text}}}" if isinstance(item.count, Expr) else f"{item.count}"
            yield f"{body[0]}*{count}" if whole else f"({' '.join(body)})*{count}"
        elif isinstance(item, Bind):
            yield f"as {names(item.layer)}"
        else:
            branches = [" ".join(texts(each, names)) for each in item.branches]
            yield f"[{' | '.join(branches)}]" if item.sign == "cat" else f"({f' {item.sign} '.join(branches)})"


def layer_text(leaf: Leaf) -> str:
    """A layer with its own numbers."""
    return written(leaf.token, lambda _: None)


def in_order(structure: Structure) -> list[int]:
    """The layers in the order in which the text says them; joins after their branches."""
    found: list[int] = []

    def walk(series: Series) -> None:
        for item in series:
            if isinstance(item, Leaf):
                found.append(item.layer)
            elif isinstance(item, Branches):
                for each in item.branches:
                    walk(each)
                found.append(item.layer)

    walk(structure.trunk)
    for _, _, series in structure.heads:
        walk(series)
    return found


class _Names:
    """Names of taps: of the module that a value comes from, else letters."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: dict[int, str] = {}

    def taken(self, layer: int, name: str) -> None:
        self.known[layer] = name

    def __call__(self, layer: int) -> str:
        if layer not in self.known:
            self.known[layer] = self._fresh("t")
        return self.known[layer]

    def label(self, label: str) -> str:
        """The name of a head: the model's, where that is a name."""
        plain = "".join(each if each.isalnum() and each.isascii() else "_" for each in label.lower())
        return plain if plain[:1].isalpha() else f"out{plain}"

    def _fresh(self, base: str) -> str:
        used = set(self.known.values())
        at = 1
        while f"{base}{at}" in used:
            at += 1
        return f"{base}{at}"


def _shape(volume: tuple[int, ...]) -> str:
    return f"{volume[0]}@{'x'.join(map(str, volume[1:]))}" if len(volume) > 1 else f"{volume[0]}@1"


def _stated(defaults: Defaults) -> str:
    parts = [] if defaults.bias else ["Cb0"]
    for kind, numbers in defaults.norms:
        usual = dict(usual_norm(kind))
        stated = ",".join(f"{name}={value}" for name, value in numbers if value != usual[name])
        parts.append(f"{kind.lower()}({stated})")
    return " ".join(parts)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
