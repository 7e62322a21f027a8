"""Every code has a page, every page a code, and every example shows what its page says."""

import re
from pathlib import Path

import pytest

from convsize.check.check import check_source
from convsize.check.config import Config
from convsize.errors import Source, UsageError
from convsize.rules import registry
from convsize.rules.base import Rule

PACKAGE = Path(registry.__file__).parents[1]
EVERYTHING = Config(style=True)
RULES = registry.all_rules()
# These are about what stands around a network: a file's bytes, and the comments that keep findings quiet.
WITHOUT_EXAMPLE = {"E019"}


def codes_of(text: str) -> set[str]:
    return {found.code for found in check_source(Source(text, "net.spec"), EVERYTHING).diagnostics}


def test_every_code_in_the_sources_has_a_page_and_every_page_is_of_a_code_in_the_sources() -> None:
    said = set()
    for path in PACKAGE.rglob("*.py"):
        if path.name != "registry.py":
            # A rule's own file names its code as the code of its page: that alone is no use of it.
            text = re.sub(r'code="[EW]\d{3}"', "", path.read_text())
            said |= set(re.findall(r'"([EW]\d{3})"', text))
    assert said == set(registry.codes())


def test_the_list_and_the_files_agree() -> None:
    for code in registry.codes():
        rule = registry.rule(code)
        assert rule.code == code
        assert rule.style == registry.is_style(code)
    modules = {path.stem for path in (PACKAGE / "rules").glob("*.py")}
    helpers = {"__init__", "base", "registry", "places", "uses", "fixer", "fixes", "run"}
    assert modules - helpers <= {place.module for place in registry.RULES.values()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_is_complete(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.summary
    assert not rule.summary.endswith(".")
    for text in (rule.checks, rule.why, rule.fix, rule.source):
        assert text.strip().endswith((".", ":", "0123456789")) or rule.code in ("W598", "W599"), text
        assert "  " not in text
    assert (rule.find is not None) == (rule.code[0] == "W" and rule.code not in ("W598", "W599"))


def test_names_are_unique() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", [each for each in RULES if each.code not in WITHOUT_EXAMPLE], ids=lambda r: r.code)
def test_the_example_shows_the_finding_and_the_better_one_does_not(rule: Rule) -> None:
    assert rule.code in codes_of(rule.example)
    better = codes_of(rule.better)
    assert rule.code not in better
    assert not {code for code in better if code.startswith("E")}, better


@pytest.mark.parametrize("rule", [each for each in RULES if each.code.startswith("W5")], ids=lambda r: r.code)
def test_an_example_of_advice_has_no_other_default_finding(rule: Rule) -> None:
    """A reader who copies an example should meet one thing at a time."""
    found = {each.code for each in check_source(Source(rule.example, "net.spec")).diagnostics}
    assert found <= {rule.code}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_what_is_better_has_no_default_finding(rule: Rule) -> None:
    assert not check_source(Source(rule.better, "net.spec")).diagnostics


@pytest.mark.parametrize("number", range(1, 11))
def test_every_piece_of_guidance_of_the_notes_has_a_rule(number: int) -> None:
    assert [rule.code for rule in RULES if re.match(rf"G{number}\b", rule.source)]


def test_a_rule_is_found_by_code_and_by_name() -> None:
    assert registry.find("w501").name == "dropped-pixels"
    assert registry.find("Dropped Pixels").code == "W501"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("W500", "there is no rule `W500`: `convsize rules` lists them"),
        ("droped-pixels", "there is no rule `droped-pixels`: did you mean `dropped-pixels`?"),
        ("banana", "there is no rule `banana`: `convsize rules` lists them"),
        ("", "there is no rule ``: `convsize rules` lists them"),
    ],
)
def test_an_unknown_rule_names_the_nearest(asked: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry.find(asked)
    assert str(caught.value) == message


def test_checks_without_style_read_no_file_of_a_style_rule() -> None:
    import subprocess
    import sys

    script = (
        "import sys\nfrom convsize.rules.registry import checks, RULES\nchecks()\n"
        "style = {place.module for place in RULES.values() if place.style}\n"
        "loaded = {name.rpartition('.')[2] for name in sys.modules if name.startswith('convsize.rules.')}\n"
        "assert not style & loaded, style & loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
