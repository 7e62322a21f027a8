"""Files of Keras: archives, versions, and files that are meant to harm."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from convsize.errors import UsageError
from convsize.importing.calls import CallList
from convsize.importing.keras import files
from convsize.importing.keras.read import read_keras


def layer(kind: str, name: str, *inputs: Any, **config: Any) -> dict[str, Any]:
    """A layer as Keras 3 writes it; inputs are names, or (name, call)."""
    history = [each if isinstance(each, tuple) else (each, 0) for each in inputs]
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": [source, call, 0]}} for source, call in history
    ]
    args: list[Any] = tensors if len(tensors) < 2 else [tensors]
    nodes = [{"args": args, "kwargs": {}}] if inputs else []
    return {"module": "keras.layers", "class_name": kind, "config": config, "name": name, "inbound_nodes": nodes}


def functional(*layers: dict[str, Any], output: Any = None) -> dict[str, Any]:
    first = layer("InputLayer", "x", batch_shape=[None, 8, 9, 4])
    ends = {"input_layers": ["x", 0, 0], "output_layers": output or [layers[-1]["name"], 0, 0]}
    return {"class_name": "Functional", "module": "keras", "config": {"layers": [first, *layers], **ends}}


def read(config: Any, shape: tuple[int, ...] | None = None) -> CallList:
    return read_keras(json.dumps(config).encode(), "a.json", shape).calls


def archive(config: Any, version: str = "3.4.0", **more: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        file.writestr("metadata.json", json.dumps({"keras_version": version}))
        for name, each in more.items():
            file.writestr(name, each)
    return data.getvalue()


CONV = layer("Conv2D", "a", "x", filters=6, kernel_size=[3, 3])


def test_an_archive_is_its_configuration() -> None:
    plain, packed = read(functional(CONV)), read_keras(archive(functional(CONV)), "a.json").calls
    assert plain == packed
    assert [(call.op, call.results[0].shape) for call in plain.calls] == [("conv2d", (2, 6, 6, 7))]
    assert [(each.path, each.shape) for each in plain.parameters] == [("a/kernel", (6, 4, 3, 3)), ("a/bias", (6,))]
    assert [each.path for each in plain.calls[0].scope] == ["", "a"]


def test_a_model_of_keras_2_is_read() -> None:
    own = {"filters": 6, "kernel_size": [3, 3], "name": "a"}
    body = {
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 8, 9, 4]},
                "name": "x",
                "inbound_nodes": [],
            },
            {"class_name": "Conv2D", "config": own, "name": "a", "inbound_nodes": [[["x", 0, 0, {}]]]},
            {"class_name": "Conv2D", "config": own, "name": "b", "inbound_nodes": [[["x", 0, 0, {}]]]},
            {"class_name": "Add", "config": {}, "name": "c", "inbound_nodes": [[["a", 0, 0, {}], ["b", 0, 0, {}]]]},
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["c", 0, 0]],
    }
    calls = read({"class_name": "Functional", "config": body, "keras_version": "2.9.0"})
    assert [call.op for call in calls.calls] == ["conv2d", "conv2d", "add"]
    chain = [{"class_name": "Conv2D", "config": {**own, "batch_input_shape": [None, 8, 9, 4]}}]
    calls = read({"class_name": "Sequential", "config": {"name": "s", "layers": chain}, "keras_version": "2.9.0"})
    assert calls.calls[0].results[0].shape == (2, 6, 6, 7)
    calls = read({"class_name": "Sequential", "config": chain})
    assert calls.calls[0].results[0].shape == (2, 6, 6, 7)


def test_channels_first_stand_first() -> None:
    config = functional(layer("Conv2D", "a", "x", filters=6, kernel_size=3, data_format="channels_first"))
    assert read(config).inputs[0].shape == (2, 8, 9, 4)
    assert read(config).calls[0].results[0].shape == (2, 6, 7, 2)


def test_open_sizes_are_given() -> None:
    config = functional(CONV)
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, None, None, 4]
    with pytest.raises(UsageError, match="leaves sizes open: give them by --input"):
        read(config)
    assert read(config, (4, 20, 30)).calls[0].results[0].shape == (2, 6, 18, 28)
    with pytest.raises(UsageError, match=r"its input is 4@\?x\?, and another is given"):
        read(config, (3, 20, 30))


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    first = {"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 9, 4]}}
    return {"class_name": "Sequential", "module": "keras", "config": {"layers": [first, *layers]}}


def deep(turns: int) -> dict[str, Any]:
    """Models in one another, each of which calls the one inside twice."""
    inner = functional(layer("ReLU", "r", "x"))
    for _ in range(turns):
        nested = {**inner, "name": "n", "inbound_nodes": []}
        for source in (("x", 0), ("n", 0)):
            nested["inbound_nodes"].append(layer("", "", source)["inbound_nodes"][0])
        inner = functional(nested, output=["n", 1, 0])
    return inner


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ([], "a model must be a record"),
        ({}, "no Sequential or Functional model"),
        ({"class_name": "MyModel", "config": {}}, "`MyModel` is computed by code of its own"),
        ({"class_name": "Functional", "config": 3}, "must be a record"),
        ({"class_name": "Functional", "config": {"layers": []}}, "has no layers"),
        ({"class_name": "Functional", "config": {"layers": [CONV]}}, "what goes in and what comes out"),
        (functional(layer("Lambda", "a", "x", function="evil")), "Lambda .`a`.: it holds code, which is not run"),
        (functional(layer("MultiHeadAttention", "a", "x")), "attention of Keras is not read yet"),
        (functional({**CONV, "module": "evil.layers"}), r"evil.layers.Conv2D .`a`.: what this class computes"),
        (functional({**CONV, "module": None, "registered_name": "my>Conv2D"}), "my>Conv2D"),
        (
            functional(layer("A", "a", "x"), layer("B", "b", "x"), layer("A", "c", "x")),
            r"2 kinds.*\n.*A .2 times.*\n.*B",
        ),
        (functional(layer("Conv2D", "a", "b", filters=1, kernel_size=1), layer("ReLU", "b", "a")), "in a circle"),
        (functional(layer("ReLU", "a", "q")), "takes call 0 of `q`, which is not there"),
        (functional(layer("ReLU", "a", ("x", 1))), "there is no tensor 0 of `x`"),
        (functional(CONV, output=["a", 1, 0]), "there is no tensor 0 of `a`"),
        (functional(CONV, CONV), "two of its layers have one name"),
        (functional(layer("Conv2D", "a", "x", filters=6)), "`kernel_size` is missing"),
        (functional(layer("Conv2D", "a", "x", filters=6, kernel_size=1, twist=3)), "no argument `twist`"),
        (functional(layer("Conv2D", "a", "x", filters="6", kernel_size=1)), "its `filters` is '6'"),
        (functional(layer("Conv2D", "a", "x", filters=0, kernel_size=1)), "nothing is left|must be"),
        (functional(layer("Conv2D", "a", "x", filters=2**60, kernel_size=1)), "more values than any can"),
        (functional(layer("Conv2D", "a", "x", filters=6, kernel_size=[1, 2, 3])), "must be of 2 numbers"),
        (functional(layer("Conv2D", "a", "x", filters=6, kernel_size=1, padding="odd")), "its `padding` is 'odd'"),
        (functional(layer("Conv2D", "a", "x", filters=6, kernel_size=1, activation="my")), "activation is `my`"),
        (functional(layer("Conv2D", "a", "x", filters=6, kernel_size=1, dtype="mixed_float16")), "not in float32"),
        (functional(layer("Conv1D", "a", "x", filters=6, kernel_size=1)), "over 1 axis of positions, and is given 2"),
        (functional(layer("BatchNormalization", "a", "x", axis=2)), "axis 2, which is not the depth"),
        (functional(layer("BatchNormalization", "a", "x", renorm=True)), "its `renorm` is True"),
        (functional(layer("PReLU", "a", "x")), "slopes of its own at every position"),
        (functional(layer("Reshape", "a", "x", target_shape=[5, -1])), "cannot be seen as"),
        (functional(layer("Permute", "a", "x", dims=[1, 1, 2])), "no order of the axes"),
        (functional(layer("Add", "a", "x")), "joins 1 tensor"),
        (functional(layer("Dropout", "a", "x", rate=7)), "between 0 and 1"),
        (deep(30), "models stand in one another more than"),
        (deep(17), "more than 50,000 calls"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_be_read_is_named(config: Any, problem: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){problem}"):
        read(config)


@pytest.mark.parametrize(
    ("version", "problem"), [("", "does not say of which"), ("2.4.0", "not of Keras 3"), ("3.4.0", "")]
)
def test_a_word_of_two_meanings_needs_the_version(version: str, problem: str) -> None:
    gate = {"class_name": "Activation", "config": {"activation": "hard_sigmoid"}, "module": "keras.layers"}
    config = {**sequential(gate), "keras_version": version}
    if not problem:
        assert [call.op for call in read(config).calls] == ["hardsigmoid"]
        return
    with pytest.raises(UsageError, match=f"one function in Keras 2 and another in Keras 3, and .*{problem}"):
        read(config)
    gate["config"] = {
        "activation": "hard_sigmoid",
        "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}},
    }
    assert version or read(config).calls  # Keras 3 alone writes its types so


def test_what_a_file_says_of_shapes_must_be_so() -> None:
    config = functional(CONV, layer("ReLU", "b", "a"))
    tensor = config["config"]["layers"][2]["inbound_nodes"][0]["args"][0]["config"]
    tensor["shape"] = [None, 6, 7, 6]
    read(config)
    tensor["shape"] = [None, 6, 7, 5]
    with pytest.raises(UsageError, match=r"says that `a` gives \[6, 7, 5\], and it gives 6x7x6"):
        read(config)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no JSON"),
        (b"{" * 100_000, "no JSON|nested"),
        (b"[" * 1_000_000, "no JSON|nested"),
        (b'{"class_name": 1e400}', "no JSON|no Sequential"),
        (b" " * (files.LARGEST_CONFIG + 1), "larger than a configuration"),
        (archive(b" " * (2 * files.LARGEST_CONFIG)), "holds a config.json of more than"),
        (archive(functional(CONV))[:-40], "no whole .keras archive"),
        (archive(functional(CONV))[:200], "no whole .keras archive"),
        (archive(b"{"), "config.json` is no JSON"),
        (b"PK\x03\x04", "no whole .keras archive"),
        (b"\x89HDF\r\n\x1a\n", "h5py"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",  # archives hold the time of day
)
def test_files_that_are_broken_or_bombs_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_keras(data, "a.keras")


def test_broken_archives_never_crash() -> None:
    whole = archive(functional(CONV))
    for at in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[at] ^= 0x55
        try:
            read_keras(bytes(broken), "a.keras")
        except UsageError:
            continue


def test_a_member_that_lies_of_its_size_is_read_to_the_limit(tmp_path: Path) -> None:
    whole = bytearray(archive(b" " * (2 * files.LARGEST_CONFIG)))
    at = whole.index(b"PK\x01\x02")
    whole[at + 24 : at + 28] = (100).to_bytes(4, "little")  # the size that the directory states
    (tmp_path / "a.keras").write_bytes(whole)
    with pytest.raises(UsageError):
        read_keras(bytes(whole), "a.keras")
