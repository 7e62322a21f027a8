"""W509: a block with the name of a word."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Diagnostic
from convsize.language.tree import DefStmt
from convsize.ops.catalogue import WORDS
from convsize.rules.base import Context, Rule


def _find(context: Context) -> Iterator[Diagnostic]:
    for statement in context.network.file.statements:
        if isinstance(statement, DefStmt) and statement.name.name in WORDS:
            name = statement.name.name
            other = f"{name}_block"
            yield Diagnostic(
                "W509",
                "warning",
                f"`{name}` is a word of the language, but in this file it means this block",
                statement.name.span,
                f"give the block another name, such as `{other}`",
            )


RULE = Rule(
    code="W509",
    name="shadowed-word",
    summary="a block hides a word of the language",
    checks="Blocks whose name is also a word such as `up`, `scale` or `drop`. The block wins.",
    why=(
        "A reader of `up(2)` expects upsampling. Copying such a block into a file that uses the word changes "
        "the meaning of that file without an error."
    ),
    source="The language: a block of the same name wins, with a warning.",
    example="input: 1@32x32\ndef up(d): T2D{d}/2\nC3D16 R M up(8) FC10\n",
    better="input: 1@32x32\ndef rise(d): T2D{d}/2\nC3D16 R M rise(8) FC10\n",
    fix="Rename the block; `convsize ops` lists the words.",
    find=_find,
)
