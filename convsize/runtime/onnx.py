"""A network as an ONNX model, through PyTorch's exporter."""

from __future__ import annotations

import logging
import re
import warnings
from ast import literal_eval
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from convsize.errors import UsageError
from convsize.lowering.plan import Plan
from convsize.runtime.module import NetworkModule, build_module
from convsize.runtime.transfer import load_weights
from convsize.words import listed, plural

_PACKAGES = ("onnx", "onnxscript")

_LARGEST = 2**31 - 1
"""Bytes of a model in one file: the format is protobuf, which stops there."""


def onnx_bytes(plan: Plan, module: NetworkModule | None = None, weights: Path | None = None) -> bytes:
    """An ONNX model in evaluation mode, checked by onnx's own checker.

    Inputs and outputs are called as in the spec (the trunk's end is `main`), parameters as in the state_dict, operators
    and values after their layers. The first axis of every input is the batch, of any size. Weights are the module's,
    or drawn from seed 0 where none is given, and those of a safetensors file where there is one.

    Raises UsageError where the extra `onnx` is not installed, where the weights do not fit or take more than a file of
    this format holds, or where PyTorch cannot say a layer in ONNX.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"this needs {listed(missing)}, which is not installed: pip install 'convsize[onnx]'")
    if module is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = build_module(plan)
    if weights is not None:
        load_weights(weights, module)
    size = sum(tensor.nbytes for tensor in module.state_dict().values())
    if size > _LARGEST:
        raise UsageError(f"{plan.name}: its {plural(size, 'byte')} of weights exceed the limit of an ONNX file (2 GiB)")
    import onnx  # type: ignore[import-untyped, import-not-found, unused-ignore]

    program = _exported(plan, module.eval())
    _tidy(program.model, set(module.state_dict()))
    _rename(program.model.graph, dict(module.named_modules()))
    model = program.model_proto
    model.producer_name = "convsize"
    model.doc_string = ""
    try:
        onnx.checker.check_model(model, full_check=True)
    except onnx.shape_inference.InferenceError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UsageError(
            f"{plan.name} cannot be exported to ONNX: its sizes differ there from PyTorch's (ONNX keeps a last "
            f"window that PyTorch leaves out): {reason}"
        ) from None
    found: bytes = model.SerializeToString()
    return found


def _exported(plan: Plan, module: NetworkModule) -> Any:
    # Two samples: with one, the exporter takes the batch for a constant.
    inputs: tuple[Tensor, ...] = tuple(
        torch.zeros((2, *each.dims), dtype=torch.int64) if each.tokens else torch.rand(2, *each.dims)
        for each in plan.inputs
    )
    batch = torch.export.Dim("batch", min=1)
    # It tells of every package that it could use and does not find.
    registry = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registry.level
    registry.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                # Its optimiser drops biases that are 0, as they are before training, and folds norms into convolutions.
                optimize=False,
                verbose=False,
                input_names=[each.name for each in plan.inputs],
                output_names=[name for name, _ in plan.outputs],
                dynamic_shapes={"inputs": tuple({0: batch} for _ in inputs)},
            )
    except torch.onnx.OnnxExporterError as error:
        raise UsageError(f"{plan.name} cannot be exported to ONNX: {_reason(plan, error)}") from error
    finally:
        registry.setLevel(level)


def _reason(plan: Plan, error: Exception) -> str:
    """Why the exporter gave up: the operator that it has no translation of, and the layers that call it."""
    said = str(error.__cause__ or error).strip()
    found = re.search(r"target=torch\.ops\.aten\.(\w+)\.", said)
    if found is None:
        return next(iter(said.splitlines()), "the exporter does not say why")
    operator = found[1]
    plain = operator.replace("_", "")
    layers = [
        step.name
        for step in plan.steps
        if any(each.target.rpartition(".")[2].lower() == plain for each in (*step.before, step.call, *step.after))
    ]
    return f"PyTorch's exporter cannot say `{operator}`{f', as in {listed(layers)}' if layers else ''}"


def _tidy(model: Any, parameters: set[str]) -> None:
    """Works out what does not depend on inputs and parameters, and takes away the zeros that stand for no bias."""
    from onnxscript import optimizer

    def free(node: Any) -> bool | None:
        return False if any(value is not None and value.name in parameters for value in node.inputs) else None

    optimizer.fold_constants(model, should_fold=free)
    for node in model.graph:
        if node.op_type in ("Conv", "ConvTranspose") and len(node.inputs) == 3:
            bias = node.inputs[2]
            if bias is not None and bias.name not in parameters:
                node.replace_input_with(2, None)
    optimizer.remove_unused_nodes(model)


def _rename(graph: Any, layers: dict[str, object]) -> None:
    """Operators and what they give are called after the layer: `bot3.conv2`, then `bot3.conv2.Add` in it."""
    taken = {value.name for value in (*graph.inputs, *graph.outputs, *graph.initializers.values())}
    for node in graph:
        scopes = literal_eval(node.metadata_props.get("pkg.torch.onnx.name_scopes", "[]"))
        layer = next((scope for scope in reversed(scopes) if scope and scope in layers), "")
        wanted = layer if layer and layer not in taken else f"{layer}.{node.op_type}".lstrip(".")
        name, count = wanted, 1
        while name in taken:
            count += 1
            name = f"{wanted}_{count}"
        taken.add(name)
        node.name = name
        for place, value in enumerate(node.outputs):
            if not value.is_graph_output():
                value.name = name if not place else f"{name}:{place}"
        node.metadata_props.clear()
