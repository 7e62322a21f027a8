"""The examples in docstrings run as they stand and give what is written there."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "convsize"


def with_examples() -> list[str]:
    """The names of the modules with examples: the others need no import."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files]


@pytest.mark.parametrize("name", with_examples())
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.startswith("convsize.runtime") or name == "convsize.network":
        pytest.importorskip("torch")
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert module.__file__ is not None
    written = len(re.findall(r"^ *>>> ", Path(module.__file__).read_text(encoding="utf-8"), re.MULTILINE))
    found = doctest.testmod(module, optionflags=flags)
    assert (found.failed, found.attempted) == (0, written)
