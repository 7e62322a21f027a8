"""convsize as a library."""

import subprocess
import sys
from pathlib import Path

import pytest

import convsize
from convsize.geometry import Shape

SPECS = Path(__file__).resolve().parents[2] / "specs"
TEXT = "input: 3@32x32\nlet N=2\n(C3D8 R)*{N} (C3 + x) FC10\n"


def test_load_names_the_network_as_its_file() -> None:
    net = convsize.load(SPECS / "vgg_d.spec")
    assert net.name == "vgg_d"
    assert net.analyze().totals.parameters == 138_357_544


def test_parse_and_analyze() -> None:
    net = convsize.parse(TEXT, name="tiny")
    report = net.analyze(batch=2, dtype="float16")
    assert (report.name, report.batch, report.dtype) == ("tiny", 2, "float16")
    # 3·9·8 + 8, then twice 8·9·8 + 8, then 8·32·32 values to 10 units: 224 + 584·2 + 81,930.
    assert report.totals.parameters == 224 + 2 * 584 + 8 * 32 * 32 * 10 + 10


def test_lets_and_inputs_override_the_text() -> None:
    assert len(list(convsize.parse(TEXT, lets={"N": 3}).layers)) == len(list(convsize.parse(TEXT).layers)) + 2
    net = convsize.parse(TEXT, inputs={"input": Shape(1, (8, 8))})
    assert net.nodes[0].output == Shape(1, (8, 8))
    assert convsize.parse("CRCRP", inputs={"input": Shape(3, (8, 8))}).nodes[-1].output == Shape(3, (4, 4))


@pytest.mark.parametrize("overrides", [{"lets": {"M": 1}}, {"inputs": {"left": Shape(1, (8, 8))}}])
def test_an_override_of_nothing_is_an_error(overrides: dict[str, object]) -> None:
    with pytest.raises(convsize.UsageError, match="network has no"):
        convsize.parse(TEXT, **overrides)


def test_a_wrong_spec_raises_with_every_error() -> None:
    with pytest.raises(convsize.SpecError) as error:
        convsize.parse("input: 3@32x32\nC3d64 AP\n")
    assert [found.code for found in error.value.diagnostics] == ["E006", "E008"]
    assert str(error.value).startswith("<network>:2:3: E006 ")


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"batch": 2**40}, {"dtype": "int8"}])
def test_a_wrong_batch_or_dtype_is_wrong_usage(wrong: dict[str, object]) -> None:
    with pytest.raises(convsize.UsageError):
        convsize.parse(TEXT).analyze(**wrong)


def test_to_networkx() -> None:
    net = convsize.parse(TEXT)
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
    assert convsize.parse("input: 3@8x8\n(x + x) R\n").to_networkx().number_of_edges("input", "add1") == 2


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
        convsize.nothing  # noqa: B018
