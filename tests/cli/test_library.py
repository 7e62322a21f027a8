"""convsize as a library."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import convsize as library
from convsize.geometry import Shape

SPECS = Path(__file__).resolve().parents[2] / "specs"
TEXT = "input: 3@32x32\nlet N=2\n(C3D8 R)*{N} (C3 + x) FC10\n"


def test_load_names_the_network_as_its_file() -> None:
    net = library.load(SPECS / "vgg_d.spec")
    assert net.name == "vgg_d"
    assert net.analyze().totals.parameters == 138_357_544


def test_parse_and_analyze() -> None:
    net = library.parse(TEXT, name="tiny")
    report = net.analyze(batch=2, dtype="float16")
    assert (report.name, report.batch, report.dtype) == ("tiny", 2, "float16")
    # 3·9·8 + 8, then twice 8·9·8 + 8, then 8·32·32 values to 10 units: 224 + 584·2 + 81,930.
    assert report.totals.parameters == 224 + 2 * 584 + 8 * 32 * 32 * 10 + 10


def test_lets_and_inputs_override_the_text() -> None:
    assert len(list(library.parse(TEXT, lets={"N": 3}).layers)) == len(list(library.parse(TEXT).layers)) + 2
    net = library.parse(TEXT, inputs={"input": Shape(1, (8, 8))})
    assert net.nodes[0].output == Shape(1, (8, 8))
    assert library.parse("CRCRP", inputs={"input": Shape(3, (8, 8))}).nodes[-1].output == Shape(3, (4, 4))


@pytest.mark.parametrize("overrides", [{"lets": {"M": 1}}, {"inputs": {"left": Shape(1, (8, 8))}}])
def test_an_override_of_nothing_is_an_error(overrides: dict[str, object]) -> None:
    with pytest.raises(library.UsageError, match="network has no"):
        library.parse(TEXT, **overrides)


def test_a_wrong_spec_raises_with_every_error() -> None:
    with pytest.raises(library.SpecError) as error:
        library.parse("input: 3@32x32\nC3d64 AP\n")
    assert [found.code for found in error.value.diagnostics] == ["E006", "E008"]
    assert str(error.value).startswith("<network>:2:3: E006 ")


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"batch": 2**40}, {"dtype": "int8"}])
def test_a_wrong_batch_or_dtype_is_wrong_usage(wrong: dict[str, object]) -> None:
    with pytest.raises(library.UsageError):
        library.parse(TEXT).analyze(**wrong)


def test_to_networkx() -> None:
    net = library.parse(TEXT)
    graph = net.to_networkx()
    assert set(graph) == {node.name for node in net.nodes}
    assert graph.number_of_edges() == sum(len(node.inputs) for node in net.nodes)
    assert graph.nodes["conv1"] == {
        "op": "convolution",
        "spec": "C3D8",
        "output": (8, 32, 32),
        "parameters": 224,
        "macs": 32 * 32 * 8 * 3 * 9,
    }
    assert sum(parameters for _, parameters in graph.nodes(data="parameters")) == net.analyze().totals.parameters
    # A value that is added to itself enters the sum twice.
    assert library.parse("input: 3@8x8\n(x + x) R\n").to_networkx().number_of_edges("input", "add1") == 2


def test_importing_convsize_imports_nothing_else() -> None:
    script = (
        "import sys, convsize\n"
        "loaded = [name for name in sys.modules if name.startswith('convsize.') or name in ('typer', 'rich')]\n"
        "assert not loaded, loaded\n"
        "assert 'parse' in dir(convsize)\n"
        "convsize.parse\n"
        "assert 'typer' not in sys.modules and 'networkx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        library.nothing  # noqa: B018


def test_a_network_answers_with_the_records_of_the_commands(convsize, tmp_path: Path) -> None:
    net = library.load(SPECS / "lenet5.spec")
    assert repr(net) == "<Network lenet5: 1@32x32 -> 10, 12 layers>"
    assert f"{net.analyze()}\n" == convsize("analyze", SPECS / "lenet5.spec").out
    printed = json.loads(convsize("memory", SPECS / "lenet5.spec", "--batch", 8, "-f", "json").out)
    assert net.memory(batch=8).saved == printed["saved"]
    printed = json.loads(convsize("fit", SPECS / "lenet5.spec", "--memory", "64MiB", "-f", "json").out)
    assert net.fit(2**26).batch == printed["batch"]
    assert net.fit(device="t4").capacity.device == "NVIDIA T4"
    printed = json.loads(convsize("time", SPECS / "lenet5.spec", "--device", "t4", "-f", "json").out)
    assert net.time("t4").seconds == printed["seconds"]
    assert net.sizes().axes[0].valid.smallest == library.load(SPECS / "lenet5.spec").sizes().axes[0].valid.smallest
    assert net.diff(library.load(SPECS / "lenet5.spec")).same
    assert net.draw() == convsize("draw", SPECS / "lenet5.spec").out
    for name in ("net.svg", "net.mmd", "net.dot"):
        assert net.draw(tmp_path / name) == str(tmp_path / name)
        assert convsize("draw", SPECS / "lenet5.spec", "-o", tmp_path / f"own-{name}").code == 0
        assert (tmp_path / name).read_bytes() == (tmp_path / f"own-{name}").read_bytes()


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda net: net.memory(0), "a batch has"),
        (lambda net: net.memory(device="h20"), "there is no device `h20`"),
        (lambda net: net.fit(), "the memory of `cpu` is not known"),
        (lambda net: net.time("cpu9"), "there is no device `cpu9`"),
        (lambda net: net.draw("net.bmp"), "must end in"),
        (lambda net: net.draw("no/such/folder/net.svg"), "cannot be written"),
    ],
)
def test_wrong_calls_are_usage_errors(call, why: str) -> None:
    with pytest.raises(library.UsageError, match=why):
        call(library.load(SPECS / "lenet5.spec"))


@pytest.mark.parametrize(
    ("answer", "command"),
    [
        (lambda net: net.memory(8, optimizer="adamw"), "memory NET --batch 8 --optimizer adamw"),
        (lambda net: net.memory(8, device="l4"), "memory NET --batch 8 --device cuda"),
        (lambda net: net.fit(2**28), "fit NET --memory 256MiB"),
        (lambda net: net.fit(2**28, largest="input", batch=2), "fit NET --memory 256MiB --largest input --batch 2"),
        (lambda net: net.time("h200", batch=4, training=True), "time NET --device h200 --batch 4 --train"),
        (
            lambda net: net.time("h200", training=True, autocast="float16"),
            "time NET --device h200 --train --autocast fp16",
        ),
        (lambda net: net.sizes(), "sizes NET"),
        (lambda net: net.analyze(batch=2), "analyze NET --batch 2"),
        (lambda net: net.diff(library.load(SPECS / "lenet5_partial.spec")), "diff NET SPECS/lenet5_partial.spec"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_answer_prints_as_its_command_does(convsize, answer, command: str) -> None:
    path = SPECS / "lenet5.spec"
    found = answer(library.load(path))
    written = convsize(*(part.replace("NET", str(path)).replace("SPECS", str(SPECS)) for part in command.split())).out
    if "cuda" in command:  # named as a device, it is the same with the device's workspaces
        assert str(found).splitlines()[0] == written.splitlines()[0]
    else:
        assert f"{found}\n" == written
    assert len(repr(found)) < 120
    assert repr(found).startswith(f"<{type(found).__name__} of lenet5")


@pytest.mark.slow
def test_what_is_measured_is_measured_in_a_process_of_its_own(convsize) -> None:
    pytest.importorskip("torch")
    net = library.parse("input: 3@8x8\nC3D4 R GAP FC2", name="tiny")
    receipt = net.verify(batches=(2,))
    assert receipt.holds
    assert str(receipt).startswith("tiny on cpu, float32, momentum, batch 2 (convsize ")
    assert repr(receipt).startswith("<Receipt of tiny: holds, ")
    profile = net.profile(2, repeats=3, threads=1)
    assert str(profile).startswith("tiny · training step · momentum · batch 2 · float32 · cpu, 1 thread\n")
    with pytest.raises(library.UsageError, match="batch of 2"):
        library.parse("input: 3@1x1\nC1D4 GN4 FC2").verify(batches=(1,))
