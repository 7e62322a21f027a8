"""CIFAR-10's binary files, and what is said of its others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs PyTorch")

from data_files import write_cifar10

import convsize
from convsize.runtime.data.opening import open_data

NETWORK = convsize.parse("input: 3@32x32\nFC10")


@pytest.mark.parametrize("below", ["", "cifar-10-batches-bin"])
def test_the_five_files_and_the_test(tmp_path: Path, below: str) -> None:
    write_cifar10(tmp_path / below)
    data = open_data(f"cifar10:{tmp_path}", NETWORK, seed=0, augment=True)
    assert (len(data.train), len(data.test)) == (20, 4)
    assert data.classes[9] == "truck"
    assert data.said == (
        "cifar10: 20 images of 10 classes for training and 4 for the test, 3@32x32",
        "normalised by the training images' mean 0.0059, 0.3980, 0.7902 and standard deviation 0.0044, 0.0044, 0.0044 "
        "(white is 1)",
        "augmented: shifted by up to 4 pixels and mirrored at random",
    )
    (images,), targets = data.test.__getitems__([3, 0])
    assert targets["main"].tolist() == [3, 0]
    # 3 lies 1.5 above the mean of 0, 1, 2, 3, whose deviation is the root of 1.25.
    assert images[0].flatten(1).mean(1).tolist() == pytest.approx([1.5 / 1.25**0.5] * 3, abs=1e-4)


def test_colours_as_greys(tmp_path: Path) -> None:
    network = convsize.parse("input: 1@32x32\nFC10")
    data = open_data(f"cifar10:{write_cifar10(tmp_path)}", network, seed=0)
    assert "colours turned to grey" in data.said
    # 0.299·0 + 0.587·100 + 0.114·200 = 81.5 and a grey more for every image, the mean of four: 83 by half up and down
    assert "mean 0.32" in data.said[-1]
    (images,), _ = data.train.__getitems__([0])
    assert images.shape == (1, 1, 32, 32)


def test_the_version_for_python_is_never_loaded(tmp_path: Path) -> None:
    for name in ("data_batch_1", "test_batch"):
        (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(convsize.UsageError, match=r"Python version: pickles, which can run code .* Get the binary"):
        open_data(f"cifar10:{tmp_path}", NETWORK, seed=0)


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-binary.tar.gz").touch()
    with pytest.raises(convsize.UsageError, match=r"has no data_batch_1.bin, .*: unpack cifar-10-binary.tar.gz there"):
        open_data(f"cifar10:{tmp_path}", NETWORK, seed=0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_cifar10(tmp_path)
    (tmp_path / "data_batch_4.bin").unlink()
    with pytest.raises(convsize.UsageError, match=r"has no data_batch_4.bin: unpack the binary version"):
        open_data(f"cifar10:{tmp_path}", NETWORK, seed=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(3073 * 3 - 1), "has 9,218 bytes, which is not a multiple of the image size 3,073"),
        (b"", "has 0 bytes"),
        (bytes([10]) + bytes(3072), "has the label 10; the classes of CIFAR-10 are 0 to 9"),
    ],
)
def test_files_of_something_else(tmp_path: Path, content: bytes, message: str) -> None:
    (write_cifar10(tmp_path) / "data_batch_2.bin").write_bytes(content)
    with pytest.raises(convsize.UsageError, match=re.escape(message)) as error:
        open_data(f"cifar10:{tmp_path}", NETWORK, seed=0)
    assert "data_batch_2.bin" in str(error.value)
