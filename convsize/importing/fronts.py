"""Fronts: which reader a file is for, by its ending or by how it begins."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from convsize.errors import UsageError
from convsize.importing.calls import CallList

__all__ = ["FORMS", "is_file", "read_file"]

FORMS = "a file: .onnx, .keras, Keras's .json or .h5, or code or a print of a model as .txt, .py or - (standard input)"

_LARGEST = 2**31

_KERAS = (".keras", ".json", ".h5", ".hdf5")
_TEXT = (".txt", ".py")
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")


def is_file(source: str) -> bool:
    """Whether a source is a file that is read, not a module that is built."""
    ending = os.path.splitext(source)[1].lower()  # noqa: PTH122 (pathlib costs a start)
    return source == "-" or ending in (".onnx", *_KERAS, *_TEXT, *_PICKLES)


def read_file(source: str, shape: tuple[int, ...] | None = None) -> CallList:
    """The calls of the model in a file; of `-` those of what standard input gives. Nothing of the model is run.

    `shape`, depth first and without the batch, says what the file leaves open.
    Raises UsageError where it cannot be read, with what stands in the way.
    """
    ending = os.path.splitext(source)[1].lower()  # noqa: PTH122
    if ending in _PICKLES:
        raise UsageError(
            f"`{source}` is a pickle: reading it would run whatever code is in it. Name the module that its weights "
            "are of, as file.py:Class(arguments), or export the model to ONNX"
        )
    data = _bytes(source)
    if ending == ".onnx":
        from convsize.importing.onnx.read import read_onnx

        return read_onnx(data, source, shape, Path(source).parent).calls
    if ending in _KERAS or data[:4] == b"PK\x03\x04" or data.lstrip()[:1] == b"{":
        from convsize.importing.keras.read import read_keras

        return read_keras(data, source, shape).calls
    from convsize.importing.pasted.text import read_text

    try:
        return read_text(data.decode("utf-8-sig"), source, shape)
    except UnicodeDecodeError:
        raise UsageError(f"`{source}` is no text in UTF-8") from None


def _bytes(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(_LARGEST)
    try:
        with open(source, "rb") as file:  # noqa: PTH123 (a path may be a pipe, and only so much of it is read)
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file `{source}`") from None
    except OSError as error:
        raise UsageError(f"`{source}` cannot be read: {error.strerror or error}") from None
    if len(data) > _LARGEST:
        raise UsageError(f"`{source}` is larger than a model's file may be: {_LARGEST:,} bytes")
    return data
