"""The tools themselves, run on the file that convsize exports of a network."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from convsize.graph.network import Network
from convsize.lowering.plan import lower
from convsize.lowering.source.file import write

torch = pytest.importorskip("torch")


def module_of(network: Network) -> Any:
    """The module of the exported file, in evaluation mode."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(write(lower(network)), "<exported>", "exec"), namespace)
    classes = [each for each in namespace.values() if isinstance(each, type) and each.__module__ == "exported"]
    return classes[-1]().eval()


def _tool(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:  # a torchvision without its compiled part is a RuntimeError
        pytest.skip(f"{name} is not here: {error}")


def _thop(module: Any, sample: Any) -> int:
    total, _ = _tool("thop").profile(module, (sample,), verbose=False)
    return int(total)


def _torchinfo(module: Any, sample: Any) -> int:
    return int(_tool("torchinfo").summary(module, input_data=sample, verbose=0, mode="eval").total_mult_adds)


def _fvcore(module: Any, sample: Any) -> int:
    analysis = _tool("fvcore.nn").FlopCountAnalysis(module, sample)
    return int(analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())


def _ptflops(module: Any, sample: Any) -> int:
    ptflops = _tool("ptflops")
    shape = tuple(sample.shape[1:])
    quiet = {"as_strings": False, "print_per_layer_stat": False, "backend": "pytorch"}
    total, _ = ptflops.get_model_complexity_info(module, shape, **quiet)
    return int(total)


def _torch(module: Any, sample: Any) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(sample)
    return int(counter.get_total_flops())


TOOLS: dict[str, Callable[[Any, Any], int]] = {
    "torch": _torch,
    "fvcore": _fvcore,
    "ptflops": _ptflops,
    "thop": _thop,
    "torchinfo": _torchinfo,
}


def figure_of(tool: str, network: Network) -> int:
    """What a tool says of a network, for one sample."""
    (start,) = network.inputs.values()
    sample = torch.zeros(1, *network.nodes[start].output.dims)
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return TOOLS[tool](module_of(network), sample)
    finally:
        logging.disable(disabled)
