"""One thing has one colour everywhere."""

import re

import pytest

_SPEC = "input: 1@28x28\nC5D6 R M C5D6 FC10\n"


@pytest.mark.parametrize(
    "call",
    ["analyze -", "analyze - --expand", "draw - --detail layer", "rf -", "time - --device h200", "diff OLD -"],
)
def test_what_one_writes_is_cyan(convsize, tmp_path, call: str) -> None:
    old = tmp_path / "old.spec"
    old.write_text("input: 1@28x28\nR M FC10\n")
    out = convsize(*call.replace("OLD", str(old)).split(), stdin=_SPEC, tty=True, width=140).out
    written = re.findall(r"(\x1b\[[0-9;]*m)?[^\x1b\n]*C5D6\b", out.partition("\n")[2])
    assert written
    assert set(written) == {"\x1b[36m"}
