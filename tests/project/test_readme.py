"""The examples of README.md, of specs/README.md and of the guide run as they stand, and print what is printed there.

A console block holds commands, each behind `$ `, and what they print, on 80 columns. A line `…` stands for any lines.
`pytest --update` writes the output anew, with as many lines before and behind the `…`.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import convsize as package

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "specs" / "README.md", *sorted((ROOT / "reports" / "guide").glob("*.md"))]
NEEDS_TORCH = ("verify", "profile", "import")
LEFT_OUT = "…"


def blocks(path: Path, language: str) -> list[str]:
    every = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for name, text in every if name == language]


def commands() -> Iterator[tuple[Path, str, str]]:
    """The document, the command and what is printed below it."""
    for path in DOCUMENTS:
        for block in blocks(path, "console"):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                yield path, command, printed


COMMANDS = list(commands())


def parts(written: list[str]) -> list[list[str]]:
    """The lines between those that stand for any lines."""
    found: list[list[str]] = [[]]
    for line in written:
        if line == LEFT_OUT:
            found.append([])
        else:
            found[-1].append(line)
    return found


def alike(printed: list[str], written: list[str]) -> bool:
    first, *others = parts(written)
    if not others:
        return printed == written
    text = "\n".join(["", *printed, ""])
    pattern = r"(?:.*\n)*".join(re.escape("".join(f"{line}\n" for line in part)) for part in (first, *others))
    return re.fullmatch(pattern, text[1:]) is not None


def shortened(printed: list[str], written: list[str]) -> list[str]:
    """What is printed now, cut as it was cut before. Two cuts are the author's to place."""
    first, *others = parts(written)
    if not others:
        return printed
    (last,) = others
    return [*printed[: len(first)], LEFT_OUT, *printed[len(printed) - len(last) :]]


def test_there_are_examples() -> None:
    assert len(COMMANDS) > 10
    assert sum(bool(printed) for path, _, printed in COMMANDS if path.name == "README.md") > 5


@pytest.mark.parametrize(("path", "command", "written"), COMMANDS, ids=[command for _, command, _ in COMMANDS])
def test_command_prints_what_the_document_shows(convsize, monkeypatch, request, path, command, written) -> None:
    words = shlex.split(command)
    assert words[0] == "convsize"
    if words[1] in NEEDS_TORCH:
        pytest.importorskip("torch")
    monkeypatch.chdir(ROOT)
    ran = convsize(*words[1:])
    assert ran.code == (1 if "error[" in written else 0), ran.err
    printed = "".join(line.rstrip() + "\n" for line in (ran.out + ran.err).splitlines()).splitlines()
    assert printed
    if not written:
        return
    if request.config.getoption("--update") and not alike(printed, written.splitlines()):
        new = "".join(f"{line}\n" for line in shortened(printed, written.splitlines()))
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"$ {command}\n{written}", f"$ {command}\n{new}"), encoding="utf-8")
        return
    if not alike(printed, written.splitlines()):
        assert printed == written.splitlines(), f"{path.name}: pytest --update writes it anew"


def test_library_examples_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    for path in DOCUMENTS:
        for block in blocks(path, "python"):
            exec(compile(block, path.name, "exec"), {})
    assert "138357544 15470264320 (212, 212)" in capsys.readouterr().out


NETWORKS = [text for path in DOCUMENTS for text in blocks(path, "") if "input:" in text]


@pytest.mark.parametrize("text", NETWORKS, ids=[text.splitlines()[0] for text in NETWORKS])
def test_network_meets_its_expectations(text: str) -> None:
    assert not package.parse(text).analyze().diagnostics


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_set_up_commands_are_those_of_the_checks() -> None:
    lines = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines() if "-m venv" in line]
    main, test = lines
    script = (ROOT / ".ci" / "run").read_text()
    assert "specs/vgg_d.spec" in main
    assert "-c constraints.txt -e '.[torch,dev]'" in test
    assert "-c constraints.txt -e '.[torch,dev]'" in script
    for run in ("pytest -n 2 -m 'not timed'", "pytest -m timed"):
        assert run in test
        assert run in script
