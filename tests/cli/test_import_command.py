"""`convsize import`: models in, specs out."""

from __future__ import annotations

from pathlib import Path

import pytest

import convsize

TRAPS = Path(__file__).parents[1] / "runtime" / "importing" / "traps.py"


def test_a_module_of_a_file_is_written_and_proved(convsize, tmp_path: Path) -> None:
    target = tmp_path / "net.spec"
    ran = convsize("import", f"{TRAPS}:TwoOutputs", "--input", "3@8x8", "-o", str(target))
    assert ran.code == 0, ran.err
    assert "proof: largest difference" in ran.err
    assert "at 3@8x8 and 3@40x40" in " ".join(ran.err.split())
    assert ran.out == ""
    text = target.read_text()
    assert "head middle" in text
    assert convsize("analyze", str(target)).code == 0


def test_what_cannot_be_said_is_named_and_nothing_is_written(convsize, tmp_path: Path) -> None:
    target = tmp_path / "net.spec"
    ran = convsize("import", f"{TRAPS}:Windows()", "--input", "3@8x8", "-o", str(target))
    assert ran.code == 1
    assert "it mixes samples with other axes" in ran.err
    assert not target.exists()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("resnet50", "names no model"),
        (f"{TRAPS}:Resizd", "has no `Resizd`: did you mean `Resized`?"),
        (f"{TRAPS}:Same(3)", "cannot be built: TypeError"),
        (f"{TRAPS}:F", "neither a class nor a function nor a module"),
        ("no_such_package.models:net", "there is no module `no_such_package`"),
        ("nowhere.py:Net", "there is no file `nowhere.py`"),
        (f"{TRAPS}:Same(open('x'))", "no call with literal arguments"),
    ],
)
def test_sources_that_are_none_are_told(convsize, source: str, problem: str) -> None:
    ran = convsize("import", source)
    assert ran.code == 2, ran.out
    assert problem in ran.err


def test_commands_take_models_where_they_take_specs(convsize) -> None:
    ran = convsize("analyze", "torch.nn:Conv2d(3,8,5)", "--format", "csv")
    assert ran.code == 0, ran.err
    assert "8x220x220" in ran.out
    ran = convsize("diff", f"{TRAPS}:Same", f"{TRAPS}:Nothing")
    assert ran.code == 2
    assert "has no `Nothing`" in ran.err


def test_the_library_reads_modules() -> None:
    from torch import nn

    network = convsize.from_torch(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (3, 8, 8), name="small")
    assert (network.name, str(network.nodes[-1].output)) == ("small", "8@6x6")
