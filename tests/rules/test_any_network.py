"""Rules over networks that nobody wrote: they answer, and their fixes leave a spec that reads."""

from hypothesis import HealthCheck, assume, given, settings
from strategies import mutated, networks

from convsize import api
from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.errors import Diagnostic, Source, SpecError
from convsize.records import Report

EVERYTHING = Config(style=True)
FEW = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def advice_on(text: str) -> list[Diagnostic]:
    found = check_source(Source(text, "net.spec"), EVERYTHING).diagnostics
    return [each for each in found if each.code.startswith("W")]


def sized(text: str) -> tuple[Report | None, list[str]]:
    """The report on a network, or the codes of its errors."""
    try:
        return api.parse(text).analyze(), []
    except SpecError as error:
        return None, [found.code for found in error.diagnostics]


@given(networks())
@FEW
def test_advice_on_any_network_has_its_parts_and_its_fixes_read(text: str) -> None:
    before, _ = sized(text)
    assume(before is not None)
    for each in advice_on(text):
        assert 0 <= each.span.start < each.span.end <= len(text)
        assert each.message
        assert each.help
        for fix in each.fixes:
            changed = text[: fix.span.start] + fix.replacement + text[fix.span.end :]
            after, broken = sized(changed)
            if after is None:
                # A larger map may no longer fit what follows; the text itself must read.
                assert not fix.safe, (each.code, changed)
                assert not [code for code in broken if code.startswith("E0")], changed
                continue
            if fix.safe:
                assert after.outputs == before.outputs, (each.code, changed)
                assert after.totals.parameters == before.totals.parameters, (each.code, changed)
                assert after.totals.macs == before.totals.macs, (each.code, changed)


@given(mutated())
@FEW
def test_no_edit_of_a_known_spec_breaks_a_rule(text: str) -> None:
    for each in advice_on(text):
        assert each.message
