"""Broken specs with the exact text of what `check` says of them and, where it can mend them, with the mended spec.

`pytest --update` writes the texts; what it writes is to be read before it is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convsize.rules import registry

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.spec"))


def arguments(name: str) -> list[str]:
    """Rules of style are asked for: no spec of the corpus is about two of them."""
    code = name.partition("-")[0]
    return ["--select", code] if code in registry.codes() and registry.is_style(code) else []


def text(name: str, suffix: str = "spec") -> str:
    return (CORPUS / f"{name}.{suffix}").read_bytes().decode()


def test_every_code_is_there() -> None:
    assert {name.partition("-")[0] for name in NAMES} >= set(registry.codes())


@pytest.mark.parametrize("name", NAMES)
def test_exact_text(name: str, convsize: Callable[..., Any], golden: Callable[[str, str], None]) -> None:
    ran = convsize("check", "--isolated", *arguments(name), "-", stdin=text(name))
    assert ran.code == 1
    assert not ran.err
    code = name.partition("-")[0]
    assert code not in registry.codes() or f"[{code}]" in ran.out
    golden(str(CORPUS / f"{name}.txt"), ran.out)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_mended_passes(
    name: str, convsize: Callable[..., Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    path = tmp_path / "net.spec"
    path.write_bytes(text(name).encode())
    path.chmod(0o640)
    options = ["check", "--isolated", *arguments(name)]
    ran = convsize(*options, "--fix", "--unsafe-fixes", path)
    mended = path.read_bytes().decode()
    fixed = CORPUS / f"{name}.fixed"
    left = CORPUS / f"{name}.left"
    if request.config.getoption("--update"):
        fixed.unlink(missing_ok=True)
        left.unlink(missing_ok=True)
        if mended != text(name):
            fixed.write_bytes(mended.encode())
            if ran.code:
                left.write_text(left_over(ran.out, path))
    assert path.stat().st_mode & 0o777 == 0o640
    assert fixed.exists() == (mended != text(name))
    if not fixed.exists():
        assert ran.code == 1
        return
    assert mended == text(name, "fixed")
    # What no fix can do without drawing another network stays as advice, and is written down; errors never stay.
    assert left_over(ran.out, path) == (left.read_text() if left.exists() else "")
    assert "error[" not in ran.out
    assert ran.code == (1 if left.exists() else 0)
    assert convsize(*options, path).code == ran.code
    again = convsize(*options, "--fix", "--unsafe-fixes", path)
    assert again.err == "nothing to fix\n"
    assert path.read_bytes().decode() == mended


def left_over(out: str, path: Path) -> str:
    """The findings in short; the paths of temporary files are another at every run."""
    lines = [line for line in out.replace(str(path), "net.spec").splitlines() if line.startswith(("error", "warning"))]
    return "".join(f"{line}\n" for line in lines)
