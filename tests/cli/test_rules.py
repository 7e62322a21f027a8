"""`convsize rules`: pages, tables, and names that there are not."""

import json
import subprocess
import sys

from convsize.rules import registry


def run(*args: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "convsize", *args],
        capture_output=True,
        text=True,
        env={"COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8", "PATH": ""},
    )


def test_a_page_has_every_part() -> None:
    done = run("rules", "W506")
    assert done.returncode == 0
    assert done.stdout.startswith("W506  bias-before-norm  warning\n")
    for heading in ("What it checks", "Why", "Example", "Better", "How to fix it", "Source"):
        assert f"\n{heading}\n" in done.stdout
    assert "    C3D64 BN R FC10\n" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_style_and_errors_say_so() -> None:
    assert "advice, with --style" in run("rules", "even-filter").stdout
    assert run("rules", "e301").stdout.startswith("E301  sum-of-different-depths  error\n")


def test_an_unknown_rule_is_a_wrong_call() -> None:
    done = run("rules", "bias-befor-norm")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: there is no rule `bias-befor-norm`: did you mean `bias-before-norm`?\n"


def test_the_table_has_every_code() -> None:
    done = run("rules")
    assert done.returncode == 0
    listed = [line.split()[0] for line in done.stdout.splitlines() if line[:1] in "EW" and line[1:4].isdigit()]
    assert listed == list(registry.codes())


def test_json_has_the_pages() -> None:
    records = json.loads(run("rules", "--format", "json").stdout)
    assert [each["code"] for each in records] == list(registry.codes())
    by_code = {each["code"]: each for each in records}
    assert by_code["W501"]["severity"] == "warning"
    assert by_code["W551"]["severity"] == "advice"
    assert by_code["E201"]["severity"] == "error"
    assert all(isinstance(each[key], str) for each in records for key in ("checks", "why", "fix", "source"))


def test_markdown_is_the_documentation() -> None:
    text = run("rules", "--format", "markdown").stdout
    assert [line.split()[1] for line in text.splitlines() if line.startswith("## ")] == list(registry.codes())
    assert text.count("```") % 2 == 0
