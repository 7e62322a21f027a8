"""Code of Keras: `Sequential([…])`, `model.add(…)` and `x = layers.Conv2D(…)(x)`, read and never run."""

from __future__ import annotations

import ast
from typing import Any

from convsize.importing.keras.layers.table import CLASSES
from convsize.importing.keras.model import From, Layer, Model
from convsize.importing.pasted.imported import Imported, harmless
from convsize.importing.pasted.literals import LiteralError, bounded, dotted, value_of
from convsize.importing.torch_modules.table import CLASSES as TORCH

__all__ = ["looks_like_keras", "model_of_code"]

_FUNCTIONS = {
    name.lower(): name for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
}

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "ops.Add",
    ast.Sub: "ops.Subtract",
    ast.Mult: "ops.Multiply",
    ast.Div: "ops.TrueDivide",
}

_OTHER = ("summary", "compile", "build", "fit", "evaluate", "predict", "save", "save_weights", "load_weights")
"""Methods of a model that change nothing of what it computes."""

_USUAL = {
    "keras": "keras",
    "layers": "keras.layers",
    "models": "keras.models",
    "tf": "tensorflow",
    "tf_keras": "tf_keras",
    "print": "print",
}
"""What names stand for that code often leaves unexplained."""

_OWN = ("keras.", "tensorflow.keras.", "tensorflow.python.keras.", "tf_keras.")


def looks_like_keras(tree: ast.Module) -> bool:
    """Whether code is of Keras: it names it, or calls layers that PyTorch has not."""
    own = ({name for name in CLASSES if "." not in name} | {"Input", "InputLayer", "Model"}) - TORCH.keys()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name.startswith(("nn.", "torch.")):
                return False
            if "keras" in name or name.rpartition(".")[2] in own:
                return True
    return False


class _Made:
    """A layer while its calls are read."""

    def __init__(
        self, name: str, kind: str, node: ast.Call, positional: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        self.name = name
        self.kind = kind
        self.line = node.lineno
        self.positional = positional
        self.named = named
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def layer(self) -> Layer:
        """What was read of it."""
        named = {key: each for key, each in self.named.items() if key != "name"}
        return Layer(self.name, self.kind, named, tuple(self.calls), self.positional, None, self.line)


class _Chain:
    """A Sequential model while it grows."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.layers: list[_Made] = []


def model_of_code(tree: ast.Module) -> Model:
    """The model that statements make: the last. Raises LiteralError where a statement would have to be run."""
    reader = _Reader()
    for statement in tree.body:
        reader.statement(statement)
    if reader.model is None:
        raise LiteralError(1, "there is no Sequential(…) and no Model(inputs, outputs)")
    return reader.model() if isinstance(reader.model, _Ends) else reader.sequential(reader.model)


class _Ends:
    """A functional model: from its inputs to its outputs."""

    def __init__(self, reader: _Reader, inputs: list[From], outputs: list[From]) -> None:
        self.reader = reader
        self.inputs = inputs
        self.outputs = outputs

    def __call__(self) -> Model:
        """The layers that were made, in their order; those that no output needs are left out."""
        made = {each.name: each for each in self.reader.made}
        needed: set[str] = set()
        open_ = [each.layer for each in self.outputs]
        while open_:
            name = open_.pop()
            if name not in needed:
                needed.add(name)
                for operands, _ in made[name].calls:
                    open_.extend(each.layer for each in _tensors(operands))
        layers = tuple(each.layer() for each in self.reader.made if each.name in needed)
        labels = [("" if len(self.outputs) == 1 else str(at), each) for at, each in enumerate(self.outputs)]
        return Model(
            "model", "Functional", layers, tuple(each.layer for each in self.inputs), tuple(labels), keras3=None
        )


class _Reader:
    """Follows statements: names stand for numbers, layers, tensors and models."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.made: list[_Made] = []
        self.model: _Chain | _Ends | None = None
        self.taken: dict[str, int] = {}
        """How many layers have a name, or ask for it."""
        self.literals: dict[str, Any] = {}
        self.imported = Imported("keras.layers", _USUAL)

    def statement(self, node: ast.stmt) -> None:
        """One line."""
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
            self.imported.add(node)
            return
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant):
                return
            if isinstance(node.value, ast.Call):
                owner, _, method = dotted(node.value.func).rpartition(".")
                if method == "add" and isinstance(self.names.get(owner), _Chain):
                    self.names[owner].layers.append(
                        self._layer_of(node.value.args[0] if node.value.args else node.value)
                    )
                    return
                if method in _OTHER and isinstance(self.names.get(owner), _Chain | _Ends):
                    return
                if method == "plot_model" or (harmless(node.value, self.names) and method in ("print", "summary")):
                    return
                if method and "." in self._kind(node.value.func):
                    raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` may change the model, and is not run")
            self.value(node.value)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._assign(node.targets[0].id, self.value(node.value), node)
        else:
            first = ast.unparse(node).splitlines()[0][:60]
            raise LiteralError(
                node.lineno, f"`{first}` would have to be run: save the model, and import its .keras file"
            )

    def _assign(self, name: str, value: Any, node: ast.stmt) -> None:
        if name in self.imported.names and name not in _USUAL:
            raise LiteralError(node.lineno, f"`{name}` is imported: give `{ast.unparse(node)[:60]}` another name")
        self.names[name] = value
        self.literals.pop(name, None)
        if isinstance(value, int | float | str | tuple):
            self.literals[name] = value

    def _kind(self, node: ast.expr) -> str:
        """The class of a call: its name where it is Keras's own, and with its dots where it is not."""
        name = dotted(node)
        first = name.partition(".")[0]
        if not name:
            raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` is no layer")
        if first in self.names and not isinstance(self.names[first], _Made):
            raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` is called, which would have to be run")
        whole = self.imported.whole(name)
        return whole.rpartition(".")[2] if whole.startswith(_OWN) else whole

    def sequential(self, chain: _Chain) -> Model:
        """A chain of layers."""
        if not chain.layers:
            raise LiteralError(chain.line, "the model has no layers")
        return Model("sequential", "Sequential", tuple(each.layer() for each in chain.layers), chain=True, keras3=None)

    def value(self, node: ast.expr) -> Any:
        """A tensor, a layer, a model, or a literal."""
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Name) and node.id in self.names:
            return self.names[node.id]
        if isinstance(node, ast.List | ast.Tuple):
            return bounded(node.lineno, tuple(map(self.value, node.elts)))
        if isinstance(node, ast.BinOp):
            left, right = self.value(node.left), self.value(node.right)
            if isinstance(left, From) or isinstance(right, From):
                kind = _OPERATORS.get(type(node.op))
                if kind is None:
                    raise LiteralError(
                        node.lineno, f"`{ast.unparse(node)[:60]}` is no sum, difference, product or quotient"
                    )
                call = ast.Call(ast.Name(kind), [], [], lineno=node.lineno)
                return self._called(self._new(kind, call, (), {}), (left, right), {})
        return value_of(node, self.literals)

    def _call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Call) or isinstance(self.names.get(dotted(node.func)), _Made):
            layer = self.value(node.func)
            if not isinstance(layer, _Made):
                raise LiteralError(node.lineno, f"`{ast.unparse(node.func)[:60]}` is no layer")
            return self._called(layer, tuple(map(self.value, node.args)), self._named(node))
        kind = self._kind(node.func)
        named = self._named(node)
        if kind == "Sequential":
            chain = _Chain(node.lineno)
            for each in node.args[:1]:
                chain.layers = [
                    self._layer_of(part) for part in (each.elts if isinstance(each, ast.List | ast.Tuple) else [each])
                ]
            self.model = chain
            return chain
        positional = tuple(map(self.value, node.args))
        if any(isinstance(each, _Chain | _Ends) for each in (*positional, *named.values())):
            raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` is given a model, and would have to be run")
        if kind == "Model":
            return self._model(node, positional, named)
        if kind == "Input":
            return self._called(
                self._new("InputLayer", node, (), {"shape": positional[0]} if positional else named), (), {}
            )
        if kind in _FUNCTIONS:
            return self._called(self._new(_FUNCTIONS[kind], node, (), named), positional, {})
        return self._new(kind, node, positional, named)

    def _layer_of(self, node: ast.expr) -> _Made:
        found = self.value(node)
        if isinstance(found, From):  # Input(…) in a chain
            return next(each for each in self.made if each.name == found.layer)
        if not isinstance(found, _Made):
            raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` is no layer")
        return found

    def _model(self, node: ast.Call, positional: tuple[Any, ...], named: dict[str, Any]) -> _Ends:
        given = [*positional, *(named[name] for name in ("inputs", "outputs") if name in named)]
        if len(given) != 2:
            raise LiteralError(node.lineno, "Model takes its inputs and its outputs")
        ends = [list(_tensors((each,))) for each in given]
        if not all(ends):
            raise LiteralError(node.lineno, "Model takes tensors as its inputs and outputs")
        self.model = _Ends(self, *ends)
        return self.model

    def _named(self, node: ast.Call) -> dict[str, Any]:
        if any(each.arg is None for each in node.keywords):
            raise LiteralError(node.lineno, f"`{ast.unparse(node)[:60]}` spreads arguments, which have to be run")
        # What a layer begins with, or is punished for, changes nothing here, whatever it is.
        quiet = ("_initializer", "_regularizer", "_constraint")
        return {each.arg: self.value(each.value) for each in node.keywords if each.arg and not each.arg.endswith(quiet)}

    def _new(self, kind: str, node: ast.Call, positional: tuple[Any, ...], named: dict[str, Any]) -> _Made:
        wanted = named.get("name")
        base = wanted if isinstance(wanted, str) else kind.rpartition(".")[2].lower()
        name = base
        while name in self.taken:
            at = self.taken[base] = self.taken.get(base, 0) + 1
            name = f"{base}_{at}"
        self.taken[name] = 0
        made = _Made(name, kind, node, positional, named)
        self.made.append(made)
        return made

    def _called(self, layer: _Made, operands: tuple[Any, ...], named: dict[str, Any]) -> From:
        if layer.kind != "InputLayer":
            layer.calls.append((operands, named))
        return From(layer.name, max(len(layer.calls) - 1, 0))


def _tensors(values: Any) -> list[From]:
    found = []
    for each in values:
        if isinstance(each, From):
            found.append(each)
        elif isinstance(each, tuple):
            found.extend(_tensors(each))
    return found
