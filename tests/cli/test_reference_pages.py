"""The reference pages in reports/ are what the commands write today."""

from pathlib import Path

import pytest

from convsize.cli.app import COMMANDS, GROUPS

REPORTS = Path(__file__).resolve().parents[2] / "reports"


@pytest.mark.parametrize("command", ["ops", "rules"])
def test_reference_pages_are_up_to_date(convsize, request, command: str) -> None:
    page = REPORTS / f"{command}.md"
    ran = convsize(command, "--format", "markdown")
    assert ran.code == 0
    if request.config.getoption("--update"):
        page.write_text(ran.out, encoding="utf-8")
    assert ran.out == page.read_text(encoding="utf-8"), f"convsize {command} --format markdown > reports/{command}.md"


def test_the_commands_are_grouped_and_no_line_of_help_is_cut(convsize) -> None:
    ran = convsize("--help")
    assert [line.removesuffix(":") for line in ran.out.splitlines() if line.removesuffix(":") in GROUPS] == list(GROUPS)
    listed = [line.split()[0] for line in ran.out.splitlines() if line.startswith("  ") and line.split()[0] in COMMANDS]
    assert [name for name in listed if name != "convsize"] == list(COMMANDS)
    assert "..." not in ran.out.replace("[ARGS]...", "")
    assert max(map(len, ran.out.splitlines())) <= 80
