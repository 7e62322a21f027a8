"""Which input sizes a network takes: solved, against every size from 1 to 600 tried out, and by hand."""

import random
import time
from pathlib import Path

import pytest
from zoo import ALWAYS, SPECS, UNET_IN_NUMBERS

from convsize.analyses.sizes.extents import Condition, size_set
from convsize.analyses.sizes.input_sizes import at, input_sizes, near, structure, trunk
from convsize.errors import Source, SpecError, UsageError
from convsize.geometry import GeometryError, Shape
from convsize.graph.network import Network
from convsize.language.parser import parse
from convsize.language.tree import File
from convsize.records import InputSizes, Progression, SizeRange, SizeSet

LARGEST = 600
WEIGHTS_OF_A_LENGTH = {"fully connected", "batch norm", "position embedding", "attention", "convolution", "layer norm"}


def read(text: str) -> File:
    file, errors = parse(Source(text, "net.spec"))
    assert not any(each.severity == "error" for each in errors), errors
    return file


def solved(text: str) -> InputSizes:
    return input_sizes(structure(read(text)))


def axis(text: str) -> SizeSet:
    return solved(text).axes[0].valid


def exact(text: str) -> SizeSet:
    return solved(text).axes[0].exact


ALL = SizeSet((Progression(1, 1),), ())


def from_(start: int, modulus: int = 1, width: int = 1) -> SizeSet:
    return SizeSet((Progression(modulus, start, width),), ())


# ---- every size tried out -------------------------------------------------------------------------------------------


class Tried:
    """Extents through the layers at one size after another, by what each op itself says of a volume.

    It shares nothing with the solver but the ops: it knows no residues, and rounds by asking.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.known: dict[tuple[object, ...], Shape | None] = {}
        self.left: dict[tuple[int, int], dict[tuple[object, ...], int]] = {}

    def outputs(self, inputs: dict[str, Shape]) -> list[Shape] | None:
        """The volume of every layer, or None where there is none."""
        found: list[Shape] = []
        for node in self.network.nodes:
            if not node.inputs:
                found.append(inputs[node.name])
                continue
            shapes = tuple(found[index] for index in node.inputs)
            if node.like is not None:
                kept = found[node.like].spatial
                pairs = zip(shapes[0].spatial, kept, strict=True)
                if node.op.EXTENTS == "cropped" and any(own < other for own, other in pairs):
                    return None
                found.append(Shape(shapes[0].channels, kept))
                continue
            key = (id(node.op), shapes)
            if key not in self.known:
                try:
                    output = node.op.output(*shapes)
                except GeometryError:
                    output = None
                self.known[key] = output if output is not None and min(output.dims) > 0 else None
            output = self.known[key]
            if output is None:
                return None
            found.append(output)
        return found

    def dropped(self, volumes: list[Shape], at: int) -> bool:
        """Whether a window along the axis leaves real pixels behind the last one it reads."""
        for node in self.network.layers:
            shapes = tuple(volumes[index] for index in node.inputs)
            key = (id(node.op), shapes, at, "dropped")
            if key not in self.known:
                self.known[key] = self.drops(node.op, shapes, volumes[node.index], at)  # type: ignore[assignment]
            if self.known[key]:
                return True
        return False

    @staticmethod
    def drops(op: object, shapes: tuple[Shape, ...], output: Shape, at: int) -> bool:
        window = op.window(*shapes)  # type: ignore[attr-defined]
        if window.kind == "reads":
            # A further output would read pixels that none has read; with aligned corners the last one is read.
            if not op.scale or op.sampling == "aligned":  # type: ignore[attr-defined]
                return False
            last = shapes[0].spatial[at] - 1
            ends = [window.reads[at].of(o) for o in range(output.spatial[at] + 1)]
            return max(end for _, end in ends[:-1]) < last and ends[-1][0] <= last
        if window.kind != "axes" or at >= len(window.axes) or window.axes[at].transposed:
            return False
        one = window.axes[at]
        if one.kernel == one.stride == 1:  # padding and cropping, both asked for
            return False
        real = range(shapes[0].spatial[at] + min(one.after, 0))
        read = [
            o * one.stride - one.before + one.dilation * t
            for o in range(output.spatial[at])
            for t in (0, one.kernel - 1)
        ]
        behind = len(real) - 1 - max(read)
        return behind > max(one.stride - one.reach, 0)


def inputs_at(network: Network, names: tuple[str, ...], at: int, extent: int) -> dict[str, Shape]:
    found = {}
    for name, index in network.inputs.items():
        shape = network.nodes[index].output
        if name in names:
            extents = list(shape.spatial)
            extents[at] = extent
            shape = shape.replace(spatial=tuple(extents))
        found[name] = shape
    return found


def compare(network: Network, sizes: InputSizes, largest: int = LARGEST, step: int = 1) -> None:
    """The solved sets against extents tried, the first 64 and then by steps: along every axis and along all at once."""
    extents = [*range(1, 65), *range(65, largest + 1, step)]
    tried = Tried(network)
    own = [
        (n, network.input_shapes(n), network.parameters(n)) for n in network.layers if n.op.NAME in WEIGHTS_OF_A_LENGTH
    ]
    for one in sizes.axes:
        for extent in extents:
            volumes = tried.outputs(inputs_at(network, one.inputs, one.axis, extent))
            assert one.valid.has(extent) == (volumes is not None), (one.name, extent)
            kept = volumes is not None and not tried.dropped(volumes, one.axis)
            assert one.exact.has(extent) == kept, (one.name, extent)
            if volumes is not None:
                same = all(
                    node.op.parameters(*shapes) == tensors
                    for node, declared, tensors in own
                    if (shapes := tuple(volumes[index] for index in node.inputs)) != declared
                )
                assert one.checkpoint.has(extent) == same, (one.name, extent)
    if (
        not sizes.coupled and len({one.inputs for one in sizes.axes}) == 1
    ):  # else the other inputs are the declared ones
        for extent in extents:
            square = {
                name: shape.replace(spatial=(extent,) * shape.rank)
                for name, shape in inputs_at(network, (), 0, 0).items()
            }
            valid = all(one.valid.has(extent) for one in sizes.axes)
            assert valid == (tried.outputs(square) is not None), extent


STEP = 7
"""A step that shares no divisor with the strides of networks meets every remainder of theirs."""


@pytest.mark.parametrize(
    ("path", "step"),
    [pytest.param(path, STEP, id=path.stem) for path in SPECS if path.stem in ALWAYS]
    + [pytest.param(path, 1, id=f"{path.stem}, every extent", marks=pytest.mark.slow) for path in SPECS],
)
def test_equals_brute_force_on_every_spec(path: Path, step: int) -> None:
    file = read(path.read_text())
    network = structure(file)
    sizes = input_sizes(network)
    compare(network, sizes, step=step)
    # The trial itself against the builder, at sizes on both sides of what is valid.
    tried = Tried(network)
    choice = random.Random(1)
    edges = [one.valid.smallest for one in sizes.axes]
    for extent in {*(edge for edge in edges if edge), *(edge - 1 for edge in edges if edge), choice.randint(1, 600)}:
        if extent < 1:
            continue
        inputs = inputs_at(network, sizes.axes[0].inputs, sizes.axes[0].axis, extent)
        assert (not at(file, None, inputs).diagnostics) == (tried.outputs(inputs) is not None)


HARD = {
    "same padding": "input: 1@40x40\nC5/3psame M3/2psame A2psame C3p0 M2",
    "ceil and padding": "input: 1@40x40\nM3/2p1ceil C3/2p0 M2ceil A5/3p2ceil",
    "exact": "input: 1@43x43\nC3/2p0exact C3/2p0exact M2",
    "exact and ceil": "input: 1@41x41\nM3/2exact C5/4p2exact M2ceil",
    "stride above the kernel": "input: 1@40x40\nC1/3 C2/4p0 C3/5p1",
    "dilated": "input: 1@60x60\nC3/2d3p2 M2d2/3",
    "u-net": "input: 1@64x64\n[x | M C3 [x | M C3 up(2)] up(2)] C3",
    "two paths": "input: 1@64x64\n[M3/2p1 | C3/2 | A2ceil | C5/2p2]",
    "transposed": "input: 1@32x32\n[C3/2 T3/2p1a1 | x] (T4/2p1 + up(2))",
    "slopes differ": "input: 1@32x32\n(C3 + M2 C3 pad(8,8))",
    "slopes differ three": "input: 1@30x30\n(C3/2 pad(5,5) | M3 pad(10))".replace("(", "[", 1).replace("10))", "10)]"),
    "a fixed crop": "input: 1@40x40\n[crop(12) | M C3p0 crop(12)] M3",
    "a negative pad": "input: 1@40x40\npad(-3,-5) C3/2p0 pad(2,-1) M",
    "a gate": "input: 4@40x40\n(x * GAP FC4 sigmoid) M (C3 * C3D1 sigmoid)",
    "a gate that broadcasts at some sizes": "input: 4@12x12\n(M3/3 * C3/4p0)",
    "a gate that broadcasts once": "input: 4@9x9\n(C3 * M8/2 C1 up(9)) C3/2p0",
    "gates over gates": "input: 2@8x8\n((C3 * M5/5) * C3/3p0) C3p0",
    "a sum with one position": "input: 4@40x40\n(C3 + GAP C1) M (C3 + C3D1 + GAP FC4)",
    "a sum that broadcasts at some sizes": "input: 4@12x12\n(M3/3 + C3/4p0)",
    "sums over gates": "input: 2@8x8\n((C3 * M5/5) + C3/3p0) C3p0",
    "reshape": "input: 4@6x6\nC3 reshape(144) FC10 reshape(10,1,1) C1",
    "reshape back": "input: 4@6x6\nM reshape(9,4) C3 GAP",
    "flattened branches": "input: 4@8x8\n[M flat | C3/2 flat] FC10 BN",
    "flattened sum": "input: 4@8x8\n(M flat + M3/2p1 flat) BN FC10",
    "flattened sum of unlike extents": "input: 4@9x9\n(C2/2p0D2 flat + M3/2p1 slice(0,2) flat) FC3".replace(
        "9x9", "8x8"
    ),
    "flattened gate": "input: 4@8x8\n(M flat * A flat sigmoid) FC10",
    "instance norm": "input: 4@16x16\nM4 IN C3 M4 R",
    "one axis only": "input: 4@16x9\nC3x1/2x1p0 M1x3 C1x3p0",
    "one dimension": "input: 4@50\nC5/2p0 M3/2ceil T4/3p1 C3",
    "three dimensions": "input: 2@7x12x12\nC3p0 M2x3x3 GAP FC2",
    "two inputs alike": "input a: 1@20x20\ninput b: 1@20x20\n@a C3/2 as p\n[@p | @b M2ceil] C3p0",
    "two inputs unlike": "input a: 1@20x20\ninput b: 1@10x10\n@a M2 as p\n(@p + @b)",
    "heads": "input: 3@64x64\nC3/2p0 as low M C3/2p0 M GAP FC10\nhead box @low: A9/4 C5p0 FC4",
    "pixel shuffle": "input: 8@20x20\n[C3/2p0 pixelshuffle(2) | crop(18) C3D2]",
    "asymmetric": "input: 1@33x33\nC4/2p1:2 M3/2p1:0 C2/2p0:1",
    "sum pools": "input: 1@33x33\nsumpool(3,2) lppool(3,2) sumpool(2)",
    "by a fraction": "input: 1@33x33\nup(3/2,bilinear) C3/2p0 up(2/3) up(1/2,bilinear,antialias)",
    "by fractions that leave pixels": "input: 1@33x33\n[up(5/4) | up(5/4,bilinear,aligned) | up(5/4,bicubic)] up(1/3)",
    "to the extents of a tap": "input: 1@33x33\nC3/2p0 as a C3/2 as b M (C1 up(@b) + @b) (x up(@a,bilinear) + @a)",
    "a crop to a tap": "input: 1@40x33\nC5p0 as a C3/2p0 T2/2 as b @a crop(@b) C3/2p0 as c @b [C3 | @b] crop(@c)",
    "a crop to what shrinks as well": "input: 1@33x33\nC9/3p0 T2/2 as a\n@input C5/2p0 crop(@a)",
    "a depth that was positions": "input: 3@33x20\nC5/4p0 swap(depth,width) C3D7 LN swap(depth,height) (C1D8 + x)",
    "swapped and back": "input: 3@33x20\nC3/2p0 swap(depth,height) (R + x) swap(height,depth) C3/2p0 GAP",
    "a crop beside a swapped depth": "input: 3@24x21\nC3D8 as a C3/2p0 T3/2 as u\n@a crop(@u) swap(depth,width) C1D12",
    "a swapped depth that must agree": "input: 3@24\nC3D4 as a swap(depth,length) C1D24 swap(length,depth) (x + @a)",
    "to the extents of the input": "input: 3@33x20\nC5/4p0 C3/2 GAP up(@input,bilinear,aligned)",
    "to stated extents": "input: 1@33x33\nC3/2p0 resize(7,9,bilinear) C3/2 FC4",
    "reflected on one side": "input: 1@40x24\nM4 C4p0:3reflect C3p2:0reflect",
    "wrapped on one side": "input: 1@40x24\nM4 C4p0:3circular C3p2:0circular",
    "repeated at the borders": "input: 1@40x24\nM4 C6p4:5replicate",
    "never but here": "input: 1@16x16\n[crop(7) M2 | C3/2p0 C2/2p0] FC2",
}


@pytest.mark.parametrize(
    ("cropped", "tried"), [(200, 224), (225, 256), (257, 299), (300, 384), (385, 512), (513, 572), (573, 1024)]
)
def test_sizes_that_networks_are_drawn_for_are_tried_where_none_near_by_fits(cropped: int, tried: int) -> None:
    network = structure(read(f"input: 1@9x9\ncrop({cropped}) C3"))
    assert network.nodes[0].output.spatial == (tried, tried)


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_equals_brute_force_on_awkward_networks(text: str) -> None:
    network = structure(read(text))
    compare(network, input_sizes(network), 150)


@pytest.mark.parametrize(("seed", "count"), [(1, 60), pytest.param(20250101, 250, marks=pytest.mark.slow)])
def test_equals_brute_force_on_random_networks(seed: int, count: int) -> None:
    choice = random.Random(seed)
    tokens = ["C3", "C3p0", "C3/2", "C5/3p1", "C2/2p0", "M", "M3/2ceil", "M3/2p1ceil", "A3/2p1", "C3/2psame", "M2psame"]
    tokens += [
        "T2/2",
        "T3/2p1a1",
        "T4/3p1",
        "up(2)",
        "pad(1,2)",
        "pad(-2,1)",
        "C1/2",
        "C3d2p0",
        "crop(9)",
        "C3/2p1exact",
        "up(3/2)",
        "up(2/3,bilinear)",
        "up(@input)",
        "up(3) crop(@input)",
        "resize(12,bilinear)",
    ]
    solved_ones = 0
    for _ in range(count):
        branches = [" ".join(choice.choices(tokens, k=choice.randint(1, 4))) for _ in range(choice.randint(1, 2))]
        joined = (
            branches[0]
            if len(branches) == 1
            else choice.choice(["[{} | {}]", "({} + {})", "({} * {})"]).format(*branches)
        )
        text = f"input: 1@{choice.randint(16, 40)}x24\n{joined} {choice.choice(tokens)}"
        try:
            network = structure(read(text))
        except SpecError:
            continue
        solved_ones += 1
        try:
            compare(network, input_sizes(network), 90)
        except AssertionError as error:
            raise AssertionError(f"{error} in {text!r}") from error
    assert solved_ones > 0.4 * count


# ---- by hand --------------------------------------------------------------------------------------------------------


def test_five_halvings_take_any_size_from_32_and_lose_nothing_of_multiples_of_32() -> None:
    # ⌊n/2⌋ five times is ⌊n/32⌋, which must be 1 at least; a halving of an odd extent loses a row.
    assert axis("input: 3@224x224\nM*5") == from_(32)
    assert exact("input: 3@224x224\nM*5") == from_(32, 32)


def test_unpadded_filters_and_pools_are_exact_from_a_first_size_on() -> None:
    # C11/4p0: (n - 11)/4 + 1; M3/2 twice. One position at the end needs 3, hence 7, hence (7-1)·4 + 11 = 35. Exact
    # needs n ≡ 3 mod 4, an odd extent after it, and again: steps of 4·2·2 = 16.
    assert axis("input: 3@227x227\nC11D96/4p0 M3/2 M3/2") == from_(35)
    assert exact("input: 3@227x227\nC11D96/4p0 M3/2 M3/2") == from_(35, 16)


def test_joins_intersect() -> None:
    # M gives ⌊n/2⌋, C3/2 gives ⌈n/2⌉: equal for even n.
    assert axis("input: 3@32x32\n[M | C3/2]") == from_(2, 2)
    # A level of a U-Net of its own kind: down to ⌊n/2⌋ and up again is n for even n.
    assert axis("input: 3@32x32\n[x | M [x | M up(2)] up(2)]") == from_(4, 4)


def test_joins_of_unlike_slopes_meet_once() -> None:
    # n and ⌊n/2⌋ + 16: n = 31 (31 = 15 + 16) and n = 32 (32 = 16 + 16).
    assert axis("input: 1@32x32\n(x + M pad(8))") == SizeSet((), (SizeRange(31, 32, 1),))


def test_padding_that_is_dropped_is_no_loss() -> None:
    # ResNet's stem on an even size leaves one padded row, no real one.
    assert exact("input: 3@224x224\nC7/2 M3/2p1 C3/2 C1/2") == ALL


@pytest.mark.parametrize(
    ("name", "smallest"),
    [
        ("alexnet_torchvision", 63),
        ("vgg_a", 32),
        ("vgg_d", 32),
        ("vgg_e", 32),
        ("squeezenet1_1", 17),
        ("squeezenet1_0", 21),
        ("densenet121", 29),
        ("googlenet_torchvision", 15),
        ("resnet50", 1),
        ("mobilenet_v2", 1),
    ],
)
def test_smallest_sizes_that_torchvision_documents(name: str, smallest: int) -> None:
    path = next(path for path in SPECS if path.stem == name)
    assert {one.valid.smallest for one in solved(path.read_text()).axes} == {smallest}


def test_inception_v3_takes_75_without_its_auxiliary_head() -> None:
    # torchvision documents 75, which is the trunk: (75-3)/2+1 = 37, 35, 35, (35-3)/2+1 = 17, 15, 7, 3, 1. The head
    # needs a 5x5 filter's worth after a pool of 5/3, from the maps before the last halving: 17 of them, and so 299.
    file = read(next(path for path in SPECS if path.stem == "inception_v3").read_text())
    assert {one.valid.smallest for one in input_sizes(structure(trunk(file))).axes} == {75}
    assert {one.valid.smallest for one in input_sizes(structure(file)).axes} == {299}


def test_the_published_u_net_takes_the_sizes_that_its_crops_were_drawn_for() -> None:
    # Four pools round down: 572 … 587 all give 32x32 at the bottom. At 572 alone nothing is dropped.
    one = solved(UNET_IN_NUMBERS).axes[0]
    assert one.valid == SizeSet((), (SizeRange(572, 587, 1),))
    assert one.exact == SizeSet((), (SizeRange(572, 572, 1),))


def test_a_u_net_that_crops_to_its_taps_takes_all_sizes_that_leave_something() -> None:
    # 184 less come out than go in, and the four levels of the way up leave 4 of the smallest that the way down takes.
    one = solved(next(path for path in SPECS if path.stem == "unet").read_text()).axes[0]
    assert one.valid == SizeSet((Progression(1, 188),), ())
    assert one.exact == SizeSet((Progression(16, 188),), ())


def test_fully_connected_weights_hold_for_a_range_of_sizes() -> None:
    # VGG's first one has 512·7·7 inputs: ⌊n/32⌋ = 7 for n = 224 … 255.
    sizes = solved(next(path for path in SPECS if path.stem == "vgg_d").read_text())
    assert sizes.axes[0].checkpoint == SizeSet((), (SizeRange(224, 255, 1),))
    assert [(one.layer, one.text) for one in sizes.checkpoint] == [
        ("fc1", "its weights have one column for each of 512·7·7 = 25088 inputs")
    ]


def test_a_reshape_ties_the_axes_together() -> None:
    sizes = solved("input: 4@6x6\nC3 reshape(144) FC10")
    assert [one.valid for one in sizes.axes] == [SizeSet((), (SizeRange(6, 6, 1),))] * 2
    assert [one.layer for one in sizes.coupled] == ["reshape1"]


def test_no_size_at_all_is_an_empty_set() -> None:
    sizes = solved("input: 3@32x32\nM exact: 1".replace(" exact: 1", ""))
    assert sizes.axes[0].valid.smallest == 2
    # A branch of one position is added to every other: the filter of 3 leaves one of 3.
    assert axis("input: 3@3x3\n(C3p0 + x)") == SizeSet((), (SizeRange(3, 3, 1),))
    with pytest.raises(SpecError):
        structure(read("input: 3@32x32\n[C3p0 | x]"))


def test_a_spec_that_is_wrong_at_its_declared_size_is_solved_from_one_near_by() -> None:
    sizes = solved("input: 3@30x30\n[x | M [x | M up(2)] up(2)]")
    assert sizes.inputs == (("input", (3, 30, 30)),)
    assert sizes.base == (("input", (3, 32, 32)),)
    assert sizes.axes[0].valid == from_(4, 4)


def test_inline_volumes_and_expectations_are_no_conditions() -> None:
    assert axis("input: 3@32x32\nC3p0 3@30x30 M 3@15x15\nexpect: out=3@15x15") == from_(4)
    assert axis("input: 3@32x32\nC3p0 3@31x31 M") == from_(4)


def test_near_and_why() -> None:
    file = read("input: 3@32x32\n[x | M [x | M up(2)] up(2)]")
    (high, wide) = near(input_sizes(structure(file)), (30, 17))
    assert (high.below, high.above, wide.below, wide.above) == (28, 32, 16, 20)
    found = at(file, None, {"input": Shape(3, (30, 32))})
    assert [each.code for each in found.diagnostics] == ["E303"]
    assert at(file, None, {"input": Shape(3, (36, 32))}).diagnostics == ()
    with pytest.raises(UsageError, match="3 numbers for 2 axes"):
        near(input_sizes(structure(file)), (1, 2, 3))


def test_what_a_valid_size_drops() -> None:
    file = read("input: 3@32x32\nC3p0 M3/2\nM")
    # 32 - 2 = 30; (30 - 3)/2 + 1 = 14 leaves one; 14 halves. 33: 31 -> 15, whose half leaves one.
    dropping = at(file, None, {"input": Shape(3, (32, 33))}).dropping
    assert [(one.layer, one.line, one.text) for one in dropping] == [
        ("maxpool1", 2, "drops 1 of the 30 pixels of the height"),
        ("maxpool2", 3, "drops 1 of the 15 pixels of the width"),
    ]


def test_strides_beyond_the_largest_period_are_refused() -> None:
    assert axis("input: 1@65536\nM*16") == from_(65536)
    with pytest.raises(UsageError, match="repeat only every 131,072 positions"):
        solved("input: 1@131072\nM*17")


@pytest.mark.timed
def test_too_many_cases_are_refused_at_once() -> None:
    start = time.perf_counter()
    with pytest.raises(UsageError, match="fall into too many cases"):
        solved("input: 1@70000\nM*15 (T2/2 M)*3000")
    assert time.perf_counter() - start < 10


def test_instance_norm_takes_a_single_row_but_no_single_position() -> None:
    sizes = solved("input: 4@8x8\nM4 IN")
    assert [one.valid for one in sizes.axes] == [from_(4), from_(4)]
    assert [(one.layer, one.text) for one in sizes.coupled] == [("in1", "needs more than one position")]
    assert sizes.least(exact=False) is None
    # With a filter of 2 before it, there is always more than one position.
    assert solved("input: 4@8x8\nM4 pad(1) IN").coupled == ()


def test_numbers_that_follow_the_input_size_are_refused() -> None:
    with pytest.raises(UsageError, match=r"`FC128` \(fc1\) depend on the input size, through `c`"):
        solved("input: 4@16x16\nM flat FC{c/2} FC10")
    with pytest.raises(UsageError, match=r"`slice\(0, 4\)` \(slice1\) works on a vector whose length depends"):
        solved("input: 4@16x16\nM flat slice(0,4) FC10")


def test_few_progressions() -> None:
    def shown(period: int, kept: set[int]) -> SizeSet:
        return size_set(Condition(period, tuple((int(r == 0), None) if r in kept else None for r in range(period))))

    assert shown(8, {1, 3, 5, 7}) == SizeSet((Progression(2, 1),), ())
    assert shown(4, {1, 2, 3}) == SizeSet((Progression(4, 1, 3),), ())
    assert shown(6, {0, 3}) == SizeSet((Progression(3, 3),), ())
    assert shown(6, set(range(6))) == ALL
    assert size_set(Condition(2, ((5, None), (1, None)))) == SizeSet((Progression(1, 9),), (SizeRange(3, 7, 2),))


def test_a_set_knows_its_neighbours() -> None:
    one = SizeSet((Progression(32, 29, 4),), (SizeRange(3, 9, 3),))
    assert [n for n in range(70) if one.has(n)] == [3, 6, 9, 29, 30, 31, 32, 61, 62, 63, 64]
    members = [n for n in range(300) if one.has(n)]
    for n in range(200):
        assert one.below(n) == max((m for m in members if m <= n), default=None)
        assert one.above(n) == min(m for m in members if m >= n)
    assert SizeSet((), ()).smallest is None


@pytest.mark.timed
def test_resnet152_is_solved_in_a_fifth_of_a_second() -> None:
    network = structure(read(next(path for path in SPECS if path.stem == "resnet152").read_text()))
    best = 1.0
    for _ in range(3):
        start = time.perf_counter()
        input_sizes(network)
        best = min(best, time.perf_counter() - start)
    assert best < 0.2


@pytest.mark.timed
def test_a_long_chain_is_solved_in_linear_time() -> None:
    network = structure(read("input: 3@64x64\n(C3 R BN)*3000"))
    start = time.perf_counter()
    assert input_sizes(network).axes[0].valid == ALL
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(("repeats", "builds"), [(5, 1 + 2 * 64 + 7), (20_000, 1 + 5)])
def test_trying_sizes_near_by_is_bounded_by_counted_work(
    monkeypatch: pytest.MonkeyPatch, repeats: int, builds: int
) -> None:
    from convsize.analyses.sizes import input_sizes as module

    tried = []
    attempt = module.attempt

    def counted(*args: object, **named: object) -> object:
        tried.append(named.get("inputs"))
        return attempt(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "attempt", counted)
    with pytest.raises(SpecError, match="E301"):
        structure(read(f"input: 3@8x8\nR*{repeats} (C3D4 + x)"))
    assert len(tried) == builds
