"""Ops of another package, installed as a user would: every command knows them, and nothing else is changed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from convsize.cli.app import COMMANDS as EVERY_COMMAND
from convsize.errors import UsageError
from convsize.geometry import GeometryError, Shape, Window
from convsize.ops import catalogue, register
from convsize.ops.base import Op

SPEC = "input: 3@16x16\nC3D8 BN hardtanh(-1,2) M project(12) hardtanh (project(12) + x) R GAP FC10 S\n"
ENTRY_POINTS = """[convsize.ops]
hardtanh = ops_of_mine:Hardtanh
project = ops_of_mine:Project
softsign = ops_of_mine:Unmeasured
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with ops, as pip leaves it."""
    place = tmp_path / "installed"
    place.mkdir()
    shutil.copy(Path(__file__).with_name("ops_of_mine.py"), place)
    install(place, "ops-of-mine", ENTRY_POINTS)
    monkeypatch.syspath_prepend(place)
    yield place
    catalogue._registered.clear()
    catalogue._offered.cache_clear()
    sys.modules.pop("ops_of_mine", None)


def install(place: Path, name: str, entry_points: str) -> None:
    facts = place / f"{name.replace('-', '_')}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(entry_points)


@pytest.fixture(autouse=True)
def _nothing_found_before() -> None:
    catalogue._offered.cache_clear()


@pytest.fixture
def spec(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.spec"
    path.write_text(SPEC)
    (tmp_path / "other.spec").write_text(SPEC.replace("project(12) hardtanh", "C1D12b0 hardtanh(-1,1)"))
    return path


# Every command but `check`, whose exit code says that it has findings; in all its formats and styles.
COMMANDS = [
    *(["analyze", "net.spec", "--format", name] for name in ("table", "json", "csv", "markdown")),
    ["analyze", "net.spec", "--expand", "--columns", "name,op,spec,output,parameters,macs"],
    ["fmt", "--check", "net.spec"],
    *(["draw", "net.spec", "--detail", detail, "--heat", "macs"] for detail in ("network", "block", "layer")),
    *(["draw", "net.spec", "-o", f"net.{ending}"] for ending in ("svg", "png", "dot", "mmd")),
    ["draw", "net.spec", "-o", "volumes.svg", "--style", "volumes"],
    ["memory", "net.spec", "--what-if", "--memory", "1GiB", "--timeline", "memory.svg"],
    ["memory", "net.spec", "--format", "json", "--autocast", "bfloat16", "--device", "cuda"],
    ["memory", "net.spec", "--inference"],
    ["fit", "net.spec", "--memory", "16MiB"],
    ["fit", "net.spec", "--memory", "16MiB", "--largest", "input", "--batch", "2"],
    ["time", "net.spec", "--device", "h100", "--train"],
    ["time", "net.spec", "--device", "h100", "--sweep", "batch=1..4", "-o", "sweep.svg"],
    ["sizes", "net.spec", "--near", "100"],
    ["sizes", "net.spec", "--format", "json"],
    ["diff", "net.spec", "other.spec", "--expand"],
    ["compare", "net.spec", "other.spec", "-o", "costs.svg"],
    *(["report", "net.spec", "-o", "pages", "--format", name] for name in ("html", "markdown")),
    ["rf", "net.spec", "hardtanh2", "-o", "rf.svg"],
    ["explain", "macs", "net.spec"],
    ["explain", "macs", "net.spec", "--as", "ptflops"],
    ["ops"],
    ["ops", "--facts"],
    ["ops", "--format", "markdown"],
    ["ops", "hardtanh"],
    ["ops", "projection"],
]
WITH_TORCH = [
    *(["export", "net.spec", "--to", name] for name in ("torch", "json")),
    ["verify", "net.spec"],
    ["verify", "net.spec", "--autocast", "bfloat16", "--batch", "2"],
    ["profile", "net.spec", "--batch", "2", "--repeats", "3"],
    ["train", "net.spec", "--data", "fake:8", "--epochs", "1", "--batch", "4"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_takes_them(command: list[str], spec: Path, convsize: Callable) -> None:
    ran = convsize(*command)
    assert ran.code == 0, ran.out + ran.err


@pytest.mark.parametrize("format_", ["full", "concise", "json", "github", "gitlab", "sarif", "junit"])
def test_rules_take_them_for_what_they_are(format_: str, spec: Path, convsize: Callable) -> None:
    """A projection is a convolution; its depth of 12 is not a power of two. Hard tanh lies between it and the next."""
    ran = convsize("check", "net.spec", "--style", "--format", format_)
    assert (ran.code, ran.err) == (1, "")
    assert "W553" in ran.out
    if format_ == "concise":
        assert "W556" not in ran.out
        assert "W513" not in ran.out
        assert ran.out.count("W553") == 2


def test_no_command_is_left_out() -> None:
    ran = {command[0] for command in (*COMMANDS, *WITH_TORCH)}
    assert ran == set(EVERY_COMMAND) - {"check", "rules", "devices", "calibrate", "import"}


@pytest.mark.parametrize("command", WITH_TORCH, ids=" ".join)
def test_every_command_that_runs_pytorch_takes_them(command: list[str], spec: Path, convsize: Callable) -> None:
    pytest.importorskip("torch")
    ran = convsize(*command)
    assert ran.code == 0, ran.out + ran.err
    assert "FAILS" not in ran.out


@pytest.mark.slow
def test_onnx_takes_them(spec: Path, convsize: Callable) -> None:
    pytest.importorskip("onnxscript")
    ran = convsize("export", "net.spec", "--to", "onnx", "-o", "net.onnx")
    assert ran.code == 0, ran.err


def test_the_written_module_runs(spec: Path, convsize: Callable) -> None:
    torch = pytest.importorskip("torch")
    source = convsize("export", "net.spec", "--to", "torch").out
    assert "nn.Hardtanh(min_val=-1.0, max_val=2.0)" in source
    written: dict[str, type] = {"__name__": "net"}
    exec(source, written)
    assert written["Net"]()(torch.rand(2, 3, 16, 16)).shape == (2, 10)


def test_figures_are_those_of_the_same_network_of_own_ops(spec: Path, convsize: Callable) -> None:
    """A projection is a convolution of 1x1, and hard tanh costs and saves what ReLU6 does."""
    same = SPEC.replace("project(12)", "C1D12b0").replace("hardtanh(-1,2)", "relu6").replace("hardtanh", "relu6")
    spec.with_name("same.spec").write_text(same)
    ours, theirs = (json.loads(convsize("analyze", name, "--format", "json").out) for name in ("same.spec", "net.spec"))
    assert ours["totals"] == theirs["totals"]
    one, two = (
        json.loads(convsize("memory", name, "--format", "json", "--batch", 2, "--autocast", "bfloat16").out)
        for name in ("same.spec", "net.spec")
    )
    assert (one["first"]["bytes"], one["steady"]["bytes"]) == (two["first"]["bytes"], two["steady"]["bytes"])
    layers = {row["name"]: row for row in theirs["layers"]}
    assert layers["hardtanh1"]["op"] == "hard tanh"
    assert layers["project1"]["op"] == "projection"


def test_what_nothing_is_known_of_is_an_error_and_no_zero(package: Path, convsize: Callable) -> None:
    spec = ("-e", "C3D8 softsign GAP FC10", "--input", "3@8x8")
    assert convsize("analyze", *spec).code == 0
    ran = convsize("memory", *spec)
    assert ran.code == 2
    assert "what nn.Softsign holds has not been measured" in ran.err


def test_a_package_that_offers_no_op_is_named(package: Path, convsize: Callable) -> None:
    install(package, "no-ops", "[convsize.ops]\nbroken = ops_of_mine:NoSuchThing\nother = ops_of_mine:Hardtanh\n")
    for word, reason in (("broken", "AttributeError"), ("other", "`hardtanh(low,high)`")):
        ran = convsize("analyze", "-e", f"C3D8 {word}", "--input", "3@8x8")
        assert ran.code == 2
        assert f"the word `{word}` of the package no-ops cannot be used: " in ran.err
        assert reason in ran.err.replace("\n", " ")


def test_two_packages_with_one_word_are_named(package: Path, convsize: Callable) -> None:
    install(package, "same-again", "[convsize.ops]\nhardtanh = ops_of_mine:Unmeasured\n")
    ran = convsize("analyze", "-e", "C3D8 hardtanh", "--input", "3@8x8")
    assert ran.code == 2
    message = " ".join(ran.err.split())
    assert "the package ops-of-mine" in message
    assert "the package same-again" in message
    assert "it would be two ops; uninstall one of them" in message


def test_an_op_without_an_example_is_listed(package: Path, convsize: Callable) -> None:
    from ops_of_mine import Hardtanh

    class Picky(Hardtanh):
        """What takes no small volume."""

        NAME = "picky"
        STEM = "picky"
        SPELLING = "picky"
        PARAMS = ()

        @classmethod
        def from_arguments(cls, arguments, source):
            raise GeometryError("E111", "too small", "give it more")

    register(Picky)
    ran = convsize("ops", "--facts", width=200)
    assert re.search(r"picky +activation, any +– ", ran.out)


def test_a_word_near_to_one_of_another_package_is_named(package: Path, convsize: Callable) -> None:
    ran = convsize("check", "-", stdin="input: 3@8x8\nC3D8 hardtan\n")
    assert "did you mean `hardtanh`?" in ran.out


def test_installed_packages_are_read_for_unknown_words_alone() -> None:
    code = (
        "import sys; from convsize import parse;"
        "parse('input: 3@8x8\\ndef b(r): C3D8 r\\nb(R) b(relu6) up(2) GAP FC10').analyze();"
        " print('importlib.metadata' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_register_makes_a_word(package: Path, convsize: Callable) -> None:
    from ops_of_mine import Hardtanh

    class Wide(Hardtanh):
        """Hard tanh between -2 and 2."""

        NAME = "wide hard tanh"
        STEM = "wide"
        SPELLING = "wide"
        PARAMS = ()

        @classmethod
        def from_arguments(cls, arguments, source):
            return cls(-2.0, 2.0)

    assert register(Wide) is Wide
    assert register(Wide) is Wide  # a module that is read again
    assert "wide hard tanh" in convsize("ops", width=120).out
    assert convsize("analyze", "-e", "C3D8 wide", "--input", "3@8x8").code == 0


def test_a_word_has_one_op(package: Path) -> None:
    from ops_of_mine import Hardtanh

    for facts, message in (
        ({"SPELLING": "up(2)"}, "there is one of that name"),
        ({"SPELLING": "split"}, "a word is a name in small letters"),
        ({"SPELLING": "Hard"}, "a word is a name in small letters"),
        ({"SPELLING": "mine", "KIND": "sum"}, "a word has one input, a sum has not"),
        ({"SPELLING": "mine", "NAME": "tanh"}, "has the NAME of Tanh"),
        ({"SPELLING": "mine", "NAME": "mine", "STEM": "conv"}, "has the STEM of Convolution"),
    ):
        with pytest.raises(ValueError, match=message):
            register(type("Mine", (Hardtanh,), facts))
    with pytest.raises(TypeError, match="is not an op"):
        register(Op)
    assert catalogue.word("mine") is None


def test_facts_are_of_what_there_is(package: Path) -> None:
    from ops_of_mine import Hardtanh

    with pytest.raises(TypeError, match="op Mine states KIND 'activations'; there are input, convolution"):
        type("Mine", (Hardtanh,), {"KIND": "activations"})
    with pytest.raises(TypeError, match="op Mine states VALUES 'positive'; there are any, linear"):
        type("Mine", (Hardtanh,), {"VALUES": "positive"})
    with pytest.raises(TypeError, match="op Mine states EXTENTS 'all'; there are windows"):
        type("Mine", (Hardtanh,), {"EXTENTS": "all"})


def test_a_norm_says_what_it_normalises(package: Path) -> None:
    from ops_of_mine import Hardtanh

    with pytest.raises(TypeError, match="op Mine states no STATISTICS"):
        type("Mine", (Hardtanh,), {"KIND": "norm"})


def test_sizes_of_an_op_that_states_no_rule_of_extents(package: Path, convsize: Callable) -> None:
    from ops_of_mine import Hardtanh

    class Halves(Hardtanh):
        """All values of the first half."""

        NAME = "half"
        STEM = "half"
        SPELLING = "half"
        PARAMS = ()

        @classmethod
        def from_arguments(cls, arguments, source):
            return cls(0.0, 0.0)

        def output(self, *inputs):
            return Shape(inputs[0].channels, tuple(-(-extent // 2) for extent in inputs[0].spatial))

        def window(self, *inputs):
            return Window("everything")

    register(Halves)
    ran = convsize("sizes", "-e", "C3D8 half GAP FC10", "--input", "3@16x16")
    assert ran.code == 2
    assert "the op of `half` (half1) does not state how its extents depend on its input" in ran.err.replace("\n", " ")


def test_the_op_of_the_guide_is_verified(package: Path, convsize: Callable) -> None:
    pytest.importorskip("torch")
    guide = (Path(__file__).parents[2] / "reports" / "guide" / "ops.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    (package / "my_package").mkdir()
    (package / "my_package" / "softshrink.py").write_text(block)
    (offered,) = re.findall(r"^```toml\n\[project.entry-points.\"convsize.ops\"\]\n(.*?)^```$", guide, re.M | re.S)
    install(package, "my-package", "[convsize.ops]\n" + offered.replace('"', ""))
    (command,) = re.findall(r"^    convsize (verify .*)$", guide, re.MULTILINE)
    ran = convsize(*shlex.split(command))
    assert ran.code == 0, ran.out + ran.err
    assert "FAILS" not in ran.out
    assert re.search(r"later steps' peak, batch 3 .* exact", ran.out)


def test_fields_are_what_is_no_class_variable() -> None:
    """Whether annotations are text or values."""
    written: dict[str, type[Op]] = {}
    code = (
        "import typing\nfrom typing import ClassVar\nfrom convsize.ops.base import Op\n"
        "class Some(Op):\n    A: ClassVar[int] = 1\n    B: typing.ClassVar[int] = 2\n    number: int\n"
    )
    for first in ("", "from __future__ import annotations\n"):
        exec(first + code, written)
        assert written["Some"].FIELDS == ("number",)


def test_pytorch_has_no_such_call() -> None:
    pytest.importorskip("torch")
    from convsize.ops.base import TorchCall
    from convsize.runtime.calls import build_call

    for target in ("nn.NoSuchThing", "os.getcwd", "F.nothing", "a.b.c"):
        with pytest.raises(UsageError, match="PyTorch has no"):
            build_call(TorchCall(target))
