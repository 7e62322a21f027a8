"""Reading spec files: bytes in, a source out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from convsize.errors import Diagnostic, Source, Span, SpecError, UsageError

if TYPE_CHECKING:
    pass


SUFFIX = ".spec"

LARGEST_SPEC = 2**20
"""Bytes. HRNet-W18 takes a thousand; what is larger is no spec, and /dev/zero must not fill the memory."""


_NO_SPECS = {
    ".py": "Python code",
    ".ipynb": "a notebook",
    ".onnx": "an ONNX model",
    **dict.fromkeys((".pt", ".pth", ".pt2", ".ckpt"), "a file of PyTorch"),
    **dict.fromkeys((".keras", ".h5", ".pb", ".tflite"), "a model of Keras or TensorFlow"),
    ".safetensors": "a file of weights",
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".svg", ".pdf"), "a picture"),
}
"""What files are by their endings that people may give where a spec is meant."""


def read(path: str | os.PathLike[str]) -> Source:
    """The text of a spec file. Raises UsageError where there is none, SpecError (E019) where it is no text."""
    shown = os.fspath(path)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a path may be a pipe, and only so much of it is read)
            data = file.read(LARGEST_SPEC + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file `{shown}`") from None
    except IsADirectoryError:
        raise UsageError(f"`{shown}` is a folder; name the spec files in it, such as {shown}/*.spec") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"`{shown}` cannot be read: {reason}") from None
    if (kind := _NO_SPECS.get(os.path.splitext(shown)[1].lower())) is not None:  # noqa: PTH122
        raise UsageError(f"`{shown}` is {kind}, not a spec: write the network in the spec language first")
    return decode(data, shown)


def decode(data: bytes, name: str) -> Source:
    """Bytes as a source. Raises SpecError: E018 where they are too many, E019 where they are none or no UTF-8 text."""
    if len(data) > LARGEST_SPEC:
        message = f"this is larger than a spec may be: {LARGEST_SPEC:,} bytes"
        raise _unreadable("E018", name, "", message, "blocks (`def`) and repeats (`*12`) keep large networks short")
    if b"\0" in data:
        message = f"this is not text: byte {data.index(0) + 1} is 0"
        raise _unreadable("E019", name, "", message, "a spec is plain text in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        message = f"this is not UTF-8: byte {error.start + 1} is 0x{data[error.start]:02x}"
        raise _unreadable(
            "E019", name, before, message, "save it as UTF-8, for instance with `iconv -t utf-8`"
        ) from None
    if not text.strip():
        help_text = "write an input and layers: `input: 3@224x224`, then `C3D64 R M`"
        raise _unreadable("E019", name, "", "this spec is empty", help_text)
    return Source(text, name)


def _unreadable(code: str, name: str, before: str, message: str, help_text: str) -> SpecError:
    """An error after the last character that could be read."""
    end = len(before)
    return SpecError(Source(before, name), (Diagnostic(code, "error", message, Span(end, end), help_text),))
