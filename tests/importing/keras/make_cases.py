"""Writes cases.json with Keras itself: configurations of small models and what they compute.

Run by hand where Keras is installed: `KERAS_BACKEND=jax python -m tests.importing.keras.make_cases`. Weights and inputs
are a formula of their path and shape, so that the file need not hold them; inputs have their depth first.
"""

import json
import math
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("cases.json")


def formula(path: str, shape: tuple[int, ...]) -> list[float]:
    """Values for a tensor, row by row; variances are positive."""
    start = sum(map(ord, path)) % 17
    count = math.prod(shape)
    found = [math.sin(1.3 * at + start) * 0.5 for at in range(count)]
    return [abs(each) + 0.5 for each in found] if path.endswith("variance") else found


def models(keras: Any) -> dict[str, Any]:
    """The small models by name."""
    layers, ops = keras.layers, keras.ops
    found = {}

    def chain(name: str, shape: tuple[int, ...], *parts: Any) -> None:
        found[name] = keras.Sequential([keras.Input(shape, name="x"), *parts])

    c2, c1, c3 = (9, 8, 4), (11, 4), (5, 6, 4, 2)
    chain("conv2d", c2, layers.Conv2D(6, (3, 2), strides=(2, 1), padding="same", activation="relu", name="a"))
    chain("conv2d groups", c2, layers.Conv2D(6, 3, groups=2, dilation_rate=2, use_bias=False, name="a"))
    chain("conv1d causal", c1, layers.Conv1D(5, 3, padding="causal", dilation_rate=2, activation="gelu", name="a"))
    chain("conv3d", c3, layers.Conv3D(3, 2, padding="same", strides=2, name="a"))
    for kernel, stride in ((3, 2), (2, 2), (4, 2), (2, 3), (5, 3)):
        for padding in ("same", "valid"):
            part = layers.Conv2DTranspose(5, kernel, strides=stride, padding=padding, name="a")
            chain(f"transposed {kernel} {stride} {padding}", (4, 5, 3), part)
    chain("transposed 1d", c1, layers.Conv1DTranspose(5, 3, strides=2, padding="same", name="a"))
    chain("depthwise", c2, layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, name="a"))
    chain("depthwise 1d", c1, layers.DepthwiseConv1D(3, name="a"))
    chain("separable", c2, layers.SeparableConv2D(6, 3, padding="same", activation="tanh", name="a"))
    chain("separable 1d", c1, layers.SeparableConv1D(6, 3, depth_multiplier=2, name="a"))
    chain("dense", c2, layers.Flatten(), layers.Dense(7, activation="softmax", name="a"))
    chain("dense dropped", c2, layers.Flatten(), layers.ReLU(), layers.Dropout(0.5), layers.Dense(3, name="a"))
    chain("flat normed", c2, layers.Flatten(), layers.BatchNormalization(name="a"), layers.Dense(3, name="b"))
    chain("dense over maps", c2, layers.Dense(7, activation="swish", name="a"), layers.Softmax())
    chain("batch norm", c2, layers.BatchNormalization(name="a"), layers.ReLU(6.0))
    chain("batch norm bias", c2, layers.BatchNormalization(scale=False, name="a"), layers.ReLU(negative_slope=0.1))
    chain("batch norm gain", c2, layers.BatchNormalization(center=False, name="a"), layers.LeakyReLU(0.2))
    chain("batch norm bare", c2, layers.BatchNormalization(center=False, scale=False, name="a"), layers.ELU(0.7))
    chain("layer norm", c2, layers.LayerNormalization(name="a"), layers.Activation("hard_sigmoid"))
    chain("layer norm bias", c2, layers.LayerNormalization(scale=False, name="a"), layers.Activation("hard_swish"))
    chain("group norm", c2, layers.GroupNormalization(2, name="a"), layers.Activation("mish"))
    chain("instance norm", c2, layers.GroupNormalization(-1, scale=False, name="a"), layers.Activation("selu"))
    chain("prelu", c2, layers.PReLU(shared_axes=[1, 2], name="a"), layers.Activation("softplus"))
    for name in ("leaky_relu", "hard_tanh", "softsign", "celu", "exponential", "log_sigmoid", "relu6", "log_softmax"):
        chain(name, (3, 5), layers.Activation(name))
    for how in ("Max", "Average"):
        pool = getattr(layers, f"{how}Pooling2D")
        chain(f"{how} valid", c2, pool((3, 2), strides=(3, 2)))
        chain(f"{how} same", (9, 9, 4), pool(3, strides=2, padding="same"))
        chain(f"{how} 1d", c1, getattr(layers, f"{how}Pooling1D")(2, padding="same"))
        chain(f"{how} 3d", c3, getattr(layers, f"{how}Pooling3D")(2))
        chain(f"Global {how}", c2, getattr(layers, f"Global{how}Pooling2D")(), layers.Dense(3, name="a"))
        chain(f"Global {how} kept", c2, getattr(layers, f"Global{how}Pooling2D")(keepdims=True))
        chain(f"Global {how} 1d", c1, getattr(layers, f"Global{how}Pooling1D")())
    chain("padding", c2, layers.ZeroPadding2D(((1, 2), (0, 3))), layers.Cropping2D(((0, 1), (2, 0))))
    chain("padding 1d", c1, layers.ZeroPadding1D((1, 2)), layers.Cropping1D(1))
    chain("padding 3d", c3, layers.ZeroPadding3D((1, 2, 0)), layers.Cropping3D(1))
    chain("up", c2, layers.UpSampling2D((2, 3)), layers.UpSampling2D(2, interpolation="bilinear"))
    chain("up 1d", c1, layers.UpSampling1D(2))
    chain("up 3d", c3, layers.UpSampling3D((1, 2, 1)))
    chain("reshape", (4, 6), layers.Reshape((2, -1, 3)), layers.Permute((2, 3, 1)))
    chain("rescaling", c2, layers.Rescaling(0.5, offset=-1.0), layers.Rescaling([1.0, 2.0, 3.0, 4.0], offset=0.0))
    chain("normalization", c2, layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 0.5]))
    chain("adapted", c2, layers.Normalization(name="a"))
    chain("dropout", c2, layers.Dropout(0.2), layers.SpatialDropout2D(0.1), layers.GaussianNoise(0.3))

    x = keras.Input(c2, name="x")
    left = layers.Conv2D(4, 3, padding="same", name="a")(x)
    right = layers.Conv2D(4, 1, name="b")(x)
    joined = layers.Concatenate()([layers.Add()([left, right, x]), layers.Multiply()([left, right])])
    joined = layers.Concatenate()([joined, layers.Subtract()([left, x]), layers.Average()([left, right, x])])
    gate = layers.Dense(16, activation="sigmoid", name="d")(layers.GlobalAveragePooling2D()(joined))
    gated = layers.Multiply()([joined, layers.Reshape((1, 1, 16))(gate)])
    found["joins"] = keras.Model(x, layers.Flatten()(gated))

    x = keras.Input(c2, name="x")
    y = ops.relu6(2.0 * x + 3.0) / 6.0
    y = 1.0 - y * x
    found["operations"] = keras.Model(x, ops.mean(y - 0.5, axis=[1, 2], keepdims=True))

    x = keras.Input(c2, name="x")
    inner = keras.Sequential([layers.Conv2D(4, 1, name="c"), layers.ReLU()], name="inner")
    y = inner(inner(x))
    shared = layers.Conv2D(4, 3, padding="same", name="s")
    found["shared"] = keras.Model(x, [shared(shared(y)), y])

    x = keras.Input(c2, name="x")
    part = keras.Model(x, layers.Conv2D(3, 1, name="p")(x), name="part")
    found["nested chain"] = keras.Sequential([keras.Input(c2, name="x"), part, layers.Flatten()])
    return found


def stripped(config: Any) -> Any:
    """A configuration without what is to no purpose here: how weights are initialised."""
    if isinstance(config, dict):
        ends = ("_initializer", "_regularizer", "_constraint", "compile_config")
        return {key: stripped(each) for key, each in config.items() if not key.endswith(ends)}
    return [stripped(each) for each in config] if isinstance(config, list) else config


def weights_set(model: Any, numpy: Any, prefix: str = "") -> None:
    """Every weight has the values of the formula."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            weights_set(layer, numpy, f"{prefix}{layer.name}/")
            continue
        for weight in layer.weights:
            if weight.name != "count":
                shape = tuple(weight.shape)
                weight.assign(numpy.array(formula(f"{prefix}{layer.name}/{weight.name}", shape)).reshape(shape))
        if type(layer).__name__ == "Normalization" and layer.input_mean is None:
            layer.finalize_state()


def main() -> None:
    """Writes the file."""
    import keras
    import numpy

    found = []
    for name, model in models(keras).items():
        weights_set(model, numpy)
        shape = model.inputs[0].shape[1:]
        mine = numpy.array(formula("x", (2, shape[-1], *shape[:-1]))).reshape(2, shape[-1], *shape[:-1])
        given = model(numpy.moveaxis(mine, 1, -1).astype("float32"), training=False)
        outputs = given if isinstance(given, list | tuple) else [given]
        shapes = [list(map(int, each.shape)) for each in outputs]
        values = [[float(f"{value:.7g}") for value in numpy.array(each).flatten()[:60]] for each in outputs]
        total = int(sum(numpy.prod(weight.shape) for weight in model.weights))
        config = stripped(json.loads(model.to_json()))
        found.append({"name": name, "config": config, "total": total, "shapes": shapes, "values": values})
    FILE.write_text("[\n" + ",\n".join(json.dumps(each, separators=(",", ":")) for each in found) + "\n]\n")


if __name__ == "__main__":
    main()
