"""`convsize ops`: every layer that a spec can have, its reference page, and the matrix of facts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convsize.geometry import Window
    from convsize.ops.base import Op, Parameter, Saved


def command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Layer as written in specs (C, hswish), or its name (max pooling)."),
    ] = None,
    facts: Annotated[bool, typer.Option("--facts", help="Show the facts each op states, with an example.")] = False,
    format_: Annotated[
        Literal["table", "markdown"],
        typer.Option("--format", "-f", help="Output format; markdown prints the full page of every layer."),
    ] = "table",
) -> int:
    """Describe the layers of the language, or one of them.

    \b
    Examples:
      convsize ops
      convsize ops C
      convsize ops hswish
      convsize ops --facts
      convsize ops --format markdown
    """
    from convsize.cli import terminal
    from convsize.errors import UsageError
    from convsize.ops import catalogue
    from convsize.views.text import layout
    from convsize.views.text.paint import PLAIN

    width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
    asked = catalogue.all_ops() if name is None else (find(name),)
    if facts and format_ == "markdown":
        raise UsageError("--facts and --format markdown exclude each other: leave one out")
    if format_ == "markdown":
        terminal.write(markdown(asked))
    elif facts:
        rows = [fact_row(op) for op in asked]
        narrow = max(map(len, layout.grid(FACTS, rows, width=width, paint=PLAIN).splitlines())) > width
        if narrow:
            terminal.write(layout.listed(FACTS, rows, width=width, paint=paint))
        else:
            styles = ["cyan", *[None] * (len(FACTS) - 1)]
            terminal.write(layout.grid(FACTS, rows, width=width, paint=paint, styles=styles))
    elif name is not None:
        op = asked[0]
        terminal.write(
            f"{paint(op.SPELLING, 'cyan')}  {paint(op.NAME, 'bold')}\n\n{layout.reflowed(op.page(), width)}\n"
        )
    else:
        rows = [(op.SPELLING, op.NAME, summary(op)) for op in asked]
        text = layout.grid(
            ("spec", "name", "what it does"), rows, width=width, paint=paint, styles=["cyan", "bold", None]
        )
        note = "The page of one layer: convsize ops C. The facts of every op: convsize ops --facts"
        terminal.write("\n".join([text, *layout.wrapped(note, width)]) + "\n")
    return ExitCode.OK


def markdown(ops: Iterable[type[Op]]) -> str:
    """The pages of ops, for the documentation: a heading for each, its sections in bold."""
    parts = ["# The layers of the language\n", "Written by `convsize ops --format markdown`.\n"]
    for op in ops:
        parts.append(f"## `{op.SPELLING}` {op.NAME}\n")
        for paragraph in op.page().split("\n"):
            if paragraph.startswith(" "):
                parts[-1] += f" {paragraph.strip()}"
            elif paragraph and parts[-1].startswith("##"):
                parts.append(paragraph)
            elif paragraph:
                is_section = len(paragraph.split()) < 5 and not paragraph.endswith(".")
                parts.append(f"\n**{paragraph}.**" if is_section else paragraph)
        parts[-1] += "\n"
    return "\n".join(parts)


def summary(op: type[Op]) -> str:
    """The first sentence of an op's page, without the name before the colon."""
    first = op.page().split("\n", 1)[0]
    return first.partition(": ")[2] or first


def spoken(op: type[Op]) -> list[str]:
    """What an op can be asked for by, apart from its mnemonic: names that the field or PyTorch give it."""
    return [op.NAME, op.__name__, op.STEM]


def find(name: str) -> type[Op]:
    """The op that is meant by C, C3D64, hswish, max pooling or maxpool. Raises UsageError with the nearest name."""
    from convsize.errors import UsageError
    from convsize.language.mistakes import foreign
    from convsize.ops import catalogue
    from convsize.words import did_you_mean, nearest

    if name in catalogue.TOKENS:
        return catalogue.token(name)
    if name == "P":
        return catalogue.token("M")
    word = catalogue.word(name.partition("(")[0])
    if word is not None:
        return word
    spellings = {op.SPELLING: op for op in catalogue.all_ops()}
    if name in spellings:
        return spellings[name]
    known = {plain(each): op for op in catalogue.all_ops() for each in spoken(op)}
    known |= {plain(each): catalogue.token(each) for each in catalogue.TOKENS if len(each) > 1}
    asked = plain(name)
    if asked in known:
        return known[asked]
    mnemonic = max((each for each in catalogue.TOKENS if name.startswith(each)), key=len, default=None)
    if mnemonic is not None and name[len(mnemonic) : len(mnemonic) + 1].isdigit():
        return catalogue.token(mnemonic)
    guess = None if foreign.elsewhere(name) else nearest(asked, [*known, *catalogue.word_names()])
    raise UsageError(f"there is no layer `{name}`: {did_you_mean(guess, '`convsize ops` lists them')}")


def plain(name: str) -> str:
    """A name without what people write differently: Max-Pool, max_pool and maxpool are one."""
    return "".join(char for char in name.lower() if char.isalnum()).removesuffix("ing").removesuffix("2d")


# ---- the matrix of facts ---------------------------------------------------------------------------------------------

FACTS = (
    "spec",
    "kind",
    "volume",
    "window",
    "parameters",
    "MACs",
    "other FLOPs",
    "saved for backward",
    "PyTorch",
)


def fact_row(op: type[Op]) -> tuple[str, ...]:
    """What an op states of itself for a small volume, one text for every one of FACTS."""
    from convsize.ops import catalogue
    from convsize.ops.base import SaveMode
    from convsize.ops.examples import example
    from convsize.views.text import numbers

    try:
        layer, inputs = example(op)
    except LookupError:  # one of another package, for which small numbers make no layer
        return (op.SPELLING, f"{op.KIND}, {op.VALUES}", *["–"] * (len(FACTS) - 2))
    output = layer.output(*inputs)
    work = layer.work(inputs, output)
    saved = layer.saved(inputs, output, SaveMode(batch=1, needs=(True,) * len(inputs)))
    return (
        op.SPELLING,
        f"{op.KIND}, {op.VALUES}",
        f"{' + '.join(map(str, inputs))} -> {output}" if op is not catalogue.join("input") else str(output),
        window_text(layer.window(*inputs)),
        ", ".join(map(parameter_text, layer.parameters(*inputs))) or "–",
        numbers.exact(layer.macs(inputs, output)),
        ", ".join(f"{each.kind} {numbers.exact(each.flops)}" for each in work) or "–",
        ", ".join(dict.fromkeys(map(saved_text, saved))) or "–",
        ", ".join(call.target for call in layer.torch(*inputs)) or "–",
    )


def window_text(window: Window) -> str:
    """A window in words: 3x3/2 p1, its own position, everything."""
    from convsize.views.text import numbers

    if window.kind == "reads":
        return numbers.axes(each.widths[1] for each in window.reads)
    if window.kind != "axes":
        return window.kind
    one = window.axes[0]
    text = numbers.axes(axis.kernel for axis in window.axes)
    if any(axis.stride != 1 for axis in window.axes):
        text += f"/{numbers.axes(axis.stride for axis in window.axes)}"
    if one.before or one.after:
        text += f" p{one.before}" if one.before == one.after else f" p{one.before}:{one.after}"
    if one.dilation != 1:
        text += f" d{one.dilation}"
    return f"{text} transposed" if one.transposed else text


def parameter_text(parameter: Parameter) -> str:
    """A parameter with its shape; of a buffer that is said as well."""
    text = f"{parameter.name} {'x'.join(map(str, parameter.shape)) or 'scalar'}"
    return f"{text} (buffer)" if parameter.role == "buffer" else text


def saved_text(saved: Saved) -> str:
    """A saved tensor: input, output, a parameter by name, or an extra one with its bytes."""
    from convsize.views.text import numbers

    if saved.what == "extra":
        return f"{saved.name} {numbers.size(saved.size)}"
    return saved.name if saved.what == "parameter" else saved.what
