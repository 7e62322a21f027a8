"""`convsize draw` as it is called."""

import subprocess
import sys
from pathlib import Path

import pytest

SPECS = Path(__file__).parents[2] / "specs"
RESNET = SPECS / "resnet152.spec"


def test_text_on_the_terminal(convsize, golden) -> None:
    ran = convsize("draw", RESNET)
    assert (ran.code, ran.err) == (0, "")
    golden("draw/resnet152.txt", ran.out)


def test_branches_on_the_terminal(convsize, golden) -> None:
    ran = convsize("draw", SPECS / "googlenet.spec", "--heat", "macs")
    assert (ran.code, ran.err) == (0, "")
    golden("draw/googlenet_macs.txt", ran.out)


def test_layers_on_the_terminal(convsize, golden) -> None:
    ran = convsize("draw", SPECS / "unet.spec", "--detail", "layer", width=110)
    golden("draw/unet_layer.txt", ran.out)


def test_mermaid(convsize, golden, tmp_path: Path) -> None:
    ran = convsize("draw", SPECS / "resnet18.spec", "-o", tmp_path / "net.mmd")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    golden("draw/resnet18.mmd", (tmp_path / "net.mmd").read_text("utf-8"))


def test_ascii_terminals_see_branches_too(convsize) -> None:
    ran = convsize("draw", "-e", "C3D8 (C3 R + x)", "--input", "3@32x32", "--detail", "layer", encoding="ascii")
    assert "|-*" in ran.out
    assert "+-'" in ran.out
    assert "?" not in ran.out


def test_no_colour_in_pipes(convsize) -> None:
    assert "\x1b[" not in convsize("draw", RESNET).out
    assert "\x1b[" in convsize("draw", RESNET, tty=True).out


@pytest.mark.parametrize("suffix", ["svg", "png", "dot", "mmd"])
def test_check_tells_stale_pictures(convsize, tmp_path: Path, suffix: str) -> None:
    spec, picture = tmp_path / "net.spec", tmp_path / f"net.{suffix}"
    spec.write_text("input: 3@32x32\nC3D8 R M FC10\n")
    missing = convsize("draw", spec, "-o", picture, "--check")
    assert missing.code == 1
    assert "is not there" in missing.err
    assert not picture.exists()
    assert convsize("draw", spec, "-o", picture).code == 0
    drawn = picture.read_bytes()
    assert convsize("draw", spec, "-o", picture, "--check").code == 0
    spec.write_text("input: 3@32x32\nC3D8 R M FC12\n")
    stale = convsize("draw", spec, "-o", picture, "--check")
    assert stale.code == 1
    assert "does not show this network" in stale.err
    assert picture.read_bytes() == drawn


def test_files_are_the_same_wherever_they_are_drawn(convsize, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert convsize("draw", SPECS / "lenet5.spec", "-o", tmp_path / name / "x.svg").code == 0
    assert (tmp_path / "a" / "x.svg").read_bytes() == (tmp_path / "b" / "x.svg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-o", "net.gif"], "`net.gif` must end in .svg, .png, .pdf, .dot, .mmd"),
        (["-o", "net"], "must end in .svg"),
        (["--check"], "--check needs -o FILE"),
        (["--style", "volumes"], "add -o with a .svg, .png or .pdf name"),
        (["--style", "volumes", "-o", "net.dot"], "add -o with a .svg, .png or .pdf name"),
        (
            ["--style", "volumes", "-o", "net.svg", "--detail", "layer"],
            "--detail: --style volumes always shows every volume",
        ),
        (["--theme", "dark"], "--theme: it applies to pictures only"),
        (["-o", "net.svg", "--scale", "log"], "--scale: it applies to --style volumes only"),
        (["-o", "no/such/folder/net.svg"], "cannot be written: No such file or directory"),
        (["-e", "CR", "-o", "net.svg"], "one picture shows one network"),
    ],
)
def test_wrong_calls(convsize, arguments: list[str], text: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = convsize("draw", SPECS / "lenet5.spec", *arguments)
    assert ran.code == 2
    assert text in ran.err
    assert not list(tmp_path.iterdir())


def test_a_wrong_spec_draws_nothing(convsize, tmp_path: Path) -> None:
    ran = convsize("draw", "-e", "C3D8 (C3D4 + x)", "--input", "3@32x32", "-o", tmp_path / "net.svg")
    assert ran.code == 1
    assert "error[E301]" in ran.err
    assert not list(tmp_path.iterdir())


def test_draws_without_torch_and_networkx(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom convsize.cli.app import main\n"
        f"sys.argv = ['convsize', 'draw', {str(RESNET)!r}, '-o', {str(tmp_path / 'net.svg')!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "loaded = {'torch', 'networkx', 'numpy', 'svglib', 'rich'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
