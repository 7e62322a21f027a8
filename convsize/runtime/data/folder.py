"""A folder of images: a folder for every class, in one set or in one to train on and one to test with."""

from __future__ import annotations

from pathlib import Path

import torch

from convsize.errors import UsageError
from convsize.record import Record
from convsize.runtime.data.files import files_below, is_there, require_directory, require_no_dead_link
from convsize.runtime.data.image_files import SUFFIXES, ImageFiles, open_images
from convsize.runtime.data.images import ImageSet, Part, image_input
from convsize.runtime.data.numbers import TABLE, read_numbers
from convsize.runtime.data.samples import Task
from convsize.runtime.data.split import stratified
from convsize.words import plural

_TEST_SHARE = 0.2
_TESTS = ("val", "valid", "validation", "test")
"""What the images to test with are called. The first that is there counts: where there are both, those of test/ are for
the very end and not for a figure that a run is steered by."""


class _Files(Record):
    """Images, the number of each one's class (0 where there are none), and how many files are no images."""

    paths: list[Path]
    labels: list[int]
    others: int


def read_folder(place: str, task: Task, smallest: tuple[int, int] | None) -> ImageSet:
    """`folder:DIR`: DIR/CLASS/IMAGE, or DIR/train/CLASS/IMAGE and DIR/val (or DIR/test) likewise.

    Without a folder to test with, a fifth of every class is set aside, the same fifth every time. A network none of
    whose outputs classifies needs no classes: any image below DIR counts. What regressed outputs are trained on is
    read from DIR/targets.csv where that is there. smallest: the smallest height and width that the network allows.

    Raises UsageError where there are no images or a single class, or some are unreadable or too small.
    """
    directory = require_directory("folder", place)
    volume = image_input(task, "a folder")
    classified = any(name not in task.regressed for name in task.outputs)
    training, testing = _places(directory)
    classes = _classes(training) if classified else ()
    found = _files(training, classes)
    said = []
    if testing is None:
        parts = _divided(found, classes, training)
        said.append(
            f"a fifth of {'every class' if classes else 'them'} is held out for testing, always the same images"
        )
    else:
        if classified and (foreign := sorted(set(_folders(testing)) - set(classes))):
            raise UsageError(f"`{testing}` has classes that `{training}` has not: {', '.join(foreign)}")
        parts = found, _files(testing, classes, complete=False)
        said.append(f"trained on {training.name}/ and tested with {testing.name}/")
    if others := found.others + (0 if testing is None else parts[1].others):
        said.append(f"{plural(others, 'other file')} ignored")
    pixels, extents = open_images([part.paths for part in parts], volume, smallest, task.network)
    if not volume[1:] == extents.least == extents.most:
        said.append(f"scaled to cover {volume[1]}x{volume[2]}, cropped to fit")
    train, test = (
        Part(images, torch.tensor(part.labels), read_numbers(directory, part.paths, task))
        for images, part in zip(pixels, parts, strict=True)
    )
    return ImageSet(
        name=str(directory),
        train=train,
        test=test,
        classes=classes,
        mirrored=True,
        sizes=str(extents),
        said=tuple(said),
        from_files=isinstance(pixels[0], ImageFiles),
    )


def _places(directory: Path) -> tuple[Path, Path | None]:
    """The folder to train on and, where there is one, that to test with."""
    training = directory / "train"
    for name in ("train", *_TESTS):
        require_no_dead_link(directory / name)
    if not training.is_dir() or not any(each.is_dir() for each in training.iterdir()):
        # `train` may be a class, beside `car` and `ship`.
        return directory, None
    return training, next((directory / name for name in _TESTS if (directory / name).is_dir()), None)


def _folders(place: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, in order. Raises UsageError where one is a link that leads nowhere."""
    seen = [each for each in place.iterdir() if not each.name.startswith(".")]
    for each in seen:
        require_no_dead_link(each)
    return tuple(sorted(each.name for each in seen if each.is_dir()))


def _classes(place: Path) -> tuple[str, ...]:
    """The names of the folders in a folder, in order. Raises UsageError where there is none or a single one."""
    found = _folders(place)
    if len(found) > 1:
        return found
    there = [each for each in place.iterdir() if not each.name.startswith(".")]
    if found:
        what = f"only one class, {found[0]}: there is nothing to distinguish"
    elif any(each.suffix.lower() in SUFFIXES for each in there):
        what = "images, but no folders of classes"
    else:
        what = "no folders of images" if there else "nothing in it"
    raise UsageError(f"`{place}` has {what}. Every class needs its own folder: {place}/cat/1.jpg, {place}/dog/1.jpg")


def _files(place: Path, classes: tuple[str, ...], *, complete: bool = True) -> _Files:
    """The images below a folder, in the order of their names.

    Raises UsageError where there are none, where one is no file, or, if it must be complete, a class has none.
    """
    paths: list[Path] = []
    labels: list[int] = []
    others = 0
    for label, name in enumerate(classes or (".",)):
        below = [each for each in _below(place / name) if not each.name.startswith(".")]
        images = [each for each in below if each.suffix.lower() in SUFFIXES and is_there(each)]
        if classes and complete and not images:
            raise UsageError(f"`{place / name}` has no images: remove this folder, or fill it ({_kinds()})")
        paths += images
        labels += [label] * len(images)
        others += sum(each.name != TABLE for each in below) - len(images)
    if not paths:
        raise UsageError(f"`{place}` has no images ({_kinds()})")
    return _Files(paths, labels, others)


def _below(place: Path) -> list[Path]:
    """What lies below the folder of a class; the images to test with may lack it."""
    return files_below(place) if place.is_dir() else []


def _kinds() -> str:
    return ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))


def _divided(files: _Files, classes: tuple[str, ...], place: Path) -> tuple[_Files, _Files]:
    """The images to train on and those to test with. Raises UsageError where a class is too small to be divided."""
    labels = torch.tensor(files.labels)
    for label, count in enumerate(torch.bincount(labels).tolist()):
        if count < 2:
            where = place / classes[label] if classes else place
            raise UsageError(
                f"`{where}` has a single image: at least two are needed, one for training and one for testing"
            )
    training, test = (
        _Files([files.paths[at] for at in chosen], [files.labels[at] for at in chosen], 0)
        for chosen in (places.tolist() for places in stratified(labels, _TEST_SHARE))
    )
    return training, test
