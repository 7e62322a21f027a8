"""Trees to networks: what the words of the language mean, on hand-worked networks."""

from fractions import Fraction

import pytest

from convsize.errors import Source, SpecError, UsageError
from convsize.geometry import Shape
from convsize.graph.build import build
from convsize.graph.digest import digest
from convsize.graph.network import Network
from convsize.graph.unroll import DEEPEST_NESTING
from convsize.language.parser import parse


def network(text: str, **options: object) -> Network:
    file, errors = parse(Source(text, "net.spec"))
    assert not errors, errors
    return build(file, **options)  # type: ignore[arg-type]


def trunk(series: str, volume: str = "3@32x32", before: str = "") -> Network:
    return network(f"input: {volume}\n{before}\n{series}\n")


def volumes(net: Network) -> list[str]:
    return [str(node.output) for node in net.layers]


def names(net: Network) -> list[str]:
    return [node.name for node in net.layers]


def test_shorthand_of_the_notes() -> None:
    # C without a size is 3 wide and as deep as its input, half padding keeps H and W; P halves them.
    assert volumes(trunk("CRCRP")) == ["3@32x32"] * 4 + ["3@16x16"]
    assert names(trunk("CRCRP")) == ["conv1", "relu1", "conv2", "relu2", "maxpool1"]


def test_column_of_the_vgg_table_as_printed() -> None:
    pasted = "C3D64 C3D64 M C3D128 C3D128 M C3D256 C3D256 C3D256 M C3D512 C3D512 C3D512 M C3D512 C3D512 C3D512 M"
    net = trunk(pasted + " FC4096 FC4096 FC1000 S", "3@224x224")
    assert volumes(net)[-5:] == ["512@7x7", "4096", "4096", "1000", "1000"]


def test_one_number_after_the_at_sign_is_one_dimensional_and_three_are_three() -> None:
    assert volumes(trunk("C3D8 M", "4@100")) == ["8@100", "8@50"]
    assert volumes(trunk("C3x1x1D8 M1x2x2", "3@16x32x32")) == ["8@16x32x32", "8@16x16x16"]


def test_repeats_unroll_and_point_at_the_first_turn() -> None:
    net = trunk("(C3D8 R)*3")
    assert names(net) == ["conv1", "relu1", "conv2", "relu2", "conv3", "relu3"]
    assert [node.repeat_of for node in net.layers] == [None, None, 1, 2, 1, 2]
    assert [node.iterations[0].index for node in net.layers] == [0, 0, 1, 1, 2, 2]


def test_nested_repeats_point_at_the_innermost_first_turn() -> None:
    net = trunk("(C3D8 R*2)*2")
    assert [node.repeat_of for node in net.layers] == [None, None, 2, 1, 2, 5]


def test_repeat_of_zero_leaves_out() -> None:
    assert volumes(trunk("C3D8 R*{0} M")) == ["8@32x32", "8@16x16"]
    assert volumes(trunk("C3D8 M*{N}", before="let N=2")) == ["8@32x32", "8@16x16", "8@8x8"]


def test_lets_are_overridden_and_may_stand_anywhere() -> None:
    text = "input: 3@32x32\nC3D{W}\nlet W=2*V\nlet V=4\n"
    assert volumes(network(text)) == ["8@32x32"]
    assert volumes(network(text, lets={"V": Fraction(5)})) == ["10@32x32"]
    with pytest.raises(UsageError, match="`Q`"):
        network(text, lets={"Q": Fraction(1)})


def test_inputs_are_overridden() -> None:
    assert volumes(network("input: 3@32x32\nM\n", inputs={"input": Shape(3, (64, 64))})) == ["3@32x32"]


def test_blocks_see_the_depth_where_they_are_called() -> None:
    net = trunk("C3D8 b b(4)", before="def b(n=c): C1D{2*n} C3D{c/2}")
    assert volumes(net) == ["8@32x32", "16@32x32", "8@32x32", "8@32x32", "4@32x32"]
    assert names(net) == ["conv1", "b1.conv1", "b1.conv2", "b2.conv1", "b2.conv2"]
    assert [node.blocks for node in net.layers] == [(), ("b1",), ("b1",), ("b2",), ("b2",)]
    assert [node.spec for node in net.layers] == ["C3D8", "C1D16", "C3D8", "C1D8", "C3D4"]


def test_residual_sum_takes_the_value_that_entered() -> None:
    net = trunk("C3D8 (C3 R + x) R")
    add = next(node for node in net.layers if node.name == "add1")
    assert [net.nodes[index].name for index in add.inputs] == ["relu1", "conv1"]


def test_gate_broadcasts_a_flat_branch() -> None:
    net = trunk("C3D8 se(4)", before="def se(r, n=c): (x * GAP FC{n/r} R FC{n} sigmoid)")
    assert volumes(net) == ["8@32x32", "8@1x1", "2", "2", "8", "8", "8@32x32"]


def test_split_gives_every_branch_its_part() -> None:
    net = trunk("C3D8 split[x | C3D6]")
    assert [node.spec for node in net.layers] == ["C3D8", "slice(0, 4)", "slice(4, 8)", "C3D6", "|"]
    assert volumes(net)[-1] == "10@32x32"


def test_taps_rebind_from_turn_to_turn() -> None:
    net = trunk("C3D8 as p (C3 R [x | @p] C1D8 as p)*2")
    joins = [node for node in net.layers if node.name.startswith("cat")]
    assert [net.nodes[index].name for index in joins[1].inputs] == ["relu2", "conv3"]


def test_named_branches_of_any_size_go_on_with_the_last() -> None:
    net = trunk("[M | C3D8] as low, high C3D4 head small @low: GAP FC5".replace(" head", "\nhead"))
    assert net.outputs.keys() == {"main", "small"}
    assert [str(net.nodes[index].output) for index in net.outputs.values()] == ["4@32x32", "5"]
    assert names(net) == ["maxpool1", "conv1", "conv2", "small.gap1", "small.fc1"]


def test_a_block_gives_the_values_that_its_body_ends_in() -> None:
    before = "def two(d): [C3D{d} | C1D{2*d}/2] as hi, lo\ndef swap(a, b): [@b R | @a BN] as a, b"
    net = trunk("two(8) as a, b (swap(@a,@b) as b, a)*2 two(4) [@a C1D2 GAP | @b GAP]", before=before)
    assert names(net)[:6] == ["two1.conv1", "two1.conv2", "swap1.relu1", "swap1.bn1", "swap2.relu1", "swap2.bn1"]
    # swap gives (R of its second, BN of its first), named b and a: the sizes stay where they are.
    assert volumes(net)[:6] == ["8@32x32", "16@16x16", "16@16x16", "8@32x32", "16@16x16", "8@32x32"]
    read = {node.name: [net.nodes[index].name for index in node.inputs] for node in net.layers}
    assert (read["conv1"], read["gap2"]) == (["swap2.bn1"], ["swap2.relu1"])


def test_a_block_with_several_values_can_be_passed_and_can_end_another() -> None:
    before = "def two: [C3D8 | C1D4] as p, q\ndef in_turn(f): f as p, q"
    direct = trunk("two as a, b [@a | @b]", before="def two: [C3D8 | C1D4] as p, q")
    passed = trunk("in_turn(two) as a, b [@a | @b]", before=before)
    assert volumes(passed) == volumes(direct) == ["8@32x32", "4@32x32", "12@32x32"]
    assert [node.inputs for node in passed.layers] == [node.inputs for node in direct.layers]


def test_words_of_a_default_line_hold_where_nothing_is_stated() -> None:
    before = "let e=0.5\ndefault: bn(eps=e,momentum=0.25) leaky(0.2) lrn(7) gn(4,eps=0.125) drop(0.5)"
    net = trunk("C3D8 BN BNb0 bn(eps=2) leaky leaky(0.3) LRN LRN3 lrn(k=1) GN2 gn(8) gn(eps=2) drop", before=before)
    facts = [repr(node.op).partition("(")[2][:-1].replace("Fraction", "") for node in list(net.layers)[1:]]
    assert facts == [
        "affine=True, eps=(1, 2), momentum=(1, 4)",
        "affine=False, eps=(1, 2), momentum=(1, 4)",
        "affine=True, eps=(2, 1), momentum=(1, 4)",
        "negative_slope=(1, 5)",
        "negative_slope=(3, 10)",
        *(f"window_size={n}, alpha=(1, 10000), beta=(3, 4), k=(1, 1)" for n in (7, 3, 7)),
        *(f"num_groups={n}, affine=True, eps={eps}" for n, eps in ((2, "(1, 8)"), (8, "(1, 8)"), (4, "(2, 1)"))),
        "p=(1, 2)",
    ]


def test_a_default_of_a_word_is_the_same_network_as_its_arguments_written_out() -> None:
    short = trunk("C3D8 BN R bn(momentum=0.5)", before="default: bn(eps=0.001)")
    long = trunk("C3D8 bn(eps=0.001) R bn(eps=0.001,momentum=0.5)")
    assert digest(short) == digest(long)


def test_a_constant_with_choices_is_the_first_and_no_other_value_than_those() -> None:
    text = "input: 3@8x8\nlet d=[4, 2*d0, 16], d0=4\nC3D{d}"
    depths = [
        network(text, lets=lets).nodes[-1].output.channels for lets in ({}, {"d": Fraction(8)}, {"d0": Fraction(1)})
    ]
    assert depths == [4, 8, 4]
    with pytest.raises(UsageError, match="network: `d` is 4, 8 or 16, not 5"):
        network(text, lets={"d": Fraction(5)})
    with pytest.raises(SpecError, match="E107 this divides by zero"):
        network("input: 3@8x8\nlet d=[4, 1/0]\nC3D{d}")


def test_blocks_take_layers_words_and_taps() -> None:
    before = "def f(k, d, act, gate=x): C{k}D{d} act gate\ndef j(p): (x + @p)\ndef se: (x * GAP FC{c} sigmoid)"
    net = trunk("f(3,8,R) as a f(5,8,hswish,se) j(@a) f(1,8,leaky(0.1)) f(1, 8, x)", before=before)
    assert [node.spec for node in net.layers] == [
        "C3D8",
        "R",
        "C5D8",
        "hswish",
        "GAP",
        "FC8",
        "sigmoid",
        "*",
        "+",
        "C1D8",
        "leaky(0.1)",
        "C1D8",
    ]


def test_defaults_of_the_file() -> None:
    net = trunk("C3D8 DW3 T2/2 M M2/2 A", "4@33x33", before="default: Cb0 M3/2ceil")
    # C without bias, DW and T follow it; M is 3/2 ceil: ⌈(66-3)/2⌉+1 = 33; M2/2 takes only the ceil: 17; A is 2/2.
    assert volumes(net) == ["8@33x33", "8@33x33", "8@66x66", "8@33x33", "8@17x17", "8@8x8"]
    assert [len(net.parameters(node)) for node in net.layers] == [1, 1, 1, 0, 0, 0]


def test_several_inputs_begin_with_a_tap() -> None:
    net = network("input a: 3@8x8\ninput b: 3@8x8\n@a C3D4 as p @b C3D4 (x + @p)\n")
    assert list(net.inputs) == ["a", "b"]
    assert names(net) == ["conv1", "conv2", "add1"]


def test_head_of_one_block_is_that_block() -> None:
    text = "input: 3@8x8\ndef aux: GAP FC4\nC3D4 as p aux\nhead aux1 @p: aux\n"
    assert names(network(text)) == ["conv1", "aux2.gap1", "aux2.fc1", "aux1.gap1", "aux1.fc1"]


def test_block_names_that_end_in_a_digit_stay_apart() -> None:
    assert names(trunk("c2 c2", before="def c2: C3")) == ["c2_1.conv1", "c2_2.conv1"]


def test_a_file_of_one_line_parses_fast_and_large_ones_are_refused() -> None:
    assert len(trunk("C3*10000").nodes) == 10_001
    for text in ("R*1000000", "((((R*1000)*1000)*1000)*1000)", "(x)*1000000000000"):
        with pytest.raises(SpecError) as caught:
            trunk(text)
        assert caught.value.diagnostics[0].code == "E112"


def test_blocks_that_double_are_refused() -> None:
    before = "def b0: R R\n" + "\n".join(f"def b{i}: b{i - 1} b{i - 1}" for i in range(1, 60))
    with pytest.raises(SpecError) as caught:
        trunk("b59", before=before)
    assert caught.value.diagnostics[0].code == "E112"


def test_blocks_that_nest_too_deep_are_refused() -> None:
    before = "def b0: R\n" + "\n".join(f"def b{i}: b{i - 1}" for i in range(1, 300))
    with pytest.raises(SpecError) as caught:
        trunk("b299", before=before)
    assert caught.value.diagnostics[0].code == "E018"


@pytest.mark.parametrize(
    ("lines", "biased"),
    [
        ("T2D4/2", True),
        ("default: Cb0\nT2D4/2", False),
        ("default: Cb0\nT2D4/2b1", True),
        ("default: Cb0 Tb1\nT2D4/2", True),
        ("default: Tb0\nT2D4/2", False),
    ],
)
def test_a_transposed_convolution_has_the_bias_that_convolutions_have_by_default(lines: str, biased: bool) -> None:
    network = build(parse(Source(f"input: 3@8x8\n{lines}\n"))[0])
    (layer,) = network.layers
    assert any(each.name == "bias" for each in layer.op.parameters(Shape(3, (8, 8)))) is biased


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7//2", 3),
        ("10+(0-7)//2", 6),
        ("10+(0-7)%3", 12),
        ("7%4", 3),
        ("7/2*2", 7),
        ("2*3+1", 7),
        ("9-2-3", 4),
        ("-2+5", 3),
        ("max(2,5)", 5),
        ("min(2,5)", 2),
        ("round(10,8)", 16),
        ("round(13,8)", 16),
        ("round(9,8)", 16),  # 8 would be below 0.9 times 9
        ("round(17,8)", 16),
        ("2**6", 64),
        ("2*3**2", 18),
        ("2**3**2", 512),
        ("(2**3)**2", 64),
        ("-2**2+9", 5),
        ("(-2)**2", 4),
        ("8*2**-1", 4),
        ("7+0**0", 8),
        ("1**1000000000", 1),
        ("(0-1)**999999999+2", 1),
    ],
)
def test_arithmetic(expression: str, value: int) -> None:
    assert volumes(trunk(f"C1D{{{expression}}}")) == [f"{value}@32x32"]


@pytest.mark.parametrize(
    ("expression", "code", "place"),
    [
        ("2**0.5", "E107", "0.5"),
        ("0**-1", "E107", "0**-1"),
        ("2**60", "E103", "2**60"),
        ("2**-60", "E103", "2**-60"),
        ("1.5**999999999999", "E103", "1.5**999999999999"),
        ("9**9**9", "E103", "9**9**9"),
    ],
)
def test_powers_that_are_no_size(expression: str, code: str, place: str) -> None:
    with pytest.raises(SpecError) as caught:
        trunk(f"C1D{{{expression}}}")
    (found,) = caught.value.diagnostics
    assert (found.code, caught.value.source.slice(found.span)) == (code, place)


@pytest.mark.parametrize(
    ("series", "outputs"),
    [
        ("C1D{2**i}*{4, i}", [1, 2, 4, 8]),
        ("(R C1D{c+i})*{3,i}", [3, 3, 3, 4, 4, 6]),
        ("(C1D{i+1}*{2,i} C1D{i+5})*{2, i}", [1, 2, 5, 1, 2, 6]),  # the inner index hides the outer one
        ("(C1D{10*i+j+1}*{2, j})*{2, i}", [1, 2, 11, 12]),
        ("C1D{i+1}*{i+1,i}", [1, 2, 3]),  # the count is that of the `let`
        ("C1D{i+1}*{2,i} C1D{i+7}", [1, 2, 9]),
        ("f(i)*{2,i}", [5, 6]),
        ("C1D{R+1}*{2,R}", [1, 2]),
        ("(R*{3-i})*{4,i} C1D9", [3, 3, 3, 3, 3, 3, 9]),
    ],
)
def test_an_index_counts_the_iterations_of_a_repeat(series: str, outputs: list[int]) -> None:
    network = trunk(series, before="let i=2\ndef f(n): C1D{n+5}")
    assert [node.output.channels for node in network.layers] == outputs


@pytest.mark.parametrize(
    ("series", "code", "place"),
    [
        ("C1D{i+1}*{2,i} C1D{i}", "E106", "i"),
        ("f*{2,i}", "E106", "i"),  # a block sees its own parameters only
        ("R*{2,x}", "E113", "x"),
        ("R*{2,c}", "E113", "c"),
        ("C1D{i}*{2,i}", "E111", "i"),
        ("(R*{i*6000})*{9,i}", "E112", "R*{i*6000}"),
    ],
)
def test_an_index_holds_inside_its_repeat_alone(series: str, code: str, place: str) -> None:
    with pytest.raises(SpecError) as caught:
        trunk(series, before="def f: C1D{i}" if series.startswith("f") else "")
    found = caught.value.diagnostics[0]
    assert (found.code, caught.value.source.slice(found.span)) == (code, place)


def test_a_word_stays_a_word_where_a_tap_has_its_name() -> None:
    net = trunk("C3D4 as gelu gelu (C3 + @gelu)")
    assert names(net) == ["conv1", "gelu1", "conv2", "add1"]
    last = list(net.layers)[-1]
    assert [net.nodes[index].name for index in last.inputs] == ["conv2", "conv1"]


def test_a_block_may_begin_with_what_enters_it() -> None:
    assert names(trunk("C3D4 f f", before="def f: x R")) == ["conv1", "f1.relu1", "f2.relu1"]


@pytest.mark.parametrize(
    ("branch", "shown"),
    [
        ("C3D5", "write `C3D5 crop(30)`"),
        ("C3D3 C3D5", "replace `C3D3 C3D5` by `C3D3 C3D5 crop(30)`"),
        ("(C3D99b1 C3D99b1 C3D9b1 C3D5)*1", "write `(C3D99b1 C3D99b1 C3D9b1 C3D5)*1 crop(30)`"),
        ("(C3D99b1 C3D99b1 C3D99b1 C3D99b1 C3D5)*1", "end it with `crop(30)`"),
        ("C3D99b1 C3D99b1 C3D99b1 C3D99b1 C3D5", "end it with `C3D5 crop(30)`"),
        ("(C3D3\nC3D5)*1", "end it with `crop(30)`"),
    ],
)
def test_help_shows_a_branch_where_it_is_short(branch: str, shown: str) -> None:
    with pytest.raises(SpecError) as caught:
        trunk(f"({branch} + C3D5p0)")
    assert caught.value.diagnostics[0].help == f"crop the larger branch: {shown}"


@pytest.mark.parametrize(
    ("before", "circle"),
    [
        ("def f(g=f): g", "`f` → `f`"),
        ("def f(g=h): g\ndef h: f", "`f` → `h` → `f`"),
        ("def f: (x + [R | h])\ndef h(n=1): C3D{n} f", "`f` → `h` → `f`"),
    ],
)
def test_blocks_that_call_themselves_are_found_wherever_they_are_named(before: str, circle: str) -> None:
    with pytest.raises(SpecError) as caught:
        trunk("f", before=before)
    assert caught.value.diagnostics[0].message == f"blocks may not call themselves: {circle}"


@pytest.mark.parametrize("call", ["f(1,2)", "g(f)"])
def test_too_many_arguments_however_a_block_is_called(call: str) -> None:
    with pytest.raises(SpecError) as caught:
        trunk(call, before="def f(a): C3D{a}\ndef g(b): b(4,4)")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E105", "2 arguments are too many for the block `f`")
    assert found.help == "it is `f(a)`"


@pytest.mark.parametrize(
    "token",
    [
        "C{nope}", "C3x{nope}", "C3/{nope}", "C3d{nope}", "C3D{nope}", "C3D4g{nope}", "C3p{nope}", "C3p1:{nope}",
        "C3p1x{nope}", "T3D4/2a{nope}", "R*{nope+1}", "drop(1-nope)", "drop(-nope)", "drop(max(nope,1))",
        "drop(2*(nope))", "pad(1,value=2*nope)", "[R | C{nope}]", "split[R | C{nope}]", "(R C{nope})*2",
    ],
)  # fmt: skip
def test_names_of_numbers_are_looked_up_in_blocks_that_nothing_calls(token: str) -> None:
    with pytest.raises(SpecError) as caught:
        network(f"input: 4@8x8\ndef b: {token}\nR")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E106", "there is no number called `nope`")


def test_nesting_is_counted_anew_behind_every_block_and_bracket() -> None:
    def nested(times: int) -> str:
        # Brackets and calls that are over count no more, and none counts less than nothing.
        blocks = [f"def b{level}: b{level - 1}" for level in range(2, times + 1)]
        return "\n".join(["input: 4@8x8", "def b1: R", *blocks, f"b1*3 (R)*3 b2 b{times}"])

    network(nested(DEEPEST_NESTING))
    with pytest.raises(SpecError, match="nested more than 100 deep"):
        network(nested(DEEPEST_NESTING + 1))


@pytest.mark.parametrize(
    ("series", "written"),
    [
        ("drop(0.5)", "drop(0.5)"),
        ("up(2,bilinear)", "up(2, bilinear)"),
        ("up(3/2,mode=bicubic)", "up(1.5, mode=bicubic)"),
        ("R as t M up(@t)", "up(@t)"),
        ("softmax(groups=1+1)", "softmax(groups=2)"),
        ("position", "position"),
    ],
)
def test_a_word_stands_with_what_its_arguments_come_to(series: str, written: str) -> None:
    assert network(f"input: 4@8x8\n{series}").nodes[-1].spec == written


def test_the_layers_that_made_a_volume_small_are_named_and_no_others() -> None:
    with pytest.raises(SpecError) as caught:
        network("input: 1@6x6\nC3p0 R BN C3p0 R C3p0")
    (found,) = caught.value.diagnostics
    assert found.help is not None
    assert found.help.endswith("; the extents changed on line 2: 4x4 after `C3p0`, 2x2 after `C3p0`")


@pytest.mark.parametrize(
    ("behind", "written"), [("", "DW3p0b0 C1D8"), ("*2", "(DW3p0b0 C1D8)*2"), (" R", "DW3p0b0 C1D8 R")]
)
def test_several_layers_in_the_place_of_one_are_repeated_together(behind: str, written: str) -> None:
    text = f"input: 8@8x8\nseparable_conv(8,3){behind}"
    with pytest.raises(SpecError) as caught:
        network(text)
    ((fix,),) = [found.fixes for found in caught.value.diagnostics]
    assert text[: fix.span.start] + fix.replacement + text[fix.span.end :] == f"input: 8@8x8\n{written}"


def test_an_error_in_nested_blocks_points_at_the_innermost_call() -> None:
    text = "input: 1@4x4\ndef inner: C9p0\ndef outer: inner R\nouter"
    with pytest.raises(SpecError) as caught:
        network(text)
    (found,) = caught.value.diagnostics
    assert [(text[label.span.start : label.span.end], label.text) for label in found.labels] == [
        ("inner", "in this call")
    ]
