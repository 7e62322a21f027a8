"""Small random networks of every op: 1-D to 3-D, with joins, splits, slices, heads, blocks, repeats and shared taps.

Every layer is tried on the volume that reaches it, so the text builds. The choices are those of a `random.Random`:
Hypothesis gives one that it can shrink, a long run makes one of a number.
"""

from __future__ import annotations

from functools import cache
from random import Random

import convsize
from convsize.errors import SpecError
from convsize.geometry import Shape
from convsize.graph.network import Network

LARGEST = 300
"""Values of a sample up to which a volume may grow."""

ACTIVATIONS = (
    "R", "R", "R", "relu6", "leaky(0.1)", "prelu", "prelu(c)", "elu", "gelu", "silu", "mish", "sigmoid", "tanh",
    "hswish", "hsigmoid", "softplus", "S", "softmax(2)", "logsoftmax", "selu", "elu(0.5)", "gelu(tanh)", "clamp(-1,1)",
    "clamp(lo=0.2)", "clamp(hi=0.5)", "abs", "exp", "power(2)", "power(3)", "R plus(0.1) sqrt", "glu",
    "abs plus(1) log", "sigmoid power(1/2)",
)  # fmt: skip
NORMS = (
    "BN", "BNb0", "LN", "LN", "LNb0", "rms", "rms(gain=0)", "GRN", "frn", "tlu", "IN", "INb1", "GN1", "GN2", "GN2b0",
    "GN{c}", "LRN", "LRN3", "scale", "weight",
    "affine", "times(2)", "plus(1)", "bias", "plus(-0.5)",
    "drop(0.5)", "drop(0)", "drop(1)", "droppath(0.3)", "droppath(0)", "droppath(1)",
)  # fmt: skip
MOVES = (
    "slice(0,c//2)", "slice(c//2,c)", "slice(0,c)", "slice(1,2)", "pick(0)", "pick(0,1,0)", "shuffle(1)",
    "shuffle(2)", "shuffle(c)", "widen(c+2)", "widen(c)", "pad(1)", "pad(-1)", "pad(0)", "pad(0,1)", "up(2)",
    "up(2,bilinear)", "up(1)", "pixelshuffle(2)", "pixelshuffle(1)", "flat", "crop(2)", "crop(2,2)", "crop(2,2,2)",
    "crop(3,1)", "crop(1,1,2)", "reduce(mean,depth)", "reduce(max,width)", "reduce(sum,positions)",
    "reduce(std,height)", "reduce(norm,positions)", "reduce(var,width)", "reduce(min,slices,2)",
    "reduce(sum,slices,2,groups=2)",
    "pad(1,reflect)", "pad(1,replicate)", "pad(0,1,replicate)", "pad(1,circular)",
    "pad(1,value=0.5)", "unshuffle(2)", "unshuffle(1)", "pick(0,step=2)",
    "swap(depth,length)", "swap(depth,width)", "swap(height,depth)", "swap(depth,time)",
    "blur(3)", "blur(3,2)", "blur(2,2)", "blur(4,2,zeros)", "blur(3,1,replicate)",
)  # fmt: skip
RESIZINGS = (
    "up(3/2)", "up(1/2)", "up(2/3,bilinear)", "up(3/2,bilinear)", "up(2,bilinear,aligned)", "up(1/2,bilinear,aligned)",
    "up(3/2,bicubic)", "up(2,bicubic,aligned)", "up(1/2,bilinear,antialias)", "up(3/2,bicubic,antialias)", "resize(3)",
    "resize(5,bilinear)", "resize(2,4,bilinear)", "resize(1,bilinear)", "resize(1,3,bicubic)", "resize(4,2,3)",
    "GAP2", "GAP3", "GAP1x2", "GAP2x1x2", "GAP5", "GMP2", "GMP3", "GMP2x1", "GMP1x1x2", "GMP5",
)  # fmt: skip
ATTENTION = (
    "attn(1)",
    "attn(c//3)",
    "attn(2)",
    "C1D{6*n} attn(1)",
    "C1D{6*n} attn(2)",
    "C1D{6*n} attn(2,depth)",
    "C1D{3*n} attn(1,depth)",
    "position",
    "token",
    "token(2)",
    "front",
    "C1D{6*n} attn(2,relative)",
    "C1D{6*n} attn(1,window=2)",
    "C1D{6*n} attn(1,distance,window=2,shift=1)",
    "C1D{6*n} attn(2,relative,grid=2)",
    "C1D{6*n} attn(1,key=1)",
    "[A2 C1D4 | C1D4] as m, q attn(2,@m,@m)",
    "[A2 C1D8 | C1D4] as m, q attn(1,@m)",
)
WINDOWS = (
    "C1D{n}", "C3D{n}", "C3D{n}", "C3D{n}b0", "C2D{n}p0", "C3D{n}/2", "C1D{n}/2", "C3D{n}d2", "C3D{n}p0", "C{c}",
    "C3D{n}ws", "C3D{n}/2b0sws", "C3D{2*c}g{c}sws", "C1D{n}ws{0.001}", "DW3ws", "C3D{c}g{c}", "C1D{2*c}g2",
    "C2D{n}psame", "C3D{n}/2psame", "C3D{n}p0:1", "C1x3D{n}", "C3x1D{n}/1x2", "C1D{n}/1x2",
    "C1D{n}/2x1", "C1x2D{n}p0", "C1x1x3D{n}", "C2x1x1D{n}p0", "DW3", "DW3D{2*c}", "DW1", "DW3/2", "T1D{n}", "T2D{n}/2",
    "T3D{n}p1", "T3D{n}/2p1a1", "T1D{n}/2", "T2D{c}g{c}", "T3D{n}/2psame", "T1x2D{n}", "M", "M3/1p1", "M2/1", "M1",
    "M3/2ceil", "M3/2p0:1", "M1x2", "M2psame", "A", "A3/1p1", "A3/1p1z0", "A1", "A2/1", "A3/2ceil", "A2d2", "A3p0:1z0",
    "A3/2psame", "sumpool(2)", "sumpool(1)", "lppool(2,2)", "lppool(3,2)", "lppool(1,2,1)", "GAP", "GMP",
    "C3D{n}preplicate", "C3D{n}/2p1circular", "C3D{n}preflect", "DW3p1:0replicate",
)  # fmt: skip
FLAT = ("FC{n}", "FC{n}b0", "BN", "LN", "flat", "reshape(c,1)", "reshape(1,c)", "reshape(c,1,1)", "GAP", "GMP")
RESHAPES = ("reshape(c,{a})", "reshape({a},c)", "reshape({c*a})", "reshape(c,{a},1)", "reshape(1,{a},c)")
PATTERNS = tuple(dict.fromkeys((*ACTIVATIONS, *NORMS, *MOVES, *RESIZINGS, *RESHAPES, *ATTENTION, *WINDOWS, *FLAT)))
KINDS = (WINDOWS, WINDOWS, ACTIVATIONS, NORMS, NORMS, MOVES, RESIZINGS, RESHAPES, ATTENTION)

_IDENTITY = ("drop(0.5)", "R", "BN", "C1D{c}", "LN")


def built(item: str, source: Shape) -> Network | None:
    """A layer on a volume, None where it takes no such volume."""
    if source.spatial:
        lines = [f"input: {source.channels}@{'x'.join(map(str, source.spatial))}", item]
    else:
        lines = [f"input: {source.channels}@1", f"flat {item}"]
    try:
        return convsize.parse("\n".join(lines))
    except SpecError:
        return None


@cache
def after(item: str, source: Shape) -> Shape | None:
    """The volume that a layer makes of another one, None where it takes no such volume or makes too large a one."""
    network = built(item, source)
    if network is None or network.nodes[-1].output.elements > LARGEST:
        return None
    return network.nodes[-1].output


def filled(pattern: str, source: Shape, heads: int, depth: int) -> str:
    """A layer of a pattern, for a volume: `{n}` is a depth, `{3*n}` and `{6*n}` are those that attention divides."""
    text = pattern.replace("{6*n}", str(6 * heads)).replace("{3*n}", str(3 * heads)).replace("{n}", str(depth))
    return text.replace("{a}", str(source.area)).replace("{c*a}", str(source.elements))


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.taps: list[tuple[str, Shape]] = []
        self.defs: list[str] = []
        self.shared: list[tuple[str, Shape, Shape]] = []
        self.count = 0

    def name(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def layer(self, source: Shape, kinds: tuple[tuple[str, ...], ...] | None = None) -> tuple[str, Shape]:
        """A layer that takes the volume, and what it makes of it."""
        kinds = kinds or (KINDS if source.spatial else (FLAT, ACTIVATIONS, NORMS))
        for _ in range(40):
            pattern = self.random.choice(self.random.choice(kinds))
            item = filled(pattern, source, self.random.choice((1, 2)), self.random.choice((1, 2, 3, 4, 6, 8)))
            found = after(item, source)
            if found is not None:
                return item, found
        return "R", source

    def keeping(self, source: Shape, level: int) -> str:
        """A series that gives back a volume like the one that enters it."""
        for _ in range(4):
            text, found = self.series(source, level, most=2)
            if found == source:
                return text
            if found.spatial == source.spatial and found.spatial:
                return f"{text} C1D{source.channels}"
        return self.random.choice(_IDENTITY) if source.spatial else f"FC{source.channels}"

    def aligned(self, source: Shape, level: int) -> tuple[str, Shape]:
        """A series that keeps the extents."""
        for _ in range(4):
            text, found = self.series(source, level, most=2)
            if found.spatial == source.spatial and found.elements <= LARGEST // 3:
                return text, found
        return "x", source

    def tapped(self, source: Shape) -> str:
        """A branch from a value that was named before, or the identity."""
        names = [name for name, shape in self.taps if shape == source]
        return f"@{self.random.choice(names)}" if names and self.random.random() < 0.5 else "x"

    def item(self, source: Shape, level: int) -> tuple[str, Shape]:
        """A layer, a join, a repeat or a block."""
        kind = self.random.choice("lllllllll+*-/[|rbgsu" if level else "lllu")
        c = source.channels
        if kind in "+*-/":
            branches = [self.keeping(source, level - 1)]
            branches += [
                self.tapped(source) if self.random.random() < 0.7 else self.keeping(source, level - 1)
                for _ in range(self.random.choice((1, 1, 2)))
            ]
            self.random.shuffle(branches)
            return f"({f' {kind} '.join(branches)})", source
        if kind == "g" and source.spatial:
            gate = self.random.choice(
                (
                    "GAP",
                    "GMP",
                    "reduce(mean,depth)",
                    "reduce(max,width)",
                    f"GAP FC{c} sigmoid",
                    "GAP flat",
                    f"C1D{c}",
                    "C1D1 sigmoid",
                )
            )
            sign = self.random.choice("*+-/")
            return self.random.choice((f"(x {sign} {gate})", f"({gate} {sign} x)")), source
        if kind == "[" and source.spatial:
            parts = [self.aligned(source, level - 1) for _ in range(self.random.choice((2, 2, 3)))]
            depth = sum(shape.channels for _, shape in parts)
            return f"[{' | '.join(text for text, _ in parts)}]", Shape(depth, source.spatial)
        if kind == "|" and source.spatial and c > 1:
            parts = self.random.choice([n for n in (2, 3, 4, c) if c % n == 0] or [c])
            if parts <= 4:
                found = [self.aligned(Shape(c // parts, source.spatial), level - 1) for _ in range(parts)]
                depth = sum(shape.channels for _, shape in found)
                return f"split[{' | '.join(text for text, _ in found)}]", Shape(depth, source.spatial)
        if kind == "u":
            # As large as a value before it is, which is read for its shape alone.
            near = [(name, shape) for name, shape in self.taps if shape.rank == source.rank > 0]
            if near:
                name, shape = self.random.choice(near)
                found = Shape(c, shape.spatial)
                pairs = zip(source.spatial, shape.spatial, strict=True)
                if all(own >= other for own, other in pairs) and self.random.random() < 0.6:
                    return f"crop(@{name})", found
                if found.elements <= LARGEST:
                    return f"up(@{name}{self.random.choice(('', ',bilinear', ',bilinear,aligned'))})", found
        if kind == "r":
            return f"({self.keeping(source, level - 1)})*{self.random.choice((2, 2, 3))}", source
        if kind == "b":
            name, taps = self.name("b"), self.taps
            self.taps = []  # a block sees none but its own
            text, found = self.series(source, level - 1, most=3)
            self.taps = taps
            self.defs.append(f"def {name}: {text}")
            return name, found
        if kind == "s":
            return self.shared_block(source, level)
        return self.layer(source)

    def shared_block(self, source: Shape, level: int) -> tuple[str, Shape]:
        """Uses of one set of weights: of a block that is there already, or several of a new one."""
        known = [(name, output) for name, entry, output in self.shared if entry == source]
        if known and self.random.random() < 0.6:
            return self.random.choice(known)
        name, taps = self.name("w"), self.taps
        self.taps = []  # a block sees none but its own
        if self.random.random() < 0.6:
            text, output = self.keeping(source, level - 1), source
            used = self.random.choice(
                (f"{name}*2", f"({name} BN)*2", f"({name} + x) {name}", f"({name} + {name} {name})")
            )
        else:
            text, output = self.series(source, level - 1, most=3)
            used = name
        self.taps = taps
        self.defs.append(f"shared {name}: {text}")
        self.shared.append((name, source, output))
        return used, output

    def series(self, source: Shape, level: int, most: int) -> tuple[str, Shape]:
        """Items one after another."""
        items = []
        for _ in range(self.random.randint(1, most)):
            text, source = self.item(source, level)
            items.append(text)
        return " ".join(items), source


def small_network(random: Random) -> str:
    """The text of a network that builds, with a trained layer before an output."""
    while True:
        text = _attempt(random)
        try:
            network = convsize.parse(text)
        except SpecError:
            continue
        useful = frozenset[int]().union(*map(network.ancestors, network.outputs.values()))
        trained = (each.role != "buffer" for index in useful for each in network.parameters(network.nodes[index]))
        if len(network.nodes) < 60 and any(trained):
            return text


def _attempt(random: Random) -> str:
    writer = _Writer(random)
    rank = random.choice((1, 2, 2, 2, 3))
    extents = tuple(random.choice(((4, 7, 8, 12), (4, 5, 6, 8), (2, 3, 4))[rank - 1]) for _ in range(rank))
    source = Shape(random.choice((1, 2, 3, 4)), extents)
    volume = f"{source.channels}@{'x'.join(map(str, extents))}"
    lines: list[str] = []
    body: list[str] = []
    if random.random() < 0.15:
        body += [f"input left: {volume}", f"input right: {volume}"]
        lines.append("@left")
        writer.taps += [("left", source), ("right", source)]
    else:
        body.append(f"input: {volume}")
    if random.random() < 0.2:
        body.append("default: Cb0")
    heads = []
    for _ in range(random.choice((1, 2, 2, 3))):
        text, source = writer.series(source, 2, most=3)
        if random.random() < 0.4:
            name = writer.name("t")
            text = f"({text}) as {name}"
            writer.taps.append((name, source))
        lines.append(text)
    if random.random() < 0.5:
        end = random.choice(("FC3", "FC2b0", "GAP FC3 S", "FC4 S", "FC2 logsoftmax", "C1D2", "LN S FC4", "R", "BN FC2"))
        lines.append(end)
    for name, shape in writer.taps:
        if random.random() < 0.3:
            text, _ = writer.series(shape, 1, most=2)
            heads.append(f"head {writer.name('h')} @{name}: {text}")
    used = "\n".join([*lines, *heads])
    if "right" in [name for name, _ in writer.taps] and "@right" not in used:
        heads.append(f"head {writer.name('h')} @right: FC2")
    return "\n".join([*body, *writer.defs, *lines, *heads]) + "\n"
