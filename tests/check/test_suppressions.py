"""Comments that keep findings quiet."""

import pytest

from convsize.check import suppressions
from convsize.check.suppressions import Suppression
from convsize.errors import Diagnostic, Source, Span
from convsize.language.parser import parse

KNOWN = ("E301", "W501", "W505", "W598", "W599")
HEAD = "input: 3@8x8\n"


def read(text: str) -> tuple[Source, tuple[Suppression, ...], tuple[Diagnostic, ...]]:
    source = Source(HEAD + text, "net.spec")
    file, found = parse(source)
    assert not found
    return source, *suppressions.read(source, file.comments, KNOWN)


def codes(text: str) -> list[tuple[str, int | None]]:
    _, said, wrong = read(text)
    assert not wrong
    return [(each.code, each.line) for each in said]


def test_forms() -> None:
    assert codes("C R  # convsize: ignore[W501]\n") == [("W501", 2)]
    assert codes("C R # convsize:ignore[W501,W505] odd on purpose\n") == [("W501", 2), ("W505", 2)]
    assert codes("C R # odd on purpose # convsize: ignore[ W501 W505 ]\n") == [("W501", 2), ("W505", 2)]
    assert codes("# convsize: ignore-file[W501]\nC R\n") == [("W501", None)]
    assert codes("C R # convsize is fine, ignore[W501] is not asked for\n") == []


WRONG = [
    (
        "C R # convsize: ignore[W502]",
        "W502",
        "there is no rule W502",
        "`convsize rules` lists them all",
    ),
    (
        "C R # convsize: ignore[w501]",
        "w501",
        "there is no rule w501",
        "did you mean `W501`? `convsize rules` lists them all",
    ),
    (
        "C R # convsize: ignore[W5O1]",
        "W5O1",
        "there is no rule W5O1",
        "did you mean `W501`? `convsize rules` lists them all",
    ),
    ("C R # convsize: ignore[all]", "all", "there is no rule all", "`convsize rules` lists them all"),
    (
        "C R # convsize: ignore[E301]",
        "E301",
        "E301 is an error, and errors cannot be suppressed: a spec with an error cannot be checked further",
        "fix the error, and remove the code here",
    ),
    (
        "C R # convsize: ignore[W599]",
        "W599",
        "W599 checks suppressions and cannot be suppressed itself",
        "fix the suppression it reports, or add the code to `ignore` in the configuration",
    ),
    (
        "C R # convsize: ignore[]",
        "ignore[]",
        "`ignore[]` names no code",
        "name the codes, as in `ignore[W501, W505]`: suppressing everything is not possible",
    ),
    (
        "C R # convsize: ignore",
        "ignore",
        "`ignore` has no codes in square brackets, and suppresses nothing",
        "write `# convsize: ignore[W501]`, or `# convsize: ignore-file[W501]` on a line of its own",
    ),
    (
        "C R # convsize: ingore[W501]",
        "ingore",
        "`ingore` is not a directive of convsize",
        "did you mean `ignore`?",
    ),
    (
        "C R # convsize:",
        "",
        "this comment has no directive for convsize",
        "write `# convsize: ignore[W501]`, or `# convsize: ignore-file[W501]` on a line of its own",
    ),
    (
        "C R # convsize: ignore-file[W501]",
        "ignore-file",
        "`ignore-file` applies to the whole file but follows the text of a line",
        "put it on its own line, or write `ignore` for this line",
    ),
]


@pytest.mark.parametrize(("text", "under", "message", "help_text"), WRONG)
def test_what_suppresses_nothing_is_said(text: str, under: str, message: str, help_text: str) -> None:
    source, said, wrong = read(text + "\n")
    assert not said
    (found,) = wrong
    assert (found.code, found.severity) == ("W598", "warning")
    assert (source.slice(found.span), found.message, found.help) == (under, message, help_text)


@pytest.mark.parametrize("other", ["# only a remark", "C # convsize: ingore[W501]", "C # convsize: ignore-file[W501]"])
def test_a_comment_that_suppresses_nothing_ends_no_reading(other: str) -> None:
    _, said, wrong = read(f"{other}\nC R # convsize: ignore[W501, W505]\nR # convsize: ignore[W5O1]\n")
    assert [(each.code, each.line) for each in said] == [("W501", 3), ("W505", 3)]
    assert [each.message for each in wrong][-1] == "there is no rule W5O1"
    assert len(wrong) == (1 if other.startswith("#") else 2)


def test_a_slip_of_spelling_has_a_safe_fix() -> None:
    for text, mended in (("ignore[w501]", "ignore[W501]"), ("ingore[W501]", "ignore[W501]")):
        source, _, (found,) = read(f"C R # convsize: {text}\n")
        (fix,) = found.fixes
        assert fix.safe
        assert (
            f"# convsize: {mended}\n" in source.text[: fix.span.start] + fix.replacement + source.text[fix.span.end :]
        )
    assert read("C R # convsize: ignore[W502]\n")[2][0].fixes == ()  # another number is another rule


def warning(source: Source, under: str, code: str = "W501", severity: str = "warning") -> Diagnostic:
    start = source.text.index(under)
    return Diagnostic(code, severity, "found", Span(start, start + len(under)))  # type: ignore[arg-type]


def left(text: str, under: str, **options: str) -> tuple[bool, int]:
    """Whether a finding stays, and how many suppressions were of use."""
    source, said, _ = read(text)
    stay, used = suppressions.apply(source, [warning(source, under, **options)], said)
    return bool(stay), len(used)


def test_a_suppression_is_about_its_line() -> None:
    text = "C3D8 # convsize: ignore[W501]\nC5D8\n"
    assert left(text, "C3D8") == (False, 1)
    assert left(text, "C5D8") == (True, 0)
    assert left(text, "C3D8", code="W505") == (True, 0)


def test_a_statement_of_several_lines_may_be_marked_at_either_end() -> None:
    mark = "  # convsize: ignore[W501]"
    for first, middle, last, stays in ((mark, "", "", False), ("", mark, "", True), ("", "", mark, False)):
        text = f"(C3D8{first}\n  R{middle}\n  M){last}\n"
        source, said, _ = read(text)
        start = source.text.index("(C3D8")
        found = Diagnostic("W501", "warning", "found", Span(start, source.text.index("M)") + 2))
        assert bool(suppressions.apply(source, [found], said)[0]) is stays


def test_a_file_is_about_every_line() -> None:
    assert left("C5D8\n# convsize: ignore-file[W501]\n", "C5D8") == (False, 1)


def test_errors_stay_whatever_is_said() -> None:
    text = "C3D8 # convsize: ignore[W501]\n"
    assert left(text, "C3D8", severity="error") == (True, 0)


UNUSED = [
    ("C R  # convsize: ignore[W501]\n", "C R\n", "remove the comment"),
    ("C R  # reason # convsize: ignore[W501]\n", "C R  # reason\n", "remove the comment"),
    ("C R\n# convsize: ignore-file[W501]\nM\n", "C R\nM\n", "remove the comment"),
    ("C R\n  # convsize: ignore[W501]\nM\n", "C R\nM\n", "remove the comment"),
    ("C R # convsize: ignore[W501]", "C R", "remove the comment"),
]


@pytest.mark.parametrize(("text", "mended", "help_text"), UNUSED)
def test_unused_ones_are_found_and_removed(text: str, mended: str, help_text: str) -> None:
    source, said, _ = read(text)
    (found,) = suppressions.unused(source, said)
    assert (found.code, found.severity, source.slice(found.span)) == ("W599", "warning", "W501")
    assert found.help == help_text
    where = "this file" if "-file" in text else "this line"
    assert found.message == f"nothing in {where} breaks W501, so this suppresses nothing"
    (fix,) = found.fixes
    assert fix.safe
    assert source.text[: fix.span.start] + fix.replacement + source.text[fix.span.end :] == HEAD + mended


@pytest.mark.parametrize(("number", "mended"), [(0, "ignore[W505]"), (1, "ignore[W501]")])
def test_one_code_of_several_is_removed_alone(number: int, mended: str) -> None:
    source, said, _ = read("C R # convsize: ignore[W501, W505]\n")
    (found,) = suppressions.unused(source, said[number : number + 1])
    assert found.help == "remove the code"
    (fix,) = found.fixes
    text = source.text[: fix.span.start] + fix.replacement + source.text[fix.span.end :]
    assert text == f"{HEAD}C R # convsize: {mended}\n"
