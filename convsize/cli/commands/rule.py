"""`convsize rule`: the page of one rule."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from convsize.errors import ExitCode

if TYPE_CHECKING:
    from convsize.rules.base import Rule
    from convsize.views.text.paint import Paint


def command(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A rule's code, as W501, or its name.")],
) -> int:
    """Shows what a rule checks, why, an example, and how to mend it.

    \b
    Examples:
      convsize rule W501
      convsize rule dropped-pixels
      convsize rules
    """
    from convsize.cli import terminal
    from convsize.rules import registry

    terminal.write(page(registry.find(code), terminal.width(sys.stdout), terminal.paint(sys.stdout)))
    return ExitCode.OK


def page(rule: Rule, width: int, paint: Paint) -> str:
    """A rule's page: its paragraphs wrapped, its specs as they are."""
    from convsize.views.text import layout

    lines = [f"{paint(rule.code, 'cyan')}  {paint(rule.name, 'bold')}  {when(rule)}", ""]
    lines += layout.wrapped(f"{rule.summary[0].upper()}{rule.summary[1:]}.", width)
    for heading, text in (
        ("What it checks", rule.checks),
        ("Why", rule.why),
        ("Example", rule.example),
        ("Better", rule.better),
        ("How to mend it", rule.fix),
        ("Source", rule.source),
    ):
        if not text:
            continue
        lines += ["", paint(heading, "bold")]
        if text in (rule.example, rule.better):
            lines += [f"    {line}" if len(line) < 200 else f"    {line[:60]} …" for line in text.splitlines()]
        else:
            lines += layout.wrapped(text, width, "  ", "  ")
    return "\n".join(lines) + "\n"


def when(rule: Rule) -> str:
    """When a rule speaks: always as an error, by default, or with `--style`."""
    if rule.code.startswith("E"):
        return "error"
    return "advice, with --style" if rule.style else "warning"
