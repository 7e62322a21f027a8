"""W506: a bias that the normalisation after it takes away again."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.ops.base import Statistics
from convsize.rules.base import Context, Rule
from convsize.rules.places import Places, by_place, consumers, finding
from convsize.words import plural

# Over a batch or a map: both take the mean of every map away. Others average over several maps, whose biases differ.
_NORMS: frozenset[Statistics] = frozenset({"batch", "map"})


def _find(context: Context) -> Iterator[Diagnostic]:
    network = context.network
    if not any(node.op.STATISTICS in _NORMS for node in network.nodes):
        return
    readers = consumers(network)
    places = Places(network)
    outputs = set(network.outputs.values())
    useless = [
        node
        for node in network.layers
        if context.rows[node.index].macs
        and node.index not in outputs
        and readers[node.index]
        and all(network.nodes[reader].op.STATISTICS in _NORMS for reader in readers[node.index])
        and context.rows[node.index].biases
    ]
    for found in by_place(useless):
        node = found[0]
        biases = sum(context.rows[each.index].biases for each in found)
        norm = network.nodes[readers[node.index][0]].op.NAME
        where = f" in {plural(len(found), 'layer')}" if len(found) > 1 else ""
        token = places.retoken(found, bias=False)
        yield finding(
            "W506",
            node,
            f"the {norm} after this subtracts the mean of every map, and the bias with it: "
            f"{plural(biases, 'parameter')}{where} without effect",
            f"write `{token or node.spec + 'b0'}`, or `default: Cb0` for the whole file",
            fixes=places.replaced(found, token),
        )


RULE = Rule(
    code="W506",
    name="bias-before-norm",
    summary="a bias right before batch or instance normalisation, which cancels it",
    checks=(
        "Convolutions and fully connected layers with a bias whose output only batch or instance "
        "normalisation reads. Layer and group normalisation average over several maps and do not cancel "
        "their biases."
    ),
    why=(
        "Normalisation subtracts each map's mean, so a constant added before it changes nothing; its own "
        "shift does the bias's work. The bias costs memory and space in checkpoints, and its gradient is "
        "zero up to rounding."
    ),
    source="Ioffe & Szegedy 2015, section 3.2; He et al. 2015 build ResNet without these biases.",
    example="input: 3@32x32\nC3D64 BN R FC10\n",
    better="input: 3@32x32\nC3D64b0 BN R FC10\n",
    fix=(
        "Write `b0` on the layer, or `default: Cb0` for the file. The fix is unsafe: the network computes "
        "the same with fewer parameters, so old checkpoints and `expect: params=…` no longer fit."
    ),
    find=_find,
)
