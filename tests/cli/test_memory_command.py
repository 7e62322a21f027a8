"""`convsize memory` and `convsize fit` as they are called."""

import json
from pathlib import Path

import pytest

SPECS = Path(__file__).parents[2] / "specs"


def test_memory(convsize):
    ran = convsize("memory", SPECS / "resnet18.spec", "--batch", 4)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "resnet18 · batch 4 · momentum · float32"
    assert [" ".join(line.split()) for line in lines[2:5]] == [
        "first step 164.7 MiB 172,733,320 peak in backward of down2.f1.conv1",
        "later steps 209.3 MiB 219,491,368 peak in backward of down2.f1.conv1",
        "saved for backward 82.36 MiB 86,365,316 kept by autograd's graph",
    ]
    assert "|forward" in ran.out
    assert all(len(line) <= 80 for line in lines)


def test_memory_as_json(convsize):
    ran = convsize("memory", SPECS / "resnet18.spec", "--batch", 4, "--format", "json", "--what-if")
    found = json.loads(ran.out)
    assert (found["schema"], found["saved"], found["steady"]["bytes"]) == (1, 86_365_316, 219_491_368)
    assert sum(found["saved_by_layer"].values()) == found["saved"]
    assert sum(found["steady"]["parts"].values()) == found["steady"]["bytes"]
    assert [each["moment"] for each in (found["steady"]["timeline"][0], found["steady"]["timeline"][-1])] == [
        "forward",
        "optimizer",
    ]
    choice = {"optimizer": "momentum", "dtype": "float32", "checkpoint": [], "bytes": 219_491_368}
    assert {**choice, "reserved": 219_491_368} in found["what_if"]
    assert len(found["what_if"]) == 3 * 3 * 2
    assert found["forward"]["highest"] <= found["steady"]["bytes"]
    assert (found["device"], found["reserved"]) == ([], found["steady"]["bytes"])


def test_on_a_gpu(convsize):
    arguments = ("--batch", 8, "--autocast", "bfloat16", "--checkpoint", "down*", "--optimizer", "adamw")
    ran = convsize("memory", SPECS / "resnet18.spec", "--device", "h200", *arguments, "-f", "json")
    found = json.loads(ran.out)
    assert found["setting"]["device"] == "cuda"
    shares = {each["name"]: each for each in found["device"]}
    assert shares["cublas workspaces"]["bytes"] == 2 * 2**25
    assert {each["basis"] for each in found["device"]} == {"assumed", "not included"}
    peak = max(found["first"]["bytes"], found["steady"]["bytes"])
    assert found["reserved"] == peak + sum(each["bytes"] or 0 for each in found["device"])
    text = convsize("memory", SPECS / "resnet18.spec", "--device", "cuda", *arguments).out
    assert text.splitlines()[0] == "resnet18 · batch 8 · adamw · autocast bfloat16 · cuda · checkpoints down*"
    assert "2 of 8,519,680 bytes" in text
    assert "Not included: cudnn workspaces, cudnn batch norm reserve, context." in text


def test_inference(convsize):
    ran = convsize("memory", SPECS / "resnet18.spec", "--batch", 1, "--inference")
    assert ran.code == 0
    assert "the forward pass" in ran.out
    assert "gradients of" not in ran.out


def test_losses_of_heads(convsize):
    ran = convsize("memory", SPECS / "localisation.spec", "--batch", 1, "--loss", "box=smooth-l1", "-f", "json")
    assert json.loads(ran.out)["setting"]["losses"] == {"box": "smooth-l1"}


def test_the_course_as_a_picture(convsize, tmp_path):
    ran = convsize("memory", SPECS / "lenet5.spec", "--timeline", tmp_path / "lenet5.svg")
    assert ran.code == 0
    assert "lenet5: a step of training" in (tmp_path / "lenet5.svg").read_text()


def test_fit(convsize):
    ran = convsize("fit", SPECS / "resnet18.spec", "--memory", "1GiB")
    assert ran.code == 0
    found = json.loads(convsize("fit", SPECS / "resnet18.spec", "--memory", "1GiB", "-f", "json").out)
    assert f"The largest batch is {found['batch']}, " in ran.out
    assert found["fits"]["bytes"] <= 2**30 < found["beyond"]["bytes"]


def test_nothing_fits(convsize):
    ran = convsize("fit", SPECS / "vgg_d.spec", "--memory", "1GB")
    assert ran.code == 1
    assert "No batch fits: training takes 1.605 GiB at a batch of 1, of 953.7 MiB." in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("memory", "--batch", "0"), "--batch takes a whole number, 1 to 2,147,483,647, not 0"),
        (("memory", "--optimizer", "adan"), "there is no optimizer `adan` here"),
        (("memory", "--freeze", "conv9"), "no layer is called `conv9`"),
        (("memory", "--device", "h2000"), "there is no device `h2000`: known devices: a100"),
        (("memory", "--loss", "mae"), "there is no loss `mae` here; there are: cross-entropy, mse"),
        (("memory", "--autocast", "float32"), "autocast computes in bfloat16 or float16"),
        (("memory", "--checkpoint", "bot*"), "no block is called `bot*`: none is made by a `def`"),
        (("memory", "--inference", "--what-if"), "leave --inference out"),
        (("memory", "--inference", "--accumulate", "2"), "inference has no loss and no backward pass"),
        (("memory", "--timeline", "step.txt"), "must end in .svg"),
        (("memory", "--timeline", "step.dot"), "is not a graph: write `step.dot` as .svg, .png or .pdf"),
        (("fit", "--memory", "lots"), "not `lots`"),
        (("fit", "--memory", "0"), "nothing fits into 0 bytes: give more memory"),
    ],
)
def test_wrong_calls(convsize, arguments, message):
    command, *rest = arguments
    ran = convsize(command, SPECS / "lenet5.spec", *rest)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_wrong_spec_is_not_trained(convsize):
    ran = convsize("memory", "-e", "input: 3@8x8\nC3D8 4@8x8 FC3")
    assert (ran.code, ran.out) == (1, "")
    assert "E407" in ran.err


def test_it_says_whether_it_fits(convsize):
    needed = convsize("memory", SPECS / "resnet50.spec", "--batch", "64", "--device", "l4")
    assert "It fits into NVIDIA L4: 6.061 GiB of 21.03 GiB, 14.97 GiB to spare." in " ".join(needed.out.split())
    call = ("memory", SPECS / "resnet50.spec", "--batch", "256", "--device", "l4", "--exit-code")
    ran = convsize(*call)
    assert ran.code == 1
    assert ran.out.splitlines()[2].startswith("It does not fit into NVIDIA L4: 23.52 GiB of 21.03 GiB,")
    found = json.loads(convsize(*call, "--format", "json").out)
    assert found["fits"] is False
    assert found["capacity"]["available"] == found["capacity"]["memory"] - found["capacity"]["reserve"]
    assert convsize("memory", SPECS / "lenet5.spec", "--memory", "1GiB", "--exit-code").code == 0
    assert "fits" not in json.loads(convsize("memory", SPECS / "lenet5.spec", "--format", "json").out)
    assert "needs a memory to fit into" in convsize("memory", SPECS / "lenet5.spec", "--exit-code").err


def test_what_if_marks_what_fits(convsize):
    ran = convsize("memory", SPECS / "resnet18.spec", "--batch", "256", "--memory", "3GiB", "--what-if")
    table = ran.out.partition("Peak under other")[2].splitlines()
    (sgd,) = (line for line in table if line.startswith("  sgd  "))
    assert [word for word in sgd.split() if word in ("✓", "GiB")] == ["GiB", "GiB", "✓", "GiB"]
