"""`convsize import`: models in, specs out."""

from __future__ import annotations

from pathlib import Path

import pytest

import convsize as package

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


def test_a_checkpoint_of_the_model_fits_the_spec(convsize, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from safetensors.torch import save_file

    from convsize.runtime.transfer import load_weights

    monkeypatch.syspath_prepend(str(TRAPS.parent))
    from traps import LinearOverTheDepth

    module = LinearOverTheDepth().eval()
    save_file(module.state_dict(), tmp_path / "model.safetensors")
    asked = (
        "import",
        f"{TRAPS}:LinearOverTheDepth",
        "--input",
        "3@8x8",
        "--weights",
        str(tmp_path / "model.safetensors"),
    )
    ran = convsize(*asked, "-o", str(tmp_path / "net.spec"))
    assert ran.code == 0, ran.err
    assert "4 tensors of" in " ".join(ran.err.split())
    network = package.load(tmp_path / "net.spec").to_torch().eval()
    load_weights(tmp_path / "net.safetensors", network)
    given = torch.randn(2, 3, 8, 8)
    assert torch.allclose(network(given), module(given), atol=1e-6)
    assert convsize(*asked).code == 2
    assert convsize(*asked, "-o", str(tmp_path / "model.spec")).code == 2


def test_the_library_reads_modules() -> None:
    from torch import nn

    network = package.from_torch(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (3, 8, 8), name="small")
    assert (network.name, str(network.nodes[-1].output)) == ("small", "8@6x6")
