"""Weights from another training, frozen layers, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

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
        "new and not from old.safetensors: fc1",
        "left in old.safetensors: fc1",
    )
    assert not (module.fc1.weight == 3).any()
    assert (module.conv1.weight == 3).all()


def test_behind_a_tap(weights: Path) -> None:
    head = with_heads(OLD, ["@features M FC6 R FC2"])
    network = api.from_source(head.source, name="new")
    module = network.to_torch(logits=True)
    said = load_weights(weights, module, fresh=head.layers(network), dropped=head.dropped)
    assert said[1:] == ("new and not from old.safetensors: fc1, fc2", "left in old.safetensors: fc1")


def test_counts_of_steps_may_be_missing(weights: Path) -> None:
    found = {name: value for name, value in read_weights(weights).items() if "num_batches" not in name}
    save_file(found, weights)
    load_weights(weights, OLD.to_torch(logits=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "C3D4 BN R GAP FC7",
            "has other shapes: fc1.weight (5x4, here 7x4) and fc1.bias (5, here 7). A last layer for",
        ),
        ("C3D4 BN R GAP FC8 FC5", "has other shapes: fc1.weight (5x4, here 8x4)"),
        ("C3D4 R GAP FC5", "is of another network: this network has no bn1.bias, bn1.num_batches_tracked"),
        ("C3D4 BN R GAP FC5 FC5", "is of another network: it has no fc2.bias and fc2.weight"),
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
        (b"", "is no whole safetensors file"),
        (b"plain text, and more of it", "is no whole safetensors file"),
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
    with pytest.raises(convsize.UsageError, match="is no whole safetensors file"):
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
