"""What a network is trained on: its inputs and targets, whatever the data set is like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs PyTorch")

import torch
from data_files import write_mnist
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

import convsize
from convsize.runtime.data.augmentation import Augmentation, draws
from convsize.runtime.data.opening import open_data
from convsize.runtime.data.samples import Data

SPECS = Path(__file__).parents[3] / "specs"
MNIST = SPECS.parent.parent / "shared" / "data" / "mnist-10k"


def spec(name: str) -> convsize.Network:
    return convsize.load(SPECS / f"{name}.spec")


def opened(text: str, network: convsize.Network | str, **options: object) -> Data:
    network = convsize.parse(network) if isinstance(network, str) else network
    return open_data(text, network, **{"seed": 0} | options)  # type: ignore[arg-type]


# ---- digits ----------------------------------------------------------------------------------------------------------


def test_digits_as_lenet_takes_them() -> None:
    data = opened("digits", spec("lenet5"))
    assert (len(data.train), len(data.test)) == (1438, 359)
    assert data.classes == tuple("0123456789")
    assert data.said == (
        "digits: 1,438 images of 10 classes for training and 359 for the test, 1@8x8",
        "resized from 8x8 to 32x32",
        "normalised by the training images' mean 0.3059 and standard deviation 0.3765 (white is 1)",
    )
    (images,), targets = data.train.__getitems__(list(range(len(data.train))))
    assert images.shape == (1438, 1, 32, 32)
    assert images.dtype == torch.float32
    assert abs(float(images.mean())) < 0.01  # resizing keeps the mean, and smooths what deviates from it
    assert targets["main"].dtype == torch.int64
    (_,), tested = data.test.__getitems__(list(range(len(data.test))))
    every = torch.bincount(targets["main"]) + torch.bincount(tested["main"])
    assert ((torch.bincount(tested["main"]) / every - 0.2).abs() < 0.004).all()  # a fifth of every class


def test_the_split_is_the_same_for_every_seed_and_no_image_is_in_both_parts() -> None:
    one, other = (opened("digits", "input: 1@8x8\nFC10", seed=seed) for seed in (0, 1))
    for part in ("train", "test"):
        length = len(getattr(one, part))
        (a,), _ = getattr(one, part).__getitems__(list(range(length)))
        (b,), _ = getattr(other, part).__getitems__(list(range(length)))
        assert torch.equal(a, b)
    (train,), _ = one.train.__getitems__(list(range(1438)))
    (test,), _ = one.test.__getitems__(list(range(359)))
    assert not {each.numpy().tobytes() for each in train} & {each.numpy().tobytes() for each in test}


def test_pixels_are_normalised_by_the_training_images() -> None:
    (images,), _ = opened("digits", "input: 1@8x8\nFC10").train.__getitems__(list(range(1438)))
    assert abs(float(images.double().mean())) < 1e-6
    assert float(images.double().std(correction=0)) == pytest.approx(1, abs=1e-6)


# ---- fitting ---------------------------------------------------------------------------------------------------------


def test_a_little_more_room_is_padded(tmp_path: Path) -> None:
    data = opened(f"mnist:{write_mnist(tmp_path)}", "input: 1@32x32\nFC10")
    assert "padded with black from 28x28 to 32x32" in data.said
    (images,), targets = data.train.__getitems__([19, 3])
    assert targets["main"].tolist() == [9, 3]
    black, own = images[0, 0, 0, 0], images[0, 0, 2:30, 2:30]
    assert (images[0, 0, :2] == black).all()
    assert (images[0, 0, 30:] == black).all()
    assert (images[0, 0, :, :2] == black).all()
    assert (own == own[0, 0]).all()
    assert own[0, 0] > black


@pytest.mark.parametrize("extents", ["20x20", "64x64", "30x60"])
def test_more_or_less_room_is_resized(tmp_path: Path, extents: str) -> None:
    data = opened(f"mnist:{write_mnist(tmp_path)}", f"input: 1@{extents}\nFC10")
    cut = ", cropped to fit" if extents == "30x60" else ""
    assert f"resized from 28x28 to {extents}{cut}" in data.said
    (images,), _ = data.train.__getitems__([19])
    assert "x".join(map(str, images.shape[2:])) == extents
    assert images.std() < 1e-5  # the image has one grey, and nothing was added to it


def test_grey_images_for_a_network_of_colours(tmp_path: Path) -> None:
    data = opened(f"mnist:{write_mnist(tmp_path)}", "input: 3@28x28\nFC10")
    assert "grey images repeated in 3 maps" in data.said
    (images,), _ = data.train.__getitems__([5, 6])
    assert torch.equal(images[:, 0], images[:, 2])
    assert images.is_contiguous()


def test_images_of_one_grey_have_no_deviation_to_divide_by(tmp_path: Path) -> None:
    data = opened(f"mnist:{write_mnist(tmp_path, training=1, test=1)}", "input: 1@28x28\nFC10")
    (images,), _ = data.train.__getitems__([0])
    assert (images == 0).all()


# ---- heads -----------------------------------------------------------------------------------------------------------


def test_every_head_that_classifies_has_the_class() -> None:
    data = opened("digits", "input: 1@8x8\nC3D4 R as t\nGAP FC10\nhead aux @t: C1D10 GAP")
    _, targets = data.train.__getitems__([0, 7])
    assert torch.equal(targets["main"], targets["aux"].flatten())


def test_an_output_of_one_position_has_its_target_there() -> None:
    data = opened("digits", "input: 1@8x8\nC8D10p0")
    _, targets = data.train.__getitems__([0, 7])
    logits = torch.zeros(2, 10, 1, 1)
    assert targets["main"].shape == (2, 1, 1)
    torch.nn.functional.cross_entropy(logits, targets["main"])


def test_an_autoencoder_gives_the_image_back(tmp_path: Path) -> None:
    data = opened(f"mnist:{write_mnist(tmp_path)}", spec("autoencoder"), regressed=("main",))
    _, targets = data.train.__getitems__([0, 19])
    assert targets["main"].shape == (2, 1, 28, 28)
    assert torch.allclose(targets["main"][1], torch.full((1, 28, 28), 19 / 255), atol=1e-6)


def test_more_units_than_classes_are_said() -> None:
    said = opened("digits", "input: 1@8x8\nC3D4 R as t\nFC20\nhead aux @t: FC10").said
    assert said[-1] == "`main` can distinguish more classes than these 10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "input: 1@8x8\nFC9",
            "digits has 10 classes and the output `main` of network 9 units: end it in FC10, or add a",
        ),
        ("input: 1@8x8\nC3D10", "gives 10@8x8, a class for every position, but digits has one for every image"),
        ("input: 1@64\nFC10", "digits has images of 1 or 3 maps, network takes 1@64: --data fake has samples for any"),
        ("input: 4@8x8\nFC10", "network takes 4@8x8"),
        ("input a: 1@8x8\ninput b: 1@8x8\n@a (x + @b) FC10", "network takes 1@8x8, 1@8x8"),
    ],
)
def test_networks_that_images_do_not_fit(text: str, message: str) -> None:
    with pytest.raises(convsize.UsageError, match=re.escape(message)):
        opened("digits", text)


def test_numbers_that_the_set_has_not() -> None:
    with pytest.raises(convsize.UsageError, match="digits has no numbers for the output `main` of network"):
        opened("digits", "input: 1@8x8\nFC4", regressed=("main",))


# ---- fake ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text_cnn", "c3d", "unet", "localisation", "googlenet", "lenet5_partial"])
def test_fake_samples_fit_any_network(name: str) -> None:
    network = spec(name)
    regressed = ("box",) if name == "localisation" else ()
    data = opened("fake:6", network, regressed=regressed)
    assert (len(data.train), len(data.test)) == (6, 1)
    inputs, targets = data.train.__getitems__([1, 0])
    assert [tuple(each.shape[1:]) for each in inputs] == [
        network.nodes[at].output.dims for at in network.inputs.values()
    ]
    for output, end in network.outputs.items():
        dims = network.nodes[end].output.dims
        if output in regressed:
            assert targets[output].shape == (2, *dims)
            assert targets[output].dtype == torch.float32
        else:
            assert targets[output].shape == (2, *dims[1:])
            assert int(targets[output].min()) >= 0
            assert int(targets[output].max()) < dims[0]


@pytest.mark.parametrize("before", ["", "pad(2) ", "crop(40) pad(1) "])
def test_fake_tokens_are_in_the_vocabulary(before: str) -> None:
    inputs, _ = opened("fake", f"input: 1@50\n{before}embed(7,4) GMP FC2").train.__getitems__(list(range(64)))
    assert inputs[0].dtype == torch.int64
    assert inputs[0].unique().tolist() == list(range(7))


def test_fake_samples_are_the_same_for_the_same_seed() -> None:
    first, again, other = (opened("fake", "input: 1@8x8\nFC10", seed=seed) for seed in (3, 3, 4))
    (a,), one = first.train.__getitems__([700])
    (b,), two = again.train.__getitems__([700])
    (c,), _ = other.train.__getitems__([700])
    assert torch.equal(a, b)
    assert torch.equal(one["main"], two["main"])
    assert not torch.equal(a, c)


def test_several_inputs_come_in_their_order() -> None:
    network = convsize.parse("input a: 3@8x8\ninput b: 1@50\n@a [FC4 | @b embed(9,4) FC4] FC2")
    inputs, _ = opened("fake", network).train.__getitems__([0])
    assert [tuple(each.shape) for each in inputs] == [(1, 3, 8, 8), (1, 1, 50)]


# ---- augmentation ----------------------------------------------------------------------------------------------------


def test_augmentation_depends_on_seed_epoch_and_place_alone() -> None:
    def read(data: Data, epoch: int, places: list[int]) -> torch.Tensor:
        data.set_epoch(epoch)
        return data.train.__getitems__(places)[0][0]

    network = convsize.parse("input: 1@8x8\nFC10")
    one, again, other = (open_data("digits", network, seed=seed, augment=True) for seed in (5, 5, 6))
    assert "augmented: shifted by up to 1 pixel" in one.said
    places = list(range(200))
    first = read(one, 0, places)
    assert torch.equal(first, read(again, 0, places))
    assert torch.equal(first[[7, 3]], read(one, 0, [7, 3]))
    assert not torch.equal(first, read(one, 1, places))
    assert torch.equal(first, read(one, 0, places))
    assert not torch.equal(first, read(other, 0, places))
    plain = open_data("digits", network, seed=5).train.__getitems__(places)[0][0]
    unmoved = (first == plain).flatten(1).all(1).float().mean()
    assert 0.04 < float(unmoved) < 0.25  # one of nine shifts is none


def test_shifts_and_mirrors_move_whole_images() -> None:
    image = torch.arange(1, 65, dtype=torch.uint8).reshape(1, 1, 8, 8)
    wide = torch.nn.functional.pad(image, (1, 1, 1, 1))
    shifted = {
        each[..., down : down + 8, right : right + 8].numpy().tobytes()
        for each in (wide, wide.flip(3))
        for down in range(3)
        for right in range(3)
    }
    moved = Augmentation(seed=1, mirrored=True)(image.expand(500, 1, 8, 8), torch.arange(500), epoch=2)
    assert {each.numpy().tobytes() for each in moved} == shifted
    plain = Augmentation(seed=1, mirrored=False)(image.expand(500, 1, 8, 8), torch.arange(500), epoch=2)
    assert len({each.numpy().tobytes() for each in plain}) == 9


def test_drawn_numbers_are_even_and_independent() -> None:
    drawn = draws(0, 0, torch.arange(20_000), 2)
    counts = torch.bincount(drawn[0] % 9, minlength=9)
    assert (counts - 20_000 / 9).abs().max() < 200  # 4 deviations of 44
    pairs = torch.bincount(drawn[0] % 3 * 3 + drawn[1] % 3, minlength=9)
    assert (pairs - 20_000 / 9).abs().max() < 200


# ---- loading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_reads_batches(workers: int) -> None:
    data = opened("digits", "input: 1@8x8\nFC10", augment=True)
    data.set_epoch(1)
    loader = DataLoader(
        data.train,
        batch_sampler=BatchSampler(SequentialSampler(range(100)), 40, False),
        collate_fn=lambda batch: batch,
        num_workers=workers,
    )
    read = list(loader)
    assert [len(targets["main"]) for _, targets in read] == [40, 40, 20]
    assert torch.equal(read[1][0][0], data.train.__getitems__(list(range(40, 80)))[0][0])


# ---- what there is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("digts", "there is no data set `digts`: did you mean `digits`?"),
        ("imagenet:/data", "there is no data set `imagenet`; there are digits, mnist:DIR"),
        ("mnist", "--data mnist needs a directory: mnist:DIR"),
        ("digits:here", "--data digits takes nothing after it"),
        ("mnist:/no/such/place", "--data mnist:/no/such/place: this folder does not exist"),
        ("fake:many", "--data fake:N takes a number of samples, such as fake:4096, not `many`"),
        ("fake:0", "not `0`"),
    ],
)
def test_data_sets_that_are_not_there(text: str, message: str) -> None:
    with pytest.raises(convsize.UsageError, match=re.escape(message)):
        opened(text, "input: 1@8x8\nFC10")


def test_without_scikit_learn_digits_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(convsize.UsageError, match=re.escape("pip install 'convsize[train]'")):
        opened("digits", "input: 1@8x8\nFC10")
