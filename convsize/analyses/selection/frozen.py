"""Which layers are meant by the names of what is not trained."""

from __future__ import annotations

from fnmatch import fnmatchcase

from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.words import meant, nearest, or_rather


def frozen_layers(network: Network, patterns: tuple[str, ...]) -> frozenset[int]:
    """The layers that are frozen: `conv1`, `down*` for all layers of every such block, `@features` for all up to a tap.

    Weights that are shared go by their own name, too, and are frozen at every use, as soon as they are at one.

    Raises UsageError where a pattern has no layer, or where there is no such tap.
    """
    found: set[int] = set()
    for pattern in patterns:
        if pattern.startswith("@"):
            tap = pattern[1:]
            if tap not in network.taps:
                near = nearest(tap, network.taps)
                raise UsageError(f"{network.name}: no value is called `{pattern}`{or_rather(near and f'@{near}')}")
            own = {index for index in network.ancestors(network.taps[tap]) if network.nodes[index].inputs}
            if not own:
                raise UsageError(f"{network.name}: `{pattern}` is an input, with no layers before it to freeze")
        else:
            own = {
                node.index
                for node in network.layers
                for name in {node.name, node.module}
                if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")
            }
            if not own:
                hint = meant(pattern, [node.name for node in network.layers])
                raise UsageError(f"{network.name}: no layer is called `{pattern}`: {hint}")
        found |= own
    shared = {network.nodes[index].shared for index in found} - {None}
    return frozenset(found | {node.index for node in network.layers if node.shared in shared})
