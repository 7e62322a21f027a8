"""What would mend a spec that does not build: fixes that were tried, and the input sizes at which it would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial

from convsize.check.calls import at_calls
from convsize.check.repairs.candidates import output_paddings
from convsize.check.repairs.trial import Build, block_around, edited, repair, works
from convsize.errors import Diagnostic, Fix, Source, Span, SpecError, UsageError
from convsize.geometry import Shape
from convsize.graph.build import Attempt, attempt
from convsize.graph.draft import SHRUNK
from convsize.graph.network import Network
from convsize.language.formatter import dim_text, layer_text
from convsize.language.parser import parse
from convsize.language.tree import DefaultStmt, ExpectStmt, File, InputStmt, Layer, Num, Pads, TrunkStmt
from convsize.records import InputSizes
from convsize.rules.places import series_of
from convsize.words import listed

_JOINS = ("E302", "E303")
_SAID_BETTER = ("E203", "E206", "E207", "E208", "E209", "E210", "E302", "E303", "E305")
"""What the ops say without knowing the token: it holds nothing that the token does not show."""


def advised(
    file: File,
    lets: Mapping[str, Fraction] | None = None,
    inputs: Mapping[str, Shape] | None = None,
    *,
    stated: bool = True,
) -> tuple[Diagnostic, ...]:
    """The errors of a spec that parses and does not build, with fixes that were tried, and input sizes that would do.

    Fixes that do not work at their place are left out; where none is left, the smallest change of geometry is looked
    for, and the help says what to write. In a block a change is right for all its calls, or is made at the calls.
    `stated` says whether inline volumes are held to.

    Raises UsageError as `build` does.
    """
    build = partial(attempt, lets=lets, inputs=inputs, stated=stated)
    before = build(file)
    found: list[Diagnostic] = []
    asked = False
    for each in before.diagnostics:
        if each.code[:2] in ("E2", "E3"):
            # Pixels were lost on the way to the join: at other sizes none are.
            crops = bool(each.help and "crop(" in each.help)
            each = _mended(file, each, before, build)
            if each.code in _JOINS and crops and not asked:
                asked = True  # the sizes are those of the whole network: saying them once is enough
                sizes = _sizes_that_fit(file, lets, inputs or {})
                if sizes is not None:
                    each = each.replace(help=f"{sizes}, or {each.help}" if each.help else sizes)
        found.append(each)
    return tuple(found)


# ---- what a spec states of itself and does not hold ------------------------------------------------------------------

_STATED = ("E401", "E403", "E407")
_NEAR = 8
"""Pixels by which an input is tried larger and smaller."""

_LARGEST_TRIAL = 20_000
"""Layers that are sized in all trials for one statement together."""


def doubted(
    file: File,
    found: tuple[Diagnostic, ...],
    lets: Mapping[str, Fraction] | None = None,
    inputs: Mapping[str, Shape] | None = None,
) -> tuple[Diagnostic, ...]:
    """The errors of a network, where what the author stated does not hold: with the change at which it would.

    What is stated is the last thing to be doubted. The size of the input is tried first, then a padding, then a stride,
    always one change for the whole network; the statement itself is never rewritten.
    """
    if inputs:
        return found  # what is stated is stated for the declared inputs
    wrong = [each for each in found if each.severity == "error"]
    if not wrong or any(each.code not in _STATED for each in wrong) or not all(map(_is_equality(file), wrong)):
        return found
    first = wrong[0]
    before = attempt(file, lets)
    left = _LARGEST_TRIAL
    for how, fix in _changes(file, first):
        left -= before.layers + 1
        if left < 0:
            break
        changed, errors = parse(Source(edited(file.source.text, (fix,)), file.source.name))
        if errors:
            continue
        after = attempt(changed, lets)
        if after.network is not None and not _failing(after.network):
            said = f"{how}: write `{fix.replacement.strip()}`"
            better = first.replace(
                help=f"{said}; otherwise {_rest(first.help, said)}" if first.help else said, fixes=(fix,)
            )
            return tuple(better if each is first else each for each in found)
    return found


def _is_equality(file: File) -> Callable[[Diagnostic], bool]:
    """Whether an error is about a volume or a count that is stated exactly."""
    checks = {check.span: check for stmt in file.statements if isinstance(stmt, ExpectStmt) for check in stmt.checks}
    return lambda found: (
        found.code == "E407"
        or (found.span in checks and checks[found.span].comparison == "=" and checks[found.span].metric.name != "graph")
    )


def _failing(network: Network) -> bool:
    """Whether anything that a network states does not hold."""
    if any(each.severity == "error" for each in network.diagnostics):
        return True
    from convsize.analyses.report import broken

    return any(each.severity == "error" for each in broken(network))


def _changes(file: File, found: Diagnostic) -> Iterator[tuple[str, Fix]]:
    declared = [stmt for stmt in file.statements if isinstance(stmt, InputStmt)]
    if len(declared) == 1 and declared[0].volume.extents:
        volume = declared[0].volume
        for step in (each for near in range(1, _NEAR + 1) for each in (near, -near)):
            extents = tuple(extent + step for extent in volume.extents)
            if min(extents) > 0:
                yield (
                    "declare the input for which it holds",
                    Fix(volume.span, str(Shape(volume.channels, extents)), False),
                )
    fix = _unpadded(file)
    if fix is not None:
        yield "do not pad the convolutions, which have half padding where nothing is said", fix
    layers = [
        item.atom
        for series in series_of(file)
        for item in series.items
        if isinstance(item.atom, Layer) and (found.code != "E407" or item.atom.span.start < found.span.start)
    ]
    windows = [layer for layer in reversed(layers) if layer.mnemonic in ("C", "DW", "M", "A")]
    for padding in (0, 1, 2, 3):
        for layer in windows:
            pads = Pads("explicit", ((Num(Fraction(padding), layer.span), None),))
            if layer.padding != pads:
                yield "pad differently", Fix(layer.span, layer_text(layer.replace(padding=pads), dim_text), safe=False)
    for stride in (1, 2, 3, 4):
        for layer in windows:
            dims = (Num(Fraction(stride), layer.span),)
            yield "change the stride", Fix(layer.span, layer_text(layer.replace(stride=dims), dim_text), safe=False)


def _unpadded(file: File) -> Fix | None:
    """The `default` that takes the half padding away, where the spec has none of its own for convolutions."""
    none = Pads("explicit", ((Num(Fraction(0), Span(0, 0)), None),))
    defaults = [stmt for stmt in file.statements if isinstance(stmt, DefaultStmt)]
    for layer in (layer for stmt in defaults for layer in stmt.layers if layer.mnemonic == "C"):
        if layer.padding is not None:
            return None
        return Fix(layer.span, layer_text(layer.replace(padding=none), dim_text), safe=False)
    if defaults:
        end = defaults[0].span.end
        return Fix(Span(end, end), " Cp0", safe=False)
    trunk = next((stmt.span.start for stmt in file.statements if isinstance(stmt, TrunkStmt)), None)
    return None if trunk is None else Fix(Span(trunk, trunk), "default: Cp0\n", safe=False)


def _mended(file: File, found: Diagnostic, before: Attempt, build: Build) -> Diagnostic:
    working = tuple(fix for fix in found.fixes if works(file.source, found, fix, before, build))
    if not working and any(works(file.source, found, fix, before, build, everywhere=False) for fix in found.fixes):
        return found.replace(help=_separately(file, found), fixes=())
    if found.code in _JOINS:
        for grown in output_paddings(file, found.span):
            if works(file.source, found, grown.fix, before, build):
                said = f"{grown.how}: write `{grown.fix.replacement}`"
                otherwise = f", or {found.help}" if found.help else ""
                return found.replace(help=said + otherwise, fixes=(grown.fix, *working))
    if working:
        if working[0] != found.fixes[0]:
            # What is said is the first way, and it works in one call only.
            old, new = file.source.slice(working[0].span), working[0].replacement
            found = found.replace(help=f"write `{new}` for `{old}`" if old else f"add `{new.strip()}`")
        return found.replace(fixes=working)
    smallest = repair(file, found, before, build)
    block = block_around(file, found.span) if found.fixes else None
    if smallest is None and block is not None:
        smallest = at_calls(file, found, before, build)
        if smallest is not None:
            return found.replace(fixes=(smallest.fix,), help=smallest.how)
        if found.code in _JOINS:
            said = (
                f"let `{block.name.name}` take the number as a parameter, as in `crop(n)`, and give each call its own: "
                "none fits all"
            )
            return found.replace(fixes=(), help=said)
    if smallest is None:
        return found
    written = smallest.fix.replacement
    said = f"{smallest.how}: write `{written}`" if written else f"{smallest.how}: leave it out"
    if smallest.settles:
        _, shrunk, way = (found.help or "").partition(SHRUNK)
        said += f"; {shrunk}{way}" if way else ""
    elif found.help and found.code not in _SAID_BETTER:
        said = f"{said}; otherwise {_rest(found.help, said)}"
    return found.replace(fixes=(smallest.fix,), help=said)


def _separately(file: File, found: Diagnostic) -> str:
    """The help where a change would reach other calls or iterations, which are right as they are."""
    if block_around(file, found.span) is None:
        own = "iterations are right as they are: write this one out for itself"
    else:
        own = "calls are right as they are: give this one a block of its own"
    why, semicolon, how = (found.help or "").rpartition("; ")
    return f"{why}{semicolon}other {own}{f', and there {how}' if how else ''}"


def _sizes_that_fit(file: File, lets: Mapping[str, Fraction] | None, inputs: Mapping[str, Shape]) -> str | None:
    """The input volumes near by, that is near the declared one or the one that was asked for, at which joins fit."""
    from convsize.analyses.sizes.input_sizes import input_sizes, structure

    try:
        sizes = input_sizes(structure(file, lets), lets)
    except (SpecError, UsageError):
        return None
    if len(sizes.inputs) != 1 or sizes.coupled:
        return None
    (name, dims) = sizes.inputs[0]
    if name in inputs:
        dims = inputs[name].dims
    volumes = []
    for side in ("below", "above"):
        extents = []
        for axis in sizes.axes:
            own = dims[1 + axis.axis]
            extents.append(own if axis.valid.has(own) else getattr(axis.valid, side)(own))
        # Half the size is no answer to someone who has a few pixels too many.
        if all(
            near is not None and 2 * near > own and near < 2 * own for near, own in zip(extents, dims[1:], strict=True)
        ):
            volumes.append(Shape(dims[0], tuple(extents)))
    if not volumes:
        return None
    if inputs:
        written = listed([f"`{shape}`" for shape in volumes], "or")
        return f"{_multiples(sizes, dims)}take the input {written}"
    written = listed([f"`{'input' if name == 'input' else f'input {name}'}: {shape}`" for shape in volumes], "or")
    return f"{_multiples(sizes, dims)}declare {written}"


def _multiples(sizes: InputSizes, dims: tuple[int, ...]) -> str:
    """What the sizes have in common: "height and width must be multiples of 16, and 300 is none"."""
    moduli = set()
    for axis in sizes.axes:
        steps = axis.valid.progressions
        if len(steps) != 1 or steps[0].width != 1 or steps[0].start % steps[0].modulus:
            return ""
        moduli.add(steps[0].modulus)
    if len(moduli) != 1 or (modulus := moduli.pop()) == 1:
        return ""
    names = listed(list(dict.fromkeys(axis.name for axis in sizes.axes)))
    wrong = next(extent for extent in dims[1:] if extent % modulus)
    many = "a multiple" if len(sizes.axes) == 1 else "multiples"
    return f"{names} must be {many} of {modulus}, but {wrong} is not: "


def _rest(text: str, said: str) -> str:
    """A help without the way that is said already: of "take `g1`, or a depth of 4" the depth, where `C3g1` is said."""
    way, _, rest = text.partition("`, or ")
    taken = way.removeprefix("take `")
    return f"take {rest}" if rest and taken != way and f"{taken}`" in said else text
