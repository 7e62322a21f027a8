"""MNIST's files: read as they are published, refused when they are something else."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs PyTorch")

from data_files import write_mnist

import convsize
from convsize.runtime.data.opening import open_data

MNIST = Path(__file__).parents[4] / "shared" / "data" / "mnist-10k"
NETWORK = convsize.parse("input: 1@28x28\nFC10")


@pytest.mark.skipif(not MNIST.is_dir(), reason="needs ../shared/data/mnist-10k")
def test_the_original_test_images() -> None:
    data = open_data(f"mnist:{MNIST}", NETWORK, seed=0)
    assert (len(data.train), len(data.test)) == (10_000, 10_000)
    assert "mean 0.1311 and standard deviation 0.3087" in data.said[1]
    _, targets = data.test.__getitems__(list(range(10)))
    assert targets["main"].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", ["mnist", "fashion-mnist"])
def test_packed_and_plain_files(tmp_path: Path, kind: str, packed: bool) -> None:
    data = open_data(f"{kind}:{write_mnist(tmp_path, packed=packed)}", NETWORK, seed=0, augment=True)
    assert len(data.train) == 20
    assert (data.classes[5] == "sandal") == (kind == "fashion-mnist")
    assert ("mirrored" in data.said[-1]) == (kind == "fashion-mnist")


def test_files_of_another_name(tmp_path: Path) -> None:
    with pytest.raises(convsize.UsageError, match=r"there is neither `.*train-images-idx3-ubyte` nor"):
        open_data(f"mnist:{tmp_path}", NETWORK, seed=0)


def head(*numbers: int) -> bytes:
    return bytes((0, 0, 8, len(numbers))) + b"".join(each.to_bytes(4) for each in numbers)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "train-images-idx3-ubyte",
            b"GIF89a of something else",
            "is not an IDX file of bytes with 3 axes: it begins with 47",
        ),
        ("train-images-idx3-ubyte", b"", "begins with nothing"),
        ("train-images-idx3-ubyte", head(2, 28, 28) + bytes(28 * 28), "ends after 784 of 1,568 values"),
        ("train-images-idx3-ubyte", head(1, 28, 28) + bytes(28 * 28 + 5), "goes on after 784 values"),
        ("train-images-idx3-ubyte", head(2**31, 2**31, 2**31), "claims 2147483648x2147483648x2147483648"),
        ("train-images-idx3-ubyte", head(0, 28, 28), "claims 0x28x28 values"),
        (
            "train-labels-idx1-ubyte",
            head(3, 28, 28),
            "is not an IDX file of bytes with 1 axis: it begins with 00 00 08 03",
        ),
        ("train-labels-idx1-ubyte", head(7) + bytes(7), "has 20 images and"),
        (
            "train-labels-idx1-ubyte",
            head(20) + bytes(19) + b"\x0a",
            "has the label 10; the classes of mnist are 0 to 9",
        ),
    ],
)
def test_files_of_something_else(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    write_mnist(tmp_path, packed=False)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(convsize.UsageError, match=re.escape(message)) as error:
        open_data(f"mnist:{tmp_path}", NETWORK, seed=0)
    assert name in str(error.value)


@pytest.mark.parametrize("damage", ["cut short", "no gzip", "a flipped bit"])
def test_packed_files_that_are_damaged(tmp_path: Path, damage: str) -> None:
    write_mnist(tmp_path)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    data = bytearray(path.read_bytes())
    if damage == "cut short":
        del data[len(data) // 2 :]
    elif damage == "no gzip":
        data = bytearray(gzip.decompress(data))
    else:
        data[len(data) // 2] ^= 8
    path.write_bytes(data)
    with pytest.raises(convsize.UsageError, match=r"t10k-images-idx3-ubyte.gz` (cannot be read|ends|says|is no)"):
        open_data(f"mnist:{tmp_path}", NETWORK, seed=0)


def test_sizes_that_differ(tmp_path: Path) -> None:
    write_mnist(tmp_path / "other", size=20)
    write_mnist(tmp_path)
    (tmp_path / "other" / "t10k-images-idx3-ubyte.gz").rename(tmp_path / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(convsize.UsageError, match="for training and for the test have different sizes"):
        open_data(f"mnist:{tmp_path}", NETWORK, seed=0)
