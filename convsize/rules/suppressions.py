"""Comments for convsize that suppress nothing. `check` reads and applies them."""

from __future__ import annotations

from convsize.rules.base import Rule

RULES = (
    Rule(
        code="W598",
        name="invalid-suppression",
        summary="a malformed suppression comment",
        checks=(
            "Comments that begin with `# convsize:`. They must read `ignore[codes]` at the end of a line or, on "
            "a line of their own, `ignore-file[codes]`, with codes of rules that exist. Errors cannot be "
            "suppressed: a spec with an error describes no network, so nothing else can be checked."
        ),
        why="A malformed suppression does nothing, but a reader believes that it does.",
        source="the habit of linters for code (ruff's RUF100 and RUF102, for instance)",
        example="input: 3@32x32\nC3D64 R  # convsize: ignore[W5O1]\n",
        better="input: 3@32x32\nC3D64 R\n",
        fix="Correct the code or the form; the text after the brackets is free for the reason.",
    ),
    Rule(
        code="W599",
        name="unused-suppression",
        summary="a suppression that suppresses nothing",
        checks=(
            "Codes in `# convsize: ignore[…]` whose rule finds nothing on that line (in `ignore-file[…]`: in "
            "that file). Not reported are codes of rules that are not selected, and suppressions in a spec with "
            "errors, where rules do not run."
        ),
        why="A leftover suppression hides the next finding of its kind, which may be real.",
        source="the habit of linters for code (ruff's RUF100, for instance)",
        example="input: 3@32x32\nC3D64 R  # convsize: ignore[W501]\n",
        better="input: 3@32x32\nC3D64 R\n",
        fix="Remove the code, or the comment; `--fix` does.",
    ),
)
