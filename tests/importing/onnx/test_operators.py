"""Operators of ONNX: the calls that they are read as compute what ONNX's own reference does."""

from typing import Any

import numpy
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from convsize.errors import UsageError
from convsize.importing.onnx.ops.table import OPERATORS
from convsize.importing.onnx.read import OnnxModel, read_onnx
from tests.importing.run_calls import run


def model(
    nodes: list[Any], shape: tuple[int, ...], held: dict[str, Any], opset: int = 17, **options: Any
) -> onnx.ModelProto:
    """A model of nodes from `x` to `y`."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [options.get("batch", "n"), *shape])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    weights = [numpy_helper.from_array(numpy.asarray(each), name) for name, each in held.items()]
    graph = helper.make_graph(nodes, "g", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def randoms(*shape: int) -> Any:
    return (numpy.random.default_rng(sum(shape)).random(shape) + 0.5).astype("float32")


def same(proto: onnx.ModelProto, shape: tuple[int, ...]) -> OnnxModel:
    """The calls give what ONNX's reference gives."""
    found = read_onnx(proto.SerializeToString(), "a.onnx")
    x = numpy.random.default_rng(0).standard_normal((2, *shape)).astype("float32")
    (expected,) = ReferenceEvaluator(proto).run(None, {"x": x})
    weights = {path: torch.from_numpy(numpy.array(each)) for path, each in found.arrays.items()}
    given = torch.from_numpy(x)
    if found.calls.inputs[0].shape != tuple(given.shape):
        given = given.movedim(-1, 1)
    (output,) = run(found.calls, {"x": given, **weights}).values()
    if tuple(output.shape) != expected.shape:
        output = output.movedim(1, -1)
    torch.testing.assert_close(output, torch.from_numpy(numpy.array(expected)), atol=1e-5, rtol=1e-4)
    return found


I64 = "int64"
ONE: list[tuple[str, tuple[int, ...], dict[str, Any], dict[str, Any]]] = [
    ("Conv", (3, 9, 8), {"w": randoms(6, 3, 3, 2), "b": randoms(6)}, {"strides": [2, 1], "pads": [1, 0, 1, 0]}),
    ("Conv", (4, 9, 8), {"w": randoms(6, 2, 3, 2)}, {"group": 2, "pads": [1, 0, 0, 2], "dilations": [1, 2]}),
    ("Conv", (4, 9, 8), {"w": randoms(6, 4, 3, 3)}, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("Conv", (4, 9), {"w": randoms(6, 4, 3)}, {"auto_pad": "VALID"}),
    ("Conv", (4, 5, 5, 5), {"w": randoms(6, 4, 3, 2, 1)}, {}),
    (
        "ConvTranspose",
        (4, 5, 6),
        {"w": randoms(4, 3, 3, 3), "b": randoms(3)},
        {"strides": [2, 2], "pads": [1, 1, 1, 1]},
    ),
    ("ConvTranspose", (4, 5, 6), {"w": randoms(4, 3, 3, 3)}, {"strides": [2, 2], "output_padding": [1, 0]}),
    ("Gemm", (4,), {"w": randoms(4, 5), "b": randoms(5)}, {}),
    ("Gemm", (4,), {"w": randoms(5, 4), "b": randoms(1, 5)}, {"transB": 1}),
    ("MatMul", (3, 4), {"w": randoms(4, 5)}, {}),
    (
        "BatchNormalization",
        (4, 3, 3),
        {"g": randoms(4), "b": randoms(4), "m": randoms(4), "v": randoms(4)},
        {"epsilon": 0.01, "momentum": 0.99},
    ),
    ("InstanceNormalization", (4, 3, 3), {"g": randoms(4), "b": randoms(4)}, {}),
    ("LayerNormalization", (4, 3, 5), {"g": randoms(5), "b": randoms(5)}, {}),
    ("PRelu", (4, 3, 5), {"s": randoms(4, 1, 1)}, {}),
    ("PRelu", (4, 3, 5), {"s": randoms(1)}, {}),
    ("MaxPool", (4, 9, 8), {}, {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}),
    ("MaxPool", (4, 9), {}, {"kernel_shape": [3], "strides": [2], "ceil_mode": 1}),
    ("AveragePool", (4, 9, 8), {}, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    ("AveragePool", (4, 9, 8), {}, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", (4, 4, 4, 4), {}, {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2]}),
    ("GlobalAveragePool", (4, 3, 5), {}, {}),
    ("GlobalMaxPool", (4, 3, 5), {}, {}),
    ("Pad", (4, 3, 5), {"p": numpy.array([0, 0, 1, 2, 0, 0, 0, 1], I64), "c": numpy.float32(2)}, {}),
    ("Pad", (4, 3, 5), {"p": numpy.array([0, 0, 1, 2, 0, 0, 0, 1], I64)}, {"mode": "reflect"}),
    ("Pad", (4, 3, 5), {"p": numpy.array([0, 1, 0, 0, 0, 2, 0, 0], I64)}, {}),
    ("Resize", (4, 3, 5), {"": None, "s": numpy.array([1, 1, 2, 3], "float32")}, {"mode": "nearest"}),
    ("Resize", (4, 3, 5), {"": None, "s": numpy.array([1, 1, 2, 3], "float32")}, {"mode": "linear"}),
    (
        "Resize",
        (4, 3, 5),
        {"": None, "s": numpy.array([1, 1, 1.7, 1.3], "float32")},
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    ),
    (
        "Resize",
        (4, 3, 5),
        {"": None, "s": numpy.array([1, 1, 2, 2], "float32")},
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    ),
    ("Softmax", (4, 3), {}, {"axis": 1}),
    ("LogSoftmax", (4, 3), {}, {}),
    ("Clip", (4, 3), {"l": numpy.float32(0), "h": numpy.float32(0.5)}, {}),
    ("Clip", (4, 3), {"l": numpy.float32(0)}, {}),
    ("Clip", (4, 3), {"l": numpy.float32(-0.1)}, {}),
    ("HardSigmoid", (4, 3), {}, {"alpha": 1 / 6}),
    ("HardSigmoid", (4, 3), {}, {}),
    *((name, (4, 3, 5), {}, {}) for name in ("Relu", "Sigmoid", "Tanh", "HardSwish", "Exp", "Abs", "Neg", "Softplus")),
    *((name, (4, 3, 5), {}, {}) for name in ("Softsign", "Selu", "LeakyRelu", "Elu", "Celu", "Identity", "Erf")),
    *((name, (4, 3, 5), {"k": numpy.float32(3)}, {}) for name in ("Add", "Sub", "Mul", "Div")),
    *((name, (4, 3, 5), {"k": randoms(4, 1, 1)}, {}) for name in ("Add", "Sub", "Mul", "Div")),
    ("Pow", (4, 3, 5), {"k": numpy.float32(2)}, {}),
    ("Dropout", (4, 3), {"r": numpy.float32(0.3)}, {}),
    ("Reshape", (4, 6), {"s": numpy.array([0, 2, -1, 3], I64)}, {}),
    ("Flatten", (4, 6, 2), {}, {}),
    ("Squeeze", (4, 1, 2), {"a": numpy.array([2], I64)}, {}),
    ("Unsqueeze", (4, 2), {"a": numpy.array([1, -1], I64)}, {}),
    ("Transpose", (4, 2, 3), {}, {"perm": [0, 3, 2, 1]}),
    ("ReduceMean", (4, 2, 3), {}, {"axes": [2, 3], "keepdims": 0}),
    ("ReduceMax", (4, 2, 3), {}, {"axes": [-1]}),
    ("ReduceSum", (4, 2, 3), {"a": numpy.array([1], I64)}, {}),
    (
        "Slice",
        (6, 5, 4),
        {"s": numpy.array([1, 0], I64), "e": numpy.array([5, 99], I64), "a": numpy.array([1, 2], I64)},
        {},
    ),
    ("Gather", (6, 5), {"i": numpy.array([1, 3, 5], I64)}, {"axis": 1}),
    ("Gather", (6, 5), {"i": numpy.array(-1, I64)}, {"axis": 2}),
    ("Expand", (4, 1, 3), {"s": numpy.array([1, 4, 2, 3], I64)}, {}),
    ("DepthToSpace", (8, 2, 3), {}, {"blocksize": 2, "mode": "CRD"}),
    ("Cast", (4, 3), {}, {"to": 1}),
]


@pytest.mark.parametrize(("kind", "shape", "held", "attributes"), ONE, ids=lambda each: str(each)[:40])
def test_one_operator(kind: str, shape: tuple[int, ...], held: dict[str, Any], attributes: dict[str, Any]) -> None:
    inputs = ["x", *held]
    present = {name: each for name, each in held.items() if name}
    same(model([helper.make_node(kind, inputs, ["y"], **attributes)], shape, present), shape)


def test_operators_without_a_case_are_few() -> None:
    rest = {
        "Sum",
        "Mean",
        "Max",
        "Min",
        "Concat",
        "Mish",
        "Gelu",
        "GroupNormalization",
        "RMSNormalization",
        "ReduceMin",
    }
    assert set(OPERATORS) - {kind for kind, *_ in ONE} <= rest | {"CastLike", "Log", "Sqrt", "Reciprocal", "Upsample"}


def test_joins_and_splits() -> None:
    nodes = [
        helper.make_node("Split", ["x", "parts"], ["a", "b"], axis=1),
        helper.make_node("Concat", ["b", "a"], ["c"], axis=1),
        helper.make_node("Sum", ["x", "c", "x"], ["d"]),
        helper.make_node("Max", ["d", "c"], ["e"]),
        helper.make_node("Mean", ["e", "x"], ["f"]),
        helper.make_node("Log", ["g"], ["y"]),
        helper.make_node("Sqrt", ["h"], ["g"]),
        helper.make_node("Abs", ["f"], ["h"]),
    ]
    order = [0, 1, 2, 3, 4, 7, 6, 5]
    same(model([nodes[at] for at in order], (4, 3, 3), {"parts": numpy.array([1, 3], I64)}), (4, 3, 3))


@pytest.mark.parametrize("sizes", [numpy.array(2, I64), numpy.array([1, 4], I64)], ids=str)
def test_lists_of_parts_are_read(sizes: Any) -> None:
    nodes = [
        helper.make_node("SplitToSequence", ["x", "s"], ["l"], axis=1),
        helper.make_node("SequenceAt", ["l", "one"], ["a"]),
        helper.make_node("SequenceAt", ["l", "last"], ["b"]),
        helper.make_node("Concat", ["b", "a"], ["y"], axis=1),
    ]
    held = {"s": sizes, "one": numpy.array(1, I64), "last": numpy.array(-1, I64)}
    same(model(nodes, (5, 3), held), (5, 3))


def gelu(form: str) -> list[Any]:
    make = helper.make_node
    tail = {
        "torch": [make("Mul", ["x", "d"], ["e"]), make("Mul", ["e", "half"], ["y"])],
        "half first": [make("Mul", ["half", "x"], ["h"]), make("Mul", ["h", "d"], ["y"])],
        "half last": [make("Mul", ["d", "half"], ["e"]), make("Mul", ["x", "e"], ["y"])],
    }[form]
    first = make("Div", ["x", "root"], ["a"]) if form != "half first" else make("Mul", ["x", "over"], ["a"])
    return [first, make("Erf", ["a"], ["b"]), make("Add", ["b", "one"], ["d"]), *tail]


@pytest.mark.parametrize("form", ["torch", "half first", "half last"])
def test_gelu_is_put_together(form: str) -> None:
    numbers = {
        "root": numpy.float32(2**0.5),
        "over": numpy.float32(0.5**0.5),
        "half": numpy.float32(0.5),
        "one": numpy.float32(1),
    }
    found = same(model(gelu(form), (4, 3), numbers), (4, 3))
    assert [call.op for call in found.calls.calls] == ["gelu"]
    wrong = {**numbers, "half": numpy.float32(0.4)}
    found = same(model(gelu(form), (4, 3), wrong), (4, 3))
    assert "gelu" not in [call.op for call in found.calls.calls]


def test_a_layer_norm_in_pieces_is_put_together() -> None:
    make = helper.make_node
    nodes = [
        make("ReduceMean", ["x"], ["m"], axes=[-1]),
        make("Sub", ["x", "m"], ["c"]),
        make("Pow", ["c", "two"], ["q"]),
        make("ReduceMean", ["q"], ["v"], axes=[-1]),
        make("Add", ["v", "eps"], ["s"]),
        make("Sqrt", ["s"], ["r"]),
        make("Div", ["c", "r"], ["d"]),
        make("Mul", ["d", "g"], ["e"]),
        make("Add", ["e", "b"], ["y"]),
    ]
    held = {"two": numpy.float32(2), "eps": numpy.float32(1e-6), "g": randoms(5), "b": randoms(5)}
    found = same(model(nodes, (4, 3, 5), held, opset=13), (4, 3, 5))
    assert [call.op for call in found.calls.calls] == ["layer_norm"]
    assert found.calls.calls[0].arguments["eps"] == pytest.approx(1e-6)


def test_a_group_norm_in_pieces_and_a_linear_layer_over_maps() -> None:
    make = helper.make_node
    nodes = [
        make("Reshape", ["x", "groups"], ["a"]),
        make("InstanceNormalization", ["a", "ones", "zeros"], ["b"]),
        make("Shape", ["x"], ["s"]),
        make("Reshape", ["b", "s"], ["c"]),
        make("Mul", ["c", "g"], ["d"]),
        make("Add", ["d", "h"], ["e"]),
        make("Transpose", ["e"], ["f"], perm=[0, 2, 3, 1]),
        make("MatMul", ["f", "w"], ["k"]),
        make("Add", ["bias", "k"], ["l"]),
        make("Transpose", ["l"], ["y"], perm=[0, 3, 1, 2]),
    ]
    held = {
        "groups": numpy.array([0, 2, -1], I64),
        "ones": numpy.ones(2, "float32"),
        "zeros": numpy.zeros(2, "float32"),
    }
    held |= {"g": randoms(4, 1, 1), "h": randoms(4, 1, 1), "w": randoms(4, 7), "bias": randoms(7)}
    found = same(model(nodes, (4, 3, 5), held), (4, 3, 5))
    assert [call.op for call in found.calls.calls] == ["group_norm", "permute", "linear", "permute"]


def test_maps_that_stand_last_stand_first() -> None:
    make = helper.make_node
    nodes = [
        make("Mul", ["x", "k"], ["s"]),
        make("Transpose", ["s"], ["t"], perm=[0, 3, 1, 2]),
        make("Conv", ["t", "w"], ["c"]),
        make("Transpose", ["c"], ["d"], perm=[0, 2, 3, 1]),
        make("Transpose", ["d"], ["e"], perm=[0, 3, 1, 2]),
        make("Relu", ["e"], ["r"]),
        make("Transpose", ["r"], ["y"], perm=[0, 2, 3, 1]),
    ]
    found = same(model(nodes, (6, 5, 3), {"w": randoms(4, 3, 2, 2), "k": numpy.float32(2)}), (6, 5, 3))
    assert found.calls.inputs[0].shape == (2, 3, 6, 5)
    assert [call.op for call in found.calls.calls] == ["permute", "mul", "permute", "conv2d", "relu"]
    assert sum("stands first" in note for note in found.calls.notes) == 2


def test_a_file_for_one_sample_is_read_for_two() -> None:
    nodes = [helper.make_node("Reshape", ["x", "s"], ["y"])]
    proto = model(nodes, (4, 6), {"s": numpy.array([1, 24], I64)}, batch=1)
    found = read_onnx(proto.SerializeToString(), "a.onnx")
    assert found.calls.calls[0].results[0].shape == (2, 24)


def test_equal_tensors_are_copied_when_they_are_used_again() -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"]), helper.make_node("Conv", ["a", "w"], ["y"])]
    found = same(model(nodes, (4, 3, 3), {"w": randoms(4, 4, 1, 1)}), (4, 3, 3))
    assert [each.path for each in found.calls.parameters] == ["w", "w.2"]
    assert "every use has its own copy" in found.calls.notes[0]


def test_folded_batch_norms_are_said() -> None:
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"])]
    found = same(model(nodes, (4, 3, 3), {"w": randoms(4, 4, 1, 1), "b": randoms(4)}), (4, 3, 3))
    assert "no batch norms" in found.calls.notes[0]


def test_all_that_cannot_be_read_is_named_at_once() -> None:
    make = helper.make_node
    nodes = [
        make("NonZero", ["x"], ["a"]),
        make("GridSample", ["a", "x"], ["b"]),
        make("Einsum", ["x", "x"], ["c"], equation="ab,ab->ab"),
        make("Einsum", ["x", "x"], ["d"], equation="ab,ab->ab"),
        make("MyOp", ["x"], ["e"], domain="my"),
        make("Add", ["d", "e"], ["y"]),
    ]
    with pytest.raises(UsageError) as error:
        read_onnx(model(nodes, (4,), {}).SerializeToString(), "a.onnx")
    text = str(error.value)
    assert "4 nodes that cannot be read" in text
    assert "Einsum: there is no call for it (2 times" in text
    assert "GridSample" not in text  # it follows from NonZero
    assert "my::MyOp: an operator of another set" in text


@pytest.mark.parametrize(
    ("node", "held", "problem"),
    [
        (("DepthToSpace", {"blocksize": 2}), {}, "order of TensorFlow"),
        (
            ("BatchNormalization", {}),
            {"g": randoms(3), "b": randoms(3), "m": randoms(3), "v": randoms(3)},
            "do not go with",
        ),
        (("Conv", {}), {"w": randoms(6, 3, 3, 3)}, "takes a depth of 3"),
        (("Conv", {"kernel_shape": [2, 2]}), {"w": randoms(6, 4, 3, 3)}, "says a kernel"),
        (("Conv", {"pads": [1, 1]}), {"w": randoms(6, 4, 3, 3)}, "its `pads`"),
        (("Conv", {"strides": [0, 1]}), {"w": randoms(6, 4, 3, 3)}, "its `strides`"),
        (("Gemm", {}), {"w": randoms(4, 3)}, "no fully connected"),
        (("MaxPool", {"kernel_shape": [3]}), {}, "does not go with"),
        (("Reshape", {}), {"s": numpy.array([7, -1], I64)}, "cannot be seen as"),
        (("Reshape", {}), {"s": numpy.array([2**62, 2**62], I64)}, "cannot be seen as"),
        (("Expand", {}), {"s": numpy.array([2**40, 4, 3, 5], I64)}, "do not go together|more values"),
        (("Transpose", {"perm": [0, 1, 1, 2]}), {}, "no order"),
        (("Gather", {"axis": 1}), {"i": numpy.array([2, 0], I64)}, "an order of its own"),
        (("Cast", {"to": 10}), {}, "another type"),
        (("Softmax", {"axis": 0}), {}, "over axis 0"),
        (("ReduceMean", {}), {}, "the samples among them"),
        (("Dropout", {}), {"r": numpy.float32(0.5), "t": numpy.array(True)}, "drops in evaluation"),
        (("If", {}), {}, "there is no call for it"),
        (
            ("Resize", {"mode": "cubic"}),
            {"": None, "s": numpy.array([1, 1, 2, 2], "float32")},
            "another coefficient|half",
        ),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_has_another_meaning_is_refused(node: Any, held: dict[str, Any], problem: str) -> None:
    kind, attributes = node
    if kind == "Resize":
        attributes = {**attributes, "cubic_coeff_a": -0.5}
    present = {name: each for name, each in held.items() if name}
    proto = model([helper.make_node(kind, ["x", *held], ["y"], **attributes)], (4, 3, 5), present)
    with pytest.raises(UsageError, match=problem):
        read_onnx(proto.SerializeToString(), "a.onnx")


def test_whole_numbers_are_divided_as_onnx_divides_them() -> None:
    held = {"a": numpy.array([-7, 7, -8]), "b": numpy.array([2, -2, 2])}
    make = helper.make_node
    cases: list[tuple[str, dict[str, Any]]] = [("Div", {}), ("Mod", {}), ("Mod", {"fmod": 1})]
    for kind, more in cases:
        nodes = [
            make(kind, ["a", "b"], ["c"], **more),
            make("Cast", ["c"], ["d"], to=1),
            make("Add", ["x", "d"], ["y"]),
        ]
        found = read_onnx(model(nodes, (3,), held).SerializeToString(), "a.onnx")
        expected = {"Div": [-3, -3, -4], "Mod": [1, -1, 0]}[kind] if not more else [-1, 1, 0]
        assert found.calls.tensors[1].data == tuple(expected), (kind, more)
