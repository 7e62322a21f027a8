"""The specs of the project, for a test over all of them: a few that differ always run, the others are slow."""

from pathlib import Path

import pytest

SPECS = sorted((Path(__file__).resolve().parents[1] / "specs").glob("*.spec"))
ALWAYS = {
    "autoencoder",  # transposed convolutions
    "deeplab_aspp",  # dilation
    "efficientnet_b0",  # gates
    "googlenet",  # concatenations
    "lenet5_partial",  # lists of connections
    "localisation",  # several heads
    "mobilenet_v2",  # depthwise convolutions
    "resnet18",  # sums
    "shufflenet_v2_x1_0",  # split, shuffle
    "text_cnn",  # tokens, one axis
    "unet",  # crops, values read later
}

PARAMS = [pytest.param(path, id=path.stem, marks=() if path.stem in ALWAYS else pytest.mark.slow) for path in SPECS]
over_the_zoo = pytest.mark.parametrize("path", PARAMS)
"""The test's `path` is each spec in turn."""

UNET_IN_NUMBERS = """input: 1@572x572
default: Cp0
def dd(d): (C3D{d} R)*2
def rise(d, skip, extent): [@skip crop(extent) | T2D{d}/2] dd(d)
dd(4) as s1 M dd(8) as s2 M dd(16) as s3 M dd(32) as s4 M dd(64)
rise(32,@s4,56) rise(16,@s3,104) rise(8,@s2,200) rise(4,@s1,392)
C1D2
"""
"""The published U-Net with its crops as numbers."""
