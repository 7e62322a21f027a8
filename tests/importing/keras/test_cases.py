"""Small models of Keras: the calls that they are read as compute what Keras computed."""

import json
from typing import Any

import pytest
import torch

from convsize.importing.keras.read import read_keras
from tests.importing.keras.make_cases import FILE, formula
from tests.importing.run_calls import run

CASES = json.loads(FILE.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_calls_compute_what_keras_does(case: dict[str, Any]) -> None:
    model = read_keras(json.dumps(case["config"]).encode(), "a.json")
    calls = model.calls
    values = {}
    for tensor in calls.tensors:
        if tensor.kind != "const":
            seen, order = model.orders.get(tensor.path, (tensor.shape, tuple(range(len(tensor.shape)))))
            value = torch.tensor(formula(tensor.path or "x", seen)).reshape(seen).permute(order)
            values[tensor.path or tensor.name] = value.reshape(tensor.shape)
    counted = sum(tensor.size for tensor in calls.tensors if tensor.kind in ("param", "buffer"))
    assert counted + ("adapted" in case["name"]) == case["total"]  # Keras counts a counter, too
    outputs = list(run(calls, values).values())
    assert len(outputs) == len(case["shapes"])
    for output, shape, expected in zip(outputs, case["shapes"], case["values"], strict=True):
        output = output.movedim(1, -1) if list(output.shape) != shape else output
        assert list(output.shape) == shape
        torch.testing.assert_close(output.flatten()[:60], torch.tensor(expected), atol=2e-6, rtol=2e-5)
