"""Random edits of good specs, mended: never a traceback, never a worse spec, and mending twice changes nothing."""

from __future__ import annotations

import os
from pathlib import Path
from time import process_time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from strategies import SPECS, mutated, networks

from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.check.fix import mend
from convsize.errors import Source
from convsize.records import FileFindings

CONFIG = Config()
SMALL = tuple(text for text in SPECS if len(text) < 700)
EXAMPLES = int(os.environ.get("CONVSIZE_FUZZ", "200"))
"""A longer run: CONVSIZE_FUZZ=20000."""


@st.composite
def broken(draw: DrawFn) -> str:
    """A good spec with numbers changed, and layers and suffixes taken away or put in: mostly wrong geometry."""
    text = draw(st.one_of(networks(), st.sampled_from(SMALL), mutated().filter(lambda text: len(text) < 700)))
    for _ in range(draw(st.integers(1, 4))):
        places = [at for at, char in enumerate(text) if char.isdigit() or char in " /pMx|+"]
        if not places:
            break
        at = draw(st.sampled_from(places))
        if text[at].isdigit():
            text = text[:at] + draw(st.sampled_from(("0", "1", "2", "3", "5", "7", "12", ""))) + text[at + 1 :]
        else:
            new = draw(
                st.sampled_from((" M ", " C3p0 ", " M3/2exact ", " C5D9/2 ", "/2", "p1", " x ", " ceil", "g3", ""))
            )
            text = text[:at] + new + text[at + draw(st.integers(0, 1)) :]
    return text


def errors(findings: FileFindings) -> int:
    return sum(found.severity == "error" for found in findings.diagnostics)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(broken(), st.booleans())
def test_mending_never_harms(text: str, unsafe: bool) -> None:
    before = check_source(Source(text, "net.spec"), CONFIG)
    begun = process_time()
    mended = mend(before, CONFIG, unsafe=unsafe)
    took = process_time() - begun
    after = mended.findings
    assert after.diagnostics == check_source(after.source, CONFIG).diagnostics
    assert errors(after) <= errors(before)
    assert mended.changed == (mended.fixed > 0)
    again = mend(after, CONFIG, unsafe=unsafe)
    assert not again.changed
    # Several times what the slowest of many thousand took on one core, for a machine that does other things besides.
    assert took < 5
    if log := os.environ.get("CONVSIZE_FUZZ_LOG"):
        with Path(log).open("a") as file:
            file.write(f"{errors(before)} {errors(after)} {mended.fixed} {took:.3f} {text!r}\n")
