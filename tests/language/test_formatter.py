from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SPECS, grammatical, layers, mutated, networks, soups
from tree_tools import bare, read, spec_of

from convsize.errors import Source
from convsize.language.formatter import expr_text, format_file, layer_text
from convsize.language.parser import parse, parse_layer
from convsize.language.tree import Expr, File, LetStmt, Num


def canonical(text: str) -> str:
    return format_file(read(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # layers: size D / p d g a b z rounding
        ("C3floorb1g2d3p1/2D8", "C3D8/2p1d3g2b1floor"),
        ("T2a1b0/2D64p0x1:2", "T2D64/2p0x1:2a1b0"),
        ("A3ceilz0p1", "A3p1z0ceil"),
        ("C{3}D{ 4 * a }psame", "C3D{4*a}psame"),
        ("CRCRP", "C R C R M"),
        ("C03D064", "C3D64"),
        # aliases, arrows
        ("conv3-64 maxpool FC-4096 soft-max", "C3D64 M FC4096 S"),
        ("INPUT -> [[CONV -> RELU]*N -> POOL]*M -> FC10", "((C R)*{N} M)*{M} FC10"),
        # spacing
        ("(C3+x)R", "(C3 + x) R"),
        ("[ C3|x |R ]*2   as p,q", "[C3 | x | R]*2 as p, q"),
        ("split [C3|x]", "split[C3 | x]"),
        ("(x* GAP sigmoid)", "(x * GAP sigmoid)"),
        ("f( 64,b = 2 , @p ) drop(0.50)", "f(64,b=2,@p) drop(0.5)"),
        ("f() 3@4x4 @p", "f() 3@4x4 @p"),
        # brackets
        ("[C3 R]", "(C3 R)"),
        ("(R)", "(R)"),
        ("((C3 R))", "(C3 R)"),
        ("(((C3 R)))*2 as p", "(C3 R)*2 as p"),
        ("[(C3 + x)]*2", "(C3 + x)*2"),
        ("((R)*2 as p)", "(R)*2 as p"),
        ("((R)*2)*3", "((R)*2)*3"),
        ("((R) as p)*3", "((R) as p)*3"),
        ("([C3 | x]) as p, q", "([C3 | x]) as p, q"),
        ("([C3 | x])*2", "[C3 | x]*2"),
        ("((C3) R)", "((C3) R)"),
        # statements
        ("input  left :3@4x4", "input left: 3@4x4"),
        ("default:Cb0M3/2", "default: Cb0 M3/2"),
        ("let N = 2 ,k=( 1+2 )*3", "let N=2, k=(1+2)*3"),
        ("def f( a,b = 1 ):C{a}", "def f(a, b=1): C{a}"),
        ("def f(): R", "def f: R"),
        ("C3D8sws{ 1 }ceil", "C3D8ceilsws{1}"),
        ("C3wsb0D8", "C3D8b0ws"),
        ("shared  f( a ):C{a}", "shared f(a): C{a}"),
        ("head  b@p:FC4", "head b @p: FC4"),
        (
            "expect  main:params = 3 macs~ 4.10G i( batch=8 )<=8GiB out=1@2x2",
            "expect main: params=3 macs~4.10G i(batch=8)<=8GiB out=1@2x2",
        ),
        ("expect @p : params=3", "expect @p: params=3"),
        # lines
        ("C3   R\nM", "C3 R\nM"),
        ("C3\n\t\tR\n  M", "C3\n    R\n    M"),
        ("def f:\n  C3\n  R", "def f:\n    C3\n    R"),
        ("def f(a,\n  b): C{a\n+b}", "def f(a, b): C{a+b}"),
        ("[C3\n|R\n]", "[C3\n    | R]"),
        ("[\n  C3 |\n  R\n]*2", "[C3 |\n    R]*2"),
        ("expect: a=1\n  b=2", "expect: a=1\n    b=2"),
        ("let a=1,\n b=2", "let a=1,\n    b=2"),
        ("\n\nC3\n\n\n\nR\n\n", "C3\n\nR"),
        ("input: 3@4x4\nINPUT\nC3", "input: 3@4x4\nC3"),
        ("\ufeffC3\r\nR\r\n", "C3\nR"),
        # comments
        ("#top\n\n\nC3#c\nR    # d   ", "#top\n\nC3  #c\nR  # d"),
        ("C3 # a\n  # b\n  R # c\n  # d\nM", "C3  # a\n    # b\n    R  # c\n# d\nM"),
        ("[ # a\n C3 | # b\n R # c\n]", "[  # a\n    C3 |  # b\n    R  # c\n    ]"),
        ("drop(0.5 # a\n) # b", "drop(0.5)  # a\n# b"),
        ("INPUT # a\nR", "# a\nR"),
        ("[a # +|*\n+ # c\n b]".replace("[", "(").replace("]", ")"), "(a  # +|*\n    +  # c\n    b)"),
        ("# only", "# only"),
    ],
)
def test_the_canonical_form(text: str, expected: str) -> None:
    assert canonical(text) == expected + "\n"
    assert canonical(expected) == expected + "\n"


def test_an_empty_file_stays_empty() -> None:
    assert canonical("") == canonical("\n \n") == ""


@pytest.mark.parametrize("text", SPECS, ids=[text.partition("\n")[0][:32] for text in SPECS])
def test_the_networks_keep_what_they_say(text: str) -> None:
    check_round_trip(read(text))


def check_round_trip(file: File) -> None:
    """Formatting changes nothing that is said, loses no comment, and is done after one go."""
    text = format_file(file)
    again = read(text)
    assert bare(again) == bare(file)
    assert format_file(again) == text
    assert [note.text for note in again.comments] == [note.text for note in file.comments]
    assert not any(line != line.rstrip() for line in text.split("\n"))
    assert "\n\n\n" not in text


@given(networks() | grammatical())
def test_formatting_keeps_every_spec(text: str) -> None:
    file, found = parse(Source(text))
    if not found:
        check_round_trip(file)


@given(mutated() | soups())
def test_formatting_keeps_whatever_can_be_read(text: str) -> None:
    file, found = parse(Source(text))
    if not found:
        check_round_trip(file)


@given(st.lists(st.tuples(layers(), st.sampled_from(["", " ", "\n", " -> ", "# note\n  "])), min_size=1, max_size=12))
def test_layers_however_glued_are_the_same_layers(parts: list[tuple[str, str]]) -> None:
    layers_alone = [layer for layer, _ in parts]
    if parse(Source(" ".join(layers_alone)))[1]:
        return  # a layer that the strategy lets carry too much
    if any(one in ("M", "A") and two[0] == "P" for one, two in pairwise(layers_alone)):
        return  # `MP` is refused
    glued = "".join(layers_alone)
    assert spec_of(glued) == spec_of(" ".join(layers_alone))
    mixed = "".join(layer + gap for layer, gap in parts[:-1]) + parts[-1][0]
    assert canonical(mixed).split() == canonical(glued).split() or "#" in mixed


# ---- single layers and expressions -----------------------------------------------------------------------------------


def test_layer_text_lets_the_caller_write_the_numbers() -> None:
    layer = parse_layer("C{k}D{4*a}/2p1:{p}", 0)
    assert layer is not None
    assert layer_text(layer, lambda expr: str(expr.value) if isinstance(expr, Num) else "7") == "C7D7/2p1:7"


def expr_of(text: str) -> Expr:
    (stmt,) = read(f"let n={text}").statements
    assert isinstance(stmt, LetStmt)
    return stmt.bindings[0][1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("((a))", "a"),
        ("(a*b)+c", "a*b+c"),
        ("a*(b+c)", "a*(b+c)"),
        ("(a-b)-c", "a-b-c"),
        ("a-(b-c)", "a-(b-c)"),
        ("a/(b*c)", "a/(b*c)"),
        ("(a//b)%c", "a//b%c"),
        ("-(a*b)", "-(a*b)"),
        ("(-a)*b", "-a*b"),
        ("a-(-b)", "a--b"),
        ("min( a , round(c/r , 8) )", "min(a,round(c/r,8))"),
        ("0.50", "0.5"),
        ("1e-5", "0.00001"),
        ("12.0", "12"),
        ("2.5e3", "2500"),
    ],
)
def test_expressions_have_no_bracket_too_many(text: str, expected: str) -> None:
    assert expr_text(expr_of(text)) == expected
    assert bare(expr_of(expected)) == bare(expr_of(text))


_numbers = st.sampled_from(["1", "64", "0.25", "n", "c"])
_written = st.recursive(
    _numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(" ".join),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"-({one})"),
        st.tuples(inner, inner).map(lambda two: f"max({two[0]}, {two[1]})"),
    ),
    max_leaves=12,
)


@given(_written)
def test_an_expression_reads_back_as_itself(text: str) -> None:
    expr = expr_of(text)
    assert bare(expr_of(expr_text(expr))) == bare(expr)
    assert len(expr_text(expr)) <= len(text)
