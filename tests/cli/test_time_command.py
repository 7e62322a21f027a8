"""`convsize time` as it is called."""

import json
from pathlib import Path

import pytest

SPECS = Path(__file__).parents[2] / "specs"


@pytest.mark.parametrize("width", [80, 140])
def test_a_data_sheet_is_assumed(convsize, width):
    ran = convsize("time", SPECS / "resnet50.spec", "--device", "h200", "--batch", 64, "--train", width=width)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "resnet50 on NVIDIA H200 SXM · batch 64 · training, momentum · float32"
    assert "a training step" in ran.out
    assert (
        "Assumed, not measured: 50% of the peak and 80% of the bandwidth in the data sheet (for convolutions "
        "494 TFLOP/s in tf32, which PyTorch takes for float32) are reached"
    ) in " ".join(ran.out.split())
    assert "At full power" in ran.out
    assert "bot1.f1.conv1 ×2" in ran.out
    assert all(len(line) <= width for line in lines)


def test_folded_lines_add_up_to_the_whole(convsize):
    """Every layer's time is in a line, and in one only: shares, as far as they are written, sum up to the whole."""
    for name in ("resnet50", "densenet121", "googlenet", "vgg_d"):
        ran = convsize("time", SPECS / f"{name}.spec", "--device", "t4", "--batch", 8, width=200)
        shares = [
            line.split()[-2] for line in ran.out.splitlines()[4:] if line.endswith(("compute", "bandwidth", "head"))
        ]
        total = sum(float(each.rstrip("%").lstrip("<")) for each in shares)
        assert total == pytest.approx(100, abs=0.06 * len(shares)), name


def test_json(convsize):
    found = json.loads(convsize("time", SPECS / "lenet5.spec", "--device", "t4", "--train", "-f", "json").out)
    layers = sum(each["forward"] + each["backward"] for each in found["layers"])
    assert found["seconds"] == pytest.approx(layers + sum(found["outside"].values()))
    assert found["throughput"] == pytest.approx(32 / found["seconds"])
    assert (found["schema"], found["device"], found["calibrated"]) == (1, "t4", False)
    assert found["energy"] == pytest.approx(70 * found["seconds"])


def test_sweep(convsize, tmp_path):
    picture = tmp_path / "sweep.svg"
    ran = convsize(
        "time", SPECS / "resnet18.spec", "--device", "a100", "--train", "--sweep", "batch=1..100", "-o", picture
    )
    assert (ran.code, ran.err) == (0, "")
    assert "←" in ran.out
    assert "is the knee" in ran.out
    assert [line.split()[0] for line in ran.out.splitlines()[4:12]] == ["1", "2", "4", "8", "16", "32", "64", "100"]
    assert "knee" in picture.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--device", "h20"), "there is no device `h20`: known devices: "),
        (("--device", "cpu.json"), "cpu.json"),
        (("--sweep", "1..8"), "--sweep takes batch=A..B"),
        (("--sweep", "batch=8..1"), "write batch=1..8"),
        (("-o", "x.svg"), "-o draws a sweep"),
        (("--dtype", "int8"), "there is no type `int8`"),
        (("--sweep", "batch=1..2", "-o", "x.dot"), "a sweep is not a graph"),
    ],
)
def test_wrong_calls(convsize, options, message):
    ran = convsize("time", SPECS / "lenet5.spec", *options)
    assert ran.code == 2
    assert message in ran.err


def test_a_wrong_spec_has_no_time(convsize):
    ran = convsize("time", "-e", "input: 3@8x8\nC3D8 4@8x8 FC3")
    assert (ran.code, ran.out) == (1, "")
    assert "E407" in ran.err


def test_autocast_is_spelled_as_people_write_it(convsize) -> None:
    for word, name in (("bf16", "bfloat16"), ("fp16", "float16")):
        ran = convsize("time", "-e", "C3D8 R FC10", "--input", "3@8x8", "--autocast", word)
        assert ran.code == 0
        assert f"inference · autocast {name}" in ran.out.replace("\n  ", " ")
        assert any(line.startswith("casts ") for line in ran.out.splitlines())


def test_a_sweep_says_what_its_figures_stand_on(convsize):
    ran = convsize("time", SPECS / "lenet5.spec", "--device", "l4", "--sweep", "batch=1..2")
    assert "Assumed, not measured" in ran.out
    assert ran.out.splitlines()[2].split() == ["batch", "time", "range", "samples/s", "memory"]
    assert ran.out.splitlines()[4].split()[:7] == ["1", "74", "µs", "37", "µs", "to", "150"]
    found = json.loads(
        convsize("time", SPECS / "lenet5.spec", "--device", "l4", "--sweep", "batch=1..1", "--format", "json").out
    )
    assert (found["calibrated"], found["assumed"]) == (False, [0.5, 0.8, 6e-06])
    (point,) = found["points"]
    assert point["between"][0] < point["seconds"] < point["between"][1]


def test_a_budget_that_is_missed_names_the_call_that_shows_the_layers(convsize, tmp_path):
    spec = tmp_path / "net.spec"
    spec.write_text("input: 3@8x8\nC3D4\nexpect: step_time(h200,batch=64)<=1us\n")
    ran = convsize("check", spec)
    assert "`convsize time --device h200 --batch 64 --train` lists the slowest layers" in ran.out
