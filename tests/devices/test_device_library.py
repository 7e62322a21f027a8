"""Device files: the bundled ones, the user's own, and what is wrong with bad ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convsize import devices
from convsize.devices.document import read
from convsize.errors import UsageError
from convsize.records import Accuracy, ClassTable, Sample

BUNDLED = ("a100", "h100", "h200", "l4", "rtx4090", "ryzen7_5800h", "t4", "v100")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "convsize" / "devices"


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_devices(name: str) -> None:
    device = devices.load(name)
    assert device.name == name
    assert device.source.kind == "datasheet"
    assert device.source.title
    assert device.source.date.isdigit()
    assert device.efficiency is not None
    assert any("assumed" in note for note in device.source.notes)
    assert not device.calibrated
    # A document says the same when it is written and read again.
    assert read(devices.dump(device).encode(), name) == device


def test_published_figures() -> None:
    h200, a100 = devices.load("h200"), devices.load("a100")
    # 1,979 TFLOP/s are printed with sparsity, which doubles them; 4.8 TB/s; 700 W.
    assert dict(h200.peaks)["bfloat16"] == 1979e12 / 2
    assert (h200.bandwidth, h200.tdp) == (4.8e12, 700)
    assert (dict(a100.peaks)["tf32"], dict(a100.peaks)["float32"]) == (156e12, 19.5e12)
    # 8 cores · 3.2 GHz · 2 units · 8 lanes · 2 FLOP; 2 channels · 8 bytes · 3.2 GT/s.
    laptop = devices.load("ryzen7_5800h")
    assert dict(laptop.peaks)["float32"] == 8 * 3.2e9 * 2 * 8 * 2
    assert laptop.bandwidth == 2 * 8 * 3.2e9
    assert "bfloat16" not in dict(devices.load("t4").peaks)


PRINTED = {"a100": 80, "h100": 80, "h200": 141, "l4": 24, "rtx4090": 24, "t4": 16, "v100": 16}
"""GB that the makers print."""


@pytest.mark.parametrize("name", BUNDLED)
def test_memory_is_what_pytorch_can_use(name: str) -> None:
    device = devices.load(name)
    if device.kind == "cpu":
        assert device.memory is None
        return
    # A GB is at most a GiB, and the driver keeps up to a tenth.
    assert 0.9 * PRINTED[name] * 2**30 < device.memory < PRINTED[name] * 2**30
    (note,) = (each for each in device.source.notes if each.startswith("Memory is what PyTorch can use"))
    assert f"{device.memory / 2**30:.2f} GiB" in note


def test_workspaces_of_cublas() -> None:
    sizes = {name: devices.load(name).cublas_workspace for name in BUNDLED}
    assert sizes["h200"] == sizes["h100"] == 32 * 2**20
    assert sizes["a100"] == sizes["t4"] == 8_519_680
    assert sizes["ryzen7_5800h"] is None


def test_own_device_comes_first(settings: Path) -> None:
    settings.mkdir(parents=True)
    mine = devices.load("t4").replace(title="mine")
    (settings / "t4.json").write_text(devices.dump(mine))
    (settings / "cpu.json").write_text(devices.dump(mine.replace(name="cpu", kind="cpu")))
    (settings / "Not A Name.json").write_text("{}")
    assert devices.load("t4").title == "mine"
    assert devices.names()[:2] == ("cpu", "t4")
    assert set(devices.names()) == {"cpu", *BUNDLED}


def test_calibrated_document(tmp_path: Path) -> None:
    device = devices.load("t4").replace(
        classes=(ClassTable("convolution 1x1, forward", (Sample((1.0, 2.5), 1e-4), Sample((2.0, 3.0), 2e-4))),),
        shapes=(("key", 0.25),),
        workspaces=(("signature", 1024),),
        context=500 * 2**20,
        threads=2,
        noise=0.01,
        accuracy=(Accuracy("class", "inference", 0.1, 0.08, 0.3, 12),),
    )
    file = tmp_path / "mine.json"
    file.write_text(devices.dump(device))
    assert devices.load(str(file)) == device


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match=r"no device `h20`: known devices: a100, h100"):
        devices.load("h20")
    with pytest.raises(UsageError, match="no device `cpu`: `convsize calibrate --device cpu` measures this machine"):
        devices.load("cpu")
    with pytest.raises(UsageError, match=r"no device file `nowhere/x\.json`"):
        devices.load("nowhere/x.json")
    with pytest.raises(UsageError, match=r"no device `\.\.`"):
        devices.load("..")


def _changed(**fields: object) -> bytes:
    value = json.loads(devices.dump(devices.load("t4")))
    return json.dumps({key: each for key, each in (value | fields).items() if each != "left out"}).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is not JSON, or it is truncated; write it again with `convsize calibrate`"),
        (devices.dump(devices.load("t4")).encode()[:-40], "it is not JSON, or it is truncated"),
        (b"\xff\xfe{}", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it states no `schema`"),
        (b'{"layers": []}', "it states no `schema`"),
        (_changed(schema=2), "its schema is 2, and this convsize reads 1; a newer convsize wrote it: update convsize"),
        (_changed(schema=0), "its schema is 0, and this convsize reads 1; write it again"),
        (_changed(bandwidth="left out"), "it has no `bandwidth`"),
        (_changed(bandwith=3), "it has a field `bandwith`"),
        (_changed(bandwidth=-1), "-1 in `bandwidth` is not a number above 0"),
        (_changed(bandwidth=True), "True in `bandwidth`"),
        (_changed(bandwidth=1e-320), "1e-320 in `bandwidth` is not a number above 0 that a device can have"),
        (_changed(classes={"a": [[10**400, 1]]}), f"1{'0' * 36}... in `a` is not a number that a device can have"),
        (_changed(memory=10**40), "in `memory` is not a whole number that a device can have"),
        (_changed(peaks={"\x1b[2J": 1}), "a name in `peaks` is not a text"),
        (_changed(overhead=float("nan")), "nan in `overhead`"),
        (_changed(peaks={}), "`peaks` is empty"),
        (_changed(peaks={"float32": "fast"}), "'fast' in `peaks`"),
        (_changed(kind="tpu"), "its kind is 'tpu', not cpu or cuda"),
        (_changed(name="My GPU"), "`My GPU` is not a name"),
        (_changed(title=""), "its `title` is not a text"),
        (_changed(title="\ud800"), "its `title` is not a text"),
        (_changed(source={"kind": "guess"}), "its `source` is neither a datasheet nor a calibration"),
        (_changed(memory=1.5), "1.5 in `memory` is not a whole number"),
        (_changed(efficiency={"compute": 2, "bandwidth": 0.5}), "`efficiency` takes the shares"),
        (_changed(classes={"a": []}), "`a` has no samples"),
        (_changed(classes={"a": [[1, 2], [1, 2, 3]]}), "samples of unequal length"),
        (_changed(classes={"a": [[1, 0]]}), "a sample of `a` is a list of features with its seconds at the end"),
        (_changed(shapes=[]), "its `shapes` is not an object"),
        (_changed(accuracy=[{}]), "an entry of `accuracy` states mode, what, mean, median, worst, cells"),
    ],
)
def test_bad_files(data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(data, "x.json")
    assert message in str(caught.value)
    assert "`x.json`" in str(caught.value)


def test_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        devices.load(f"{tmp_path}/")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "convsize", *arguments], capture_output=True, text=True)


def test_command_lists_all() -> None:
    result = run("devices")
    assert result.returncode == 0, result.stderr
    for name in BUNDLED:
        assert name in result.stdout
    assert os.environ["XDG_CONFIG_HOME"] in result.stdout
    home = os.environ["XDG_CONFIG_HOME"]  # the path of a folder is never broken, however long
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if home not in line)


def test_command_as_json(settings: Path) -> None:
    result = run("devices", "h200", "t4", "--format", "json")
    first, second = json.loads(result.stdout)
    assert (first["name"], second["name"]) == ("h200", "t4")
    assert first["peaks"]["bfloat16"] == 989.5e12
    assert first["source"]["kind"] == "datasheet"
    assert Path(first["file"]).name == "h200.json"


def test_command_goes_on_beside_a_torn_file(settings: Path) -> None:
    settings.mkdir(parents=True)
    (settings / "mine.json").write_text("{")
    result = run("devices")
    assert result.returncode == 2
    assert "mine.json` is not a device file" in result.stderr
    assert "h200" in result.stdout
    assert run("devices", "mine").returncode == 2
    assert run("devices", "mine").stdout == ""


def test_a_device_is_meant_by_the_end_of_its_name() -> None:
    with pytest.raises(UsageError) as raised:
        devices.load("4090")
    assert str(raised.value).startswith("there is no device `4090`: did you mean `rtx4090`? There are: a100, ")
    with pytest.raises(UsageError) as raised:
        devices.load("00")  # a100, h100 and more
    assert str(raised.value).startswith("there is no device `00`: known devices: a100, ")
