"""Every call of a training step is noted with its layer before it is made."""

import pytest

pytest.importorskip("torch", reason="needs PyTorch")

import convsize
from convsize.records import TrainingSetting
from convsize.runtime.child.blame import training_steps


@pytest.mark.parametrize("last", [False, True])
def test_calls_are_noted_with_their_layers(last: bool) -> None:
    noted: list[str] = []
    network = convsize.parse("input: 3@8x8\nC3D4 BN R C1D4 GAP FC3")
    training_steps(network, TrainingSetting(2), noted.append, last=last)
    backward = [each for each in noted if each.startswith("aten::convolution_backward")]
    assert (
        backward == [f"aten::convolution_backward, in the backward pass of {name}" for name in ("conv2", "conv1")] * 2
    )
    assert "aten::convolution" in noted
    assert "aten::native_batch_norm_backward, in the backward pass of bn1" in noted
