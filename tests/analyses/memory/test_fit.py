"""The largest batch and the largest input within a budget: the next larger one does not fit, for every way to ask."""

import json
from pathlib import Path

import pytest
from zoo import UNET_IN_NUMBERS

import convsize
from convsize.analyses.memory.fit import largest_batch, largest_input
from convsize.analyses.memory.peak import training_memory
from convsize.devices import load
from convsize.errors import SpecError, UsageError
from convsize.geometry import Shape
from convsize.records import Capacity, TrainingSetting

SPECS = Path(__file__).parents[3] / "specs"


@pytest.mark.parametrize(
    ("name", "batch", "memory"),
    [("resnet18", 8, 2**30), ("alexnet", 8, 3 * 2**30), ("text_cnn", 8, 2**28), ("c3d", 1, 2**31), ("vgg_a", 1, 2**30)],
)
def test_the_largest_input(name, batch, memory):
    network = convsize.load(SPECS / f"{name}.spec")
    setting = TrainingSetting(batch)
    found = largest_input(network, setting, Capacity(memory))
    for inputs, known, fits in ((found.inputs, found.fits, True), (found.beyond_inputs, found.beyond, False)):
        shapes = {key: Shape(dims[0], dims[1:]) for key, dims in inputs}
        text = (SPECS / f"{name}.spec").read_text().partition("expect")[0]
        again = training_memory(convsize.parse(_unasserted(text), inputs=shapes), setting)
        assert again.peak.bytes == known.peak.bytes
        assert (known.peak.bytes <= memory) is fits
    assert found.inputs != found.beyond_inputs


def _unasserted(text):
    """Without inline volumes, which hold at one size."""
    lines = [line.partition("#")[0] for line in text.splitlines()]
    keep = ("input", "default", "let", "def", "head")
    return "\n".join(
        line if line.startswith(keep) else " ".join(word for word in line.split(" ") if not _is_volume(word))
        for line in lines
    )


def _is_volume(word):
    depth, _, extents = word.partition("@")
    return depth.isdigit() and extents != "" and all(part.isdigit() for part in extents.split("x"))


def _every_extent(text, shape, memory):
    """The largest extent that fits and the smallest above it that does not, by trying all of them."""
    low = high = None
    for extent in range(1, 45):
        try:
            network = convsize.parse(text, inputs={"input": shape(extent)})
        except SpecError:
            continue
        if training_memory(network, TrainingSetting(1)).peak.bytes <= memory:
            low = extent
        elif high is None:
            high = extent
    return low, high


@pytest.mark.parametrize("memory", [2**12, 2**13, 2**14])
@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("input: 3@11x11\nC3D4/4p0exact R C3D4", lambda extent: Shape(3, (extent, extent))),
        ("input: 2@8x24\nC3x20p0 R C1D2", lambda extent: Shape(2, (extent, max(3 * extent, 20)))),
        ("input: 2@11x8\nC3x1D4/4x1p0exact R C1D4", lambda extent: Shape(2, (extent, 8 * extent // 11))),
        # Axes that are tied together: which sizes are there is found by building them.
        ("input: 4@8x8\nM4 IN C3D2", lambda extent: Shape(4, (extent, extent))),
        ("input: 4@16x16\nM4 C2D4/2p0exact IN C1D2", lambda extent: Shape(4, (extent, extent))),
        ("input: 4@4x8\nM4 IN C3D2", lambda extent: Shape(4, (extent, 2 * extent))),
        ("input: 4@6x6\nC3 reshape(144) FC10", lambda extent: Shape(4, (extent, extent))),
    ],
)
def test_the_largest_input_is_that_of_all_there_are(text, shape, memory):
    found = largest_input(convsize.parse(text), TrainingSetting(1), Capacity(memory))
    low, high = _every_extent(text, shape, memory)
    name = "input"
    assert found.inputs == (() if low is None else ((name, shape(low).dims),))
    assert found.beyond_inputs == (() if high is None else ((name, shape(high).dims),))


def test_inputs_grow_in_proportion():
    found = largest_input(convsize.parse("input: 3@32x64\nC3D8 R C3D8 GAP FC10"), TrainingSetting(4), Capacity(2**26))
    ((_, (depth, height, width)),) = found.inputs
    assert (depth, width // height) == (3, 2)


def test_a_network_that_takes_no_larger_input():
    network = convsize.parse("input: 3@8x8\nC3D4 crop(6,6) as a\n@a C3D4 R")
    found = largest_input(convsize.parse(UNET_IN_NUMBERS), TrainingSetting(1), Capacity(2**33))
    assert (found.beyond, found.beyond_inputs) == (None, ())
    assert found.fits.peak.bytes <= 2**33
    assert largest_input(network, TrainingSetting(1), Capacity(2**24)).fits is not None


def test_not_even_the_smallest_input():
    network = convsize.load(SPECS / "vgg_d.spec")
    found = largest_input(network, TrainingSetting(1), Capacity(2**20))
    assert (found.fits, found.inputs) == (None, ())
    assert found.beyond_inputs == (("input", (3, 32, 32)),)


@pytest.mark.parametrize(
    ("text", "memory", "why"),
    [
        ("input: 3@8x8\nC3D4", 0, "nothing fits into 0 bytes"),
        ("input: 1@8x8\nC1D1", 2**60, "even an input of"),
    ],
)
def test_bad_budgets_and_inputs(text, memory, why):
    with pytest.raises(UsageError, match=why):
        largest_input(convsize.parse(text), TrainingSetting(1), Capacity(memory))


def test_a_device_holds_more_than_tensors():
    device = load("t4")
    setting = TrainingSetting(device="cuda")
    found = largest_batch(convsize.load(SPECS / "resnet18.spec"), setting, Capacity(device.memory), device)
    assert found.fits.reserved <= device.memory < found.beyond.reserved
    assert found.fits.peak.bytes < found.fits.reserved


def test_the_command(convsize):
    ran = convsize("fit", SPECS / "resnet18.spec", "--device", "l4", "--autocast", "bfloat16")
    assert (ran.code, ran.err) == (0, "")
    assert "cuda · NVIDIA L4\n" in ran.out
    assert "Of 22.03 GiB, 1.000 GiB is reserved" in " ".join(ran.out.split())
    everything = convsize("fit", SPECS / "resnet18.spec", "--device", "l4", "--autocast", "bfloat16", "--reserve", "0")
    assert "of 22.03 GiB." in everything.out
    assert "are added on the GPU" in " ".join(ran.out.split())
    ran = convsize(
        "fit", SPECS / "resnet18.spec", "--memory", "1GiB", "--largest", "input", "--batch", "8", "-f", "json"
    )
    found = json.loads(ran.out)
    assert found["fits"]["bytes"] <= 2**30 < found["beyond"]["bytes"]
    assert found["inputs"]["input"][1] < found["beyond_inputs"]["input"][1]
    ran = convsize("fit", SPECS / "vgg_d.spec", "--memory", "1MB", "--largest", "input")
    assert ran.code == 1
    assert "No input fits: training takes" in ran.out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--device", "cpu"), "the memory of `cpu` is unknown: add it, such as --memory 16GiB"),
        (("--device", "h20"), "there is no device `h20`: known devices: a100, h100, h200"),
        (("--memory", "24"), "--memory 24 has no unit: write 24GiB, 24GB or 24MiB"),
        (("--memory", "24 apples"), "--memory takes a size such as 16GiB, 80GB or 512MiB, not `24 apples`"),
        (
            ("--device", "cpu", "--reserve", "1GiB"),
            "--reserve needs a memory to fit into: add --device h200 or --memory 16GiB",
        ),
        (("--memory", "1GiB", "--reserve", "2GiB"), "nothing fits into 1,073,741,824 bytes"),
        (("--memory", "1GiB", "--batch", "4"), "--batch is for --largest input: add that, or leave --batch out"),
        (
            ("--memory", "1GiB", "--largest", "input", "--batch", "0"),
            "--batch takes a whole number, 1 to 2,147,483,647, not 0",
        ),
    ],
)
def test_bad_input(convsize, arguments, why):
    ran = convsize("fit", SPECS / "lenet5.spec", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err
