"""Folders of images: how they are divided and decoded, and what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs PyTorch")

import torch
from data_files import write_folder, write_image
from PIL import Image
from torch._utils import ExceptionWrapper
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

import convsize
from convsize.runtime.data import image_files
from convsize.runtime.data.opening import open_data
from convsize.runtime.data.samples import Data, Samples

NETWORK = convsize.parse("input: 3@32x32\nC3D4/2 R GAP FC3")
GREYS = convsize.parse("input: 1@32x32\nC3D4/2 R GAP FC3")


def opened(directory: Path, network: convsize.Network = GREYS, **options: object) -> Data:
    return open_data(f"folder:{directory}", network, **{"seed": 0} | options)  # type: ignore[arg-type]


def levels(samples: Samples, data: Data) -> list[int]:
    """The grey that every image had in its file, as far as it is of one grey."""
    (images,), _ = samples.__getitems__(list(range(len(samples))))
    found = re.search(r"mean ([\d.]+).* deviation ([\d.]+)", data.said[-1])
    assert found is not None
    return (images.mean((1, 2, 3)) * float(found[2]) + float(found[1])).mul(255).round().int().tolist()


# ---- dividing --------------------------------------------------------------------------------------------------------


def test_a_fifth_of_every_class_is_set_aside(tmp_path: Path) -> None:
    data = opened(write_folder(tmp_path / "photos"))
    assert data.classes == ("a", "b")
    assert data.said[:2] == (
        f"{tmp_path / 'photos'}: 8 images of 2 classes for training and 2 for the test, 32x32",
        "a fifth of every class is held out for testing, always the same images",
    )
    assert data.said[3:] == ("`main` can distinguish more classes than these 2",)
    data = data.replace(said=data.said[:3])
    training, test = levels(data.train, data), levels(data.test, data)
    assert sorted([*training, *test]) == [0, 1, 2, 3, 4, 50, 51, 52, 53, 54]
    assert [level < 50 for level in test] == [True, False]
    _, targets = data.train.__getitems__(list(range(8)))
    assert targets["main"].tolist() == [int(level >= 50) for level in training]
    assert levels(opened(tmp_path / "photos", seed=7).test, data) == test


@pytest.mark.parametrize("tests", [["test"], ["val"], ["val", "test"]])
def test_parts_that_are_there_already(tmp_path: Path, tests: list[str]) -> None:
    write_folder(tmp_path / "train", "abc")
    for name in tests:
        write_folder(tmp_path / name, "ac", each=2 if name == "val" else 1)
    data = opened(tmp_path)
    assert (len(data.train), len(data.test)) == (15, 4 if "val" in tests else 2)
    assert f"trained on train/ and tested with {tests[0]}/" in data.said
    _, targets = data.test.__getitems__(list(range(len(data.test))))
    assert sorted(set(targets["main"].tolist())) == [0, 2]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("train", "car"):
        for number in range(3):
            write_image(tmp_path / name / f"{number}.png", number)
    assert opened(tmp_path).classes == ("car", "train")


def test_images_below_folders_of_a_class_and_other_files(tmp_path: Path) -> None:
    write_folder(tmp_path)
    write_image(tmp_path / "a" / "more" / "x.PNG", 9)
    (tmp_path / "b" / "notes.txt").write_text("no image")
    (tmp_path / "b" / ".hidden.png").write_text("no image")
    data = opened(tmp_path)
    assert len(data.train) + len(data.test) == 11
    assert "1 other file ignored" in data.said


# ---- decoding --------------------------------------------------------------------------------------------------------


def test_images_are_scaled_to_cover_and_cut(tmp_path: Path) -> None:
    write_folder(tmp_path)
    wide = np.zeros((40, 120), dtype=np.uint8)
    wide[:, 40:80] = 200
    for number in range(5):
        Image.fromarray(wide).save(tmp_path / "b" / f"{number}.png")
    data = opened(tmp_path)
    assert data.said[0].endswith("32x32 to 40x120")
    assert "scaled to cover 32x32, cropped to fit" in data.said
    (images,), targets = data.train.__getitems__(list(range(8)))
    cut = images[targets["main"] == 1]
    assert cut[..., 2:-2].std() < 1e-5  # the middle of it, all of one grey
    assert cut.mean() > images[targets["main"] == 0].mean()


def test_every_kind_of_pixel(tmp_path: Path) -> None:
    write_folder(tmp_path)
    green = tmp_path / "c"
    green.mkdir()
    Image.new("RGBA", (32, 32), (0, 255, 0, 9)).save(green / "alpha.png")
    Image.new("RGB", (32, 32), (0, 255, 0)).convert("P").save(green / "palette.gif")
    Image.new("RGB", (32, 32), (0, 255, 0)).save(green / "plain.bmp")
    data = opened(tmp_path, NETWORK)
    (images,), targets = data.train.__getitems__(list(range(len(data.train))))
    own = images[targets["main"] == 2].mean((2, 3))
    assert len(own) == 2
    assert torch.allclose(own[0], own[1])
    assert (own[:, 1] > own[:, 0]).all()


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    write_folder(tmp_path)
    deep = np.full((32, 32), 51 * 257, dtype=np.uint16)
    for number in range(5):
        Image.fromarray(deep).save(tmp_path / "b" / f"{number}.png")
    data = opened(tmp_path)
    assert 51 in levels(data.train, data.replace(said=data.said[:-1]))


def test_photographs_that_lie_on_their_side_are_turned(tmp_path: Path) -> None:
    write_folder(tmp_path)
    pixels = np.zeros((32, 32), dtype=np.uint8)
    pixels[:16] = 200  # the upper half is light
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: its left is what is up
    for number in range(5):
        Image.fromarray(pixels).save(tmp_path / "b" / f"{number}.png", exif=exif)
    data = opened(tmp_path)
    (images,), targets = data.train.__getitems__(list(range(8)))
    own = images[targets["main"] == 1][0, 0]
    assert own[:, 16:].mean() > own[:, :16].mean()


@pytest.mark.parametrize("workers", [0, 1])
def test_large_folders_are_read_as_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    write_folder(tmp_path)
    at_once = opened(tmp_path)
    monkeypatch.setattr(image_files, "MEMORY_BYTES", 0)
    data = opened(tmp_path)
    assert data.from_files
    assert not at_once.from_files
    assert data.said == at_once.said

    def read() -> list[torch.Tensor]:
        sampler = BatchSampler(SequentialSampler(range(8)), 4, False)
        loader = DataLoader(data.train, batch_sampler=sampler, collate_fn=lambda batch: batch, num_workers=workers)
        return [images for (images,), _ in loader]

    assert torch.equal(torch.cat(read()), at_once.train.__getitems__(list(range(8)))[0][0])


def test_an_image_that_is_broken_later_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "MEMORY_BYTES", 0)
    data = opened(write_folder(tmp_path))
    for path in tmp_path.glob("*/*.png"):
        path.write_bytes(path.read_bytes()[:40])
    message = rf"^`{tmp_path}/a/\d.png` cannot be read: .*; remove or replace it$"
    with pytest.raises(convsize.UsageError, match=message):
        data.train.__getitems__([0])
    try:
        data.train.__getitems__([0])
    except convsize.UsageError:
        told = ExceptionWrapper(where="in DataLoader worker process 0")  # what a loader does with it
    with pytest.raises(convsize.UsageError, match=message):
        told.reraise()


# ---- numbers ---------------------------------------------------------------------------------------------------------

BOXES = convsize.parse("input: 1@32x32\nC3D4/2 R as t GAP FC3\nhead box @t: GAP FC2")


def table(directory: Path, header: str = "file,box.x,note,box.y") -> list[str]:
    rows = [f"{name}/{number}.png,{number},{name},{number / 2}" for name in "ab" for number in range(5)]
    (directory / "targets.csv").write_text("\n".join([header, *rows]) + "\n")
    return rows


def test_numbers_of_regressed_outputs(tmp_path: Path) -> None:
    table(write_folder(tmp_path))
    data = opened(tmp_path, BOXES, regressed=("box",))
    _, targets = data.train.__getitems__(list(range(8)))
    grey = levels(data.train, data.replace(said=data.said[:3]))
    assert targets["box"].dtype == torch.float32
    assert targets["box"].tolist() == [[level % 50, level % 50 / 2] for level in grey]
    assert targets["main"].tolist() == [level // 50 for level in grey]


def test_numbers_do_not_move_with_an_image(tmp_path: Path) -> None:
    table(write_folder(tmp_path))
    with pytest.raises(convsize.UsageError, match="the targets of `box` would not move with them: leave it out"):
        opened(tmp_path, BOXES, regressed=("box",), augment=True)


def test_numbers_alone_need_no_classes(tmp_path: Path) -> None:
    table(write_folder(tmp_path), "file,main.a,note,main.b")
    network = convsize.parse("input: 1@32x32\nC3D4/2 R GAP FC2")
    data = opened(tmp_path, network, regressed=("main",))
    assert data.classes == ()
    assert (len(data.train), len(data.test)) == (8, 2)
    assert data.said[0].endswith("8 images for training and 2 for the test, 32x32")
    _, targets = data.test.__getitems__([0])
    assert targets["main"].shape == (1, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: ["name,box.x,box.y", *rows], "has no column `file`"),
        (lambda rows: ["file,box.x,note,box.y", *rows[1:]], "has no row for 1 of "),
        (lambda rows: ["file,box.x,note,box.y", "a/0.png,1"], "line 2: 2 values in 4 columns"),
        (lambda rows: ["file,box.x,note,box.y", "a/0.png,zero,a,1", *rows[1:]], "line 2: `zero` is not a number"),
        (lambda rows: ["file,box.x,note,box.y", "a/0.png,nan,a,1", *rows[1:]], "line 2: `nan` is not a number"),
        (lambda rows: ["file,box.x,note,more", *rows], "has 1 number for the output `box` of network, which gives 2"),
        (lambda rows: ["file,bocks.x,note,bocks.y", *rows], "has no numbers for the output `box`"),
        (lambda rows: [], "has no column `file`"),
    ],
)
def test_tables_that_do_not_fit(tmp_path: Path, change: object, message: str) -> None:
    rows = table(write_folder(tmp_path))
    (tmp_path / "targets.csv").write_text("\n".join(change(rows)))  # type: ignore[operator]
    with pytest.raises(convsize.UsageError, match=re.escape(message)):
        opened(tmp_path, BOXES, regressed=("box",))


# ---- what is wrong ---------------------------------------------------------------------------------------------------


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(convsize.UsageError, match=r"has nothing in it\. Every class needs its own folder: .*/cat/1"):
        opened(tmp_path)


def test_a_file_instead_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(convsize.UsageError, match="this folder is a file"):
        opened(write_image(tmp_path / "a.png", 0))


def test_images_without_classes(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", 0)
    with pytest.raises(convsize.UsageError, match="has images, but no folders of classes"):
        opened(tmp_path)


def test_the_images_to_test_with_may_be_of_one_class(tmp_path: Path) -> None:
    write_folder(tmp_path / "train")
    write_folder(tmp_path / "val", "b")
    test = opened(tmp_path).test
    _, targets = test.__getitems__(list(range(len(test))))
    assert set(targets["main"].tolist()) == {1}


def test_one_class(tmp_path: Path) -> None:
    with pytest.raises(convsize.UsageError, match="has only one class, a: there is nothing to distinguish"):
        opened(write_folder(tmp_path, "a"))


def test_more_classes_than_outputs(tmp_path: Path) -> None:
    with pytest.raises(convsize.UsageError, match="has 4 classes and the output `main` of network 3 units: end"):
        opened(write_folder(tmp_path, "abcd"))


def test_a_class_without_images(tmp_path: Path) -> None:
    (write_folder(tmp_path) / "c").mkdir()
    with pytest.raises(convsize.UsageError, match=r"`.*/c` has no images: remove this folder, or fill it \(bmp, gif"):
        opened(tmp_path)


def test_a_class_of_one_image(tmp_path: Path) -> None:
    write_image(write_folder(tmp_path) / "c" / "1.png", 0)
    with pytest.raises(convsize.UsageError, match=r"`.*/c` has a single image: at least two are needed"):
        opened(tmp_path)


def test_classes_that_training_has_not(tmp_path: Path) -> None:
    write_folder(tmp_path / "train")
    write_folder(tmp_path / "val", "bc")
    with pytest.raises(convsize.UsageError, match=r"`.*/val` has classes that `.*/train` has not: c"):
        opened(tmp_path)


@pytest.mark.parametrize("memory", [True, False])
def test_unreadable_images_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: bool) -> None:
    write_folder(tmp_path, each=9)
    if not memory:
        monkeypatch.setattr(image_files, "MEMORY_BYTES", 0)
    for number in range(7):
        (tmp_path / "a" / f"{number}.png").write_text("no image")
    with pytest.raises(convsize.UsageError) as error:
        opened(tmp_path)
    text = str(error.value)
    assert text.startswith("7 of 18 images cannot be read: `")
    assert "/a/0.png` (no image), `" in text
    assert text.endswith(" (no image) and 2 more; remove or replace them")


def test_images_that_are_cut_short(tmp_path: Path) -> None:
    path = write_folder(tmp_path) / "a" / "3.png"
    noise = np.random.default_rng(0).integers(0, 255, (32, 32), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(convsize.UsageError, match=r"^1 of 10 images cannot be read: `.*/a/3.png` \(.*\); remove"):
        opened(tmp_path)


@pytest.mark.parametrize("memory", [True, False])
def test_images_smaller_than_the_network_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: bool) -> None:
    network = convsize.load(Path(__file__).parents[3] / "specs" / "vgg_a.spec")
    if not memory:
        monkeypatch.setattr(image_files, "MEMORY_BYTES", 0)
    write_image(write_folder(tmp_path) / "a" / "0.png", 0, (40, 31))
    with pytest.raises(
        convsize.UsageError,
        match=re.escape("1 of 10 images are smaller than 32x32, the smallest input that vgg_a accepts: `")
        + ".*"
        + re.escape("/a/0.png` (31x40); remove them, or enlarge them first"),
    ):
        opened(tmp_path, network)


def test_networks_that_take_no_images(tmp_path: Path) -> None:
    with pytest.raises(convsize.UsageError, match="a folder has images of 1 or 3 maps, network takes 1@64"):
        opened(write_folder(tmp_path), convsize.parse("input: 1@64\nFC3"))


def test_without_pillow_folders_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(convsize.UsageError, match=re.escape("pip install 'convsize[train]'")):
        opened(write_folder(tmp_path))
