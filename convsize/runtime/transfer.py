"""Transfer learning: weights from another training, into all of a network but its new head."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor, nn

from convsize.errors import UsageError
from convsize.words import listed, plural

_PICKLES = (b"\x80", b"PK\x03\x04")
"""How files of torch.save begin: old ones with the pickle itself, new ones with the archive that holds it."""

_NAMED = 5


def load_weights(
    path: Path, module: nn.Module, *, fresh: Collection[str] = (), dropped: Collection[str] = ()
) -> tuple[str, ...]:
    """Puts the weights of a safetensors file into a module, by name and shape.

    fresh: the layers that keep the weights they begin with; dropped: layers that the file may have and the module has
    not, or not as they were. Every other tensor of the file and of the module must be in both, with one shape; only
    the counts of a batch norm's steps may be missing. Returns what was done, sentences for the user.

    Raises UsageError where the file cannot be read, is no safetensors file, or does not fit; nothing is loaded then.
    """
    found = read_weights(path)
    own = {name: value for name, value in module.state_dict().items() if _layer(name) not in fresh}
    left = {name for name in found if name not in own and _layer(name) in {*fresh, *dropped}}
    foreign = sorted(found.keys() - own.keys() - left)
    missing = sorted(name for name in own.keys() - found.keys() if not name.endswith("num_batches_tracked"))
    differing = [
        f"{name} ({_shape(found[name])}, here {_shape(value)})"
        for name, value in own.items()
        if name in found and found[name].shape != value.shape
    ]
    if differing:
        raise UsageError(
            f"`{path}` has different shapes: {listed(differing, most=_NAMED)}. For other classes replace the last "
            "layer: --head FC10"
        )
    if missing or foreign:
        problems = [
            *([f"it has no {listed(missing, most=_NAMED)}"] if missing else []),
            *([f"this network has no {listed(foreign, most=_NAMED)}"] if foreign else []),
        ]
        raise UsageError(f"`{path}` is of a different network: {'; '.join(problems)}")
    _require_sound(path, found, own)
    with torch.no_grad():
        for name, value in own.items():
            if name in found:
                value.copy_(found[name])
    said = [f"{plural(len(own), 'tensor')} from {path}"]
    if new := sorted({_layer(name) for name in module.state_dict() if _layer(name) in fresh}):
        said.append(f"not in {path.name}: {', '.join(new)}")
    if left:
        said.append(f"left in {path.name}: {', '.join(sorted({_layer(name) for name in left}))}")
    return tuple(said)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises UsageError where it cannot be read or is something else; files of torch.save are pickles, which can run code,
    and are never loaded.
    """
    try:
        import safetensors
        from safetensors.torch import load
    except ImportError:
        raise UsageError(
            "weights are read by safetensors, which is not installed: pip install 'convsize[train]'"
        ) from None
    if path.exists() and not path.is_file():
        raise UsageError(f"`{path}` is not a file of weights")
    try:
        with path.open("rb") as file:
            data = file.read(9)
    except FileNotFoundError:
        raise UsageError(f"there is no file `{path}`") from None
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror}") from None
    if data.startswith(_PICKLES) and data[8:9] != b"{":  # a header's length may begin as a pickle does
        raise UsageError(
            f"`{path}` is a file of torch.save, a pickle, which can run code and is never loaded. If you trust it, "
            'convert its weights to a safetensors file: python -c "import torch, safetensors.torch as s; '
            f"s.save_file(torch.load('{path.name}', weights_only=True), '{path.with_suffix('.safetensors').name}')\""
        )
    try:
        # By its header and its length the file is looked at first: it may say that it is larger than any memory.
        with safetensors.safe_open(path, "pt"):
            pass
        return load(path.read_bytes())
    except (OSError, MemoryError, safetensors.SafetensorError, KeyError, ValueError, TypeError) as error:
        raise UsageError(f"`{path}` is not a complete safetensors file: {error}") from None


def _require_sound(path: Path, found: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    """Raises UsageError where weights are of another kind of number, or no numbers in the module's own type."""
    kinds = [
        f"{name} ({str(found[name].dtype).removeprefix('torch.')})"
        for name, value in own.items()
        if name in found and _kind(found[name]) != _kind(value)
    ]
    if kinds:
        raise UsageError(f"`{path}` has numbers of another kind: {listed(kinds, most=_NAMED)}")
    unsound = [
        name
        for name, value in own.items()
        if name in found
        and value.is_floating_point()
        and (
            not found[name].to(value.dtype).isfinite().all()
            or (name.endswith("running_var") and bool((found[name] < 0).any()))
        )
    ]
    if unsound:
        raise UsageError(
            f"`{path}` has weights that are NaN or infinite, or variances below 0: "
            f"{listed(unsound, most=_NAMED)}. It is damaged, or of a training that failed"
        )


def _kind(value: Tensor) -> str:
    return "float" if value.is_floating_point() else "complex" if value.is_complex() else "whole"


def _layer(tensor: str) -> str:
    return tensor.rpartition(".")[0]


def _shape(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "a number"
