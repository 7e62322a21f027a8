"""Weights from another training, frozen layers, and what is refused."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs PyTorch")

import torch
from safetensors.torch import save_file

import convsize
from convsize import api
from convsize.graph.new_head import with_heads
from convsize.runtime.transfer import load_weights, read_weights

OLD = convsize.parse("input: 3@8x8\nC3D4 BN R as features GAP FC5 S")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "old.safetensors"
    module = OLD.to_torch(logits=True)
    for value in module.state_dict().values():
        value.fill_(3)
    save_file(module.state_dict(), path)
    return path


def test_weights_are_loaded_by_name(weights: Path) -> None:
    module = OLD.to_torch(logits=True)
    assert load_weights(weights, module) == (f"9 tensors from {weights}",)
    assert all((value == 3).all() for value in module.state_dict().values())


def test_a_new_head_keeps_its_own_weights_even_where_shapes_are_the_same(weights: Path) -> None:
    head = with_heads(OLD, ["FC5"])
    network = api.from_source(head.source, name="new")
    module = network.to_torch(logits=True)
    said = load_weights(weights, module, fresh=head.layers(network), dropped=head.dropped)
    assert said == (
        f"7 tensors from {weights}",
        "not in old.safetensors: fc1",
        "left in old.safetensors: fc1",
    )
    assert not (module.fc1.weight == 3).any()
    assert (module.conv1.weight == 3).all()


def test_behind_a_tap(weights: Path) -> None:
    head = with_heads(OLD, ["@features M FC6 R FC2"])
    network = api.from_source(head.source, name="new")
    module = network.to_torch(logits=True)
    said = load_weights(weights, module, fresh=head.layers(network), dropped=head.dropped)
    assert said[1:] == ("not in old.safetensors: fc1, fc2", "left in old.safetensors: fc1")


def test_counts_of_steps_may_be_missing(weights: Path) -> None:
    found = {name: value for name, value in read_weights(weights).items() if "num_batches" not in name}
    save_file(found, weights)
    load_weights(weights, OLD.to_torch(logits=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "C3D4 BN R GAP FC7",
            "has different shapes: fc1.weight (5x4, here 7x4) and fc1.bias (5, here 7). For other classes",
        ),
        ("C3D4 BN R GAP FC8 FC5", "has different shapes: fc1.weight (5x4, here 8x4)"),
        ("C3D4 R GAP FC5", "is of a different network: this network has no bn1.bias, bn1.num_batches_tracked"),
        ("C3D4 BN R GAP FC5 FC5", "is of a different network: it has no fc2.bias and fc2.weight"),
    ],
)
def test_weights_of_another_network_are_not_loaded(weights: Path, text: str, message: str) -> None:
    module = convsize.parse(f"input: 3@8x8\n{text}").to_torch()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(convsize.UsageError, match=re.escape(message)):
        load_weights(weights, module)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


@pytest.mark.parametrize("new", [True, False])
def test_pickles_are_refused_with_the_way_to_convert_them(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "model.pt"
    torch.save({"weight": torch.ones(2)}, path, _use_new_zipfile_serialization=new)
    with pytest.raises(convsize.UsageError, match=r"a pickle, which can run code and is never loaded.*weights_only"):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a complete safetensors file"),
        (b"plain text, and more of it", "is not a complete safetensors file"),
        (None, "there is no file"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(convsize.UsageError, match=message):
        read_weights(path)


def test_a_file_that_is_cut_short(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(convsize.UsageError, match="is not a complete safetensors file"):
        read_weights(weights)


def test_frozen_layers_are_left_as_they_are() -> None:
    module = convsize.parse("input: 3@8x8\nC3D4 BN R drop(0.5) C3D4 BN R GAP FC5").to_torch()
    module.freeze(["conv1", "bn1", "relu1", "drop1"])
    module.train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    optimizer = torch.optim.SGD([value for value in module.parameters() if value.requires_grad], 0.1)
    module(torch.randn(4, 3, 8, 8)).square().sum().backward()
    optimizer.step()
    same = {name for name, value in module.state_dict().items() if torch.equal(before[name], value)}
    assert same == {name for name in before if name.startswith(("conv1", "bn1"))}
    assert not module.drop1.training
    assert module.bn2.training
    assert not module.eval().bn2.training
    assert module.train().bn2.training


def rewritten(path: Path, change: Callable[[dict[str, Any]], object] = dict, size: int = 0, rest: bytes = b"") -> None:
    """The file with another header, filled up to a size, or with more behind it."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    change(head)
    text = json.dumps(head).encode().ljust(size)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :] + rest)


LIES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: path.write_bytes(b""),
    "half a length": lambda path: path.write_bytes(path.read_bytes()[:5]),
    "a header of exabytes": lambda path: path.write_bytes((2**63).to_bytes(8, "little") + path.read_bytes()[8:]),
    "a header beyond the end": lambda path: path.write_bytes((10**7).to_bytes(8, "little") + path.read_bytes()[8:]),
    "no JSON": lambda path: path.write_bytes((50).to_bytes(8, "little") + bytes(50)),
    "nested JSON": lambda path: path.write_bytes((10**5).to_bytes(8, "little") + b"[" * 10**5),
    "a terabyte of zeros": lambda path: (path.write_bytes(b""), os.truncate(path, 10**12)),
    "a larger shape": lambda path: rewritten(path, lambda head: head["fc1.bias"].update(shape=[10**9, 10**9])),
    "too large a shape": lambda path: rewritten(path, lambda head: head["fc1.bias"].update(shape=[2**62, 2**62, 4])),
    "another type": lambda path: rewritten(path, lambda head: head["fc1.bias"].update(dtype="F64")),
    "no type": lambda path: rewritten(path, lambda head: head["fc1.bias"].update(dtype="F128")),
    "beyond the end": lambda path: rewritten(path, lambda head: head["fc1.bias"].update(data_offsets=[0, 10**12])),
    "before the start": lambda path: rewritten(path, lambda head: head["fc1.bias"].update(data_offsets=[-20, 0])),
    "one over another": lambda path: rewritten(path, lambda head: head["fc1.bias"].update(data_offsets=[0, 20])),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "goes on": lambda path: rewritten(path, rest=b"123"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_files_that_lie_are_no_safetensors_files(weights: Path, lie: Callable[[Path], object]) -> None:
    lie(weights)
    with pytest.raises(convsize.UsageError, match="is not a complete safetensors file: "):
        read_weights(weights)


@pytest.mark.parametrize("size", range(896, 1664, 256))
def test_a_header_whose_length_begins_as_a_pickle_does(weights: Path, size: int) -> None:
    module = OLD.to_torch(logits=True)
    rewritten(weights, size=size)
    assert weights.read_bytes().startswith(b"\x80")
    assert load_weights(weights, module)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("conv1.weight", lambda value: value * float("nan"), "weights that are NaN or infinite"),
        ("fc1.bias", lambda value: value.index_fill(0, torch.tensor([2]), float("-inf")), "NaN or infinite"),
        ("fc1.bias", lambda value: value.double() * 1e300, "NaN or infinite, or variances below 0: fc1.bias"),
        ("bn1.running_var", lambda value: value - 9, "variances below 0: bn1.running_var"),
        ("fc1.bias", lambda value: value.long(), r"numbers of another kind: fc1.bias \(int64\)"),
        ("fc1.bias", lambda value: value > 0, r"numbers of another kind: fc1.bias \(bool\)"),
        ("fc1.bias", lambda value: value.to(torch.complex64), r"another kind: fc1.bias \(complex64\)"),
    ],
)
def test_weights_that_are_no_numbers(
    weights: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor], message: str
) -> None:
    found = read_weights(weights)
    save_file(found | {name: change(found[name])}, weights)
    module = OLD.to_torch(logits=True)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with pytest.raises(convsize.UsageError, match=message):
        load_weights(weights, module)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_half_precision_is_read_as_it_is(weights: Path) -> None:
    found = read_weights(weights)
    save_file({name: value.half() if value.is_floating_point() else value for name, value in found.items()}, weights)
    module = OLD.to_torch(logits=True)
    load_weights(weights, module)
    assert all((value == 3).all() for value in module.state_dict().values())


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path)])
def test_weights_that_are_no_file(weights: Path, make: Callable[[Path], object]) -> None:
    weights.unlink()
    make(weights)
    with pytest.raises(convsize.UsageError, match=r"not a file of weights|cannot be read: Too many levels"):
        read_weights(weights)
