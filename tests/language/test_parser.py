import gc
from fractions import Fraction
from time import process_time

import pytest
from tree_tools import errors, read, spec_of

from convsize.errors import Source, Span
from convsize.language.layers import layers_in
from convsize.language.mnemonics import LONGER, MNEMONICS, SINGLE, SPELLINGS
from convsize.language.parser import parse, parse_layer
from convsize.language.tree import (
    Binary,
    Call,
    Check,
    DefStmt,
    ExpectStmt,
    Expr,
    Function,
    Group,
    HeadStmt,
    Identity,
    InputStmt,
    Item,
    Layer,
    LetStmt,
    Name,
    Neg,
    Num,
    Pads,
    Tap,
    TrunkStmt,
    Volume,
)


def items(text: str) -> tuple[Item, ...]:
    (stmt,) = read(text).statements
    assert isinstance(stmt, TrunkStmt)
    return stmt.series.items


def atom(text: str) -> object:
    (item,) = items(text)
    return item.atom


def layer(text: str) -> Layer:
    found = atom(text)
    assert isinstance(found, Layer)
    return found


def group(text: str) -> Group:
    found = atom(text)
    assert isinstance(found, Group)
    return found


def value(expr: Expr | None) -> int:
    assert isinstance(expr, Num)
    assert expr.value.denominator == 1
    return int(expr.value)


def values(dims: tuple[Expr, ...] | None) -> tuple[int, ...]:
    assert dims is not None
    return tuple(value(dim) for dim in dims)


def tokens(text: str) -> list[str]:
    """The texts of the items of a one-line spec."""
    return [item.span.of(text) for item in items(text)]


# ---- layers ----------------------------------------------------------------------------------------------------------


def test_glued_layers_are_told_apart() -> None:
    assert tokens("CRCRP") == ["C", "R", "C", "R", "P"]
    assert tokens("C11D96/4RLRN5M3/2") == ["C11D96/4", "R", "LRN5", "M3/2"]
    assert tokens("C3D64RM") == ["C3D64", "R", "M"]
    assert tokens("DWDW3D64GAPGMPGN4FC10BNLNINLRNGRNRS") == [
        *("DW", "DW3D64", "GAP", "GMP", "GN4", "FC10", "BN", "LN", "IN", "LRN", "GRN", "R", "S")
    ]
    assert tokens("(R)R[R]drop(0.5)C3") == ["(R)", "R", "[R]", "drop(0.5)", "C3"]


def test_every_part_of_a_token() -> None:
    found = layer("C3x5D64/2x1p1x0:2d2x3g4b0ceil")
    assert values(found.size) == (3, 5)
    assert value(found.depth) == 64
    assert values(found.stride) == (2, 1)
    assert found.padding is not None
    assert found.padding.mode == "explicit"
    assert [(value(before), after and value(after)) for before, after in found.padding.pairs] == [(1, None), (0, 2)]
    assert values(found.dilation) == (2, 3)
    assert value(found.groups) == 4
    assert (found.bias, found.rounding) == (False, "ceil")
    text = "C3x5D64/2x1p1x0:2d2x3g4b0ceil"
    assert [(part, span.of(text)) for part, span in found.suffixes] == [
        *(("size", "3x5"), ("D", "D64"), ("/", "/2x1"), ("p", "p1x0:2"), ("d", "d2x3"), ("g", "g4"), ("b", "b0")),
        ("rounding", "ceil"),
    ]


def test_suffixes_come_in_any_order() -> None:
    assert spec_of("C3floorb1g2d3p1/2D8") == spec_of("C3D8/2p1d3g2b1floor")
    assert values(layer("T2D64/2a1").output_padding) == (1,)
    assert (layer("A3z0").count_zeros, layer("A3z1").count_zeros) == (False, True)


@pytest.mark.parametrize("mode", ["valid", "half", "full", "same"])
def test_padding_modes(mode: str) -> None:
    assert layer(f"C3p{mode}").padding == Pads(mode)  # type: ignore[arg-type]
    assert layer(f"C3p{mode}floor").rounding == "floor"


@pytest.mark.parametrize("rounding", ["floor", "ceil", "exact"])
def test_roundings(rounding: str) -> None:
    assert layer(f"M3/2{rounding}p1").rounding == rounding


def test_what_is_not_written_is_none() -> None:
    assert layer("C") == Layer("C", Span(0, 1))


def test_p_is_the_max_pool_of_the_notes() -> None:
    assert spec_of("P3/2 P") == spec_of("M3/2 M")


def test_braces_hold_expressions() -> None:
    found = layer("C{k}D{4*a}/{s}p{p}:{p+1}")
    assert [type(part) for part in (*(found.size or ()), found.depth, *(found.stride or ()))] == [Name, Binary, Name]
    assert spec_of("C{3}D{ 64 }") == spec_of("C3D64")


@pytest.mark.parametrize(
    ("alias", "plain"),
    [
        ("conv3-64", "C3D64"),
        ("maxpool", "M"),
        ("FC-4096", "FC4096"),
        ("soft-max", "S"),
        ("CONV RELU POOL", "C R M"),
        ("conv3-64*2 as p", "C3D64*2 as p"),
        ("[[CONV -> RELU]*N -> POOL]*M", "((C R)*{N} M)*{M}"),
    ],
)
def test_aliases(alias: str, plain: str) -> None:
    assert spec_of(alias) == spec_of(plain)


def test_input_begins_the_trunk_and_is_dropped() -> None:
    assert spec_of("INPUT -> CONV -> RELU") == spec_of("C R")
    assert spec_of("input: 3@4x4\nINPUT\nC R") == spec_of("input: 3@4x4\nC R")
    assert errors("C INPUT") == [("E016", "INPUT")]


def test_an_alias_is_never_read_before_a_bracket_or_where_a_block_has_its_name() -> None:
    assert isinstance(atom("maxpool(3)"), Call)
    file = read("def maxpool: M3/2\nmaxpool")
    assert isinstance(file.statements[1], TrunkStmt)
    assert isinstance(file.statements[1].series.items[0].atom, Call)


def test_a_block_may_be_called_like_a_layer_in_small_letters() -> None:
    read("c3 m2\ndef c3: C3\ndef m2(c1): c1")
    read("C3 p1\ndef p1: R")
    assert errors("c3 m2") == [("E014", "c3"), ("E014", "m2")]


def test_the_mnemonics_are_a_prefix_code() -> None:
    spelled = [*SINGLE, *[one for longer in LONGER.values() for one in longer]]
    assert {SPELLINGS.get(one, one) for one in spelled} - {"INPUT"} == set(MNEMONICS)
    for one in spelled:
        for other in spelled:
            # Where one begins another, what is left begins no layer: longest first is then the only reading.
            if other.startswith(one) and other != one:
                rest = other[len(one) :]
                assert not any(rest.startswith(begin) for begin in spelled if begin != "P") or one == "IN", (one, other)


def test_a_size_may_come_from_a_default() -> None:
    read("GN C FC10\ndefault: GN32")
    assert errors("GN C FC10\ndefault: C5") == [("E101", "GN")]


def test_parse_layer_reads_exactly_one_token() -> None:
    found = parse_layer("C3D64", 40)
    assert found is not None
    assert (found.mnemonic, found.span, found.suffixes[1]) == ("C", Span(40, 45), ("D", Span(42, 45)))
    assert parse_layer("BN", 0) == Layer("BN", Span(0, 2))
    for text in ("", "hswish", "C3D64R", "C3D64 ", "X3", "R3", "M2D64", "c3", "CONV3", "INPUT", "64"):
        assert parse_layer(text, 7) is None, text


def test_layers_in_counts_glued_layers() -> None:
    assert [layers_in(text) for text in ("C3D64", "CRCRP", "C3 R", "R3", "")] == [1, 5, 0, 0, 0]


# ---- series and groups -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "branches"),
    [
        ("(C3 R)", "series", 1),
        ("[C3 R]", "series", 1),
        ("(C3 + x)", "sum", 2),
        ("(C3 + x + R)", "sum", 3),
        ("(x * GAP sigmoid)", "gate", 2),
        ("(x *R)", "gate", 2),
        ("(x* GAP)", "gate", 2),
        ("(x * 3@4x4)", "gate", 2),
        ("(x*se)", "gate", 2),
        ("(x*C3)", "gate", 2),
        ("(C3 - x)", "difference", 2),
        ("(x -\n  C3 - R)", "difference", 3),
        ("(x -> R - C3 -> R)", "difference", 2),
        ("(x / GAP)", "quotient", 2),
        ("(C3/2 / A)", "quotient", 2),
        ("[C3 | x]", "concat", 2),
        ("split[C3 | x]", "split", 2),
        ("split [ C3 ]", "split", 1),
    ],
)
def test_groups(text: str, kind: str, branches: int) -> None:
    found = group(text)
    assert (found.kind, len(found.branches)) == (kind, branches)
    assert found.span == Span(0, len(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [("R*3", "3"), ("(R)*12", "12"), ("[R]*{2*n}", "2*n"), ("[R]*N", "N"), ("drop(0.5)*2", "2"), ("(R)*{0}", "0")],
)
def test_repeats(text: str, count: str) -> None:
    (item,) = items(text)
    assert item.repeat is not None
    assert item.repeat.span.of(text) == count
    assert item.span == Span(0, len(text))


def test_a_glued_star_before_a_single_capital_is_a_repeat() -> None:
    (item,) = group("(a*R)").branches[0].items
    assert isinstance(item.repeat, Name)


def test_names() -> None:
    (item,) = items("[C3 | x]*2 as  p, q")
    assert [name.name for name in item.names] == ["p", "q"]
    assert item.span == Span(0, 19)
    first, second = items("C3 as stem @stem")
    assert (first.names[0].name, second.atom) == ("stem", Tap("stem", Span(11, 16)))


def test_x_is_the_identity_and_words_that_begin_like_keywords_are_words() -> None:
    assert atom("x") == Identity(Span(0, 1))
    for word in ("xs", "asp", "inputs", "splits", "defer", "as_", "c"):
        assert isinstance(atom(word), Call), word


def test_volumes() -> None:
    assert atom("3@224x224") == Volume(3, (224, 224), Span(0, 9))
    assert [type(item.atom) for item in items("C3 512@7 1@2x3x4")] == [Layer, Volume, Volume]


def test_arrows_mean_nothing() -> None:
    assert spec_of("C3 -> R->M ->[R | x]") == spec_of("C3 R M [R | x]")


def test_calls() -> None:
    found = atom("f(64, b=2*n, @p, hswish, leaky(0.1), -1)")
    assert isinstance(found, Call)
    assert found.args is not None
    kinds = [(arg.name and arg.name.name, type(arg.value)) for arg in found.args]
    assert kinds == [(None, Num), ("b", Binary), (None, Tap), (None, Name), (None, Function), (None, Neg)]
    assert [type(item.atom) for item in items("aux (R)")] == [Call, Group]
    assert atom("f()") == Call(found.name, (), Span(0, 3))
    assert atom("f") == Call(found.name, None, Span(0, 1))


# ---- expressions -----------------------------------------------------------------------------------------------------


def let_value(text: str) -> Expr:
    (stmt,) = read(f"let n={text}").statements
    assert isinstance(stmt, LetStmt)
    return stmt.bindings[0][1]


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", Fraction(3)), ("0.50", Fraction(1, 2)), ("007", Fraction(7)), ("1e-5", Fraction(1, 10**5)), ("2.5e3", 2500)],
)
def test_numbers_are_exact(text: str, number: Fraction) -> None:
    assert let_value(text) == Num(Fraction(number), Span(6, 6 + len(text)))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1+2*3", "1+(2*3)"),
        ("1-2-3", "(1-2)-3"),
        ("8/4/2", "(8/4)/2"),
        ("a//2*3%4", "((a//2)*3)%4"),
        ("-a*b", "(-a)*b"),
        ("2--3", "2-(-3)"),
        ("min(a, max(b,2))", "min(a,max(b,2))"),
    ],
)
def test_precedence(text: str, same: str) -> None:
    assert spec_of(f"let n={text}") == spec_of(f"let n={same}")


# ---- statements and lines --------------------------------------------------------------------------------------------


def test_statements() -> None:
    file = read(
        "input left: 3@4x4\ndefault: Cb0 M3/2\nlet N=2, k = 3\ndef f(a, b=1): C3D{a}\ndef g: R\n"
        "head aux @stem: FC10\nhead b: FC4\nexpect: params=1\nexpect main: macs~4.09G\nexpect @p: out=1@2x2\nR"
    )
    kinds = [type(stmt).__name__.removesuffix("Stmt") for stmt in file.statements]
    assert kinds == ["Input", "Default", "Let", "Def", "Def", "Head", "Head", "Expect", "Expect", "Expect", "Trunk"]
    left, _, let, f, g, aux, b, *_ = file.statements
    assert isinstance(left, InputStmt)
    assert left.name is not None
    assert (left.name.name, left.volume.extents) == ("left", (4, 4))
    assert isinstance(let, LetStmt)
    assert [name.name for name, _ in let.bindings] == ["N", "k"]
    assert isinstance(f, DefStmt)
    assert [(param.name.name, param.default is None) for param in f.params] == [("a", True), ("b", False)]
    assert isinstance(g, DefStmt)
    assert g.params == ()
    assert isinstance(aux, HeadStmt)
    assert aux.tap is not None
    assert isinstance(b, HeadStmt)
    assert b.tap is None


def checks(text: str) -> tuple[Check, ...]:
    (stmt,) = read(text).statements
    assert isinstance(stmt, ExpectStmt)
    return stmt.checks


def test_values_of_checks() -> None:
    found = checks("expect: a=1000 b~4.09G c<=8GiB d=512@7x7 e=word f=1f3a90c2 g=12345678 h >= 1.5K i(batch=8)<2M j>3")
    shown = [(one.metric.name, one.comparison, one.value.text, one.value.number, one.value.step) for one in found]
    assert shown == [
        ("a", "=", "1000", 1000, 1),
        ("b", "~", "4.09G", 4_090_000_000, 10_000_000),  # the last digit shown is worth 0.01 G
        ("c", "<=", "8GiB", 8 * 2**30, 2**30),
        ("d", "=", "512@7x7", None, None),
        ("e", "=", "word", None, None),
        ("f", "=", "1f3a90c2", None, None),
        ("g", "=", "12345678", 12345678, 1),
        ("h", ">=", "1.5K", 1500, 100),
        ("i", "<", "2M", 2_000_000, 1_000_000),
        ("j", ">", "3", 3, 1),
    ]
    assert found[3].value.volume == Volume(512, (7, 7), found[3].value.span)
    assert found[8].args[0].name is not None


def test_an_indented_line_continues_the_line_before_it() -> None:
    assert spec_of("def f(a,\n   b):\n\tC3\n  # a comment\n\n  R") == spec_of("def f(a, b): C3 R")
    assert spec_of("C3\n R\nM") == spec_of("C3 R\nM")
    assert spec_of("  C3\n  R") == spec_of("C3 R")  # the first line has none before it
    assert spec_of("let a=1,\n  b=2") == spec_of("let a=1, b=2")


def test_inside_brackets_a_line_break_is_a_space() -> None:
    assert spec_of("[C3\n| R\n]\nM") == spec_of("[C3 | R]\nM")
    assert spec_of("f(1,\n2) C{3\n+1}") == spec_of("f(1,2) C{3+1}")


def test_line_endings_and_byte_order_marks() -> None:
    text = "input: 3@4x4 # in\nC3 R # end\n  M\n"
    assert spec_of("\ufeff" + text.replace("\n", "\r\n")) == spec_of(text)
    assert [note.text for note in read(text.replace("\n", "\r\n")).comments] == ["# in", "# end"]
    assert errors("C3\rR") == [("E001", "\r")]


def test_comments_are_kept_with_their_place() -> None:
    text = "# top\nC3 # one\n  # two\n  R\n"
    assert [(note.text, note.alone, note.span.of(text)) for note in read(text).comments] == [
        ("# top", True, "# top"),
        ("# one", False, "# one"),
        ("# two", True, "# two"),
    ]


@pytest.mark.parametrize("text", ["", "\n", "  \n\n", "# only a comment", "\ufeff", "\r\n"])
def test_a_text_without_statements_is_no_syntax_error(text: str) -> None:
    assert read(text).statements == ()


def test_spans_are_those_of_the_text() -> None:
    text = "# c\r\ninput:\t3@4x4\r\n(C3D{ 2*n }*2 as p\r\n  + x)\r\n"
    file = read(text)
    assert [stmt.span.of(text) for stmt in file.statements] == [
        "input:\t3@4x4",
        "(C3D{ 2*n }*2 as p\r\n  + x)",
    ]


# ---- limits ----------------------------------------------------------------------------------------------------------


def seconds(text: str) -> float:
    """The best of three, without collections: what those take depends on all the objects of the process."""
    source, taken = Source(text), []
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            start = process_time()
            parse(source)
            taken.append(process_time() - start)
    finally:
        gc.enable()
    return min(taken)


@pytest.mark.timed
@pytest.mark.parametrize("text", ["C3D64R" * 5000, "C3D64 R\n" * 5000, "(C3D64 R)*2 " * 3334, "# note\n  R\n" * 10000])
def test_ten_thousand_layers_parse_in_a_fraction_of_a_second(text: str) -> None:
    read(text)
    assert seconds(text) < 0.4


@pytest.mark.timed
@pytest.mark.parametrize(
    "unit",
    ["(", "{n ", "X", "C3 D64"]
    + [
        pytest.param(unit, marks=pytest.mark.slow)
        for unit in ("[a|", "C3D{", "f(a,", "é", "conv3-", "a1 ", "O", "R*3 *", "->", "1", "-", "\n R", "C ")
    ],
)
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    short, long = (unit * (length // len(unit)) for length in (20_000, 160_000))
    # Linear is a factor of 8; quadratic would be 64.
    assert seconds(long) < 24 * max(seconds(short), 0.001)


@pytest.mark.parametrize("length", [1, 50, 64])
def test_brackets_nest_to_the_limit(length: int) -> None:
    read("(" * length + "R" + ")" * length)
    read("let n=" + "(" * length + "1" + ")" * length)
    assert errors("(" * 65 + "R" + ")" * 65) == [("E018", "(")]


def test_long_expressions_end_without_a_recursion_error() -> None:
    read("let n=" + "+".join("1" * 100))
    assert errors("let n=" + "+".join("1" * 10000)) == [("E018", "+")]
    assert errors("let n=" + "-" * 10000 + "1") == [("E018", "-")]
    assert [code for code, _ in errors("f(" + "g(" * 5000)] == ["E018"]
