"""Files of Keras: the configuration in them, read with limits, so that no file can fill the memory."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import msgspec

from convsize.errors import UsageError

__all__ = ["LARGEST_CONFIG", "config_of"]

LARGEST_CONFIG = 2**24
"""Bytes of a configuration. That of NASNet-Large, the longest of keras.applications, has half a million."""


def config_of(data: bytes, source: str) -> tuple[Any, str]:
    """The configuration in JSON, a .keras archive or an .h5 file, and the version of Keras that wrote it, or "".

    Raises UsageError where there is none, where it is too large, or where h5py is needed and not there.
    """
    if data[:4] == b"PK\x03\x04":
        return _archived(data, source)
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        return _h5(data, source)
    return _json(data, source), ""


def _json(data: bytes, source: str) -> Any:
    if len(data) > LARGEST_CONFIG:
        raise UsageError(f"`{source}` is larger than a configuration may be: {LARGEST_CONFIG:,} bytes")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"`{source}` is no JSON: {error}") from None
    except RecursionError:
        raise UsageError(f"`{source}` is nested too deeply") from None


def _archived(data: bytes, source: str) -> tuple[Any, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            config = _json(_member(archive, "config.json", source), f"{source}:config.json")
            version = ""
            if "metadata.json" in archive.namelist():
                found = _json(_member(archive, "metadata.json", source), f"{source}:metadata.json")
                version = str(found.get("keras_version", "")) if isinstance(found, dict) else ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UsageError(f"`{source}` is no whole .keras archive: {error}") from None
    except Exception as error:  # what a broken stream raises is zlib's or lzma's own
        if type(error).__module__ not in ("zlib", "lzma", "_lzma"):
            raise
        raise UsageError(f"`{source}` is no whole .keras archive: {error}") from None
    return config, version


def _member(archive: zipfile.ZipFile, name: str, source: str) -> bytes:
    """One file of an archive. What it says of its size may be a lie: no more is unpacked than may be there."""
    try:
        entry = archive.getinfo(name)
    except KeyError:
        raise UsageError(f"`{source}` holds no {name}: it is no .keras archive") from None
    with archive.open(entry) as file:
        found = file.read(LARGEST_CONFIG + 1)
    if len(found) > LARGEST_CONFIG:
        raise UsageError(f"`{source}` holds a {name} of more than {LARGEST_CONFIG:,} bytes")
    return found


def _h5(data: bytes, source: str) -> tuple[Any, str]:
    try:
        import h5py  # type: ignore[import-not-found]
    except ImportError:
        raise UsageError(f"reading `{source}` needs h5py: pip install h5py, or save the model as .keras") from None
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            text = file.attrs.get("model_config")
            version = file.attrs.get("keras_version", "")
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise UsageError(f"`{source}` is no whole .h5 file: {error}") from None
    if text is None:
        raise UsageError(f"`{source}` holds weights alone: save the whole model, or give its configuration")
    plain = text.encode() if isinstance(text, str) else bytes(text)
    return _json(plain, source), version.decode() if isinstance(version, bytes) else str(version)
