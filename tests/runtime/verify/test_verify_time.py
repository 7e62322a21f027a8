"""Receipts: times next to their predictions, where a device's figures say how accurate those are."""

import json

import pytest

torch = pytest.importorskip("torch")

import convsize as library  # noqa: E402
from convsize import devices  # noqa: E402
from convsize.records.device import Accuracy  # noqa: E402
from convsize.runtime.verify import receipt as verifying  # noqa: E402
from convsize.runtime.verify import time as verify_time  # noqa: E402

SPEC = "input: 3@16x16\nC3D8 R M C3D16 R GAP FC10"


def machine(**fields):
    """This machine as a calibration could have found it."""
    sheet = devices.load("ryzen7_5800h")
    accuracy = tuple(Accuracy("class", what, 0.2, 0.1, 1e6, 5) for what in ("inference", "training"))
    source = sheet.source.replace(kind="calibrated")
    found = sheet.replace(source=source, efficiency=None, threads=1, accuracy=accuracy)
    return found.replace(**fields)


def times(**setting):
    against = setting.pop("against", machine())
    receipt = verifying.verify(library.parse(SPEC), batches=(2,), against=against, **setting)
    return {line.quantity: line for line in receipt.lines if line.unit == "µs"}


def test_times_are_within_what_the_calibration_found():
    threads = torch.get_num_threads()
    found = times()
    assert torch.get_num_threads() == threads
    assert list(found) == ["forward pass, batch 2", "training step, batch 2"]
    for line in found.values():
        assert line.predicted > 0
        assert line.measured > 0
        assert (line.verdict, line.tolerance) == ("within", 1e6)
        assert "off by 20% on average" in line.note
    assert found["forward pass, batch 2"].measured < found["training step, batch 2"].measured


def test_a_time_that_is_too_far_off_fails():
    exact = tuple(each.replace(worst=1e-9) for each in machine().accuracy)
    assert {line.verdict for line in times(against=machine(accuracy=exact)).values()} == {"FAILS"}


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"against": machine(accuracy=())}, "the accuracy of predictions"),
        ({"against": devices.load("ryzen7_5800h")}, "the accuracy of predictions"),
        ({"against": machine(kind="cuda")}, "but this ran on cpu"),
        ({"against": machine(peaks=(("float64", 1e9),))}, "has no figures for float32"),
        ({"autocast": "bfloat16"}, "under autocast"),
        ({"optimizer": "adam-l2"}, "the time of the optimizer `adam-l2` is not known"),
    ],
)
def test_what_cannot_be_held_against_a_prediction_is_not_measured(setting, why):
    for line in times(**setting).values():
        assert (line.verdict, line.measured) == ("not measured", None)
        assert why in line.note


def test_what_cannot_be_trained_has_a_forward_pass():
    receipt = verifying.verify(library.parse("input: 3@4x4\nR M GAP"), batches=(1,), against=machine())
    found = {line.quantity: line for line in receipt.lines if line.unit == "µs"}
    assert found["forward pass, batch 1"].verdict == "within"
    assert found["training step, batch 1"].note == "nothing trains"


def test_too_little_memory_is_said(monkeypatch):
    monkeypatch.setattr(verify_time, "free_bytes", lambda device: 1000)
    assert {line.note for line in times().values()} == {"out of memory: 1000 B are free"}


def test_without_a_device_there_are_no_times():
    receipt = verifying.verify(library.parse(SPEC), batches=(2,))
    assert not [line for line in receipt.lines if line.unit == "µs"]


def test_this_machine_is_the_default(convsize, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ran = convsize("verify", "-e", SPEC, "--batch", 2, "--format", "json")
    assert "training step" not in ran.out
    folder = tmp_path / "convsize" / "devices"
    folder.mkdir(parents=True)
    (folder / "cpu.json").write_text(devices.dump(machine(name="cpu")))
    ran = convsize("verify", "-e", SPEC, "--batch", 2, "--format", "json")
    assert ran.code == 0
    last = json.loads(ran.out)["lines"][-1]
    assert (last["quantity"], last["unit"], last["verdict"]) == ("training step, batch 2", "µs", "within")
    ran = convsize("verify", "-e", SPEC, "--batch", 2, "--against", "nowhere")
    assert ran.code == 2
    assert "there is no device `nowhere`" in ran.err
