"""The networks of specs/ have the published sizes.

The figures stand here as literal numbers, apart from the `expect` lines of the specs: neither is bent for the other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import convsize
from convsize.errors import Source
from convsize.language.formatter import format_file
from convsize.language.parser import parse

SPECS = Path(__file__).parents[2] / "specs"
NAMES = sorted(path.stem for path in SPECS.glob("*.spec"))

# Trainable parameters. torchvision's documented num_params unless said otherwise.
PARAMETERS = {
    "vgg_a": 132_863_336,
    "vgg_b": 133_047_848,
    "vgg_d": 138_357_544,
    "vgg_e": 143_667_240,
    "vgg_d_bn": 138_365_992,
    "alexnet_torchvision": 61_100_840,
    "googlenet_torchvision": 6_624_904,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet50_tf_slim": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "densenet121": 7_978_856,
    "squeezenet1_0": 1_248_424,
    "squeezenet1_1": 1_235_496,
    "mobilenet_v2": 3_504_872,
    "shufflenet_v2_x1_0": 2_278_604,
    "efficientnet_b0": 5_288_548,
    "inception_v3": 27_161_264,
    "convnext_tiny": 28_589_128,
    "convnextv2_tiny": 28_635_496,  # timm
    "regnet_y_400mf": 4_344_144,
    "hrnet_w32": 41_232_680,  # timm
    "yolov5s_focus": 7_276_605,  # ultralytics, release 5.0, 80 classes
    "style_transfer": 1_679_235,  # PyTorch's examples, fast_neural_style
    "vit_b_16": 86_567_656,
    "mixer_b_16": 59_880_472,  # timm's mixer_b16_224
    "siamese": 38_951_745,  # Koch et al. 2015: the tower once
    "bit_r50x1": 25_549_352,  # timm, with 1000 classes
    "nfnet_f0": 71_489_284,  # timm's dm_nfnet_f0
    "retinanet_r50_fpn": 34_068_119,  # torchvision, with batch norms that train: else 53,120 fewer
    "swin_tiny": 28_288_354,
    "coatnet_0": 25_036_820,  # timm's coatnet_0_224
    "efficientformer_l1": 12_289_928,  # timm, as the next
    "mobilevit_s": 5_578_632,
    "maxvit_tiny": 30_916_528,  # timm's maxvit_tiny_tf_224
    # 30 layers of two C2D32 (4,160 together), C1D32 (1,056) and C1D512 (16,896), between C2D32 over 256 values (16,416)
    # and C1D512, C1D256 (262,656 and 131,328)
    "wavenet": 1_073_760,
    "deeplab_aspp": 42_004_074,
    "deeplab_v3_plus": 26_682_725,  # segmentation_models_pytorch
    "fpn_resnet50": 26_118_613,  # segmentation_models_pytorch
    "pspnet_resnet50": 49_180_908,  # pytorchcv
    "r2plus1d_18": 31_505_325,
    "vgg_a_lrn": 132_863_336,  # A's: response normalisation has no parameters
    "lenet5": 61_706,
    "lenet5_partial": 60_000,  # LeCun et al. 1998
    "alexnet": 62_378_344,
    "alexnet_two_groups": 60_965_224,
    "zfnet": 62_357_608,
    "googlenet": 13_378_280,  # Caffe's bvlc_googlenet with both auxiliary heads
    "se_resnet50": 28_088_024,  # Hu et al.'s model
    "mobilenet_v1": 4_231_976,  # Keras, trainable
    "xception": 22_855_952,  # Chollet 2017, table 3
    "unet": 31_030_658,
    "keras_mnist": 1_199_882,  # the summary of Keras' mnist_cnn
    "cifar10": 1_250_858,  # the summary of Keras' cifar10_cnn
    "autoencoder_upsampling": 4_385,  # the summary in the Keras blog
}

# Multiply-adds in units of 10^9, to the digits that are printed: torchvision's _ops unless said otherwise.
GIGA_MACS = {
    "vgg_a": "7.609",
    "vgg_b": "11.308",
    "vgg_d": "15.470264320",
    "vgg_d_bn": "15.470",
    "vgg_e": "19.632",
    "alexnet_torchvision": "0.714",
    "googlenet_torchvision": "1.498",
    "resnet18": "1.814",
    "resnet34": "3.664",
    "resnet50": "4.089184256",
    "resnet101": "7.801",
    "resnet152": "11.514",
    "resnext50_32x4d": "4.230",
    "densenet121": "2.834161664",
    "squeezenet1_0": "0.819",
    "squeezenet1_1": "0.349",
    "mobilenet_v1": "0.569",  # Howard et al. 2017, table 4
    "mobilenet_v2": "0.300774272",
    "shufflenet_v2_x1_0": "0.145",
    "efficientnet_b0": "0.386",
    "convnext_tiny": "4.456",
    "convnextv2_tiny": "4.455531264",  # timm's model by FlopCounterMode
    "regnet_y_400mf": "0.402",
    "hrnet_w32": "8.921133056",  # timm's model by FlopCounterMode
    "style_transfer": "10.078912512",  # PyTorch's example by FlopCounterMode
    "vit_b_16": "17.563828224",  # torchvision's model by FlopCounterMode, as of the next
    "mixer_b_16": "12.601767936",
    "swin_tiny": "4.490566656",
    "coatnet_0": "4.546507776",  # timm's model by FlopCounterMode, as of the next
    "efficientformer_l1": "1.291284736",
    "mobilevit_s": "2.000831488",
    "bit_r50x1": "4.089184256",  # timm's model by FlopCounterMode
    "nfnet_f0": "6.977003520",  # timm's model by FlopCounterMode
    "retinanet_r50_fpn": "11.901941504",  # torchvision's backbone and heads by FlopCounterMode
    "deeplab_aspp": "178.722",
    # Their models by FlopCounterMode.
    "deeplab_v3_plus": "36.645109760",
    "fpn_resnet50": "31.186747392",
    "pspnet_resnet50": "42.722048000",
    "r2plus1d_18": "40.519",
}

# Before global pooling or the first fully connected layer: Araujo, Norris & Sim 2019, "Computing receptive fields of
# convolutional neural networks", whose ResNet has TF-Slim's strides; torchvision's gives 427.
RECEPTIVE_FIELDS = {
    "vgg_d": 212,
    "resnet50": 427,
    "resnet50_tf_slim": 483,
    "mobilenet_v1": 315,
    "inception_v3": 1311,
}

# Convolutions and fully connected layers on the longest way through, by which the papers name their networks.
WEIGHT_LAYERS = {
    "vgg_a": 11,
    "vgg_a_lrn": 11,
    "vgg_b": 13,
    "vgg_c": 16,
    "vgg_d": 16,
    "vgg_e": 19,
    "googlenet": 22,
    "resnet18": 18,
    "resnet34": 34,
    "resnet50": 50,
    "resnet101": 101,
    "resnet152": 152,
    "densenet121": 121,
}


def analysed(name: str) -> convsize.Report:
    return convsize.load(SPECS / f"{name}.spec").analyze()


@pytest.mark.parametrize("name", NAMES)
def test_every_spec_loads_and_its_expectations_hold(name: str) -> None:
    report = analysed(name)
    assert [found for found in report.diagnostics if found.severity != "advice"] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_spec_is_introduced_by_a_comment(name: str) -> None:
    assert (SPECS / f"{name}.spec").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_every_spec_is_canonical(name: str) -> None:
    """`fmt` has nothing to change."""
    text = (SPECS / f"{name}.spec").read_text(encoding="utf-8")
    assert format_file(parse(Source(text))[0]) == text


@pytest.mark.parametrize(("name", "published"), PARAMETERS.items())
def test_parameters(name: str, published: int) -> None:
    assert analysed(name).totals.parameters == published


def test_stable_diffusion() -> None:
    """The U-Net of Stable Diffusion 1 at its own width: the parameters of the published weights."""
    network = convsize.load(SPECS / "diffusion_unet.spec", lets={"w": 320})
    assert network.analyze().totals.parameters == 859_520_964


@pytest.mark.parametrize(("name", "published"), GIGA_MACS.items())
def test_macs(name: str, published: str) -> None:
    digits = len(published.partition(".")[2])
    assert f"{analysed(name).totals.macs / 10**9:.{digits}f}" == published


@pytest.mark.parametrize(("name", "published"), RECEPTIVE_FIELDS.items())
def test_receptive_field(name: str, published: int) -> None:
    field = analysed(name).totals.receptive_field
    assert field is not None
    assert field.size == (published, published)


@pytest.mark.parametrize(("name", "published"), WEIGHT_LAYERS.items())
def test_weight_layers(name: str, published: int) -> None:
    assert analysed(name).totals.weight_layers == published


def test_parts_of_networks() -> None:
    """Szegedy et al.'s trunk as Caffe has it, and torchvision's Inception-v3 with aux_logits=False."""
    for name, parameters in (("googlenet", 6_998_552), ("inception_v3", 23_834_568), ("localisation", 138_357_544)):
        text = (SPECS / f"{name}.spec").read_text(encoding="utf-8")
        trunk = "\n".join(line for line in text.split("\n") if not line.startswith(("head", "expect", "def aux")))
        assert convsize.parse(trunk).analyze().totals.parameters == parameters


def test_a_column_of_the_vgg_table_pasted_as_printed() -> None:
    column = "C3D64 C3D64 M C3D128 C3D128 M C3D256 C3D256 C3D256 M C3D512 C3D512 C3D512 M C3D512 C3D512 C3D512 M"
    report = convsize.parse(f"input: 3@224x224\n{column} FC4096 FC4096 FC1000 S").analyze()
    assert report.totals.parameters == 138_357_544
    assert report.totals.macs == 15_470_264_320
