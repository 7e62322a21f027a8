"""Files that are not what they say: a clear error or the right pixels, soon, and with no memory eaten."""

from __future__ import annotations

import gzip
import inspect
import os
import re
import struct
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs PyTorch")

from data_files import write_cifar10, write_folder, write_mnist
from PIL import Image

import convsize
from convsize.runtime.data import image_files
from convsize.runtime.data.files import files_below
from convsize.runtime.data.opening import open_data

NETWORKS = {
    "mnist": convsize.parse("input: 1@28x28\nFC10"),
    "cifar10": convsize.parse("input: 3@32x32\nGAP FC10"),
    "folder": convsize.parse("input: 1@32x32\nGAP FC3"),
}
REGRESSED = convsize.parse("input: 1@32x32\nGAP FC1")


def idx_head(*extents: int) -> bytes:
    return bytes((0, 0, 8, len(extents))) + b"".join(each.to_bytes(4) for each in extents)


def png(width: int, height: int, row: bytes = bytes(99), depth: int = 8, colour: int = 0) -> bytes:
    """A PNG of these extents, whatever its pixels are."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")


def instead(path: Path, make: Callable[[Path], object]) -> None:
    """What `make` makes in the place of a file or a folder."""
    if path.is_dir():
        path.rename(path.with_name("elsewhere"))
    path.unlink(missing_ok=True)
    make(path)


def circle(path: Path) -> None:
    path.symlink_to(path)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def sparse(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.touch()
        os.truncate(path, size)

    return make


def content(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


IMAGES = "train-images-idx3-ubyte"
LIES = {
    "four billion images": (
        "mnist",
        IMAGES,
        content(idx_head(4_000_000_000, 28, 28) + bytes(99)),
        "claims 4000000000x28x28",
    ),
    "a gigabyte of images": (
        "mnist",
        IMAGES,
        content(idx_head(1_300_000, 28, 28) + bytes(99)),
        "says that it has 1300000x28x28 values, which do not go into its 115 bytes",
    ),
    "images in a pipe": ("mnist", IMAGES, os.mkfifo, f"{IMAGES}` is no file: a folder, a pipe or a device"),
    "images in a circle": ("mnist", IMAGES, circle, f"{IMAGES}` is a link that leads nowhere"),
    "a batch in a pipe": ("cifar10", "data_batch_3.bin", os.mkfifo, "data_batch_3.bin` is no file"),
    "a batch of a million": ("cifar10", "data_batch_3.bin", sparse(3073 * 10**6), "has 3,073,000,000 bytes; a file of"),
    "a batch cut short": ("cifar10", "test_batch.bin", content(bytes(3072)), "is not a multiple of the image size"),
    "a set in a circle": ("folder", "", circle, "is a link that leads nowhere: remove or mend it"),
    "a class in a circle": ("folder", "c", circle, "c` is a link that leads nowhere"),
    "a training set in a circle": ("folder", "train", circle, "train` is a link that leads nowhere"),
    "a test set nowhere": ("folder", "val", dangling, "val` is a link that leads nowhere"),
    "an image in a circle": ("folder", "a/0.png", circle, "a/0.png` is a link that leads nowhere"),
    "an image nowhere": ("folder", "a/0.png", dangling, "a/0.png` is a link that leads nowhere"),
    "an image in a pipe": ("folder", "a/0.png", os.mkfifo, "a/0.png` is no file"),
    "an empty image": ("folder", "a/0.png", content(b""), r"1 of 10 images cannot be read: .*a/0.png` \(no image\)"),
    "an empty class": ("folder", "c", lambda path: path.mkdir(), "c` has no images: remove this folder"),
    "a bomb": ("folder", "a/0.png", content(png(50_000, 50_000)), r"a/0.png` \(Image size \(2500000000 pixels\)"),
    "a small bomb": ("folder", "a/0.png", content(png(12_000, 10_000)), r"a/0.png` \(Image size \(120000000 pixels\)"),
    "a cut image": ("folder", "a/0.png", content(png(64, 64)), r"a/0.png` \(.*truncated"),
}


@pytest.mark.parametrize(("kind", "name", "make", "message"), LIES.values(), ids=LIES)
def test_a_lie_is_a_clear_error(
    tmp_path: Path, kind: str, name: str, make: Callable[[Path], object], message: str
) -> None:
    home = tmp_path / "set"
    write = {"mnist": lambda: write_mnist(home, packed=False), "cifar10": lambda: write_cifar10(home)}
    write.get(kind, lambda: write_folder(home))()
    instead(home / name if name else home, make)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(convsize.UsageError, match=message):
            open_data(f"{kind}:{home}", NETWORKS[kind], seed=0)


def test_what_is_packed_cannot_be_a_thousand_times_as_much(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(idx_head(10**4, 28, 28) + bytes(99)))
    with pytest.raises(convsize.UsageError, match="10000x28x28 values, which do not go into its"):
        open_data(f"mnist:{tmp_path}", NETWORKS["mnist"], seed=0)


def test_what_is_packed_beyond_its_header_is_not_unpacked(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    with gzip.open(tmp_path / f"{IMAGES}.gz", "wb", compresslevel=1) as file:
        file.write(idx_head(20, 28, 28) + bytes(2**24))
    with pytest.raises(convsize.UsageError, match="goes on after 15,680 values"):
        open_data(f"mnist:{tmp_path}", NETWORKS["mnist"], seed=0)


def test_links_to_folders_above_are_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "set")
    (tmp_path / "set" / "a" / "again").symlink_to(tmp_path / "set")
    data = open_data(f"folder:{tmp_path / 'set'}", NETWORKS["folder"], seed=0)
    assert len(data.train) + len(data.test) == 10


def test_folders_deeper_than_python_can_call(tmp_path: Path) -> None:
    path = tmp_path.joinpath(*"d" * 300)
    path.mkdir(parents=True)
    (path / "x.png").touch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert files_below(tmp_path) == [path / "x.png"]
    finally:
        sys.setrecursionlimit(limit)


def decoded(path: Path, depth: int, height: int = 8, width: int = 8) -> np.ndarray:
    with image_files._only_errors(), warnings.catch_warnings():
        pixels, _ = image_files._decoded(path, (depth, height, width))
    return pixels


COLOUR = np.full((8, 8, 3), (200, 100, 50), dtype=np.uint8)
WORDS = np.full((8, 8), 200 * 257, dtype=np.uint16)
RED, GREEN = (Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 255, 0)))


def _moving(path: Path) -> None:
    exactly = {"lossless": True} if path.suffix == ".webp" else {}
    RED.save(path, save_all=True, append_images=[GREEN], **exactly)


KINDS: dict[str, tuple[str, Callable[[Path], object], tuple[int, ...]]] = {
    "CMYK": ("x.jpg", lambda path: Image.fromarray(COLOUR).convert("CMYK").save(path, quality=100), (200, 100, 50)),
    "CMYK of print": ("x.tif", lambda path: Image.fromarray(COLOUR).convert("CMYK").save(path), (200, 100, 50)),
    "YCbCr": ("x.jpg", lambda path: Image.fromarray(COLOUR).convert("YCbCr").save(path, quality=100), (200, 100, 50)),
    "16 bits": ("x.png", lambda path: Image.fromarray(WORDS).save(path), (200,)),
    "16 bits in TIFF": ("x.tif", lambda path: Image.fromarray(WORDS).save(path), (200,)),
    "16 bits in PGM": ("x.pgm", content(b"P5 8 8 65535\n" + WORDS.astype(">u2").tobytes()), (200,)),
    "10 bits in PGM": ("x.pgm", content(b"P5 8 8 1023\n" + np.full(64, 804, ">u2").tobytes()), (200,)),
    "16 bits of colour": (
        "x.png",
        content(png(8, 8, (b"\0" + struct.pack(">HHH", 200 * 257, 100 * 257, 50 * 257) * 8) * 8, 16, 2)),
        (200, 100, 50),
    ),
    "16 bits and transparency": (
        "x.png",
        content(png(8, 8, (b"\0" + struct.pack(">HH", 200 * 257, 999) * 8) * 8, 16, 4)),
        (200,),
    ),
    "a palette": ("x.png", lambda path: RED.quantize(2).save(path), (255, 0, 0)),
    "a palette with transparency": (
        "x.png",
        lambda path: RED.quantize(2).save(path, transparency=b"\x00\x80"),
        (255, 0, 0),
    ),
    "transparent colour": ("x.png", lambda path: Image.new("RGBA", (8, 8), (9, 8, 7, 0)).save(path), (9, 8, 7)),
    "black and white": ("x.tif", lambda path: Image.new("1", (8, 8), 1).save(path), (255,)),
    **{
        f"the first of a moving {kind}": (
            f"x.{kind}",
            _moving,
            (255, 0, 0),
        )
        for kind in ("gif", "webp", "png", "tif")
    },
}


@pytest.mark.parametrize(("name", "make", "colour"), KINDS.values(), ids=KINDS)
def test_every_kind_of_image_has_its_pixels(
    tmp_path: Path, name: str, make: Callable[[Path], object], colour: tuple[int, ...]
) -> None:
    make(tmp_path / name)
    found = decoded(tmp_path / name, len(colour))
    assert abs(found[:, 3, 3].astype(int) - colour).max() <= 1
    assert (found == found[:, :1, :1]).all()


@pytest.mark.parametrize("value", [100, 70_000, np.float32(0.5), np.float32("nan")])
def test_numbers_without_a_white_are_refused(tmp_path: Path, value: float) -> None:
    write_folder(tmp_path)
    numbers = np.full((32, 32), value, dtype=np.int32 if isinstance(value, int) else np.float32)
    Image.fromarray(numbers).save(tmp_path / "a" / "x.tif")
    with pytest.raises(convsize.UsageError, match=r"x\.tif` \(its numbers of 32 bits do not say what is white"):
        open_data(f"folder:{tmp_path}", NETWORKS["folder"], seed=0)


@pytest.mark.parametrize("orientation", [*range(1, 9), 0, 99])
def test_photographs_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    """The corner of an image of 8 by 16 is white; EXIF 2.32 names the side that row 0 and column 0 are at."""
    pixels = np.zeros((8, 16), dtype=np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=exif)
    turned = orientation in (5, 6, 7, 8)
    height, width = (16, 8) if turned else (8, 16)
    assert image_files._size(tmp_path / "x.png") == (height, width)
    top, left = orientation not in (3, 4, 7, 8), orientation not in (2, 3, 6, 7)
    white = np.argwhere(decoded(tmp_path / "x.png", 1, height, width)[0] == 255).tolist()
    assert white == [[0 if top else height - 1, 0 if left else width - 1]]


def test_a_turned_photograph_keeps_its_detail(tmp_path: Path) -> None:
    """JPEG leaves detail out by what the turned image is to be, not by the file's own axes."""
    stripes = np.zeros((1024, 256), dtype=np.uint8)
    for at in range(4):
        stripes[:, at::8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stripes).save(tmp_path / "x.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "x.jpg") as image:
        image.draft("L", (32, 128))
        assert image.size == (32, 128)  # by the file's own axes: stripes would be grey
    rows = decoded(tmp_path / "x.jpg", 1, 128, 32)[0].mean(axis=1)
    assert rows.max() - rows.min() > 200


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tif", "webp", "pgm"])
def test_a_file_that_ends_early_has_its_pixels_or_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    whole, data = decoded(path, 1), path.read_bytes()
    for length in range(0, len(data), 1 + len(data) // 40):
        path.write_bytes(data[:length])
        try:
            found = decoded(path, 1)
        except Exception as error:
            told = image_files._reason(error)
            assert told, length
        else:
            assert (found == whole).all(), length


NAMES = [f"{label}/{number}.png" for label in "ab" for number in range(5)]
TABLE = "file,main\n" + "".join(f"{name},{at}\n" for at, name in enumerate(NAMES))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        *(
            ("a/1.png,1", f"a/1.png,{value}", "line 3: `.*` is not a number")
            for value in ("nan", "-inf", "1e300", "1_0", "\0", "")
        ),
        ("a/2.png,2", "a/1.png,2", r"line 4: `a/1.png` stands in line 3 already"),
        ("a/2.png,2", "./a/1.png,2", r"line 4: `\./a/1.png` stands in line 3 already"),
        ("a/2.png,2", "/etc/a.png,2", "has no row for 1 of"),
        ("a/1.png,1", f"{'x' * 200_000},1", "field larger than field limit"),
        ("file", "\udcff", "can't decode byte 0xff"),
    ],
)
def test_tables_that_lie(tmp_path: Path, old: str, new: str, message: str) -> None:
    write_folder(tmp_path)
    (tmp_path / "targets.csv").write_bytes(TABLE.replace(old, new, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(convsize.UsageError, match=message):
        open_data(f"folder:{tmp_path}", REGRESSED, seed=0, regressed=["main"])


@pytest.mark.parametrize("make", [os.mkfifo, circle, dangling, os.mkdir])
def test_a_table_that_is_no_file(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(write_folder(tmp_path) / "targets.csv")
    with pytest.raises(convsize.UsageError, match=re.escape("targets.csv` is ")):
        open_data(f"folder:{tmp_path}", REGRESSED, seed=0, regressed=["main"])
