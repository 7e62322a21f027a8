"""`convsize rules`: the table of all rules, and their pages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convsize.rules.base import Rule
    from convsize.views.text.paint import Paint


def command(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="Rule code, such as W501, or rule name.")] = None,
    format_: Annotated[
        Literal["table", "json", "markdown"],
        typer.Option("--format", "-f", help="Output format; markdown prints the full page of every rule."),
    ] = "table",
) -> int:
    """Describe the rules of `check`, or one of them.

    Without CODE all rules are listed: errors, warnings, and the advice that only `check --style` gives. With CODE the
    page of that rule is shown: what it checks, why, an example, and how to fix it.

    \b
    Examples:
      convsize rules
      convsize rules W501
      convsize rules dropped-pixels
      convsize rules --format markdown
    """
    from convsize.cli import terminal
    from convsize.rules import registry

    rules = registry.all_rules() if code is None else (registry.find(code),)
    if format_ == "json":
        import json

        records = [
            {key: value for key, value in rule.as_dict().items() if key != "find"}
            | {"severity": "error" if rule.code.startswith("E") else "advice" if rule.style else "warning"}
            for rule in rules
        ]
        terminal.write(json.dumps(records, indent=2, ensure_ascii=False) + "\n")
    elif format_ == "markdown":
        terminal.write(markdown(rules))
    elif code is None:
        terminal.write(table(rules))
    else:
        terminal.write(page(rules[0], terminal.width(sys.stdout), terminal.paint(sys.stdout)))
    return ExitCode.OK


def table(rules: Sequence[Rule]) -> str:
    """One line for every rule."""
    from convsize.cli import terminal
    from convsize.views.text import layout

    width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
    rows = [(rule.code, rule.name, rule.summary + (" (--style)" if rule.style else "")) for rule in rules]
    styles = ["cyan", "bold", None]
    text = layout.grid(("code", "name", "what it finds"), rows, width=width, paint=paint, styles=styles)
    return f"{text}\nThe page of one rule: convsize rules W501\n"


def markdown(rules: Sequence[Rule]) -> str:
    """All pages, for the documentation."""
    parts = ["# The rules of `convsize check`\n", "Written by `convsize rules --format markdown`.\n"]
    for rule in rules:
        parts.append(f"## {rule.code} {rule.name}\n\n*{when(rule)}*: {rule.summary}.\n")
        parts.append(f"**What it checks.** {rule.checks}\n\n**Why.** {rule.why}\n")
        for heading, spec in (("Example", rule.example), ("Better", rule.better)):
            if spec:
                parts.append(f"{heading}:\n\n```\n{spec.rstrip()}\n```\n")
        parts.append(f"**How to fix it.** {rule.fix}\n\n**Source.** {rule.source}\n")
    return "\n".join(parts)


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
        ("How to fix it", rule.fix),
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
