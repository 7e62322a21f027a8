"""Tree to network: blocks are called, repeats are unrolled, and every layer meets the volume that enters it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from convsize.errors import Diagnostic, Fix, Label, Source, Span, SpecError, UsageError, nearest
from convsize.geometry import GeometryError, Shape
from convsize.graph.evaluate import FUNCTIONS, BuildError, Lookup, Unknown, evaluate, whole
from convsize.graph.layers import (
    LARGEST_DEPTH,
    LARGEST_EXTENT,
    Built,
    Defaults,
    evaluated_text,
    suffixes_of,
    word_arguments,
    word_text,
)
from convsize.graph.names import check_names, signature
from convsize.graph.network import Expectation, Network, Node, Turn
from convsize.graph.scope import Bound, Choice, Closure, Lets, Numbers, Scope, TapValue, Value
from convsize.language.formatter import expr_text
from convsize.language.parser import parse_layer
from convsize.language.tree import (
    Arg,
    Call,
    DefaultStmt,
    DefStmt,
    ExpectStmt,
    Expr,
    File,
    Function,
    Group,
    HeadStmt,
    Identity,
    InputStmt,
    Item,
    Layer,
    LetStmt,
    Name,
    Series,
    Tap,
    TrunkStmt,
    Volume,
)
from convsize.ops import catalogue
from convsize.ops.base import Op

LARGEST_NETWORK = 50_000
"""Layers, and likewise steps of unrolling: a repeat of nothing is work as well."""

DEEPEST_NESTING = 100
"""Brackets and calls of blocks together."""


def build(
    file: File,
    lets: Mapping[str, Fraction] | None = None,
    *,
    name: str = "network",
    inputs: Mapping[str, Shape] | None = None,
) -> Network:
    """The network that a spec says, sized throughout.

    lets overrides constants of the file, inputs the volumes of its inputs (the one without a name is "input").

    Raises UsageError where an override names nothing of the file; SpecError with every independent error of the file:
    names and numbers (E1xx), geometry (E2xx), joins (E3xx) and inline volumes that do not hold (E407).
    """
    builder = _Builder(file, lets or {}, inputs or {})
    network = builder.run(name)
    if network is None:
        raise SpecError(file.source, builder.sorted_diagnostics())
    return network


class _Repeat(NamedTuple):
    """An unrolling repeat: where its first turn began and ended among the nodes, and where this turn began."""

    turn: Turn
    first_start: int
    first_end: int
    start: int


class _Builder:
    def __init__(self, file: File, lets: Mapping[str, Fraction], inputs: Mapping[str, Shape]) -> None:
        self.file = file
        self.source: Source = file.source
        statements = file.statements
        self.defs: dict[str, DefStmt] = {stmt.name.name: stmt for stmt in statements if isinstance(stmt, DefStmt)}
        self.lets = Lets(tuple(stmt for stmt in statements if isinstance(stmt, LetStmt)), lets)
        self.overrides = inputs
        declared = {stmt.name.name if stmt.name else "input" for stmt in statements if isinstance(stmt, InputStmt)}
        for what, given, known in (("constant", lets, self.lets.names()), ("input", inputs, declared)):
            for name in given:
                if name not in known:
                    there = ", ".join(f"`{each}`" for each in sorted(known)) or "none"
                    raise UsageError(f"{self.source.name}: there is no {what} `{name}` to set; there is {there}")
        self.defaults = Defaults(
            tuple(layer for stmt in statements if isinstance(stmt, DefaultStmt) for layer in stmt.layers)
        )
        self.nodes: list[Node] = []
        self.inputs: dict[str, int] = {}
        self.diagnostics: list[Diagnostic] = []
        self.seen: set[tuple[str, Span]] = set()
        self.repeats: list[_Repeat] = []
        self.repeat_count = 0
        self.steps = 0
        self.depth = 0
        self.built: dict[tuple[object, ...], Built] = {}
        self.passed_layers: dict[Span, Layer | None] = {}

    # ---- the file ----------------------------------------------------------------------------------------------------

    def run(self, name: str) -> Network | None:
        """The network, or None where there are errors."""
        statements = self.file.statements
        for error in check_names(self.file, self.defs, self.lets):
            self.report(error)
        if any(found.code == "E109" for found in self.diagnostics):
            return None
        trunk = Scope()
        heads = [stmt for stmt in statements if isinstance(stmt, HeadStmt)]
        # A block of the trunk must not take a name that a head's layers are to have.
        trunk.counters.update({f"={head.name.name}": 1 for head in heads})
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
            self.report(error)
        expectations = self.expectations(trunk, outputs)
        if self.diagnostics:
            return None
        return Network(
            name=name,
            file=self.file,
            nodes=tuple(self.nodes),
            inputs=self.inputs,
            outputs=outputs,
            taps={tap: index for tap, index in trunk.taps.items() if index is not None},
            expectations=expectations,
            diagnostics=(),
        )

    def sorted_diagnostics(self) -> tuple[Diagnostic, ...]:
        """The errors in the order of the file."""
        return tuple(sorted(self.diagnostics, key=lambda found: (found.span.start, found.code)))

    def report(self, error: BuildError, scope: Scope | None = None, labels: tuple[Label, ...] = ()) -> None:
        """Takes down an error once for each place; inside blocks the calls around it are pointed at as well."""
        if (error.code, error.span) in self.seen:
            return
        self.seen.add((error.code, error.span))
        calls = scope.calls if scope is not None else ()
        around = [Label(span, self.call_label()) for span in calls[-1:]]
        self.diagnostics.append(
            Diagnostic(
                error.code,
                "error",
                error.message,
                error.span,
                error.help,
                error.label,
                (*labels, *around),
                error.fixes,
            )
        )

    def call_label(self) -> str:
        """What is to be seen at the call of a block in which something is wrong."""
        turns = [repeat.turn.turn + 1 for repeat in self.repeats]
        if not turns or turns[-1] == 1:
            return "in this call"
        return f"in this call, turn {turns[-1]} of its repeat"

    def trunk(self, scope: Scope) -> Value:
        """Builds the inputs and the trunk."""
        statements = self.file.statements
        declared = [stmt for stmt in statements if isinstance(stmt, InputStmt)]
        for stmt in declared:
            self.input(stmt, scope)
        series = [stmt.series for stmt in statements if isinstance(stmt, TrunkStmt)]
        whole_file = Span(0, len(self.source.text))
        if not declared:
            text = "this spec declares no input"
            self.report(BuildError("E117", text, self.first_span(), "add a first line such as `input: 3@224x224`"))
            return None
        if not series:
            where = declared[-1].span
            self.report(BuildError("E117", "this spec has no layers", where, "add a line such as `C3D64 R M FC10 S`"))
            return None
        current: Value = next(iter(self.inputs.values()))
        first = series[0].items[0]
        if len(declared) > 1 and not isinstance(first.atom, Tap):
            names = " or ".join(f"`@{name}`" for name in self.inputs)
            text = f"with {len(declared)} inputs the trunk must say where it begins"
            self.report(BuildError("E117", text, first.span, f"begin it with {names}"))
            current = None
        items = tuple(item for one in series for item in one.items)
        current = self.series(Series(items, whole_file), current, scope)
        if current is not None and not self.nodes[current].inputs and not self.diagnostics:
            self.report(
                BuildError("E117", "the trunk ends at an input: it has no layers", series[-1].span, "add layers")
            )
        return current

    def first_span(self) -> Span:
        """The first statement, or the start of the file."""
        return self.file.statements[0].span if self.file.statements else Span(0, 0)

    def input(self, stmt: InputStmt, scope: Scope) -> None:
        """Declares an input: a node without inputs of its own, and a tap."""
        name = stmt.name.name if stmt.name is not None else "input"
        shape = self.overrides.get(name, Shape(stmt.volume.channels, stmt.volume.extents))
        op = catalogue.join("input").from_arguments({"dims": shape.dims}, shape)
        index = len(self.nodes)
        error = volume_error(shape, stmt.volume.span)
        if error is not None:
            self.report(error)
        self.nodes.append(Node(index, name, op, (), shape, str(shape), stmt.span))
        self.inputs[name] = index
        scope.taps[name] = index

    def head(self, head: HeadStmt, trunk: Scope, end: Value) -> Value:
        """Builds a head: it sees the trunk's taps, its own are not seen outside."""
        name = head.name.name
        scope = Scope(prefix=f"{name}.", instances=(name,))
        scope.taps.update(trunk.taps)
        start = end
        if head.tap is not None:
            try:
                start = self.tap(head.tap, scope)
            except BuildError as error:
                self.report(error)
                return None
        items = head.body.items
        call = items[0].atom
        if len(items) == 1 and items[0].repeat is None and isinstance(call, Call) and call.name.name in self.defs:
            # A head that is one call of a block is that block's instance, under the head's name.
            return self.guarded(call, start, scope, instance=name)
        return self.series(head.body, start, scope)

    def guarded(self, call: Call, start: Value, scope: Scope, instance: str) -> Value:
        """A block's call outside a series."""
        try:
            bound = self.bind_args(call.args, scope, self.lookup(scope, start), params=None)
            return self.block(self.defs[call.name.name], *bound, start, scope, call.span, instance)
        except Unknown:
            return None
        except BuildError as error:
            if error.code == "E112":
                raise
            self.report(error, scope)
            return None

    def expectations(self, trunk: Scope, outputs: Mapping[str, int]) -> tuple[Expectation, ...]:
        """The checks with the nodes they are about."""
        found: list[Expectation] = []
        heads = {stmt.name.name for stmt in self.file.statements if isinstance(stmt, HeadStmt)}
        for stmt in self.file.statements:
            if not isinstance(stmt, ExpectStmt):
                continue
            node: int | None = None
            if isinstance(stmt.target, Tap):
                if stmt.target.name not in trunk.taps:
                    self.report(self.unknown_tap(stmt.target, trunk))
                node = trunk.taps.get(stmt.target.name)
            elif stmt.target is not None:
                name = stmt.target.name
                if name != "main" and name not in heads:
                    guess = nearest(name, {"main", *heads})
                    hint = f"did you mean `{guess}`?" if guess else "`main` is the trunk; a tap is written `@name`"
                    self.report(BuildError("E119", f"there is no head called `{name}`", stmt.target.span, hint))
                node = outputs.get(name)
            found.extend(Expectation(check, node) for check in stmt.checks)
        return tuple(found)

    # ---- series ------------------------------------------------------------------------------------------------------

    def lookup(self, scope: Scope, current: Value) -> Lookup:
        """Names at this point; `c` is the depth of the value that has been reached."""
        return Numbers(scope, self.lets, None if current is None else self.nodes[current].output.channels)

    def series(self, series: Series, entry: Value, scope: Scope) -> Value:
        """Runs a series from the value that enters it to the value it ends with."""
        current = entry
        for item in series.items:
            try:
                current = self.item(item, current, entry, scope)
            except Unknown:
                current = self.lost(item, scope)
            except BuildError as error:
                if error.code in {"E112", "E018"}:
                    raise
                self.report(error, scope)
                current = self.lost(item, scope)
        return current

    def lost(self, item: Item, scope: Scope) -> Value:
        """After an error the names of an item still exist, so that their uses are no errors of their own."""
        for name in item.names:
            scope.taps.setdefault(name.name, None)
        return None

    def item(self, item: Item, current: Value, entry: Value, scope: Scope) -> Value:
        """One item with its repeat and its names."""
        if len(item.names) > 1:
            return self.named_branches(item, current, scope)
        if item.repeat is None:
            current = self.atom(item.atom, current, entry, scope)
        else:
            current = self.repeated(item, item.repeat, current, entry, scope)
        for name in item.names:
            scope.taps[name.name] = current
        return current

    def repeated(self, item: Item, repeat: Expr, current: Value, entry: Value, scope: Scope) -> Value:
        """Unrolls a repeat, measuring the first turn so that one that is too large ends at once."""
        count = self.repeat_times(repeat, item.span, current, scope)
        if count == 0:
            return current
        atom = item.atom
        is_block = isinstance(atom, Call) and (atom.name.name in self.defs or atom.name.name in scope.blocks)
        self.repeat_count += 1
        identity = self.repeat_count
        first_start = first_end = len(self.nodes)
        steps = self.steps
        for turn in range(count):
            start = len(self.nodes)
            self.repeats.append(_Repeat(Turn(identity, turn, is_block), first_start, first_end, start))
            try:
                current = self.atom(atom, current, entry, scope)
            finally:
                self.repeats.pop()
            if turn == 0:
                first_end = len(self.nodes)
                if steps + (self.steps - steps) * count > LARGEST_NETWORK:
                    self.too_large(item.span, f"{count:,} turns of {self.steps - steps:,} steps each")
            if current is None:
                return None
        return current

    def repeat_times(self, expr: Expr, span: Span, current: Value, scope: Scope) -> int:
        """How often an item stands there."""
        free = type(expr) is Name and self.source.text[expr.span.start - 1 : expr.span.start] == "*"
        try:
            count = whole(expr, self.lookup(scope, current), expr_text)
        except BuildError as error:
            if free and error.code == "E106" and type(expr) is Name:
                help_text = f"add a line `let {expr.name}=2`, or write the number: `*2`"
                raise BuildError("E013", f"`*{expr.name}` has no value", expr.span, help_text) from None
            raise
        if count < 0:
            raise BuildError("E107", f"this repeats {count} times", expr.span, "a repeat is 0 or more")
        if count > LARGEST_NETWORK:
            self.too_large(span, f"{count:,} turns")
        return count

    def too_large(self, span: Span, what: str) -> None:
        """Raises the limit error."""
        raise BuildError(
            "E112",
            f"this is too large to unroll: {what}, and a network may have {LARGEST_NETWORK:,} layers",
            span,
            "write a smaller repeat",
        )

    def named_branches(self, item: Item, entry: Value, scope: Scope) -> Value:
        """`[a | b] as p, q`: the branches get names, the last one goes on."""
        atom = item.atom
        names = [name.name for name in item.names]
        if not isinstance(atom, Group) or atom.kind not in {"concat", "split"} or item.repeat is not None:
            text = f"{len(names)} names need as many branches: `[a | b] as {names[0]}, {names[1]}`"
            raise BuildError("E116", text, item.names[1].span, f"keep one name: `as {names[0]}`")
        if len(names) != len(atom.branches):
            text = f"{len(atom.branches)} branches have {len(names)} names"
            raise BuildError("E116", text, item.names[-1].span, "name every branch, in their order")
        values = self.branches(atom, entry, scope)
        for name, value in zip(names, values, strict=True):
            scope.taps[name] = value
        return values[-1]

    # ---- atoms -------------------------------------------------------------------------------------------------------

    def atom(self, atom: object, current: Value, entry: Value, scope: Scope) -> Value:
        """One atom from the value before it."""
        self.steps += 1
        if self.steps > LARGEST_NETWORK:
            span: Span = atom.span  # type: ignore[attr-defined]
            self.too_large(span, f"more than {LARGEST_NETWORK:,} steps")
        if type(atom) is Layer:
            return self.layer(atom, current, scope)
        if type(atom) is Call:
            return self.call(atom, current, scope)
        if type(atom) is Group:
            return self.group(atom, current, scope)
        if type(atom) is Tap:
            return self.tap(atom, scope)
        if type(atom) is Identity:
            return entry
        assert type(atom) is Volume
        return self.asserted(atom, current, scope)

    def asserted(self, volume: Volume, current: Value, scope: Scope) -> Value:
        """`512@7x7` in a series: the volume must be that."""
        if current is not None:
            shape = self.nodes[current].output
            if shape != (volume.channels, volume.extents):
                wanted = Shape(volume.channels, volume.extents)
                fix = Fix(volume.span, str(shape), safe=False)
                hint = f"write `{shape}` if that is meant" if shape.spatial else "remove it: the value is flat"
                text = f"the volume here is {shape}, not {wanted}"
                fixes = (fix,) if shape.spatial else ()
                self.report(BuildError("E407", text, volume.span, hint, fixes=fixes), scope)
        return current

    def tap(self, tap: Tap, scope: Scope) -> Value:
        """`@stem`."""
        if tap.name not in scope.taps:
            raise self.unknown_tap(tap, scope)
        return scope.taps[tap.name]

    def unknown_tap(self, tap: Tap, scope: Scope) -> BuildError:
        """E108 with the nearest tap, or with where the name would have to be bound."""
        guess = nearest(tap.name, scope.taps)
        if tap.name in scope.blocks or tap.name in scope.numbers:
            kind = "a block" if tap.name in scope.blocks else "a number"
            return BuildError("E108", f"`{tap.name}` is {kind} here, not a tap", tap.span, f"write `{tap.name}`")
        if guess is not None:
            return BuildError(
                "E108", f"nothing before this is named `{tap.name}`", tap.span, f"did you mean `@{guess}`?"
            )
        text = f"nothing before this is named `{tap.name}`"
        return BuildError("E108", text, tap.span, f"name a value before it: `C3D64 as {tap.name}`")

    def layer(self, layer: Layer, current: Value, scope: Scope) -> Value:
        """One layer token."""
        if current is None:
            return None
        shape = self.nodes[current].output
        merged = self.defaults.apply(layer)
        lookup = self.lookup(scope, current)
        suffixes = suffixes_of(merged, lookup)
        key = (layer.mnemonic, suffixes, shape, id(layer))
        built = self.built.get(key)
        if built is None:
            op = self.geometry(
                lambda: catalogue.token(layer.mnemonic).from_suffixes(suffixes, shape), layer.span, current
            )
            built = self.sized(op, (current,), layer.span, evaluated_text(layer, lookup))
            self.built[key] = built
        return self.add(built, (current,), layer.span, scope)

    def geometry(self, make: object, span: Span, current: int) -> Op:
        """Runs an op's constructor, its geometry errors turned into diagnostics."""
        try:
            op: Op = make()  # type: ignore[operator]
        except GeometryError as error:
            raise self.placed(error, span, current) from None
        return op

    def sized(self, op: Op, inputs: tuple[int, ...], span: Span, spec: str) -> Built:
        """An op with its output volume."""
        try:
            output = op.output(*(self.nodes[index].output for index in inputs))
        except GeometryError as error:
            raise self.placed(error, span, inputs[0]) from None
        error_or_none = volume_error(output, span)
        if error_or_none is not None:
            raise error_or_none
        return Built(op, output, spec)

    def placed(self, error: GeometryError, span: Span, current: int) -> BuildError:
        """A geometry error at its place; where a volume became too small, with the layers that made it so."""
        shape = self.nodes[current].output
        help_text = error.help
        if error.code in {"E202", "E208"}:
            history = self.shrinking(current)
            if history:
                help_text = f"{help_text}; {history}" if help_text else history
        return BuildError(error.code, error.message, span, help_text, label=f"{shape} enters here")

    def shrinking(self, current: int) -> str:
        """The layers that made the volume small: `224x224 → 112x112 by C7D64/2 → …`, the last few of them."""
        steps: list[str] = []
        index = current
        while self.nodes[index].inputs and len(steps) < 4:
            node = self.nodes[index]
            before = self.nodes[node.inputs[0]].output
            if before.spatial != node.output.spatial and before.spatial and node.output.spatial:
                extents = "x".join(map(str, node.output.spatial))
                steps.append(f"{extents} after `{node.spec}` on line {self.source.place(node.span.start).line}")
            index = node.inputs[0]
        return "the size was lost on the way: " + ", ".join(reversed(steps)) if steps else ""

    def add(self, built: Built, inputs: tuple[int, ...], span: Span, scope: Scope) -> int:
        """Appends a layer and names it."""
        index = len(self.nodes)
        stem = built.op.STEM
        number = scope.counters.get(stem, 0) + 1
        scope.counters[stem] = number
        repeat_of = None
        turns: tuple[Turn, ...] = ()
        if self.repeats:
            turns = tuple([repeat.turn for repeat in self.repeats])
            for repeat in reversed(self.repeats):
                if repeat.turn.turn:
                    first = repeat.first_start + index - repeat.start
                    if first < repeat.first_end and type(self.nodes[first].op) is type(built.op):
                        repeat_of = first
                    break
        node = Node(
            index,
            f"{scope.prefix}{stem}{number}",
            built.op,
            inputs,
            built.output,
            built.spec,
            span,
            scope.calls,
            scope.instances,
            turns,
            repeat_of,
        )
        self.nodes.append(node)
        return index

    # ---- groups ------------------------------------------------------------------------------------------------------

    def nested(self, span: Span) -> None:
        """Counts brackets and calls around a point; paired with `self.depth -= 1`."""
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            text = f"brackets and blocks are nested more than {DEEPEST_NESTING} deep here"
            raise BuildError("E018", text, span, "write the network flatter")

    def group(self, group: Group, entry: Value, scope: Scope) -> Value:
        """Brackets: a series, or branches and their join."""
        self.nested(group.span)
        try:
            if group.kind == "series":
                return self.series(group.branches[0], entry, scope)
            values = self.branches(group, entry, scope)
            if len(values) == 1:
                return values[0]
            inputs = tuple(value for value in values if value is not None)
            if len(inputs) != len(values):
                return None
            return self.join(group, inputs, scope)
        finally:
            self.depth -= 1

    def branches(self, group: Group, entry: Value, scope: Scope) -> list[Value]:
        """The branches from left to right; those of a `split` each get their part of the depth."""
        parts = len(group.branches)
        if group.kind != "split" or parts == 1:
            return [self.series(branch, entry, scope) for branch in group.branches]
        values: list[Value] = []
        if entry is None:
            return [None] * parts
        depth = self.nodes[entry].output.channels
        if depth % parts:
            text = f"{parts} equal parts of the depth {depth}: {depth}/{parts} leaves {depth % parts}"
            raise BuildError("E305", text, group.span, "make the depth a multiple of the number of branches")
        width = depth // parts
        for number, branch in enumerate(group.branches):
            name, args = "slice", (Fraction(number * width), Fraction((number + 1) * width))
            part = self.word(name, args, (), entry, scope, branch.span)
            values.append(self.series(branch, part, scope))
        return values

    def join(self, group: Group, inputs: tuple[int, ...], scope: Scope) -> int:
        """Sums, gates or concatenates the branches."""
        symbol, name = {"sum": ("+", "add"), "gate": ("*", "multiply")}.get(group.kind, ("|", "concatenate"))
        shapes = tuple(self.nodes[index].output for index in inputs)
        op = catalogue.join(name).from_arguments({}, shapes[0])
        try:
            output = op.output(*shapes)
        except GeometryError as error:
            self.report_join(error, group, shapes, scope)
            raise Unknown from None
        too_large = volume_error(output, group.span)
        if too_large is not None:
            raise too_large
        return self.add(Built(op, output, symbol), inputs, group.span, scope)

    def report_join(self, error: GeometryError, group: Group, shapes: tuple[Shape, ...], scope: Scope) -> None:
        """A join whose branches do not fit: what each branch gives, and the fix where one branch is the identity."""
        labels = [
            Label(branch.span, f"this branch gives {shape}")
            for branch, shape in zip(group.branches, shapes, strict=True)
        ]
        help_text = error.help
        fixes: tuple[Fix, ...] = ()
        projection = self.projection(group, shapes)
        if projection is not None:
            branch, token = projection
            help_text = f"project the shortcut: replace `x` by `{token}`"
            fixes = (Fix(branch.span, token, safe=False),)
        found = BuildError(
            error.code, error.message, group.branches[0].span, help_text, label=labels[0].text, fixes=fixes
        )
        self.report(found, scope, tuple(labels[1:]))

    def projection(self, group: Group, shapes: tuple[Shape, ...]) -> tuple[Series, str] | None:
        """The convolution that makes an identity branch fit its sum: 1x1, with the stride of the other branch."""
        if group.kind != "sum" or len(shapes) != 2:
            return None
        for own, other in ((0, 1), (1, 0)):
            branch = group.branches[own]
            lone = len(branch.items) == 1 and isinstance(branch.items[0].atom, Identity)
            mine, theirs = shapes[own], shapes[other]
            if not lone or mine.rank != theirs.rank or not mine.rank:
                continue
            strides = {-(-a // b) for a, b in zip(mine.spatial, theirs.spatial, strict=True)}
            if len(strides) != 1:
                return None
            stride = strides.pop()
            if any(-(-a // stride) != b for a, b in zip(mine.spatial, theirs.spatial, strict=True)):
                return None
            return branch, f"C1D{theirs.channels}" + (f"/{stride}" if stride > 1 else "")
        return None

    # ---- words and blocks --------------------------------------------------------------------------------------------

    def call(self, call: Call, current: Value, scope: Scope) -> Value:
        """A word, a block, or a parameter that stands for one."""
        name = call.name.name
        closure = scope.blocks.get(name)
        if closure is None:
            if name in scope.numbers:
                text = f"`{name}` is a number here, not a block"
                raise BuildError("E105", text, call.name.span, "a number stands inside a token: `D{" + name + "}`")
            if name in scope.taps and name not in self.defs and catalogue.word(name) is None:
                raise BuildError("E105", f"`{name}` is a tap", call.name.span, f"start from it with `@{name}`")
            closure = Closure("block" if name in self.defs else "word", name)
        elif call.args is not None and closure.positional is not None:
            text = f"`{name}` has its arguments already: it was passed as `{closure.name}(…)`"
            raise BuildError("E105", text, call.span, f"write `{name}` without brackets")
        return self.invoke(closure, call, current, scope)

    def invoke(self, closure: Closure, call: Call, current: Value, scope: Scope) -> Value:
        """Runs what a name stands for."""
        if closure.kind == "identity":
            return current
        if closure.kind == "layer":
            assert closure.layer is not None
            if call.args is not None:
                text = f"`{call.name.name}` is the layer `{closure.name}` here, it takes no arguments"
                raise BuildError("E105", text, call.span, f"write `{call.name.name}`")
            return self.layer(closure.layer, current, scope)
        params = None
        if closure.kind == "word":
            op = catalogue.word(closure.name)
            if op is None:
                return None  # reported when the names were checked
            params = op
        if closure.positional is not None:
            positional, named = closure.positional, closure.named
        else:
            positional, named = self.bind_args(call.args, scope, self.lookup(scope, current), params)
        if closure.kind == "word":
            return self.word(closure.name, positional, named, current, scope, call.span)
        return self.block(self.defs[closure.name], positional, named, current, scope, call.span, None)

    def word(
        self,
        name: str,
        positional: tuple[Bound, ...],
        named: tuple[tuple[str, Bound], ...],
        current: Value,
        scope: Scope,
        span: Span,
    ) -> Value:
        """One word."""
        if current is None:
            return None
        op_type = catalogue.word(name)
        assert op_type is not None
        shape = self.nodes[current].output
        key = (name, positional, named, shape, span)
        built = self.built.get(key)
        if built is None:
            arguments = word_arguments(name, op_type.PARAMS, positional, named, span)
            op = self.geometry(lambda: op_type.from_arguments(arguments, shape), span, current)
            built = self.sized(op, (current,), span, word_text(name, positional, named))
            self.built[key] = built
        return self.add(built, (current,), span, scope)

    def bind_args(
        self, args: tuple[Arg, ...] | None, scope: Scope, lookup: Lookup, params: type[Op] | None
    ) -> tuple[tuple[Bound, ...], tuple[tuple[str, Bound], ...]]:
        """Arguments evaluated where they stand; `params` is the word they are for, if it is one."""
        positional: list[Bound] = []
        named: list[tuple[str, Bound]] = []
        for arg in args or ():
            value = self.argument(arg, scope, lookup, params)
            if arg.name is not None:
                named.append((arg.name.name, value))
            elif named:
                text = "an argument without a name follows one with a name"
                raise BuildError("E105", text, arg.span, "put the arguments without names first")
            else:
                positional.append(value)
        return tuple(positional), tuple(named)

    def argument(self, arg: Arg, scope: Scope, lookup: Lookup, params: type[Op] | None) -> Bound:
        """One argument: a number, a tap, or a layer, word or block by name."""
        expr = arg.value
        if isinstance(expr, Tap):
            return TapValue(self.tap(expr, scope))
        if isinstance(expr, Name):
            name = expr.name
            if params is not None and any(name in param.choices for param in params.PARAMS):
                return Choice(name)
            if name in scope.numbers or name in self.lets or name == "c":
                return lookup(name, expr.span)
            closure = self.by_name(name, scope, expr.span)
            if closure is not None:
                return closure
            return lookup(name, expr.span)
        if isinstance(expr, Function) and expr.name.name not in FUNCTIONS:
            name = expr.name.name
            passed = self.by_name(name, scope, expr.span)
            if passed is not None and passed.positional is None and passed.kind in {"word", "block"}:
                inner = catalogue.word(passed.name) if passed.kind == "word" else None
                positional, more = self.bind_args(expr.args, scope, lookup, inner)
                return passed._replace(positional=positional, named=more)
        return evaluate(expr, lookup)

    def by_name(self, name: str, scope: Scope, span: Span) -> Closure | None:
        """What a bare name passes: a parameter's block, a block, the identity, a layer token, or a word."""
        if name in scope.blocks:
            return scope.blocks[name]
        if name in self.defs:
            return Closure("block", name)
        if name == "x":
            return Closure("identity", "x")
        if catalogue.word(name) is not None:
            return Closure("word", name)
        if span not in self.passed_layers:
            self.passed_layers[span] = parse_layer(name, span.start)
        layer = self.passed_layers[span]
        return Closure("layer", name, layer) if layer is not None else None

    def block(
        self,
        definition: DefStmt,
        positional: tuple[Bound, ...],
        named: tuple[tuple[str, Bound], ...],
        entry: Value,
        scope: Scope,
        span: Span,
        instance: str | None,
    ) -> Value:
        """One call of a block, in a scope of its own."""
        self.nested(span)
        try:
            if instance is None:
                instance = self.instance_name(definition.name.name, scope)
                prefix = f"{scope.prefix}{instance}."
                instances = (*scope.instances, instance)
            else:
                prefix, instances = scope.prefix, scope.instances
            inner = Scope(prefix, instances, (*scope.calls, span))
            self.bind(definition, positional, named, entry, inner, span)
            return self.series(definition.body, entry, inner)
        finally:
            self.depth -= 1

    def instance_name(self, name: str, scope: Scope) -> str:
        """bot1, bot2 …; a name that ends in a digit gets an underscore, so that c2's first is not c's twenty-first."""
        stem = f"{name}_" if name[-1].isdigit() else name
        while True:
            number = scope.counters.get(stem, 0) + 1
            scope.counters[stem] = number
            if f"={stem}{number}" not in scope.counters:
                return f"{stem}{number}"

    def bind(
        self,
        definition: DefStmt,
        positional: tuple[Bound, ...],
        named: tuple[tuple[str, Bound], ...],
        entry: Value,
        inner: Scope,
        span: Span,
    ) -> None:
        """Gives the block's parameters their values; a default sees `c` and the parameters before it."""
        given: dict[str, Bound] = {}
        names = [param.name.name for param in definition.params]
        if len(positional) > len(names):
            raise self.wrong_arguments(definition, f"{len(positional)} arguments for", span)
        given.update(zip(names, positional, strict=False))
        for key, value in named:
            if key not in names or key in given:
                reason = f"there is no `{key}` in" if key not in names else f"`{key}` is given twice to"
                raise self.wrong_arguments(definition, reason, span)
            given[key] = value
        for param in definition.params:
            name = param.name.name
            bound = given.get(name)
            if bound is None:
                if param.default is None:
                    raise self.wrong_arguments(definition, f"`{name}` is missing for", span)
                argument = Arg(None, param.default, param.name.span)
                bound = self.argument(argument, inner, self.lookup(inner, entry), None)
            if isinstance(bound, Fraction):
                inner.numbers[name] = bound
            elif isinstance(bound, TapValue):
                inner.taps[name] = bound.node
            elif isinstance(bound, Closure):
                inner.blocks[name] = bound

    def wrong_arguments(self, definition: DefStmt, reason: str, span: Span) -> BuildError:
        """E105 with the block's signature."""
        name = definition.name.name
        return BuildError("E105", f"{reason} the block `{name}`", span, f"it is `{signature(definition)}`")


def volume_error(shape: Shape, span: Span) -> BuildError | None:
    """E111 or E103 where a volume is empty or beyond what a tensor may be."""
    if min(shape.dims) < 1:
        return BuildError("E111", f"the volume {shape} has no elements", span, "every number must be at least 1")
    if shape.channels > LARGEST_DEPTH or any(extent > LARGEST_EXTENT for extent in shape.spatial):
        text = f"the volume {shape} is too large: a depth may be {LARGEST_DEPTH}, an extent {LARGEST_EXTENT}"
        return BuildError("E103", text, span, "no network is that large")
    return None
