"""Texts that are no specs at all: what other tools print of a network, and the source of a network."""

from __future__ import annotations

import re

from convsize.errors import Diagnostic, Span

_SIGNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^[ \t]*\(\w+\): \w+\(", re.MULTILINE), "a network as PyTorch prints it"),
    (re.compile(r'^Model: "|^[ \t]*Layer \(type', re.MULTILINE), "a table of layers as other tools print it"),
    (re.compile(r"^layers? ?\{|^name: \"", re.MULTILINE), "a network as Caffe describes it"),
    (
        re.compile(
            r"^[ \t]*(?:import [a-z]|from [\w.]+ import |class \w+\(|self\.\w+ ?=|return |def \w+\(self|"
            r"\w+ ?= ?(?:nn|torch|keras|tf|layers)\.)|^[ \t]*\w*\.?add\(|Sequential\(",
            re.MULTILINE,
        ),
        "a network in Python",
    ),
)


def pasted(text: str) -> Diagnostic | None:
    """E002 for a text that some other tool reads or prints, in place of an error for every line of it."""
    for sign, what in _SIGNS:
        found = sign.search(text)
        if found is not None:
            return Diagnostic(
                "E002",
                "error",
                f"this is {what}, not a spec",
                Span(found.start(), found.end()),
                "write its layers as a spec does, `C3D64 R M FC10`; a single call, as "
                "`Conv2d(3, 64, 3, padding=1)`, is read when it is written alone",
            )
    return None
