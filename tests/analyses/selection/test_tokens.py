"""Tokens: whole numbers from the input to the embedding, whatever only moves them on the way."""

from __future__ import annotations

import pytest

import convsize
from convsize.analyses.memory.peak import saved_bytes, training_memory
from convsize.analyses.selection.tokens import token_values
from convsize.errors import UsageError
from convsize.lowering.plan import lower
from convsize.records import TrainingSetting

ENDING = "embed(50,8) C3D4 R GAP FC2 S"
MOVED = (
    f"input: 1@20\n{ENDING}",
    f"input: 1@20\npad(2) {ENDING}",
    f"input: 1@9x8\npad(1,0) crop(6,6) {ENDING}",
    f"input: 1@24\nflat reshape(1,4,6) {ENDING}",
    f"input: 4@10\nslice(1,2) {ENDING}",
    f"input: 4@10\npick(3,0) slice(1,2) {ENDING}",
    f"input: 6@8\nshuffle(3) slice(4,5) {ENDING}",
    f"input: 4@5x5\npixelshuffle(2) {ENDING}",
    f"input: 1@10\nwiden(3) slice(0,1) {ENDING}",
    f"input: 2@10\n[slice(1,2) | x] slice(0,1) {ENDING}",
    "input words: 1@12\ninput image: 3@8x8\n@image C3D4 GAP as seen\n@words pad(1) embed(50,8) C3D4 R GAP FC2 as read\n"
    "[@read | @seen flat] FC2",
)


@pytest.mark.parametrize("text", MOVED)
def test_tokens_are_followed(text: str) -> None:
    network = convsize.parse(text)
    tokens = token_values(network)
    first = next(iter(network.inputs.values()))
    reader = next(node for node in network.layers if node.op.reads_tokens())
    assert first in tokens
    assert set(reader.inputs) <= tokens
    assert reader.index not in tokens
    assert [each.tokens for each in lower(network).inputs] == [True, False][: len(network.inputs)]
    # An input of tokens has 8 bytes a value, one of real numbers 4.
    sizes = [8 if index in tokens else 4 for index in network.inputs.values()]
    values = [network.nodes[index].output.elements for index in network.inputs.values()]
    parts = dict(training_memory(network, TrainingSetting(3)).first.parts)
    targets = 3 * 8
    assert parts["inputs"] == 3 * sum(size * count for size, count in zip(sizes, values, strict=True)) + targets
    for row in network.analyze(batch=3).layers:
        assert row.output_bytes == row.output_elements * (8 if row.index in tokens else 4)


@pytest.mark.parametrize("text", MOVED)
@pytest.mark.parametrize("autocast", [None, "bfloat16"])
def test_pytorch_holds_as_much(text: str, autocast: str | None) -> None:
    pytest.importorskip("torch")
    from convsize.runtime.meters.step import batch_for, peaks_by_torch, saved_by_torch

    network, setting = convsize.parse(text), TrainingSetting(3, autocast=autocast)
    memory = training_memory(network, setting)
    assert saved_bytes(network, setting) == saved_by_torch(batch_for(network, setting))
    measured = peaks_by_torch(batch_for(network, setting), setting.optimizer, setting.accumulate)
    assert [memory.first.bytes, memory.steady.bytes] == [each.boundaries for each in measured]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C3D1 embed(9,4)", r"embed1 (`embed(9, 4)`) reads tokens, and conv1 (`C3D1`) computes its values"),
        ("pad(1) R pad(1) embed(9,4)", r"embed1 (`embed(9, 4)`) reads tokens, and relu1 (`R`) computes its values"),
        ("[embed(9,4) | C1D4]", r"conv1 (`C1D4`) computes with the tokens of input"),
        ("pad(2) [embed(9,4) | R]", r"relu1 (`R`) computes with the tokens of pad1"),
    ],
)
def test_tokens_are_not_computed_with(text: str, message: str) -> None:
    network = convsize.parse(f"input: 1@20\n{text} GAP FC2")
    assert network.analyze().layers  # sizes need no values
    for run in (lower, lambda network: training_memory(network, TrainingSetting(2))):
        with pytest.raises(UsageError) as caught:
            run(network)
        assert message in str(caught.value)
