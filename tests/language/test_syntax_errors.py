import pytest
from syntax_errors import CASES, Finding

from convsize.errors import Diagnostic, Source
from convsize.language.mnemonics import MNEMONICS
from convsize.language.parser import parse


def found_in(text: str) -> tuple[Source, tuple[Diagnostic, ...]]:
    source = Source(text)
    return source, parse(source)[1]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text[:24] for text, _ in CASES])
def test_the_exact_wording(text: str, expected: list[Finding]) -> None:
    source, found = found_in(text)
    assert [(one.code, one.message, source.slice(one.span), one.help) for one in found] == expected


def test_every_code_of_the_parser_has_a_case() -> None:
    codes = {code for _, expected in CASES for code, *_ in expected}
    # E013 (a free repeat) needs names, and E019 a file: the builder's and the loader's.
    syntax = {f"E{number:03}" for number in range(1, 19)} - {"E013"}
    assert codes == syntax | {"E101", "E102", "E103"}


@pytest.mark.parametrize("text", [text for text, _ in CASES], ids=[text[:24] for text, _ in CASES])
def test_findings_have_a_help_that_ends_no_sentence_and_spans_inside_the_text(text: str) -> None:
    source, found = found_in(text)
    for one in found:
        assert one.severity == "error"
        assert one.help
        assert not one.message.endswith(".")
        assert not one.help.endswith(".")
        for span in (one.span, *[label.span for label in one.labels], *[fix.span for fix in one.fixes]):
            assert 0 <= span.start <= span.end <= len(text)
        assert source.place(one.span.start).line >= 1


def applied(text: str) -> str:
    """The text after the preferred safe fix of every finding."""
    fixes = [one.fixes[0] for one in parse(Source(text))[1] if one.fixes and one.fixes[0].safe]
    for fix in sorted(fixes, key=lambda fix: fix.span.start, reverse=True):
        text = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
    return text


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("C3D64same R", "C3D64psame R"),
        ("C3D64relu", "C3D64 relu"),
        ("C3 D64 /2 R", "C3D64/2 R"),
        ("FC 4096 R", "FC4096 R"),
        ("maxpool 3/2", "M3/2"),
        ("C3D1O", "C3D10"),
        ("DO0.5", "drop(0.5)"),
        ("(R) *3", "(R)*3"),
        ("R* 3", "R*3"),
        ("R*n", "R*{n}"),
        ("c3d64 m2", "C3D64 M2"),
        ("C3D64s2", "C3D64/2"),
        ("C3/2/2", "C3/2"),
        ("C3D64,R", "C3D64 R"),
        ("C3D64, R", "C3D64 R"),
        ("C3 → R", "C3 -> R"),
        ("C3\u00a0R", "C3 R"),
        ("C3×3", "C3x3"),
        ("R ->", "R "),
        ("inputs: 3@4x4", "input: 3@4x4"),
        ("C3D{.5*a}", "C3D{0.5*a}"),
        ("FC-4096b0", "FC4096b0"),
    ],
)
def test_safe_fixes_mend(text: str, mended: str) -> None:
    assert applied(text) == mended
    assert not found_in(mended)[1]


def test_the_dilation_that_looks_like_a_depth_has_both_readings_as_fixes() -> None:
    (found,) = found_in("C3d64/2")[1]
    assert [(fix.replacement, fix.safe) for fix in found.fixes] == [("D64", False), ("D{c}d64", False)]


def test_the_second_of_two_suffixes_points_at_the_first() -> None:
    source, (found,) = found_in("C3D32D64")
    assert [(source.slice(label.span), label.text) for label in found.labels] == [("D32", "it is here already")]


def test_a_bracket_closed_by_another_names_both_ends() -> None:
    source, (found,) = found_in("[C3 | (R]")
    assert source.slice(found.span) == "]"
    assert [(label.span.start, label.text) for label in found.labels] == [(6, "`(` is opened here")]


def test_independent_errors_are_all_reported_in_the_order_of_the_text() -> None:
    text = "input: 3x32x32\nC3D64same R [C3 | ]\ndef f(a: C3\nlet N\nX3 FC\nexpect: params=3X"
    found = found_in(text)[1]
    assert [one.code for one in found] == ["E012", "E003", "E009", "E011", "E017", "E002", "E101", "E017"]
    assert [one.span.start for one in found] == sorted(one.span.start for one in found)


def test_the_tree_holds_what_could_be_read() -> None:
    file, found = parse(Source("input: 3@4x4\nC3D64same R\nX3\nexpect: params=1"))
    assert len(found) == 2
    assert [type(stmt).__name__ for stmt in file.statements] == ["InputStmt", "TrunkStmt", "TrunkStmt", "ExpectStmt"]


def test_an_unclosed_bracket_costs_no_other_statement_an_error() -> None:
    file, found = parse(Source("(C3D64 R M\nC3 R\ndef f: R\nexpect: params=1\n"))
    assert [one.code for one in found] == ["E011"]
    assert [type(stmt).__name__ for stmt in file.statements] == ["TrunkStmt", "DefStmt", "ExpectStmt"]


def test_fifty_errors_are_enough() -> None:
    found = found_in("X3 " * 1000)[1]
    assert len(found) == 51
    assert found[-1].message == "50 errors were found; the rest of the file was not read"


def test_a_file_that_is_too_long_is_not_read() -> None:
    (found,) = found_in("#" + " " * 2**20)[1]
    assert (found.code, found.message) == ("E018", "this file has 1,048,577 characters, and a spec may have 1,048,576")


_WRONG_NUMBERS = (
    "2^i", "2**", "**2", "i i", "i 2", "c if i else 2", "2 3", "2i", "i++", "a.b", "i;j", "i!", "c<<1", "i==1", "c?2:3",
    "c//", "2***3", "i[0]", "'8'", "@x", "", "64+", "2 ** 2 ** x y", "64_000", "2×3", "i²",
)  # fmt: skip


@pytest.mark.parametrize("number", _WRONG_NUMBERS)
@pytest.mark.parametrize("spec", ["C3D{%s} R FC10", "(C3D{%s} R)*2 FC10", "[C3D{%s} R | C1D8] FC10", "C3D8 R*{%s} M"])
def test_a_wrong_number_in_braces_is_one_error(spec: str, number: str) -> None:
    assert len(found_in(f"input: 3@32x32\n{spec % number}\n")[1]) == 1


@pytest.mark.parametrize("name", [each for each in MNEMONICS if len(each) > 1])
def test_a_layer_in_another_casing_is_meant(name: str) -> None:
    for written in (name.title(), name[:-1] + name[-1].lower()):
        _, found = found_in(f"C3D8 {written} R")
        assert [(one.code, one.help) for one in found] == [("E002", f"did you mean `{name}`?")]
        assert [fix.replacement for fix in found[0].fixes] == [name]
