"""Comments for convsize that suppress nothing. `check` reads and applies them."""

from __future__ import annotations

from convsize.rules.base import Rule

RULES = (
    Rule(
        code="W598",
        name="invalid-suppression",
        summary="a comment for convsize that suppresses nothing as it is written",
        checks=(
            "Comments that begin with `# convsize:`. They must read `ignore[codes]` at the end of a line or, on a line "
            "of their own, `ignore-file[codes]`, with codes of rules that exist. Errors cannot be named: a spec with "
            "an error has no network that anything else could be checked on."
        ),
        why="A suppression with a slip in it leaves a reader sure of something that is not so.",
        source="the habit of linters for code (ruff's RUF100 and RUF102, for instance)",
        example="input: 3@32x32\nC3D64 R  # convsize: ignore[W5O1]\n",
        better="input: 3@32x32\nC3D64 R\n",
        fix="Correct the code or the form; what stands behind the brackets is free for the reason.",
    ),
    Rule(
        code="W599",
        name="unused-suppression",
        summary="a suppression of a finding that there is not",
        checks=(
            "Codes in `# convsize: ignore[…]` whose rule finds nothing on that line (in `ignore-file[…]`: in that "
            "file). Codes of rules that are not selected are left alone, and so is every suppression in a spec with "
            "errors, where rules do not run."
        ),
        why="A suppression that stays behind hides the next finding of its kind, which may be a real one.",
        source="the habit of linters for code (ruff's RUF100, for instance)",
        example="input: 3@32x32\nC3D64 R  # convsize: ignore[W501]\n",
        better="input: 3@32x32\nC3D64 R\n",
        fix="Remove the code, or the comment; `--fix` does.",
    ),
)
