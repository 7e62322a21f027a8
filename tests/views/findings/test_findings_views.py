"""Every format of findings, on one report made by hand."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from convsize.errors import Diagnostic, Fix, Label, Source, Span
from convsize.records import CheckReport, FileFindings, RulePage
from convsize.views.findings import concise as findings_concise
from convsize.views.findings import full as findings_full
from convsize.views.findings import github as findings_github
from convsize.views.findings import gitlab as findings_gitlab
from convsize.views.findings import json as findings_json
from convsize.views.findings import junit as findings_junit
from convsize.views.findings import sarif as findings_sarif
from convsize.views.findings import summary as findings_summary
from convsize.views.text.paint import Paint

SCHEMA = Path(__file__).resolve().parents[4] / "shared" / "schemas" / "sarif-schema-2.1.0.json"

TEXT = "input: 3@8x8\n\n(C3D64 BN + x) R\nC3D8/2 FC10\n"


def span(part: str) -> Span:
    start = TEXT.index(part)
    return Span(start, start + len(part))


JOIN = Diagnostic(
    "E301",
    "error",
    "the branches of this sum have different depths",
    span("C3D64 BN"),
    "project the shortcut: replace `x` by `C1D64`",
    "this branch gives 64@8x8",
    (Label(span("x) R").replace(end=span("x) R").start + 1), "this branch gives 3@8x8"),),
    (Fix(Span(TEXT.index("x) R"), TEXT.index("x) R") + 1), "C1D64", False),),
)
STRIDE = Diagnostic("W501", "warning", "50% of the rows,\nall of them", span("C3D8/2"))
ADVICE = Diagnostic("W551", "advice", "an even filter", span("FC10"))
RULES = (
    RulePage("E301", "sum-of-different-depths", "error", "a sum of volumes that do not fit", "Checks sums.\n\nFix: …"),
    RulePage("W501", "dropped-pixels", "warning", "a stride that drops pixels", "Checks strides."),
    RulePage("W551", "even-filter", "advice", "a filter of even size", "Checks filters."),
)


@pytest.fixture
def report() -> CheckReport:
    return CheckReport(
        (
            FileFindings(Source(TEXT, "specs/clean.spec")),
            FileFindings(Source(TEXT, "specs/net.spec"), (JOIN, STRIDE, ADVICE), 2),
            FileFindings(Source("", "odd, 100%:a&<b>.spec"), failure="KeyError: 'c' (build.py:7)"),
        ),
        RULES,
        "1.2.3",
    )


@pytest.fixture
def clean() -> CheckReport:
    return CheckReport((FileFindings(Source(TEXT, "specs/clean.spec")),), (), "1.2.3")


def test_full(report: CheckReport) -> None:
    assert findings_full.render(report) == (
        "error[E301]: the branches of this sum have different depths\n"
        "  --> specs/net.spec:3:2\n"
        " 3 | (C3D64 BN + x) R\n"
        "   |  ^^^^^^^^   ^ this branch gives 3@8x8\n"
        "   |  this branch gives 64@8x8\n"
        "   = help: project the shortcut: replace `x` by `C1D64`\n"
        "\n"
        "warning[W501]: 50% of the rows, all of them\n"
        "  --> specs/net.spec:4:1\n"
        " 4 | C3D8/2 FC10\n"
        "   | ^^^^^^\n"
        "\n"
        "advice[W551]: an even filter\n"
        "  --> specs/net.spec:4:8\n"
        " 4 | C3D8/2 FC10\n"
        "   |        ^^^^\n"
        "\n"
        "3 findings in 1 file (2 files checked, 2 findings suppressed, 1 not checked: convsize failed)\n"
    )


def test_concise(report: CheckReport) -> None:
    assert findings_concise.render(report) == (
        "error[E301] specs/net.spec:3:2: the branches of this sum have different depths"
        " (project the shortcut: replace `x` by `C1D64`)\n"
        "warning[W501] specs/net.spec:4:1: 50% of the rows, all of them\n"
        "advice[W551] specs/net.spec:4:8: an even filter\n"
        "3 findings in 1 file (2 files checked, 2 findings suppressed, 1 not checked: convsize failed)\n"
    )


def test_colour_is_the_terminals_alone(report: CheckReport) -> None:
    assert "\x1b[" not in findings_full.render(report) + findings_concise.render(report)
    assert "\x1b[1;31merror[E301]\x1b[0m" in findings_full.render(report, paint=Paint(colour=True))


def test_nothing_found(clean: CheckReport) -> None:
    assert findings_full.render(clean) == "no findings (1 file checked)\n"
    assert findings_concise.render(clean) == "no findings (1 file checked)\n"
    assert findings_summary.statistics(clean) == "no findings (1 file checked)\n"
    assert findings_github.render(clean) == ""
    assert findings_gitlab.render(clean) == "[]\n"


def test_statistics(report: CheckReport) -> None:
    twice = report.replace(files=(*report.files, FileFindings(Source(TEXT, "z.spec"), (ADVICE,))))
    assert findings_summary.statistics(twice) == (
        "2  W551  even-filter\n"
        "1  E301  sum-of-different-depths\n"
        "1  W501  dropped-pixels\n"
        "4 findings in 2 files (3 files checked, 2 findings suppressed, 1 not checked: convsize failed)\n"
    )


def test_github_escapes_what_its_commands_would_misread(report: CheckReport) -> None:
    assert findings_github.render(report) == (
        "::error title=convsize E301 sum-of-different-depths,file=specs/net.spec,line=3,endLine=3,col=2,endColumn=9"
        "::the branches of this sum have different depths%0Ahelp: project the shortcut: replace `x` by `C1D64`\n"
        "::warning title=convsize W501 dropped-pixels,file=specs/net.spec,line=4,endLine=4,col=1,endColumn=6"
        "::50%25 of the rows,%0Aall of them\n"
        "::notice title=convsize W551 even-filter,file=specs/net.spec,line=4,endLine=4,col=8,endColumn=11"
        "::an even filter\n"
        "::error title=convsize failed,file=odd%2C 100%25%3Aa&<b>.spec::KeyError: 'c' (build.py:7)\n"
    )


def test_github_steers_no_terminal() -> None:
    found = Diagnostic("E301", "error", "a \x1b[31m\r b", span("FC10"))
    one = CheckReport((FileFindings(Source(TEXT, "a\rb.spec"), (found,)),), (), "1.2.3")
    assert findings_github.render(one) == (
        "::error title=convsize E301,file=a%0Db.spec,line=4,endLine=4,col=8,endColumn=11::a �[31m� b\n"
    )


def test_names_that_are_no_text_reach_programs_as_they_are() -> None:
    one = CheckReport((FileFindings(Source("", "a\udcff.spec")),), (), "1.2.3")
    assert sarif(one)["runs"][0]["artifacts"] == [{"location": {"uri": "a%FF.spec"}}]
    for view in (findings_json, findings_gitlab, findings_junit, findings_github):
        view.render(one)


def test_github_has_no_columns_for_several_lines() -> None:
    found = Diagnostic("E301", "error", "message", Span(span("(C3D64").start, span("FC10").end))
    one = CheckReport((FileFindings(Source(TEXT, "net.spec"), (found,)),), (), "1.2.3")
    assert findings_github.render(one) == "::error title=convsize E301,file=net.spec,line=3,endLine=4::message\n"


def gitlab(*diagnostics: Diagnostic, text: str = TEXT, name: str = "net.spec") -> list[dict[str, Any]]:
    report = CheckReport((FileFindings(Source(text, name), diagnostics),), RULES, "1.2.3")
    found: list[dict[str, Any]] = json.loads(findings_gitlab.render(report))
    return found


def test_gitlab(report: CheckReport) -> None:
    issues = json.loads(findings_gitlab.render(report))
    assert [(each["check_name"], each["severity"]) for each in issues] == [
        ("E301", "major"),
        ("W501", "minor"),
        ("W551", "info"),
        ("internal-error", "blocker"),
    ]
    assert issues[0]["description"] == (
        "E301: the branches of this sum have different depths; project the shortcut: replace `x` by `C1D64`"
    )
    assert issues[0]["location"] == {"path": "specs/net.spec", "lines": {"begin": 3, "end": 3}}
    assert set(issues[0]) == {"description", "check_name", "fingerprint", "severity", "location"}


def test_gitlabs_fingerprints_outlive_lines_added_above_and_part_what_is_alike() -> None:
    moved = ADVICE.replace(span=Span(ADVICE.span.start + 9, ADVICE.span.end + 9))
    here = gitlab(ADVICE)[0]["fingerprint"]
    assert gitlab(moved, text=f"# above\n\n{TEXT}")[0]["fingerprint"] == here
    assert gitlab(ADVICE, name="other.spec")[0]["fingerprint"] != here
    assert gitlab(ADVICE.replace(code="W552"))[0]["fingerprint"] != here
    alike = [each["fingerprint"] for each in gitlab(ADVICE, ADVICE)]
    assert alike[0] == here
    assert alike[1] != here


def test_json_holds_everything(report: CheckReport) -> None:
    value = json.loads(findings_json.render(report))
    assert {key: value[key] for key in value if key != "findings"} == {
        "schema": 1,
        "tool": {"name": "convsize", "version": "1.2.3"},
        "files": ["specs/clean.spec", "specs/net.spec", "odd, 100%:a&<b>.spec"],
        "failures": [{"file": "odd, 100%:a&<b>.spec", "message": "KeyError: 'c' (build.py:7)"}],
        "suppressed": 2,
        "statistics": {"E301": 1, "W501": 1, "W551": 1},
    }
    # "input: 3@8x8\n\n(" is 15 characters, `C3D64 BN` 8, ` + ` 3.
    assert value["findings"][0] == {
        "file": "specs/net.spec",
        "name": "sum-of-different-depths",
        "code": "E301",
        "severity": "error",
        "message": "the branches of this sum have different depths",
        "start": {"line": 3, "column": 2, "offset": 15},
        "end": {"line": 3, "column": 10, "offset": 23},
        "label": "this branch gives 64@8x8",
        "help": "project the shortcut: replace `x` by `C1D64`",
        "labels": [
            {
                "message": "this branch gives 3@8x8",
                "start": {"line": 3, "column": 13, "offset": 26},
                "end": {"line": 3, "column": 14, "offset": 27},
            }
        ],
        "fixes": [
            {
                "replacement": "C1D64",
                "safe": False,
                "start": {"line": 3, "column": 13, "offset": 26},
                "end": {"line": 3, "column": 14, "offset": 27},
            }
        ],
    }


def test_json_is_what_its_schema_says(report: CheckReport, clean: CheckReport) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads(Path(findings_json.__file__).with_name("findings.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    for each in (report, clean):
        Draft202012Validator(schema).validate(json.loads(findings_json.render(each)))


def test_junit_is_read_as_a_case_for_every_file(report: CheckReport) -> None:
    root = ElementTree.fromstring(findings_junit.render(report).encode())
    assert root.tag == "testsuites"
    (suite,) = root
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
    }
    cases = {case.get("name"): case for case in suite}
    assert all(case.tag == "testcase" and case.get("classname") == "convsize.check" for case in suite)
    assert len(cases["specs/clean.spec"]) == 0
    (failure,) = cases["specs/net.spec"]
    assert failure.tag == "failure"
    assert failure.get("type") == "error"
    assert failure.get("message") == "E301: the branches of this sum have different depths (and 2 more)"
    assert failure.text is not None
    assert "    |  ^^^^^^^^   ^ this branch gives 3@8x8".removeprefix(" ") in failure.text
    assert "advice[W551]" in failure.text
    (broken,) = cases["odd, 100%:a&<b>.spec"]
    assert broken.tag == "error"
    assert broken.get("message") == "convsize failed: KeyError: 'c' (build.py:7)"


def test_junit_stays_xml_whatever_a_spec_holds() -> None:
    text = "input: 3@8x8\nC3 \x00\x1b]]>&<![CDATA[ \ufffe R\n"
    found = Diagnostic("E001", "error", 'bad \x1b "<&>" ]]>', Span(16, 20))
    one = CheckReport((FileFindings(Source(text, 'a\x01"<.spec'), (found,)),), (), "1.2.3")
    case = ElementTree.fromstring(findings_junit.render(one).encode())[0][0]
    assert case.get("name") == 'a�"<.spec'
    assert case[0].get("message") == 'E001: bad � "<&>" ]]>'


def sarif(report: CheckReport) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(findings_sarif.render(report))
    return value


def test_sarif(report: CheckReport) -> None:
    (run,) = sarif(report)["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "convsize"
    assert driver["semanticVersion"] == "1.2.3"
    assert driver["rules"][0] == {
        "id": "E301",
        "name": "SumOfDifferentDepths",
        "shortDescription": {"text": "a sum of volumes that do not fit"},
        "help": {"text": "Checks sums.\n\nFix: …"},
        "defaultConfiguration": {"level": "error"},
    }
    first, second, third = run["results"]
    assert [(each["ruleId"], each["ruleIndex"], each["level"]) for each in run["results"]] == [
        ("E301", 0, "error"),
        ("W501", 1, "warning"),
        ("W551", 2, "note"),
    ]
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "specs/net.spec"}
    assert physical["region"] == {
        "startLine": 3,
        "startColumn": 2,
        "endLine": 3,
        "endColumn": 10,
        "charOffset": 15,
        "charLength": 8,
    }
    assert first["relatedLocations"][0]["message"] == {"text": "this branch gives 3@8x8"}
    (fix,) = first["fixes"]
    assert fix["description"] == {"text": "replace `x` by `C1D64` (this changes sizes)"}
    (change,) = fix["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "C1D64"}
    assert change["replacements"][0]["deletedRegion"]["startColumn"] == 13
    assert "fixes" not in second
    assert "relatedLocations" not in third
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"] == {
        "text": "convsize failed: KeyError: 'c' (build.py:7)"
    }
    assert run["artifacts"][2] == {"location": {"uri": "odd%2C%20100%25%3Aa%26%3Cb%3E.spec"}}


def test_sarif_is_valid(report: CheckReport, clean: CheckReport) -> None:
    if not SCHEMA.exists():
        pytest.skip("the schema of SARIF 2.1.0 does not lie beside this repository")
    from jsonschema import Draft7Validator, FormatChecker

    validator = Draft7Validator(json.loads(SCHEMA.read_text()), format_checker=FormatChecker())
    for each in (report, clean):
        validator.validate(sarif(each))
