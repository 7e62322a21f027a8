"""Ops are values: made of their fields, compared by them, and never changed."""

import copy
import pickle

import pytest

import convsize
from convsize.geometry import Padding
from convsize.ops.convolution import Convolution
from convsize.ops.depthwise import DepthwiseConvolution
from convsize.ops.relu import ReLU
from convsize.ops.sigmoid import Sigmoid

FIELDS = (8, (3, 3), (1, 1), Padding("half"), (1, 1), 2, True, "floor", None)


def test_they_are_made_by_place_and_by_name():
    op = Convolution(*FIELDS)
    assert op == Convolution(*FIELDS[:3], **dict(zip(Convolution.FIELDS[3:], FIELDS[3:], strict=True)))
    assert (op.out_channels, op.groups, op.bias) == (8, 2, True)
    assert repr(op).startswith("Convolution(out_channels=8, kernel_size=(3, 3), ")


def test_they_are_compared_by_kind_and_fields():
    op = Convolution(*FIELDS)
    assert op == Convolution(*FIELDS)
    assert hash(op) == hash(Convolution(*FIELDS))
    assert op != Convolution(9, *FIELDS[1:])
    assert ReLU() == ReLU()
    assert ReLU() != Sigmoid()
    assert len({op, Convolution(*FIELDS), ReLU(), ReLU(), Sigmoid()}) == 3
    assert op != FIELDS


def test_they_go_through_pickle_and_copy():
    op = Convolution(*FIELDS)
    assert pickle.loads(pickle.dumps(op)) == copy.copy(op) == copy.deepcopy(op) == op


def test_they_do_not_change():
    op = Convolution(*FIELDS)
    with pytest.raises(AttributeError, match=r"Convolution\.groups cannot be set: ops do not change"):
        op.groups = 4
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del op.groups


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), (FIELDS[:-1], {}), ((*FIELDS, 9), {}), (FIELDS, {"stripe": 2}), (FIELDS, {"stride": (2, 2)})],
)
def test_what_does_not_fit_is_said(values, named):
    with pytest.raises(TypeError, match="Convolution takes out_channels, kernel_size, "):
        Convolution(*values, **named)


def test_class_variables_are_no_fields():
    assert ReLU.FIELDS == ()
    assert "NAME" not in DepthwiseConvolution.FIELDS


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("plus(2)", "torch.add"),
        ("plus(2,3,4)", "convsize.Plus"),
        ("times(2)", "torch.mul"),
        ("times(2,3,4)", "convsize.Times"),
    ],
)
def test_one_number_for_all_maps_is_an_operator_of_pytorch(word, target):
    node = convsize.parse(f"input: 3@4x4\n{word}").nodes[-1]
    assert [call.target for call in node.op.torch(node.output)] == [target]
