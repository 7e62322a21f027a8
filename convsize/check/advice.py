"""What would mend a spec that does not build: fixes that were tried, and the input sizes at which it would."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

from convsize.check.repairs import Build, repair, works
from convsize.errors import Diagnostic, SpecError, UsageError
from convsize.geometry import Shape
from convsize.graph.build import Attempt, attempt
from convsize.language.tree import File
from convsize.records import InputSizes

_JOINS = ("E302", "E303")
_SAID_BETTER = ("E203", "E206", "E207", "E208", "E209", "E210", "E302", "E303", "E305")
"""What the ops say without knowing the token: it holds nothing that the token does not show."""


def advised(
    file: File,
    lets: Mapping[str, Fraction] | None = None,
    inputs: Mapping[str, Shape] | None = None,
) -> tuple[Diagnostic, ...]:
    """The errors of a spec that parses and does not build, with fixes that were tried, and input sizes that would do.

    Fixes that do not work at their place are left out; where none is left, the smallest change of geometry is looked
    for, and the help says what to write.

    Raises UsageError as `build` does.
    """
    build = partial(attempt, lets=lets, inputs=inputs)
    before = build(file)
    found: list[Diagnostic] = []
    asked = False
    for each in before.diagnostics:
        if each.code[:2] in ("E2", "E3"):
            each = _mended(file, each, before, build)
            if each.code in _JOINS and not inputs and not asked:
                asked = True  # the sizes are those of the whole network: saying them once is enough
                sizes = _sizes_that_fit(file, each, lets)
                if sizes is not None:
                    each = each._replace(help=f"{sizes}, or {each.help}" if each.help else sizes)
        found.append(each)
    return tuple(found)


def _mended(file: File, found: Diagnostic, before: Attempt, build: Build) -> Diagnostic:
    working = tuple(fix for fix in found.fixes if works(file.source, found, fix, before, build))
    if working:
        return found._replace(fixes=working)
    smallest = repair(file, found, before, build)
    if smallest is None:
        return found
    said = f"{smallest.how}: write `{smallest.fix.replacement}`"
    if found.help and found.code not in _SAID_BETTER:
        said = f"{said}; otherwise {found.help}"
    return found._replace(fixes=(smallest.fix,), help=said)


def _sizes_that_fit(file: File, found: Diagnostic, lets: Mapping[str, Fraction] | None) -> str | None:
    """Where pixels were lost on the way to a join, the input volumes near by at which none are."""
    if not found.fixes or "crop(" not in found.fixes[0].replacement:
        return None
    from convsize.analyses.sizes.input_sizes import input_sizes, structure

    try:
        sizes = input_sizes(structure(file, lets), lets)
    except (SpecError, UsageError):
        return None
    if len(sizes.inputs) != 1 or sizes.coupled:
        return None
    (name, dims) = sizes.inputs[0]
    volumes = []
    for side in ("below", "above"):
        extents = []
        for axis in sizes.axes:
            declared = dims[1 + axis.axis]
            extents.append(declared if axis.valid.has(declared) else getattr(axis.valid, side)(declared))
        # Half the size is no answer to someone who has a few pixels too many.
        if all(
            near is not None and 2 * near > own and near < 2 * own for near, own in zip(extents, dims[1:], strict=True)
        ):
            volumes.append(Shape(dims[0], tuple(extents)))
    if not volumes:
        return None
    written = " or ".join(f"`{'input' if name == 'input' else f'input {name}'}: {shape}`" for shape in volumes)
    return f"{_multiples(sizes)}declare {written}"


def _multiples(sizes: InputSizes) -> str:
    """What the sizes have in common: "height and width must be multiples of 16, and 300 is none"."""
    moduli = set()
    for axis in sizes.axes:
        steps = axis.valid.progressions
        if len(steps) != 1 or steps[0].width != 1 or steps[0].start % steps[0].modulus:
            return ""
        moduli.add(steps[0].modulus)
    if len(moduli) != 1 or (modulus := moduli.pop()) == 1:
        return ""
    names = " and ".join(dict.fromkeys(axis.name for axis in sizes.axes))
    (_, (_, *declared)) = sizes.inputs[0]
    wrong = next(extent for extent in declared if extent % modulus)
    many = "a multiple" if len(sizes.axes) == 1 else "multiples"
    return f"{names} must be {many} of {modulus}, and {wrong} is none: "
