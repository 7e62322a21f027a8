"""Files of ONNX that are broken, lie, or are meant to harm: a clear error at once."""

import random
from pathlib import Path
from typing import Any

import numpy
import pytest
from onnx import TensorProto, helper, numpy_helper

from convsize.errors import UsageError
from convsize.importing.onnx.read import read_onnx


def proto(
    nodes: list[Any] | None = None, weights: list[Any] | None = None, shape: Any = (2, 3, 4, 5), y: Any = None
) -> Any:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, y)
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])] if nodes is None else nodes
    held = [numpy_helper.from_array(numpy.ones((6, 3, 1, 1), "float32"), "w")] if weights is None else weights
    return helper.make_model(
        helper.make_graph(nodes, "g", [x], [out], held), opset_imports=[helper.make_opsetid("", 13)]
    )


def read(model: Any, **options: Any) -> Any:
    return read_onnx(model.SerializeToString(), "a.onnx", **options)


def outside(location: str, **entries: Any) -> Any:
    tensor = TensorProto(name="w", data_type=1, dims=[6, 3, 1, 1], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return proto(weights=[tensor])


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"PK\x03\x04", b"not a model at all", b"\x08\x08"])
def test_other_files_are_told_from_models(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"no whole ONNX model|holds no graph"):
        read_onnx(data, "a.onnx")


def test_cut_and_changed_files_never_crash() -> None:
    whole = proto().SerializeToString()
    picked = random.Random(0)
    for at in [*range(len(whole))] * 4:
        broken = bytearray(whole)
        broken[at] ^= 1 << picked.randrange(8)
        for data in (whole[:at], bytes(broken)):
            try:
                read_onnx(data, "a.onnx")
            except UsageError:
                continue


def huge() -> Any:
    tensor = TensorProto(name="w", data_type=1, dims=[2**40, 3, 1, 1], raw_data=b"\0" * 16)
    return proto(weights=[tensor])


def negative() -> Any:
    return proto(weights=[TensorProto(name="w", data_type=1, dims=[-6, 3, 1, 1], raw_data=b"\0" * 16)])


def texts() -> Any:
    return proto(weights=[TensorProto(name="w", data_type=8, dims=[1], string_data=[b"x"])])


def circle() -> Any:
    make = helper.make_node
    return proto([make("Add", ["x", "b"], ["a"]), make("Relu", ["a"], ["b"]), make("Relu", ["b"], ["y"])])


def several() -> Any:
    return proto([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Tanh", ["x"], ["y"])])


def filled() -> Any:
    sizes = numpy_helper.from_array(numpy.array([2**20, 2**20]), "s")
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["c"]), helper.make_node("Add", ["x", "c"], ["y"])]
    return proto(nodes, [sizes])


def doubled() -> Any:
    nodes = [helper.make_node("Concat", [f"v{at}", f"v{at}"], [f"v{at + 1}"], axis=2) for at in range(60)]
    return proto([helper.make_node("Relu", ["x"], ["v0"]), *nodes, helper.make_node("Relu", ["v60"], ["y"])])


def of_version(*versions: int) -> Any:
    model = proto()
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid("", each) for each in versions)
    return model


def typed(kind: str) -> Any:
    return proto(weights=[numpy_helper.from_array(numpy.ones((6, 3, 1, 1), kind), "w")])


def attribute(**given: Any) -> Any:
    return proto([helper.make_node("Conv", ["x", "w"], ["y"], **given)])


def by_zero(kind: str) -> Any:
    held = [numpy_helper.from_array(numpy.array([each]), name) for name, each in (("a", 1), ("b", 0))]
    nodes = [helper.make_node(kind, ["a", "b"], ["c"]), helper.make_node("Cast", ["c"], ["d"], to=1)]
    return proto([*nodes, helper.make_node("Add", ["x", "d"], ["y"])], held)


def no_number(kind: str) -> Any:
    return proto(
        [helper.make_node(kind, ["x", "a"], ["y"])], [numpy_helper.from_array(numpy.array(numpy.nan, "float32"), "a")]
    )


def empty() -> Any:
    return proto(weights=[TensorProto(name="w", data_type=1, dims=[2**62, 0, 3, 3])])


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (huge(), "the tensor `w` says that it is 1099511627776x3x1x1, and holds 16 bytes"),
        (negative(), "a shape or type that cannot be read"),
        (texts(), "a shape or type that cannot be read"),
        (circle(), "takes `b`, which nothing before it makes: a circle"),
        (several(), "two nodes make `y`"),
        (filled(), "too large to be worked out"),
        (doubled(), "holds more values than any can"),
        (of_version(8), "operators of version 8: from 9 on"),
        (of_version(999), "operators of version 999: one version up to"),
        (of_version(13, 17), "operators of version 13 and 17"),
        (attribute(pads="abc"), "its `pads` is of type STRING, and must be of INTS"),
        (attribute(pads=[0.5, 1.0, 1.0, 1.0]), "its `pads` is of type FLOATS"),
        (attribute(group=1.0), "its `group` is of type FLOAT, and must be of INT"),
        (attribute(padding=1), "has no attribute `padding`"),
        (typed("int8"), r"its `W` is a tensor.int8., and what it is computed with is of float32"),
        (typed("float64"), r"its `W` is a tensor.double."),
        (by_zero("Div"), "a whole number is divided by 0"),
        (by_zero("Mod"), "a whole number is divided by 0"),
        (no_number("Clip"), "Clip: one of its limits is nan"),
        (no_number("Pow"), "Pow: one of its .* is nan"),
        (empty(), "a shape or type that cannot be read"),
        (outside("ok\0.bin"), "which is no file"),
        (proto([]), "holds no graph"),
        (proto([helper.make_node("Relu", ["w"], ["y"])]), "not computed from its input|fixed values"),
        (proto(shape=(2, 3, 4, 2**50)), "more values than any can"),
        (proto(shape=(2, 3, "h", "w")), "leaves sizes of its input open: give them by --input"),
        (proto(shape=()), "no batch of volumes"),
        (proto(y=(2, 6, 4, 4)), r"says that its output `y` is of \[6, 4, 4\], and it is of 6x4x5"),
        (outside("../../etc/passwd"), "outside of its folder"),
        (outside("/etc/passwd"), "outside of its folder"),
        (outside(""), "outside of its folder"),
        (outside("w.bin"), "no such file beside it"),
        (outside("short.bin"), "does not hold the 72 bytes of `w`"),
        (outside("whole.bin", offset=-4), "does not hold"),
        (outside("whole.bin", offset=4), "does not hold"),
        (outside("whole.bin", length=10**15), "does not hold"),
        (outside("whole.bin", offset="x"), "no such file|does not hold"),
        (outside("link.bin"), "outside of its folder"),
    ],
    ids=lambda each: str(each)[:40] if isinstance(each, str) else "",
)
def test_files_that_lie_are_refused(model: Any, problem: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "short.bin").write_bytes(b"\0" * 71)
    (home / "whole.bin").write_bytes(b"\0" * 72)
    (tmp_path / "secret.bin").write_bytes(b"\0" * 72)
    (home / "link.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(UsageError, match=problem):
        read(model, folder=home)


def test_tensors_beside_the_file_are_read(tmp_path: Path) -> None:
    values = numpy.arange(18, dtype="float32")
    (tmp_path / "w.bin").write_bytes(b"\0" * 8 + values.tobytes())
    found = read(outside("w.bin", offset=8, length=72), folder=tmp_path)
    assert numpy.array(found.arrays["w"]).flatten().tolist() == values.tolist()
    with pytest.raises(UsageError, match="give the path of the file"):
        read(outside("w.bin", offset=8, length=72))


def test_open_sizes_are_given() -> None:
    model = proto(shape=("n", 3, "h", "w"))
    assert read(model, shape=(3, 8, 9)).calls.calls[0].results[0].shape == (2, 6, 8, 9)
    with pytest.raises(UsageError, match=r"takes an input of 3x\?x\?, and another is given"):
        read(model, shape=(4, 8, 9))


def test_a_long_file_is_refused_before_it_is_read() -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    model = proto([node])
    model.graph.node.extend([node] * 50_001)
    with pytest.raises(UsageError, match="more than 50,000 nodes"):
        read(model)
