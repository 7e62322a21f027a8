"""`convsize rules`: the table of all rules, and the pages of all of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convsize.rules.base import Rule


def command(
    format_: Annotated[
        Literal["table", "json", "markdown"],
        typer.Option("--format", "-f", help="A table, or every rule with its whole page."),
    ] = "table",
) -> int:
    """Lists the rules by code: errors, warnings, and the advice that only `--style` gives.

    \b
    Examples:
      convsize rules
      convsize rules --format markdown
      convsize rule W501
    """
    from convsize.cli import terminal
    from convsize.rules.registry import all_rules

    rules = all_rules()
    if format_ == "json":
        import json

        records = [
            {key: value for key, value in rule._asdict().items() if key != "find"}
            | {"severity": "error" if rule.code.startswith("E") else "advice" if rule.style else "warning"}
            for rule in rules
        ]
        terminal.write(json.dumps(records, indent=2, ensure_ascii=False) + "\n")
    elif format_ == "markdown":
        terminal.write(markdown(rules))
    else:
        terminal.write(table(rules))
    return ExitCode.OK


def table(rules: Sequence[Rule]) -> str:
    """One line for every rule."""
    from convsize.cli import terminal
    from convsize.views.text import layout

    width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
    rows = [(rule.code, rule.name, rule.summary + (" (--style)" if rule.style else "")) for rule in rules]
    styles = ["cyan", "bold", None]
    text = layout.grid(("code", "name", "what it finds"), rows, width=width, paint=paint, styles=styles)
    return f"{text}\nThe page of one: convsize rule W501\n"


def markdown(rules: Sequence[Rule]) -> str:
    """All pages, for the documentation."""
    from convsize.cli.commands.rule import when

    parts = ["# Rules\n"]
    for rule in rules:
        parts.append(f"## {rule.code} {rule.name}\n\n*{when(rule)}*: {rule.summary}.\n")
        parts.append(f"**What it checks.** {rule.checks}\n\n**Why.** {rule.why}\n")
        for heading, spec in (("Example", rule.example), ("Better", rule.better)):
            if spec:
                parts.append(f"{heading}:\n\n```\n{spec.rstrip()}\n```\n")
        parts.append(f"**How to mend it.** {rule.fix}\n\n**Source.** {rule.source}\n")
    return "\n".join(parts)
