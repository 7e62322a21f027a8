"""A count stands before its noun by `plural` everywhere: no message says `1 layers`."""

import ast
import re
from pathlib import Path

import pytest

import convsize

PACKAGE = Path(convsize.__file__).parent

_NOUNS = re.findall(
    r"\w+",
    """
    amounts arguments axes batches biases branches bytes calls characters classes columns digits epochs extents files
    findings groups heads images inputs iterations items labels layers lines maps networks numbers outputs parameters
    params pixels positions processes quantities samples sizes slopes steps tensors units values weights windows zeros
    """,
)
_AFTER_A_COUNT = re.compile(rf"\}} (?:[a-z]+ )?(?:{'|'.join(_NOUNS)})\b")
_COUNTS = {"len", "sum", "max", "min", "exact", "count", "abs"}
"""Functions whose result is a count, so that the noun after it needs its form; other calls write text of their own."""


def _bare_counts(tree: ast.AST) -> list[int]:
    """Lines of f-strings in which a noun in the plural follows a number that may be 1; constants are many."""
    found = []
    for text in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
        for count, after in zip(text.values, text.values[1:], strict=False):
            if not isinstance(count, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            value = count.value
            name = getattr(value, "id", getattr(value, "attr", ""))
            called = (
                isinstance(value, ast.Call)
                and getattr(value.func, "id", getattr(value.func, "attr", "")) not in _COUNTS
            )
            word = re.match(r" (?:(?:first|buffer|equal|other) )?([a-z]+)\b(?!/s)", str(after.value))
            plain = isinstance(value, (ast.Constant, ast.JoinedStr, ast.IfExp, ast.Subscript))
            plain = plain or (count.format_spec is not None and ast.unparse(count.format_spec) != "f','")
            if word and word.group(1) in _NOUNS and not (called or plain or (name and name.isupper())):
                found.append(text.lineno)
    return found


def test_the_search_finds_bare_counts() -> None:
    text = """
f"{count} layers"
f"of {len(names):,} first positions"
f"{plural(count, 'layer')} leave"
f"{LIMIT} layers"
f"{rate} samples/s"
f"{_NAMED} layers"
f"{reach / 2:g} zeros"
"""
    assert _bare_counts(ast.parse(text)) == [2, 3]


def test_every_count_has_its_noun_in_form() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    found = {
        str(path.relative_to(PACKAGE)): lines
        for path, text in texts.items()
        if _AFTER_A_COUNT.search(text) and (lines := _bare_counts(ast.parse(text)))
    }
    assert found == {}


_ONE_OF_ALL = "input: 1@1x1\nC1D1b0"
_SMALL = ("input: 1@4x4\nFC1", "input: 1@1\nattn(1)", "input: 2@1x1\n[C1D1 | x] GAP FC1 S", _ONE_OF_ALL)
_ONE = re.compile(rf"(?<![\d.,x@·–-])1 (?:[a-z]+ )?({'|'.join(_NOUNS)})\b(?!/s)")
_CALLS = (
    *("analyze", "sizes", "sizes --why 2", "memory --batch 1", "memory --batch 1 --what-if", "time", "time --train"),
    *("fit --memory 1GiB --largest input", "fit --memory 1KiB", "rf", "draw", "draw --detail layer -f mermaid"),
    *("check --style", "analyze --format markdown", "compare {}", "diff {}", "export"),
)


@pytest.mark.parametrize("text", _SMALL)
@pytest.mark.parametrize("call", _CALLS)
def test_one_of_a_thing_is_never_many(convsize, tmp_path: Path, call: str, text: str) -> None:
    path = tmp_path / "one.spec"
    path.write_text(text, encoding="utf-8")
    command, *options = call.format(path).split()
    ran = convsize(command, path, *options)
    assert ran.code in (0, 1, 2), ran.err
    assert [match.group() for match in _ONE.finditer(ran.out + ran.err)] == []
