"""Series to layers: repeats are unrolled, blocks are called, branches are joined."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from convsize.errors import Span
from convsize.geometry import GeometryError, Shape
from convsize.graph.draft import Draft, Repeat, Sized, volume_error
from convsize.graph.evaluate import BuildError, Lookup, Unknown, whole
from convsize.graph.joins import join_error
from convsize.graph.layer_names import numbered
from convsize.graph.passing import Passing
from convsize.graph.scope import Bound, Closure, Lets, Numbers, Scope, TapValue, Value, find_tap
from convsize.graph.sharing import Sharing
from convsize.graph.tokens import (
    Defaults,
    evaluated_text,
    given_taps,
    stated_arguments,
    suffixes_of,
    with_defaults,
    word_arguments,
    word_text,
)
from convsize.language.formatter import dim_text, expr_text
from convsize.language.tree import Atom, Call, DefStmt, Expr, Group, Identity, Item, Layer, Name, Series, Tap, Volume
from convsize.ops import catalogue
from convsize.ops.base import Argument, Op
from convsize.records import Iteration
from convsize.words import plural

_JOINS = {
    "sum": ("+", "add"),
    "difference": ("-", "subtract"),
    "gate": ("*", "multiply"),
    "quotient": ("/", "divide"),
}
"""The sign of a group's kind, and its op; of all others branches are concatenated."""

LARGEST_NETWORK = 50_000
"""Layers, and likewise steps of unrolling: a repeat of nothing is work as well."""

DEEPEST_NESTING = 100
"""Brackets and calls of blocks together."""


LIMITS = frozenset({"E112", "E018"})
"""Errors after which unrolling ends: what follows would only hit them again."""


class Unroller:
    """Runs series over a draft of the network."""

    def __init__(
        self,
        draft: Draft,
        defs: Mapping[str, DefStmt],
        lets: Lets,
        defaults: Defaults,
        shared: Mapping[str, str],
        *,
        stated: bool,
    ) -> None:
        """shared: what the weights of every `shared` block are called."""
        self.draft = draft
        self.sharing = Sharing(shared)
        self.defs = defs
        self.lets = lets
        self.defaults = defaults
        self.stated = stated
        self.volumes: set[Span] = set()
        self.passing = Passing(defs, lets)
        self.repeat_count = 0
        self.steps = 0
        self.depth = 0
        self.built: dict[tuple[object, ...], Sized] = {}
        self.ended = Scope()  # of the block that was called last

    def lookup(self, scope: Scope, current: Value) -> Lookup:
        """Names at this point; `c` is the depth of the value that has been reached."""
        return Numbers(scope, self.lets, None if current is None else self.draft.nodes[current].output.channels)

    def series(self, series: Series, entry: Value, scope: Scope) -> Value:
        """Runs a series from the value that enters it to the value it ends with."""
        current = entry
        for item in series.items:
            try:
                current = self.item(item, current, entry, scope)
            except Unknown:
                current = self.lost(item, scope)
            except BuildError as error:
                if error.code in LIMITS:
                    raise
                self.draft.report(error, scope)
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
            values = self.several(item, current, scope)
            for name, value in zip(item.names, values, strict=True):
                scope.taps[name.name] = value
                if value is not None:
                    self.draft.called[value] = name.name
            return values[-1]
        if item.repeat is None:
            current = self.atom(item.atom, current, entry, scope)
        else:
            current = self.repeated(item, item.repeat, current, entry, scope)
        for name in item.names:
            scope.taps[name.name] = current
        return current

    def repeated(self, item: Item, repeat: Expr, current: Value, entry: Value, scope: Scope) -> Value:
        """Unrolls a repeat, measuring the first iteration so that one that is too large ends at once."""
        count = self.repeat_times(repeat, item.span, current, scope)
        if count == 0:
            return current
        atom = item.atom
        is_block = isinstance(atom, Call) and (atom.name.name in self.defs or atom.name.name in scope.blocks)
        self.repeat_count += 1
        identity = self.repeat_count
        first_start = first_end = len(self.draft.nodes)
        steps = self.steps
        outer = scope.numbers
        for iteration in range(count):
            start = len(self.draft.nodes)
            if item.index is not None:
                scope.numbers = outer | {item.index.name: Fraction(iteration)}
            self.draft.repeats.append(Repeat(Iteration(identity, iteration, is_block), first_start, first_end, start))
            try:
                current = self.atom(atom, current, entry, scope)
            finally:
                self.draft.repeats.pop()
                scope.numbers = outer
            if iteration == 0:
                first_end = len(self.draft.nodes)
                if item.index is None and steps + (self.steps - steps) * count > LARGEST_NETWORK:
                    self.too_large(
                        item.span, f"{plural(count, 'iteration')} of {plural(self.steps - steps, 'item')} each"
                    )
            if current is None:
                return None
        return current

    def repeat_times(self, expr: Expr, span: Span, current: Value, scope: Scope) -> int:
        """How often an item stands there."""
        free = type(expr) is Name and self.draft.source.text[expr.span.start - 1 : expr.span.start] == "*"
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
            self.too_large(span, plural(count, "iteration"))
        return count

    def too_large(self, span: Span, what: str) -> None:
        """Raises the limit error."""
        raise BuildError(
            "E112",
            f"this is too large to expand: {what}, and a network may have {LARGEST_NETWORK:,} layers",
            span,
            "write a smaller repeat",
        )

    def several(self, item: Item, entry: Value, scope: Scope) -> list[Value]:
        """The values of an item with several names: `[a | b] as p, q`, and `f(…) as p, q` of a block that ends so."""
        atom = item.atom
        names = [name.name for name in item.names]
        if item.repeat is None and isinstance(atom, Call):
            closure = self.meaning(atom, scope)
            if closure.kind == "block":
                return self.outputs(closure, atom, item, entry, scope)
        branches = isinstance(atom, Group) and atom.kind in {"concat", "split"}
        if item.repeat is not None and (branches or isinstance(atom, Call)):
            text = f"a repeat gives one value, and {plural(len(names), 'name')} stand after it"
            inner = "f(…)" if isinstance(atom, Call) else "[a | b]"
            hint = f"name them inside: `({inner} as {', '.join(names)})*{dim_text(item.repeat)}`"
            raise BuildError("E116", text, item.names[1].span, hint)
        if not isinstance(atom, Group) or not branches:
            text = f"{plural(len(names), 'name')} need as many branches: `[a | b] as {names[0]}, {names[1]}`"
            raise BuildError("E116", text, item.names[1].span, f"keep one name: `as {names[0]}`")
        if len(names) != len(atom.branches):
            text = f"{plural(len(atom.branches), 'branch')} have {plural(len(names), 'name')}"
            raise BuildError("E116", text, item.names[-1].span, "name every branch, in their order")
        return self.branches(atom, entry, scope)

    def outputs(self, closure: Closure, call: Call, item: Item, entry: Value, scope: Scope) -> list[Value]:
        """The values that a block's body ends in, where it names as many as are asked for."""
        ends = self.defs[closure.name].body.items[-1].names
        if len(ends) != len(item.names):
            count = max(len(ends), 1)
            values, names = plural(count, "value"), plural(len(item.names), "name")
            text = f"the block `{closure.name}` gives {values}, and here it gets {names}"
            hint = f"write {plural(count, 'name')}" if count > 1 else "end its body in named values: `[a | b] as a, b`"
            raise BuildError("E116", text, item.names[-1].span, hint)
        self.invoke(closure, call, entry, scope)
        inner = self.ended
        return [inner.taps[name.name] for name in ends]

    # ---- atoms ----

    def atom(self, atom: Atom, current: Value, entry: Value, scope: Scope) -> Value:
        """One atom from the value before it."""
        self.steps += 1
        if self.steps > LARGEST_NETWORK:
            self.too_large(atom.span, f"more than {LARGEST_NETWORK:,} steps")
        if type(atom) is Layer:
            return self.layer(atom, current, scope)
        if type(atom) is Call:
            return self.call(atom, current, scope)
        if type(atom) is Group:
            return self.group(atom, current, scope)
        if type(atom) is Tap:
            return find_tap(atom, scope)
        if type(atom) is Identity:
            return entry
        assert type(atom) is Volume
        return self.asserted(atom, current, scope)

    def asserted(self, volume: Volume, current: Value, scope: Scope) -> Value:
        """`512@7x7` in a series: the volume must be that."""
        self.volumes.add(volume.span)
        if self.stated and current is not None:
            shape = self.draft.nodes[current].output
            wanted = Shape(volume.channels, volume.extents)
            if shape != wanted:
                hint = f"write `{shape}` if the network is right" if shape.spatial else "remove it: the value is flat"
                text = f"the volume here is {shape}, not {wanted}"
                self.draft.report(BuildError("E407", text, volume.span, hint), scope)
        return current

    def layer(self, layer: Layer, current: Value, scope: Scope) -> Value:
        """One layer token."""
        if current is None:
            return None
        shape = self.draft.nodes[current].output
        merged = self.defaults.apply(layer)
        lookup = self.lookup(scope, current)
        suffixes = suffixes_of(merged, lookup)
        key = (layer.mnemonic, suffixes, shape, id(layer))
        built = self.built.get(key)
        if built is None:
            op_type = catalogue.token(layer.mnemonic)
            op = self.draft.geometry(lambda: op_type.from_suffixes(suffixes, shape), layer.span, current)
            if op_type in self.defaults.words:
                given, sized = self.default_arguments(op_type, current), merged.size is not None
                op = self.draft.geometry(lambda: with_defaults(op, given, shape, sized=sized), layer.span, current)
            built = self.draft.sized(op, (current,), layer.span, evaluated_text(layer, lookup))
            self.built[key] = built
        return self.draft.add(built, (current,), layer.span, scope)

    def default_arguments(self, op_type: type[Op], current: Value) -> dict[str, Argument]:
        """What the file's `default` lines say of a word, by argument. Raises BuildError E105."""
        found: dict[str, Argument] = {}
        for call in self.defaults.words.get(op_type, ()):
            scope = Scope()  # of the file: a default is no part of the block that it works in
            positional, named = self.passing.arguments(call.args, scope, self.lookup(scope, current), op_type)
            found |= stated_arguments(call.name.name, op_type.PARAMS, positional, named, call.span)
        return found

    def check_defaults(self) -> None:
        """Takes down what is wrong with the words of `default` lines, whether they are used or not."""
        for op_type in self.defaults.words:
            try:
                self.default_arguments(op_type, None)
            except Unknown:
                continue  # it depends on the depth
            except BuildError as error:
                self.draft.report(error)

    # ---- groups ----

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
        depth = self.draft.nodes[entry].output.channels
        if depth % parts:
            text = f"{parts} equal parts of the depth {depth}: {depth}/{parts} leaves {depth % parts}"
            raise BuildError("E305", text, group.span, "make the depth a multiple of the number of branches")
        width = depth // parts
        for number, branch in enumerate(group.branches):
            name, args = catalogue.PART, (Fraction(number * width), Fraction((number + 1) * width))
            part = self.word(name, args, (), entry, scope, branch.span)
            values.append(self.series(branch, part, scope))
        return values

    def join(self, group: Group, inputs: tuple[int, ...], scope: Scope) -> int:
        """Sums, gates or concatenates the branches."""
        symbol, name = _JOINS.get(group.kind, ("|", "concatenate"))
        shapes = tuple(self.draft.nodes[index].output for index in inputs)
        op = catalogue.join(name).from_arguments({}, shapes[0])
        try:
            output = op.output(*shapes)
        except GeometryError as error:
            found, labels = join_error(error, group, self.draft.nodes, inputs, self.draft.source)
            self.draft.report(found, scope, labels)
            raise Unknown from None
        too_large = volume_error(output, group.span)
        if too_large is not None:
            raise too_large
        return self.draft.add(Sized(op, output, symbol), inputs, group.span, scope)

    # ---- words and blocks ----

    def call(self, call: Call, current: Value, scope: Scope) -> Value:
        """A word, a block, or a parameter that stands for one."""
        return self.invoke(self.meaning(call, scope), call, current, scope)

    def meaning(self, call: Call, scope: Scope) -> Closure:
        """What a call's name stands for. Raises E105."""
        name = call.name.name
        closure = scope.blocks.get(name)
        if closure is None:
            if name in scope.numbers:
                text = f"`{name}` is a number here, not a block"
                raise BuildError("E105", text, call.name.span, "a number goes inside a token: `D{" + name + "}`")
            if name in scope.taps and name not in self.defs and catalogue.word(name) is None:
                raise BuildError("E105", f"`{name}` is a tap", call.name.span, f"start from it with `@{name}`")
            closure = Closure("block" if name in self.defs else "word", name)
        elif call.args is not None and closure.positional is not None:
            text = f"`{name}` already has its arguments: it was passed as `{closure.name}(…)`"
            raise BuildError("E105", text, call.span, f"write `{name}` without brackets")
        return closure

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
            positional, named = self.passing.arguments(call.args, scope, self.lookup(scope, current), params)
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
        shape = self.draft.nodes[current].output
        taps, others, by_name = given_taps(op_type.PARAMS, positional, named)
        if any(tap.node is None for tap in taps):
            return None
        inputs = (current, *(tap.node for tap in taps if tap.node is not None))
        like: Value = None
        if any(isinstance(value, TapValue) for value in others) or by_name:
            others = tuple([self.sized(value) for value in others])
            by_name = tuple([(key, self.sized(value)) for key, value in by_name])
            values = (*others, *(value for _, value in by_name))
            like = next((value.node for value in values if isinstance(value, TapValue)), None)
        key = (name, positional, named, like, shape, span)
        built = self.built.get(key)
        if built is None:
            given = self.default_arguments(op_type, current)
            arguments = word_arguments(name, op_type.PARAMS, others, by_name, span, given)
            op = self.draft.geometry(lambda: op_type.from_arguments(arguments, shape), span, current)
            built = self.draft.sized(op, inputs, span, word_text(name, positional, named))
            self.built[key] = built
        return self.draft.add(built, inputs, span, scope, like)

    def sized(self, value: Bound) -> Bound:
        """An argument of a word, a tap with its volume. Raises Unknown where an earlier error lost it."""
        if not isinstance(value, TapValue):
            return value
        if value.node is None:
            raise Unknown
        return value.replace(shape=self.draft.nodes[value.node].output)

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
                instance = numbered(definition.name.name, scope.counters, scope.taken)
                prefix = f"{scope.prefix}{instance}."
                instances = (*scope.instances, instance)
            else:
                prefix, instances = scope.prefix, scope.instances
            inner = Scope(prefix, instances, (*scope.calls, span), around=scope)
            self.passing.bind(definition, positional, named, self.lookup(inner, entry), inner, span)
            if definition.shared:
                shape = None if entry is None else self.draft.nodes[entry].output
                inner.shared = self.sharing.use(definition, shape, inner, span, self.draft.source)
            elif scope.shared is not None:
                inner.shared = f"{scope.shared}{instance}."
            end = self.series(definition.body, entry, inner)
            self.ended = inner
            return end
        finally:
            self.depth -= 1
