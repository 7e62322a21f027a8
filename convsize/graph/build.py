"""Tree to network: the inputs, the trunk, the heads and what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from convsize.errors import Diagnostic, Span, SpecError, UsageError
from convsize.geometry import Shape
from convsize.graph.draft import Draft, volume_error
from convsize.graph.evaluate import BuildError, Unknown, number_text
from convsize.graph.layer_names import ATTRIBUTES, of_heads, of_shared
from convsize.graph.name_check import check_names
from convsize.graph.network import Expectation, Network, Node
from convsize.graph.scope import Lets, Scope, Value, find_tap, unknown_tap
from convsize.graph.tokens import Defaults
from convsize.graph.unroll import LIMITS, Unroller
from convsize.language.tree import (
    Call,
    DefaultStmt,
    DefStmt,
    ExpectStmt,
    File,
    HeadStmt,
    InputStmt,
    LetStmt,
    Series,
    Tap,
    TrunkStmt,
)
from convsize.ops import catalogue
from convsize.record import Record
from convsize.words import did_you_mean, listed, nearest, plural


def build(
    file: File,
    lets: Mapping[str, Fraction] | None = None,
    *,
    name: str = "network",
    inputs: Mapping[str, Shape] | None = None,
    stated: bool = True,
) -> Network:
    """The network that a spec says, sized throughout.

    lets overrides constants of the file, inputs the volumes of its inputs (the one without a name is "input").
    stated: whether what the file states of its volumes and figures must hold: inline volumes and `expect` lines. They
    are written for the declared inputs and ignored at other ones, whatever is asked.

    Raises UsageError where an override names nothing of the file; SpecError with every independent error of the file:
    names and numbers (E1xx), geometry (E2xx) and joins (E3xx). Inline volumes that do not hold (E407) are errors of
    the
    network that there is: its `diagnostics` have them.
    """
    found = attempt(file, lets, name=name, inputs=inputs, stated=stated)
    if found.network is None:
        raise SpecError(file.source, found.diagnostics)
    return found.network


class Attempt(Record):
    """What came of building: the network, or the errors that are in its way.

    nodes: what could be sized. entering: the volumes that enter layers which cannot be, by their places.
    steps: how many atoms were run, layers and brackets alike: the work that building was.
    """

    network: Network | None
    diagnostics: tuple[Diagnostic, ...]
    nodes: tuple[Node, ...]
    entering: Mapping[Span, Shape]
    steps: int

    @property
    def layers(self) -> int:
        """How far the network could be built."""
        return len(self.nodes)


def attempt(
    file: File,
    lets: Mapping[str, Fraction] | None = None,
    *,
    name: str = "network",
    inputs: Mapping[str, Shape] | None = None,
    stated: bool = True,
) -> Attempt:
    """`build` for those who go on where the spec is wrong: what there is of a network, and how far it goes.

    Raises UsageError as `build` does.
    """
    builder = _Builder(file, lets or {}, inputs or {}, name, stated=stated)
    network = builder.run()
    draft = builder.draft
    found = () if network else draft.sorted_diagnostics()
    return Attempt(network, found, tuple(draft.nodes), draft.entering, builder.unroller.steps)


def unknown_names(file: File) -> tuple[Diagnostic, ...]:
    """The calls of blocks and words that there are not (E104), of a file that may be wrong in other ways as well.

    What parses of a file with errors shows most of its names: a block counts as there if its `def` cannot be read.
    """
    builder = _Builder(file, {}, {}, "network", stated=False)
    for error in check_names(file, builder.defs, builder.lets):
        if error.code == "E104" and f"def {file.source.slice(error.span)}" not in file.source.text:
            builder.draft.report(error)
    return builder.draft.sorted_diagnostics()


def input_name(stmt: InputStmt) -> str:
    """What an input is called: "input" where it has no name."""
    return "input" if stmt.name is None else stmt.name.name


class _Builder:
    def __init__(
        self, file: File, lets: Mapping[str, Fraction], inputs: Mapping[str, Shape], name: str, *, stated: bool
    ) -> None:
        self.file = file
        self.name = name
        statements = file.statements
        self.defs = {stmt.name.name: stmt for stmt in statements if isinstance(stmt, DefStmt)}
        self.lets = Lets(tuple(stmt for stmt in statements if isinstance(stmt, LetStmt)), lets)
        self.overrides = inputs
        self.asked = lets
        declared = {
            input_name(stmt): Shape(stmt.volume.channels, stmt.volume.extents)
            for stmt in statements
            if isinstance(stmt, InputStmt)
        }
        for what, given, known in (("let", lets, self.lets.names()), ("input", inputs, tuple(declared))):
            for asked in given:
                if asked not in known:
                    there = ", ".join(f"`{each}`" for each in known) or f"no {what} at all"
                    raise UsageError(f"{name} has no {what} `{asked}`: it has {there}")
        self.chosen()
        self.stated = stated and all(declared[each] == volume for each, volume in inputs.items())
        lines = [stmt for stmt in statements if isinstance(stmt, DefaultStmt)]
        words = tuple(word for stmt in lines for word in stmt.words)
        defaults = Defaults(tuple(layer for stmt in lines for layer in stmt.layers), words)
        self.draft = Draft(file.source)
        heads = [stmt.name.name for stmt in statements if isinstance(stmt, HeadStmt)]
        self.head_names = of_heads(heads, declared)
        shared = [name for name, stmt in self.defs.items() if stmt.shared]
        taken = {*declared, *self.head_names.values()}
        self.unroller = Unroller(
            self.draft, self.defs, self.lets, defaults, of_shared(shared, taken), stated=self.stated
        )
        self.inputs: dict[str, int] = {}

    def chosen(self) -> None:
        """Raises UsageError where a constant is to have a value that is none of its choices."""
        for name, value in self.asked.items():
            try:
                choices = self.lets.choices(name)
            except BuildError:
                continue  # of which the file's errors say more
            if choices and value not in choices:
                there = listed([number_text(each) for each in choices], "or")
                raise UsageError(f"{self.name}: `{name}` is {there}, not {number_text(value)}")

    def run(self) -> Network | None:
        """The network, or None where there are errors."""
        statements = self.file.statements
        for error in check_names(self.file, self.defs, self.lets):
            self.draft.report(error)
        if any(found.code == "E109" for found in self.draft.diagnostics):
            return None
        self.unroller.check_defaults()
        heads = [stmt for stmt in statements if isinstance(stmt, HeadStmt)]
        inputs = [input_name(stmt) for stmt in statements if isinstance(stmt, InputStmt)]
        trunk = Scope(taken=ATTRIBUTES.union(inputs, self.head_names.values()))
        outputs: dict[str, int] = {}
        try:
            end = self.trunk(trunk)
            if end is not None:
                outputs["main"] = end
            for head in heads:
                head_end = self.head(head, trunk, end)
                if head_end is not None:
                    outputs[head.name.name] = head_end
        except BuildError as error:  # a limit: nothing more can be said
            self.draft.report(error)
        expectations = self.expectations(trunk, outputs)
        if self.draft.diagnostics:
            return None
        return Network(
            name=self.name,
            file=self.file,
            nodes=tuple(self.draft.nodes),
            inputs=self.inputs,
            outputs=outputs,
            taps={tap: index for tap, index in trunk.taps.items() if index is not None},
            expectations=expectations,
            diagnostics=self.draft.sorted_diagnostics(),
            volumes=tuple(sorted(self.unroller.volumes, key=lambda span: span.start)),
            held=self.unroller.stated,
            called=self.draft.called,
        )

    def trunk(self, scope: Scope) -> Value:
        """Builds the inputs and the trunk."""
        statements = self.file.statements
        declared = [stmt for stmt in statements if isinstance(stmt, InputStmt)]
        for stmt in declared:
            self.input(stmt, scope)
        series = [stmt.series for stmt in statements if isinstance(stmt, TrunkStmt)]
        whole_file = Span(0, len(self.file.source.text))
        if not declared:
            text = "this spec declares no input"
            self.draft.report(
                BuildError(
                    "E117",
                    text,
                    self.first_span(),
                    "add a first line, such as `input: 3@224x224`, or pass `--input 3@224x224`",
                )
            )
            return None
        if not series:
            where = declared[-1].span
            self.draft.report(
                BuildError("E117", "this spec has no layers", where, "add a line such as `C3D64 R M FC10 S`")
            )
            return None
        if len(self.inputs) < len(declared):  # one is impossible, or stands there twice
            return None
        current: Value = next(iter(self.inputs.values()))
        first = series[0].items[0]
        if len(declared) > 1 and not isinstance(first.atom, Tap):
            names = listed([f"`@{name}`" for name in self.inputs], "or")
            text = f"with {plural(len(declared), 'input')} the trunk must say where it starts"
            self.draft.report(BuildError("E117", text, first.span, f"begin it with {names}"))
            current = None
        items = tuple(item for one in series for item in one.items)
        current = self.unroller.series(Series(items, whole_file), current, scope)
        if current is not None and not self.draft.nodes[current].inputs and not self.draft.diagnostics:
            self.draft.report(
                BuildError("E117", "the trunk ends at an input: it has no layers", series[-1].span, "add layers")
            )
        return current

    def first_span(self) -> Span:
        """The first statement, or the start of the file."""
        return self.file.statements[0].span if self.file.statements else Span(0, 0)

    def input(self, stmt: InputStmt, scope: Scope) -> None:
        """Declares an input: a node without inputs of its own, and a tap."""
        name = input_name(stmt)
        shape = self.overrides.get(name, Shape(stmt.volume.channels, stmt.volume.extents))
        error = volume_error(shape, stmt.volume.span)
        if error is not None:
            self.draft.report(error)
            scope.taps[name] = None
            return
        op = catalogue.join("input").from_arguments({"dims": shape.dims}, shape)
        index = len(self.draft.nodes)
        self.draft.nodes.append(Node(index, name, op, (), shape, str(shape), stmt.span))
        self.inputs[name] = index
        scope.taps[name] = index

    def head(self, head: HeadStmt, trunk: Scope, end: Value) -> Value:
        """Builds a head: it sees the trunk's taps, its own are not seen outside."""
        name = self.head_names[head.name.name]
        scope = Scope(prefix=f"{name}.", instances=(name,))
        scope.taps.update(trunk.taps)
        start = end
        if head.tap is not None:
            try:
                start = find_tap(head.tap, scope)
            except BuildError as error:
                self.draft.report(error)
                return None
        items = head.body.items
        call = items[0].atom
        if len(items) == 1 and items[0].repeat is None and isinstance(call, Call) and call.name.name in self.defs:
            # A head that is one call of a block is that block's instance, under the head's name.
            return self.one_block(call, start, scope, instance=name)
        return self.unroller.series(head.body, start, scope)

    def one_block(self, call: Call, start: Value, scope: Scope, instance: str) -> Value:
        """A head that is one call of a block."""
        unroller = self.unroller
        try:
            arguments = unroller.passing.arguments(call.args, scope, unroller.lookup(scope, start), None)
            return unroller.block(self.defs[call.name.name], *arguments, start, scope, call.span, instance)
        except Unknown:
            return None
        except BuildError as error:
            if error.code in LIMITS:
                raise
            self.draft.report(error, scope)
            return None

    def expectations(self, trunk: Scope, outputs: Mapping[str, int]) -> tuple[Expectation, ...]:
        """The checks with the nodes they are about."""
        found: list[Expectation] = []
        heads = {stmt.name.name for stmt in self.file.statements if isinstance(stmt, HeadStmt)}
        for stmt in self.file.statements if self.stated else ():
            if not isinstance(stmt, ExpectStmt):
                continue
            node: int | None = None
            if isinstance(stmt.target, Tap):
                if stmt.target.name not in trunk.taps:
                    self.draft.report(unknown_tap(stmt.target, trunk))
                node = trunk.taps.get(stmt.target.name)
            elif stmt.target is not None:
                name = stmt.target.name
                if name != "main" and name not in heads:
                    guess = nearest(name, {"main", *heads})
                    hint = did_you_mean(guess, "`main` is the trunk; a tap is written `@name`")
                    self.draft.report(BuildError("E119", f"there is no head called `{name}`", stmt.target.span, hint))
                node = outputs.get(name)
            found.extend(Expectation(check, node) for check in stmt.checks)
        return tuple(found)
