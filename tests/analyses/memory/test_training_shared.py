"""Shared weights in training: one weight, one gradient, one state, and what every use keeps; to the byte."""

import pytest
from witness import differences

import convsize
from convsize.records import TrainingSetting

torch = pytest.importorskip("torch")

NETWORKS = {
    "siamese": "input left: 3@8x8\ninput right: 3@8x8\nshared t: C3D6 BN R M C3D8 R GAP\n@left t as a\n@right t as b\n"
    "[@a | @b] FC4",
    "recursive": "input: 3@8x8\nshared step: C3D8 R\nC3D8 R\n(step + x) step*4 GAP FC4",
    "heads": "input: 3@16x16\nshared gn: GN2\nshared tower: (C3D8 gn R)*2\nC3D8/2 R as c3\nC3D8/2 R as c4\ntower C3D4\n"
    "head h @c3: tower C3D5",
    "norms": "input: 4@6x6\nshared n: LN prelu scale\n(C3 n)*3 (n + n) affine FC3",
    "flat": "input: 8@4\nshared f: FC32 R\nflat (f + x) f*3 FC2",
    "transposed": "input: 4@6x6\nshared f: DW3 T3D4p1 affine\n(f + f f) f GAP FC2",
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "setting",
    [
        TrainingSetting(1, "sgd"),
        TrainingSetting(3, "momentum"),
        TrainingSetting(2, "adam", accumulate=2),
        TrainingSetting(3, "adamw", autocast="bfloat16"),
        TrainingSetting(2, "momentum", inference=True, autocast="bfloat16"),
    ],
    ids=lambda each: f"{each.optimizer}-{each.batch}-{each.autocast}",
)
def test_steps(name: str, setting: TrainingSetting) -> None:
    network = convsize.parse(NETWORKS[name])
    if name in ("siamese",) and setting.batch == 1:
        setting = setting.replace(batch=2)
    assert differences(network, setting) == {}


@pytest.mark.parametrize(("name", "pattern"), [("siamese", "t2"), ("recursive", "step*"), ("heads", "tower*")])
@pytest.mark.parametrize("autocast", [None, "bfloat16"])
def test_checkpoints(name: str, pattern: str, autocast: str | None) -> None:
    setting = TrainingSetting(2, "momentum", checkpoint=(pattern,), autocast=autocast)
    assert differences(convsize.parse(NETWORKS[name]), setting) == {}


@pytest.mark.parametrize("pattern", ["t", "t1.*", "t2.conv1"])
def test_frozen_at_one_use_is_frozen_at_all(pattern: str) -> None:
    network = convsize.parse(NETWORKS["siamese"])
    assert differences(network, TrainingSetting(2, "momentum", frozen=(pattern,))) == {}


# Copies of shared weights that were made before a block are made again when it runs again.
FOUND = [
    (
        "input: 1@6x6\nshared w1: droppath(0.3) (LRN + logsoftmax C2D4psame C1D1)\ndef b2: BN C1D6/2 T3D3/2psame\n"
        "shared w3: LRN pick(0,1,0)\n(w1 BN)*2 w1\n(x * elu * b2 w3 C1D1) (x + drop(1) A1) C2D1psame",
        TrainingSetting(
            2, "adam-l2", autocast="bfloat16", losses=(("", "smooth-l1"),), in_place=False, checkpoint=("*",)
        ),
    ),
    (
        "input: 4@5x4\nshared w: pick(0) (droppath(1) BN)*2 C1D12\nC1D12\n"
        "(x + x + (x + GAP FC12 sigmoid) (LN * tanh)) (w BN)*2 droppath(0)",
        TrainingSetting(1, "sgd-l2", accumulate=2, autocast="bfloat16", in_place=False, checkpoint=("*",)),
    ),
]


@pytest.mark.parametrize(("text", "setting"), FOUND, ids=["adam-l2", "sgd-l2"])
def test_what_random_networks_found(text: str, setting: TrainingSetting) -> None:
    assert differences(convsize.parse(text), setting) == {}
