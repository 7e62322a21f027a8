"""Pasted code of Keras: chains and graphs with literal arguments, read and never run."""

import pytest

from convsize.errors import UsageError
from convsize.importing.calls import CallList
from convsize.importing.pasted.text import read_text

CHAIN = """
from tensorflow.keras import layers, models
width = 8
model = models.Sequential([
    layers.Input(shape=(16, 16, 3)),
    layers.Conv2D(width * 2, (3, 3), padding="same", activation="relu", kernel_initializer=make()),
    layers.MaxPooling2D(),
    layers.Flatten(),
    layers.Dense(10, activation="softmax", name="top"),
])
model.summary()
"""

ADDED = """
model = Sequential()
model.add(Conv2D(16, 3, padding="same", activation="relu", input_shape=(16, 16, 3)))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(10, activation="softmax", name="top"))
model.compile(optimizer="adam", loss=loss)
"""

CALLED = """
import keras
inputs = keras.Input((16, 16, 3))
conv = keras.layers.Conv2D(filters=16, kernel_size=3, padding="same", activation="relu")
x = keras.layers.MaxPooling2D(2)(conv(inputs))
unused = keras.layers.Conv2D(9, 3)(x)
x = keras.layers.Flatten()(x)
outputs = keras.layers.Dense(10, activation="softmax", name="top")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
"""


def shown(calls: CallList) -> list[tuple[str, tuple[int, ...]]]:
    return [(call.op, call.results[0].shape) for call in calls.calls]


def test_three_ways_to_write_one_model_are_one() -> None:
    chain, added, called = (read_text(text, "-") for text in (CHAIN, ADDED, CALLED))
    assert shown(chain) == shown(added) == shown(called)
    assert shown(chain)[0] == ("conv2d", (2, 16, 16, 16))
    assert shown(chain)[-1] == ("softmax", (2, 10))
    assert [each.path for each in chain.parameters] == ["conv2d/kernel", "conv2d/bias", "top/kernel", "top/bias"]
    assert sum(each.size for each in called.parameters) == 16 * 27 + 16 + 1024 * 10 + 10


def test_tensors_are_added_and_layers_are_shared() -> None:
    text = """
x = Input(shape=(8, 8, 4))
conv = Conv2D(4, 3, padding="same")
y = add([conv(x), conv(conv(x))])
z = (2.0 * y - x) / 4
model = Model(x, [concatenate([y, z], axis=-1), z])
"""
    calls = read_text(text, "-")
    assert [call.op for call in calls.calls] == ["conv2d", "conv2d", "conv2d", "add", "mul", "sub", "div", "cat"]
    assert [each.path for each in calls.parameters] == ["conv2d/kernel", "conv2d/bias"]
    assert [each.label for each in calls.outputs] == ["0", "1"]


def test_open_sizes_are_given() -> None:
    text = "Sequential([Input((None, None, 3)), Conv2D(4, 3)])"
    with pytest.raises(UsageError, match="leaves sizes open"):
        read_text(text, "-")
    assert shown(read_text(text, "-", (3, 9, 8))) == [("conv2d", (2, 4, 7, 6))]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Sequential([Input((8, 8, 3)), Conv2D(n, 3)])", "line 1: `n` is no literal"),
        (
            "x = Input((8, 8, 3))\nfor i in range(3):\n  x = Conv2D(4, 3)(x)",
            "line 2: `for i in range.3.:` would have to be",
        ),
        ("x = Input((8, 8, 3))\ny = Conv2D(4, 3)(x)", "no Sequential"),
        ("x = Input((8, 8, 3))\nModel(x, My(3)(Conv2D(4, 3)(x)))", r"My .line 2.: what this class computes"),
        ("Sequential([Input((8, 8, 3)), Conv2D(4, 3, **more)])", "spreads arguments"),
        ("Sequential([Input((8, 8, 3)), Conv2D(4, 3, stride=2)])", r"line 1, Conv2D: it has no argument `stride`"),
        ("Sequential([Input((8, 8, 3)), Conv2D(4, 9)])", "line 1, Conv2D: .*nothing is left"),
        ("Sequential([Conv2D(4, 9)])", "does not say its input"),
        ("Sequential([])\nConv2D(1, 2)", "has no layers"),
        ("x = Input((8, 8, 3))\nModel(x, x ** Conv2D(4, 3)(x))", "no sum, difference, product or quotient"),
        ("x = Input((8, 8, 3))\nModel(x)", "takes its inputs and its outputs"),
        ("x = Input((8, 8, 3))\nModel(x, 3)", "takes tensors"),
        ("Sequential([Input((8, 8, 3)), Lambda(lambda x: x * 2), Conv2D(3, 1)])", "`lambda x: x . 2` is no literal"),
        ("Sequential([Input((8, 8, 3)), 3, Conv2D(3, 1)])", "`3` is no layer"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){problem}"):
        read_text(text, "net.py")


def test_names_are_those_of_their_imports() -> None:
    text = "from tensorflow.keras.layers import Conv2D as C, ReLU\nfrom tensorflow.keras import *\n"
    text += "import tensorflow as tf\nmodel = Sequential([tf.keras.Input((8, 8, 3)), C(4, 3), ReLU()])\nprint(model)"
    assert [op for op, _ in shown(read_text(text, "-"))] == ["conv2d", "relu"]


CHAINED = "import keras\nm = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{CHAINED}m.pop()", "line 3: `m.pop.*would have to be run"),
        (f"{CHAINED}m.layers.pop()", "line 3"),
        (f"{CHAINED}print(m.pop())", "line 3"),
        (f"{CHAINED}change(m)", "line 3: .*is given a model"),
        (f"{CHAINED}y = change(model=m)", "line 3: .*is given a model"),
        (f"{CHAINED}other.add(keras.layers.ReLU())", "line 3: .*may change the model"),
        (f"{CHAINED}m.layers[0].strides = 2", "line 3"),
        (f"{CHAINED}from foo import ReLU\nm.add(ReLU())", "foo.ReLU"),
        (f"{CHAINED}from foo import *\nm.add(ReLU())", "foo.ReLU"),
        (f"{CHAINED}m.add(foo.ReLU())", "foo.ReLU"),
        ("import keras\na = (1, 1)\n" + "a = (a, a)\n" * 40 + "Conv2D(a, 3)", "more than 10,000 values"),
    ],
    ids=lambda value: str(value)[-50:],
)
def test_changes_that_are_not_understood_are_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){problem}"):
        read_text(text, "net.py")
