"""reports/ says of every spec what the tool says of it now."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND = ("report", "specs", "-o", "reports", "--format", "markdown")


def test_the_gallery_is_up_to_date(convsize: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    ran = convsize(*COMMAND, "--check")
    assert ran.code == 0, f"{ran.err}write it with: convsize {' '.join(COMMAND)}"


def test_the_gallery_has_a_page_for_every_spec_and_no_other() -> None:
    specs = {path.stem for path in (ROOT / "specs").glob("*.spec")}
    others = {"README", "claims", "ops", "receipts", "rules", "time", "time_cuda", "training"}
    assert {path.stem for path in (ROOT / "reports").glob("*.md")} - others == specs
