"""Names of other libraries: read by their arguments, or refused with a help that invents no numbers."""

from __future__ import annotations

import re

import pytest

from convsize.check.check import check_source
from convsize.errors import Source
from convsize.language.mistakes import foreign
from convsize.language.parser import parse
from convsize.ops import catalogue


@pytest.mark.parametrize(
    ("call", "spelled"),
    [
        # PyTorch: in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True
        ("Conv2d(16,128,5,stride=2)", "C5D128/2p0"),
        ("Conv2d(3,64,3)", "C3D64p0"),
        ("Conv2d(3,64,3,padding=1)", "C3D64"),
        ("Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))", "C3D64"),
        ("Conv2d(3,64,1)", "C1D64"),
        ("Conv2d(3,64,(1,7),padding=(0,3),bias=False)", "C1x7D64b0"),
        ("Conv2d(3,64,3,padding=2,dilation=2)", "C3D64d2"),
        ("Conv2d(8,64,3,1,1,1,8)", "C3D64g8"),
        ("Conv2d(3,64,4,padding='same')", "C4D64psame"),
        # Keras: filters, kernel_size, strides=1, padding="valid"
        ("Conv2D(64,3,padding='same')", "C3D64"),
        ("Conv2D(64,3,2,'same')", "C3D64/2psame"),
        ("Conv2D(64,(3,3),activation='relu')", "C3D64p0 R"),
        ("Conv2D(filters=64,kernel_size=3,use_bias=False)", "C3D64p0b0"),
        ("conv2d(64,3,padding='same',activation='relu')", "C3D64 R"),
        ("ConvTranspose2d(64,32,2,stride=2)", "T2D32/2"),
        ("ConvTranspose2d(64,32,3,stride=2,padding=1,output_padding=1)", "T3D32/2p1a1"),
        ("Conv2DTranspose(32,2,strides=2)", "T2D32/2"),
        # Keras' `same` gives twice the input: (n - 1)·2 + 5 - 3 = 2n, of which TensorFlow cuts the smaller half before.
        ("Conv2DTranspose(32,5,strides=2,padding='same')", "T5D32/2p1:2"),
        # and where the stride is longer than the kernel, zeros behind: (n - 1)·3 + 2 + 1 = 3n
        ("Conv2DTranspose(32,2,strides=3)", "T2D32/3a1"),
        ("SeparableConv2D(64,3,padding='same')", "DW3b0 C1D64"),
        ("SeparableConv2D(64,3)", "DW3p0b0 C1D64"),
        ("DepthwiseConv2D(3,padding='same',depth_multiplier=2)", "DW3D{2*c}"),
        ("Linear(10)", "FC10"),
        ("Linear(512,10)", "FC10"),
        ("Linear(512,10,bias=False)", "FC10b0"),
        ("Dense(10)", "FC10"),
        ("Dense(10,activation='softmax')", "FC10 S"),
        ("Dropout(0.3)", "drop(0.3)"),
        ("Dropout(p=0.5, inplace=False)", "drop(0.5)"),
        ("LeakyReLU(0.2)", "leaky(0.2)"),
        ("LeakyReLU(negative_slope=0.1)", "leaky(0.1)"),
        ("AvgPool2d(4)", "A4"),
        ("AvgPool2d(3,1,1,count_include_pad=False)", "A3/1p1z0"),
        ("MaxPool2d(2)", "M2"),
        ("MaxPool2d(3,2,1)", "M3/2p1"),
        ("MaxPool2d(3,stride=2,ceil_mode=True)", "M3/2ceil"),
        ("MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)", "M2"),
        ("MaxPooling2D()", "M2"),
        ("MaxPooling2D((3,3),strides=2,padding='same')", "M3/2psame"),
        # TensorFlow's average leaves the zeros out.
        ("AveragePooling2D(3,1,padding='same')", "A3/1psamez0"),
        ("AdaptiveAvgPool2d(1)", "GAP"),
        ("AdaptiveAvgPool2d((1,1))", "GAP"),
        ("GlobalAveragePooling2D()", "GAP"),
        ("UpSampling2D(4)", "up(4)"),
        ("UpSampling2D(size=(2,2),interpolation='bilinear')", "up(2,bilinear)"),
        ("Upsample(scale_factor=2)", "up(2)"),
        ("Upsample(scale_factor=1.5,mode='bilinear')", "up(3/2,bilinear)"),
        ("Upsample(scale_factor=2,mode='bilinear',align_corners=True)", "up(2,bilinear,aligned)"),
        ("Upsample((28,28),mode='bicubic')", "resize(28,bicubic)"),
        ("Upsample(2)", "resize(2)"),
        ("UpsamplingBilinear2d(scale_factor=2)", "up(2,bilinear,aligned)"),
        ("AdaptiveAvgPool2d(7)", "GAP7"),
        ("AdaptiveMaxPool2d((1,4))", "GMP1x4"),
        ("BatchNorm2d(64)", "BN"),
        ("BatchNorm2d(64,eps=1e-3,momentum=0.01)", "bn(eps=0.001, momentum=0.01)"),
        # Keras: epsilon 0.001, and a momentum of 0.99 that keeps what PyTorch's 0.01 replaces
        ("BatchNormalization()", "bn(eps=0.001, momentum=0.01)"),
        ("GroupNorm(32,64)", "GN32"),
        ("InstanceNorm2d(64,affine=True)", "INb1"),
        ("LocalResponseNorm(5)", "LRN5"),
        ("LocalResponseNorm(5,alpha=1e-4,beta=0.75,k=2)", "lrn(5, k=2)"),
        ("ReLU()", "R"),
        ("ReLU(inplace=True)", "R"),
        ("ELU()", "elu"),
        ("ELU(alpha=1.0)", "elu"),
        ("Hardswish()", "hswish"),
        ("Hardtanh()", "clamp(-1,1)"),
        ("Hardtanh(-2,0.5)", "clamp(-2,0.5)"),
        ("ELU(0.5)", "elu(0.5)"),
        ("GELU(approximate='tanh')", "gelu(tanh)"),
        ("SELU()", "selu"),
        ("Activation('relu')", "R"),
        ("Softmax(dim=1)", "S"),
        ("PixelShuffle(2)", "pixelshuffle(2)"),
        ("PixelUnshuffle(2)", "unshuffle(2)"),
        ("BlurPool2d(64)", "blur(3,2)"),
        ("BlurPool2d(64, filt_size=5, stride=1)", "blur(5)"),
        ("BlurPool2D(3)", "blur(3,2,zeros)"),
        ("BlurPool2D(kernel_size=5, stride=1)", "blur(5,1,zeros)"),
        ("ChannelShuffle(4)", "shuffle(4)"),
        ("Embedding(1000,64)", "embed(1000,64)"),
        ("Flatten()", "flat"),
        ("ZeroPadding2D(1)", "pad(1)"),
        ("ZeroPadding2D((1,2))", "pad(1,1,2,2)"),
        ("ZeroPadding2D(((0,1),(0,1)))", "pad(0,1,0,1)"),
        # PyTorch: left, right, top, bottom
        ("ZeroPad2d((1,2,3,4))", "pad(3,4,1,2)"),
        ("ReflectionPad2d(3)", "pad(3,reflect)"),
        ("ReplicationPad1d((1,2))", "pad(1,2,replicate)"),
        ("CircularPad2d((1,2,3,4))", "pad(3,4,1,2,circular)"),
        ("Conv2d(3,8,7,padding=3,padding_mode='reflect')", "C7D8preflect"),
        ("Conv2d(3,8,3,padding=2,padding_mode='circular')", "C3D8p2circular"),
        ("Cropping2D(1)", "pad(-1)"),
        ("Crop(4)", "crop(4)"),
        ("nn.Conv2d(3,64,3)", "C3D64p0"),
        ("layers.Conv2D(64,3)", "C3D64p0"),
    ],
)
def test_a_call_is_read_by_its_arguments(call: str, spelled: str) -> None:
    _, found = parse(Source(f"input: 3@32x32\n{call}\n"))
    assert [fix.replacement for each in found for fix in each.fixes] == [spelled]
    assert found[0].help == f"write `{spelled}`"
    assert not parse(Source(f"input: 3@32x32\n{spelled}\n"))[1]


@pytest.mark.parametrize(
    "call",
    [
        "Conv2d",
        "Conv2d(64)",
        "Conv2d(3,64,k)",
        "Conv2d(3,64,3,padding_mode='mirror')",
        "Conv2d(3,64,3,padding='circular')",
        "Conv2D(3,64,64)",
        "conv2d(3,64,3)",
        "Linear",
        "Dropout",
        "LeakyReLU()",
        "CELU(0.5)",
        "Softplus(beta=2)",
        "Softmax(dim=2)",
        "Concatenate()",
        "Add()",
        "Identity()",
        "MaxUnpool2d(2)",
        "BlurPool2d(64, 4)",
        "BlurPool2d(64, 3, 4)",
        "BlurPool2d(64, pad_mode='constant')",
        "CELU()",
        "Dense(__import__('os').system('true'))",
        "Conv2d(" + "(" * 300 + ")" * 300 + ")",
    ],
)
def test_what_cannot_be_read_gets_no_fix_and_no_numbers_that_nobody_wrote(call: str) -> None:
    found = check_source(Source(f"input: 3@32x32\n{call}\n")).diagnostics
    assert found
    for each in found:
        assert not each.fixes
        for shown in re.findall(r"`([^`]*)`", each.help or ""):
            assert not re.search(r"[A-Z]\d|D\d", shown), each.help


def test_under_a_default_a_token_states_what_the_call_states() -> None:
    _, found = parse(Source("input: 3@32x32\ndefault: Cb0p0\nConv2d(3,64,3,padding=1)\n"))
    assert found[0].fixes[0].replacement == "C3D64/1p1d1g1b1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "Sequential(\n  (0): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1))\n  (1): ReLU(inplace=True)\n)\n",
            "a network as PyTorch prints it",
        ),
        ('Model: "sequential"\n_________\n Layer (type)   Output Shape\n', "a table of layers as other tools print it"),
        ("import torch\nclass Net(nn.Module):\n  def forward(self, x):\n    return x\n", "a network in Python"),
        ("model = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU())\n", "a network in Python"),
        ('name: "LeNet"\nlayer {\n  name: "data"\n}\n', "a network as Caffe describes it"),
    ],
)
def test_what_is_no_spec_at_all_gets_one_message(text: str, says: str) -> None:
    _, found = parse(Source(text))
    (one,) = found
    assert one.message == f"this is {says}, not a spec"
    assert not one.fixes


@pytest.mark.parametrize("text", ["conv3x3 64 M", "64 64 M", "64 64 M 128 128 M", "Conv5-256 M 128"])
def test_a_depth_on_its_own_is_no_kernel(text: str) -> None:
    source = Source(f"input: 3@32x32\n{text}\n")
    for each in parse(source)[1]:
        for said in (each.help or "", *(fix.replacement for fix in each.fixes)):
            assert not re.search(r"[CM](64|128|256)\b", said)


def test_every_word_of_the_catalogue_is_known_in_other_letters() -> None:
    for word in catalogue.WORDS:
        if word not in ("bn", "ln", "in", "gn", "lrn", "grn"):  # in capitals these are tokens
            assert foreign.own(word), word
            assert foreign.known(word.capitalize())


@pytest.mark.parametrize("call", ["LSTM(256)", "lstm(256)", "nn.GRU(3,64)", "ConvLSTM2D(8,3)", "RNN"])
def test_recurrent_layers_are_said_to_be_out_of_scope(call: str) -> None:
    (found,) = check_source(Source(f"input: 3@8x8\n{call} FC10\n")).diagnostics
    assert found.help == "recurrent layers (RNN, LSTM, GRU, ConvLSTM) are out of scope; `convsize ops` lists the layers"
