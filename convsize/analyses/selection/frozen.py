"""Which layers are meant by the names of what is not trained."""

from __future__ import annotations

from fnmatch import fnmatchcase

from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.words import meant, nearest, or_rather


def frozen_layers(network: Network, patterns: tuple[str, ...]) -> frozenset[int]:
    """The layers that are frozen: `conv1`, `down*` for all layers of every such block, `@features` for all up to a tap.

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
                if fnmatchcase(node.name, pattern) or fnmatchcase(node.name, f"{pattern}.*")
            }
            if not own:
                hint = meant(pattern, [node.name for node in network.layers])
                raise UsageError(f"{network.name}: no layer is called `{pattern}`: {hint}")
        found |= own
    return frozenset(found)
