"""The capture: what a module calls for an input of a given size, written down by torch.export."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils import _pytree as pytree

from convsize.errors import UsageError
from convsize.importing.calls import BATCH, Argument, Call, CallList, Output, Ref, Result, Scope, Tensor
from convsize.words import listed

__all__ = ["capture"]

_KEPT = 4096
"""Buffers and constants up to so many values are kept: fixed kernels, means, position indices."""

_DROPPED_PATHS = ("DropPath", "StochasticDepth")


def capture(source: str, module: nn.Module, *inputs: tuple[int, ...]) -> CallList:
    """The calls of a module in evaluation for inputs of these depths and extents, in float32.

    The module is left as it was. Raises UsageError where PyTorch cannot export it, with the first line of its reason.
    """
    mode = FakeTensorMode(allow_non_fake_inputs=True, static_shapes=True)
    with _fake_parameters(module, mode), _marked(module), _quiet():
        with mode:
            given = tuple(torch.empty(BATCH, *shape) for shape in inputs)
        try:
            with torch.no_grad():
                program = torch.export.export(module, given, strict=False)
        except Exception as error:
            raise UsageError(f"PyTorch cannot export `{source}`: {_reason(error)}") from None
    return _Writer(source, module, program).written()


class _Writer:
    """Writes an exported program down."""

    def __init__(self, source: str, module: nn.Module, program: torch.export.ExportedProgram) -> None:
        self.source = source
        self.program = program
        self.tensors: list[Tensor] = []
        self.calls: list[Call] = []
        self.values: dict[torch.fx.Node, Argument] = {}
        self.numbers: dict[tuple[str, str], int] = {}
        self.paths: dict[int, str] = {}
        for name, parameter in itertools.chain(module.named_parameters(), module.named_buffers()):
            self.paths.setdefault(id(parameter), name)
        self.module = module

    def written(self) -> CallList:
        """All of it."""
        signature = self.program.graph_signature
        own = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        constants = dict(signature.inputs_to_lifted_tensor_constants)
        buffers = set(signature.inputs_to_buffers)
        names = iter(signature.user_inputs)
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                if node.name in own:
                    kind = "buffer" if node.name in buffers else "param"
                    self._tensor(node, kind, own[node.name])
                elif node.name in constants:
                    self._tensor(node, "const", constants[node.name])
                else:
                    next(names)
                    self._tensor(node, "input", "")
            elif node.op == "call_function":
                self._call(node)
        notes = self._state()
        known = {each.path for each in self.tensors if each.kind == "param"}
        for path, parameter in self.module.named_parameters():
            if path not in known:
                self.tensors.append(Tensor(f"unread.{path}", "param", tuple(parameter.shape), path, _kind(parameter)))
        return CallList(self.source, tuple(self.tensors), tuple(self.calls), tuple(self._outputs()), notes)

    def _state(self) -> tuple[str, ...]:
        """What there is to say of buffers that the model computes with: their numbers go into the spec as they are.

        Raises UsageError where they are 0 or 1 alone and belong to the state_dict: a checkpoint fills them.
        """
        passing = set(self.program.graph_signature.non_persistent_buffers)
        statistics = {
            argument.ref
            for call in self.calls
            for name, argument in call.arguments.items()
            if name in ("running_mean", "running_var") and isinstance(argument, Ref)
        }
        read = {each for call in self.calls for each in call.references()} - statistics
        found = [
            each
            for each in self.tensors
            if each.kind == "buffer" and each.name in read and each.path not in passing and "float" in each.dtype
        ]
        for each in found:
            if set(each.numbers) in ({0.0}, {1.0}):
                raise UsageError(
                    f"`{self.source}` computes with its buffer `{each.path}`, which is {each.numbers[0]:g} everywhere "
                    "until a checkpoint fills it, and a spec has fixed numbers: register it with persistent=False if "
                    "it is fixed, or make it a parameter"
                )
        if not found:
            return ()
        names = listed([f"`{each.path}`" for each in found], most=3)
        return (f"The numbers of {names} are those of the model as it is built; a checkpoint may hold others.",)

    def _tensor(self, node: torch.fx.Node, kind: Any, path: str) -> None:
        value = node.meta["val"]
        data = None
        if kind in ("buffer", "const"):
            held = self.program.constants.get(path)
            if held is None:
                held = self.program.state_dict.get(path)
            if held is not None and held.numel() <= _KEPT and held.device.type != "meta" and not _fake(held):
                data = tuple(map(_number, held.detach().flatten().tolist()))
        if kind == "param":
            path = self._first(path)
        self.values[node] = Ref(node.name)
        self.tensors.append(Tensor(node.name, kind, tuple(map(int, value.shape)), path, _kind(value), data))

    def _first(self, path: str) -> str:
        """The first name that a parameter is registered under."""
        parameter = self.module.get_parameter(path)
        return self.paths.get(id(parameter), path)

    def _call(self, node: torch.fx.Node) -> None:
        target: Any = node.target
        if getattr(target, "__name__", "") == "getitem" and isinstance(node.args[0], torch.fx.Node):
            self.values[node] = Ref(f"{node.args[0].name}.{node.args[1]}")
            return
        value = node.meta.get("val")
        if value is None:
            return  # an assertion: it gives nothing
        arguments: dict[str, Argument] = {}
        if hasattr(target, "_schema"):
            op = target._schema.name.partition("::")[2]
            for formal, argument in zip(target._schema.arguments, node.args, strict=False):
                arguments[formal.name] = self._argument(argument)
        else:
            op = str(getattr(target, "__name__", target))
            for at, argument in enumerate(node.args):
                arguments[str(at)] = self._argument(argument)
        for name, argument in node.kwargs.items():
            arguments[name] = self._argument(argument)
        if op == "batch_norm" and self._averages(node):
            arguments["momentum"] = None  # PyTorch calls it with 0 in evaluation
        several = isinstance(value, tuple | list)
        results = tuple(
            Result(f"{node.name}.{at}" if several else node.name, tuple(map(int, each.shape)), _kind(each))
            for at, each in enumerate(value if several else [value])
            if isinstance(each, torch.Tensor)
        )
        self.values[node] = Ref(node.name)
        if results:
            self.calls.append(Call(op, arguments, results, self._scope(node)))

    def _averages(self, node: torch.fx.Node) -> bool:
        """Whether a call stands in a norm whose statistics are the mean over all batches."""
        scope = self._scope(node)
        try:
            module = self.module.get_submodule(scope[-1].path if scope else "")
        except AttributeError:
            return False
        return getattr(module, "momentum", 0) is None

    def _argument(self, value: Any) -> Argument:
        if isinstance(value, torch.fx.Node):
            return self.values.get(value, str(value.target))
        if isinstance(value, tuple | list):
            return tuple(self._argument(each) for each in value)  # type: ignore[misc]
        if isinstance(value, bool | int | str) or value is None:
            return value
        if isinstance(value, float):
            return _number(value)
        return str(value)

    def _scope(self, node: torch.fx.Node) -> tuple[Scope, ...]:
        found = []
        for key, (path, kind) in node.meta.get("nn_module_stack", {}).items():
            kind = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
            place = path.partition("@")[0]
            number = self.numbers.setdefault((place, key), sum(1 for each, _ in self.numbers if each == place))
            found.append(Scope(place, kind.rpartition(".")[2], number))
        return tuple(found)

    def _outputs(self) -> Iterator[Output]:
        nodes = next(node for node in self.program.graph.nodes if node.op == "output").args[0]
        tree = pytree.tree_unflatten(list(nodes), self.program.call_spec.out_spec)
        labelled, _ = pytree.tree_flatten_with_path(tree)
        for path, node in labelled:
            if isinstance(node, torch.fx.Node):
                value = self.values[node]
                assert isinstance(value, Ref)
                yield Output(".".join(map(_label, path)), value.ref)


def _label(key: Any) -> str:
    return str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key))))


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _kind(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _fake(value: torch.Tensor) -> bool:
    from torch._subclasses.fake_tensor import FakeTensor

    return isinstance(value, FakeTensor)


@contextmanager
def _fake_parameters(module: nn.Module, mode: FakeTensorMode) -> Iterator[None]:
    """For a while all parameters are fake tensors of the CPU: constants of the CPU could not meet those on meta."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    made: dict[int, nn.Parameter] = {}
    for each in module.modules():
        for name, parameter in each._parameters.items():
            if parameter is None:
                continue
            if id(parameter) not in made:
                with mode:
                    empty = torch.empty(parameter.shape, dtype=parameter.dtype)
                made[id(parameter)] = nn.Parameter(empty, requires_grad=False)
            before.append((each._parameters, name, parameter))
    for home, name, parameter in before:
        home[name] = made[id(parameter)]
    try:
        yield
    finally:
        for home, name, parameter in before:
            home[name] = parameter


@contextmanager
def _marked(module: nn.Module) -> Iterator[None]:
    """Stochastic depth, which leaves no trace in evaluation, calls a dropout of its probability for a while."""
    changed = []
    for each in module.modules():
        if type(each).__name__ in _DROPPED_PATHS and "forward" not in vars(each):
            share = getattr(each, "drop_prob", getattr(each, "p", None))
            if isinstance(share, float) and share > 0:
                each.forward = _dropout(share)
                changed.append(each)
    try:
        yield
    finally:
        for each in changed:
            del each.forward


def _dropout(share: float) -> Any:
    return lambda value: functional.dropout(value, share, False)


@contextmanager
def _quiet() -> Iterator[None]:
    """What PyTorch says of its own while it exports is for nobody."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _reason(error: Exception) -> str:
    """The first line of PyTorch's reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
