import pytest

from convsize.errors import Diagnostic, Label, Source, Span
from convsize.views.text import excerpt
from convsize.views.text.paint import Paint


def at(source: Source, text: str, skip: int = 0) -> Span:
    start = -1
    for _ in range(skip + 1):
        start = source.text.index(text, start + 1)
    return Span(start, start + len(text))


NET = Source("input: 3@224x224\n# a residual unit\n(C3D64 BN R C3D128 + x) R\n", "net.spec")


def test_two_labels_on_one_line() -> None:
    found = Diagnostic(
        "E301",
        "error",
        "the branches of this sum have different depths",
        at(NET, "C3D64 BN R C3D128"),
        "project the shortcut: replace `x` by `C1D128`",
        "this branch gives 128@224x224",
        (Label(at(NET, "x", 1), "this branch gives 3@224x224"),),
    )
    assert excerpt.render(found, NET) == (
        "error[E301]: the branches of this sum have different depths\n"
        "  --> net.spec:3:2\n"
        " 3 | (C3D64 BN R C3D128 + x) R\n"
        "   |  ^^^^^^^^^^^^^^^^^   ^ this branch gives 3@224x224\n"
        "   |  this branch gives 128@224x224\n"
        "   = help: project the shortcut: replace `x` by `C1D128`\n"
    )


def test_three_labels_hang_below_each_other() -> None:
    source = Source("[C1 | C3D8 | C5D9]", "net.spec")
    found = Diagnostic(
        "E302",
        "error",
        "the branches do not fit",
        at(source, "C1"),
        None,
        "one",
        (Label(at(source, "C3D8"), "two"), Label(at(source, "C5D9"), "three")),
    )
    assert excerpt.render(found, source) == (
        "error[E302]: the branches do not fit\n"
        "  --> net.spec:1:2\n"
        " 1 | [C1 | C3D8 | C5D9]\n"
        "   |  ^^   ^^^^   ^^^^ three\n"
        "   |  |    two\n"
        "   |  one\n"
    )


def test_labels_on_other_lines_with_a_gap() -> None:
    source = Source("def f: C4D8\n\n\nf*2\n", "net.spec")
    found = Diagnostic(
        "E205",
        "error",
        "it does not fit",
        at(source, "C4D8"),
        "write p0",
        "here",
        (Label(at(source, "f*2"), "called here"),),
    )
    assert excerpt.render(found, source) == (
        "error[E205]: it does not fit\n"
        "  --> net.spec:1:8\n"
        " 1 | def f: C4D8\n"
        "   |        ^^^^ here\n"
        "...\n"
        " 4 | f*2\n"
        "   | ^^^ called here\n"
        "   = help: write p0\n"
    )


def test_line_numbers_share_a_gutter() -> None:
    source = Source("\n" * 8 + "C3\n" + "C5\n", "n")
    found = Diagnostic("E001", "error", "m", at(source, "C3"), "h", "", (Label(at(source, "C5"), "t"),))
    assert excerpt.render(found, source) == (
        "error[E001]: m\n   --> n:9:1\n  9 | C3\n    | ^^\n 10 | C5\n    | ^^ t\n    = help: h\n"
    )


def test_a_span_over_lines_is_marked_to_the_end_of_the_first() -> None:
    source = Source("x (C3\n C5) R\n", "n")
    found = Diagnostic("E011", "error", "m", Span(2, 10), None, "from here")
    assert excerpt.render(found, source) == "error[E011]: m\n  --> n:1:3\n 1 | x (C3\n   |   ^^^ from here\n"


def test_the_end_of_the_file_has_a_caret() -> None:
    source = Source("(C3", "n")
    assert excerpt.render(Diagnostic("E011", "error", "m", Span(3, 3)), source) == (
        "error[E011]: m\n  --> n:1:4\n 1 | (C3\n   |    ^\n"
    )


@pytest.mark.parametrize("text", ["", "\n", "\n\n"])
def test_an_empty_file_has_a_place(text: str) -> None:
    out = excerpt.render(Diagnostic("E019", "error", "this spec is empty", Span(0, 0)), Source(text, "n"))
    assert out == "error[E019]: this spec is empty\n  --> n:1:1\n 1 |\n   | ^\n"


def test_a_long_line_is_cut_around_the_place() -> None:
    source = Source("R " * 5000 + "Q " + "R " * 5000, "n")
    out = excerpt.render(Diagnostic("E001", "error", "m", at(source, "Q")), source).splitlines()
    assert all(len(line) < 180 for line in out)
    assert out[2][out[3].index("^")] == "Q"
    assert out[1] == "  --> n:1:10001"


@pytest.mark.parametrize("width", [200, 100, 80, 60, 40])
def test_every_line_fits_its_width_and_shows_what_it_is_about(width: int) -> None:
    source = Source("C3D64 BN R " * 9 + "(C3D256 BN R + x) " + "R C3D512 " * 9, "net.spec")
    found = Diagnostic(
        "E301",
        "error",
        "the branches of this sum have different depths, which is why they cannot be added",
        at(source, "C3D256 BN R"),
        "project the shortcut: replace `x` by `C1D256`, or write it as\n  " + "C3D8 " * 30 + "\nin every block",
        "this branch gives 256@8x8",
        (Label(at(source, "x"), "this branch gives 64@8x8"),),
    )
    lines = excerpt.render(found, source, width=width).splitlines()
    code = [line for line in lines if "C3D8 C3D8" in line]
    assert len(code) == 1  # what is to be copied stays one line
    assert all(len(line) <= width for line in lines if line not in code)
    text, carets, *_ = next(lines[n:] for n, line in enumerate(lines) if "(C3D256 BN R + x)" in line)
    assert text[carets.index("^") :].startswith("C3D256 BN R + x)")
    assert "^^^^^^^^^^^   ^" in carets
    whole = " ".join(" ".join(lines).replace("|", " ").split())
    for said in ("which is why they cannot be added", "this branch gives 256@8x8", "this branch gives 64@8x8"):
        assert said in whole
    assert any("`C1D256`" in line for line in lines)


def test_tabs_and_wide_signs_keep_the_carets_in_place() -> None:
    source = Source("\tC3 # 層\n# 層層 Q\n", "n")
    assert excerpt.render(Diagnostic("E001", "error", "m", at(source, "C3")), source).splitlines()[2:] == [
        " 1 |     C3 # 層",
        "   |     ^^",
    ]
    # Two signs that are two columns wide: "# 層層 " takes 7 columns.
    assert excerpt.render(Diagnostic("E001", "error", "m", at(source, "Q")), source).splitlines()[3] == "   |        ^"


def test_a_sign_without_a_width_has_a_caret() -> None:
    source = Source("C3e\u0301 R", "n")
    assert excerpt.render(Diagnostic("E001", "error", "m", Span(3, 4)), source).splitlines()[3] == "   |    ^"


def test_a_spec_cannot_steer_the_terminal() -> None:
    source = Source("\x1b[2J C3 \x07", "evil\x1b.spec")
    out = excerpt.render(Diagnostic("E001", "error", "unknown `\x1b[31m`", Span(0, 1), "no \x9b"), source)
    assert not any(char in out for char in "\x1b\x07\x9b")


def test_help_of_several_lines_is_aligned() -> None:
    out = excerpt.render(Diagnostic("E201", "error", "m", Span(0, 2), "either\nor"), Source("C3", "n"))
    assert out.endswith("   = help: either\n           or\n")


def test_a_warning_takes_one_line() -> None:
    found = Diagnostic("W503", "warning", "this changes nothing", Span(0, 2), "leave it out")
    assert excerpt.compact(found, Source("C3", "n")) == "warning[W503] n:1:1: this changes nothing (leave it out)\n"


def test_colour_changes_nothing_but_colour() -> None:
    import re

    found = Diagnostic("E301", "error", "m", Span(0, 2), "h", "one", (Label(Span(3, 5), "two"),))
    source = Source("C3 C5", "n")
    painted = excerpt.render(found, source, paint=Paint(colour=True))
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == excerpt.render(found, source)
