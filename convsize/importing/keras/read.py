"""Models of Keras as call lists."""

from __future__ import annotations

from convsize.errors import UsageError
from convsize.importing.calls import CallList
from convsize.importing.keras.config import model_of
from convsize.importing.keras.files import config_of
from convsize.importing.keras.graph import called_in_order
from convsize.importing.keras.layers.called import Orders
from convsize.importing.writer import CallError
from convsize.record import Record

__all__ = ["KerasModel", "read_keras"]


class KerasModel(Record):
    """The calls of a model. orders: how PyTorch's weights are made from Keras's, by their paths.

    A weight is seen in the axes of the first, these are put into the order of the second, and the values, row by row,
    are the weight in the shape that the call list has. One that is not there is as it is.
    """

    calls: CallList
    orders: Orders


def read_keras(data: bytes, source: str, shape: tuple[int, ...] | None = None) -> KerasModel:
    """The calls of a model in a .keras archive, in the JSON that `to_json` gives, or in an .h5 file.

    `shape`, depth first and without the batch, says what the model leaves open. Nothing of the model is run.
    Raises UsageError where the bytes hold no such model, or where a layer cannot be read.
    """
    config, version = config_of(data, source)
    try:
        model = model_of(config, version)
    except CallError as problem:
        raise UsageError(f"`{source}`: {problem}") from None
    except RecursionError:
        raise UsageError(f"`{source}` is nested too deeply") from None
    return KerasModel(*called_in_order(source, model, shape))
