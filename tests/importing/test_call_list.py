"""Call lists: what a model computes, in and out of JSON."""

import zlib

import msgspec
import pytest

from convsize.errors import UsageError
from convsize.importing.calls import Call, CallList, Output, Ref, Result, Scope, Tensor, decode, encode

LIST = CallList(
    "torchvision:tiny",
    (
        Tensor("x", "input", (2, 3, 8, 8)),
        Tensor("w", "param", (4, 3, 3, 3), path="conv.weight"),
        Tensor("k", "const", (2,), data=(0.5, "-inf")),
    ),
    (
        Call(
            "conv2d",
            {"input": Ref("x"), "weight": Ref("w"), "bias": None, "padding": (1, 1), "scale": 2.0, "groups": 1},
            (Result("y", (2, 4, 8, 8)),),
            (Scope("", "Tiny"), Scope("conv", "Conv2d", 1)),
        ),
        Call("cat", {"tensors": (Ref("y"), Ref("y")), "dim": -1}, (Result("z", (2, 4, 8, 16)),)),
        Call("index", {"self": Ref("z"), "at": ((None, Ref("k")), 3)}, (Result("i", (2,), "int64"),)),
    ),
    (Output("0", "z"), Output("aux.1", "i")),
)


def test_a_call_list_comes_back_from_json_as_it_was() -> None:
    assert decode(encode(LIST)) == LIST
    assert decode(msgspec.json.encode(LIST)) == LIST
    assert encode(decode(encode(LIST))) == encode(LIST)
    again = decode(encode(LIST)).calls[0].arguments
    assert isinstance(again["scale"], float)
    assert isinstance(again["groups"], int)


def test_calls_say_what_they_read() -> None:
    assert [list(call.references()) for call in LIST.calls] == [["x", "w"], ["y", "y"], ["z", "k"]]
    assert LIST.tensors[2].numbers == (0.5, float("-inf"))
    assert LIST.parameters[0].size == 108


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"no", "no call list"),
        (b"{}", "no call list: Object missing required field `source`"),
        (zlib.compress(b"[1"), "no call list"),
        (msgspec.json.encode(LIST.replace(version=2)), "version 2, not 1"),
        (msgspec.json.encode(LIST.replace(calls=LIST.calls[1:])), "refers to `y` before it is there"),
        (msgspec.json.encode(LIST.replace(outputs=(Output("", "q"),))), "gives `q`"),
    ],
)
def test_other_files_are_told_from_call_lists(data: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        decode(data, "some.json")
