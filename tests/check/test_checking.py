"""The check as a library: which findings a configuration and a spec's comments leave."""

from fractions import Fraction
from pathlib import Path

import pytest

from convsize.check.check import check_file, check_source, chosen_codes, pages, select
from convsize.check.config import Config
from convsize.errors import Source, UsageError
from convsize.geometry import Shape
from convsize.records import FileFindings
from convsize.rules import registry

SPECS = Path(__file__).resolve().parents[2] / "specs"

# (8 - 3 + 2)/2 + 1 = 4.5: the stride drops nothing real there; (9 - 2)/2 + 1 = 4.5: the pool drops the last pixel.
DROPS = "input: 3@9x9\nC3D8 R M{mark}\nC3D8 R FC10\n"


def check(text: str, config: Config | None = None, name: str = "net.spec") -> FileFindings:
    return check_source(Source(text, name), config or Config())


def codes(text: str, config: Config | None = None, name: str = "net.spec") -> list[str]:
    return [found.code for found in check(text, config, name).diagnostics]


def drops(mark: str = "") -> str:
    return DROPS.format(mark=mark)


def test_rules_run_where_there_are_no_errors() -> None:
    assert codes(drops()) == ["W501"]
    assert codes(drops() + "C3D8same\n") == ["E003"]
    assert codes("input: 3@9x9\n(C3D8 + x) M\n") == ["E301"]


def test_suppressed() -> None:
    found = check(drops("  # convsize: ignore[W501] as in the paper"))
    assert (found.diagnostics, found.suppressed) == ((), 1)
    found = check("# convsize: ignore-file[W501]\n" + drops())
    assert (found.diagnostics, found.suppressed) == ((), 1)


def test_a_suppression_on_another_line_is_of_no_use() -> None:
    found = check(drops() + "FC5 # convsize: ignore[W501]\n")
    assert ([each.code for each in found.diagnostics], found.suppressed) == (["W501", "W599"], 0)
    assert codes("# convsize: ignore[W501]\n" + drops()) == ["W599", "W501"]


def test_unused_suppressions_are_about_rules_that_ran() -> None:
    mark = "input: 3@8x8\nC3D8 R  # convsize: ignore[W501, W551]\n"
    assert codes(mark) == ["W599"]  # W551 is a rule of style, which nobody asked for
    assert codes(mark, Config(style=True, select=("W501", "W551", "W599"))) == ["W599", "W599"]
    assert codes(mark, Config(ignore=("W501",))) == []
    assert codes(mark, Config(ignore=("W599",))) == []
    assert codes(mark + "C3same\n") == ["E003"]  # rules do not run there, so nothing is known of their use


def test_wrong_suppressions_are_findings() -> None:
    assert codes("input: 3@8x8\nC3D8 R  # convsize: ignore[E301]\n") == ["W598"]
    assert codes("input: 3@8x8\nC3D8 R  # convsize: ignore[E301]\n", Config(ignore=("W598",))) == []


def test_errors_cannot_be_suppressed() -> None:
    text = "input: 3@9x9\n(C3D8 + x) M  # convsize: ignore[E301]\n"
    assert codes(text) == ["E301", "W598"]


def test_selection() -> None:
    assert codes(drops(), Config(select=("W502",))) == []
    assert codes(drops(), Config(select=("W5",))) == ["W501"]
    assert codes(drops(), Config(select=("W5",), ignore=("W501",))) == []
    assert codes(drops(), Config(ignore=("W50",))) == []
    assert codes("input: 3@9x9\n(C3D8 + x)\n", Config(select=())) == ["E301"]


def test_style() -> None:
    assert "W551" not in chosen_codes(Config())
    assert "W551" in chosen_codes(Config(style=True))
    assert "W551" in chosen_codes(Config(select=("W551",)))
    assert "W551" not in chosen_codes(Config(select=("W5",)))
    assert "W551" in chosen_codes(Config(select=("W5",), style=True))
    assert "W551" not in chosen_codes(Config(style=True, ignore=("W55",)))
    assert select(["W55"], "--select", style=True) == {code for code in registry.codes() if code.startswith("W55")}


def test_per_file_ignores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config(per_file_ignores=(("old/*.spec", ("W501",)), ("b.spec", ("W5",))), file=tmp_path / "convsize.toml")
    assert codes(drops(), config, "a.spec") == ["W501"]
    assert codes(drops(), config, "old/a.spec") == []
    assert codes(drops(), config, "new/b.spec") == []
    assert codes(drops(), config, str(tmp_path / "old" / "a.spec")) == []
    assert codes(drops(), config, "/elsewhere/b.spec") == ["W501"]


def test_lets_and_inputs() -> None:
    source = Source("let N=2\ninput: 3@9x9\nC3D{N} R M\n", "net.spec")
    assert [each.code for each in check_source(source).diagnostics] == ["W501"]
    even = {"input": Shape(3, (8, 8))}
    assert check_source(source, lets={"N": Fraction(4)}, inputs=even).diagnostics == ()
    with pytest.raises(UsageError):
        check_source(source, lets={"M": Fraction(4)})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def block(d): C3D{d} R\nblok(64)*2 Gap FC10\n", ["E104", "E002"]),
        ("def block(d): C3D{d} Rr\nblok(64) hswich FC10\n", ["E004", "E104", "E104"]),
        ("def block(d: C3D{d} R\nblock(64)*2 FC10\n", ["E011"]),  # the block is there, though it cannot be read
        ("C3D8 Gap foo FC10\n", ["E002"]),  # behind an error a name may be a part of it
        ("C3D8 Gap\nfoo FC10\n", ["E002", "E104"]),
        ("C3D8; foo GAP FC10\n", ["E001", "E104"]),  # but a stray sign only goes
        ("C3D8 as t t GAP FC10\n", ["E105"]),
        ("C3D8 R (C3 + ) x FC10\n", ["E009"]),  # what stands for a faulty item is no error of its own
    ],
)
def test_unknown_names_are_said_beside_errors_of_syntax(text: str, found: list[str]) -> None:
    assert codes(f"input: 3@32x32\n{text}") == found


# ---- budgets ---------------------------------------------------------------------------------------------------------

# 3·3·3·8 + 8 = 224 and 8·8·8·10 + 10 = 5,130 parameters; 64·27·8 = 13,824 and 5,120 multiply-adds.
SMALL = "# a net\ninput: 3@8x8\nC3D8 R FC10\n"


def budget(*budgets: str, text: str = SMALL) -> list[tuple[str, str]]:
    found = check(text, Config(budgets=budgets, file=Path.cwd() / "pyproject.toml")).diagnostics
    return [(each.code, each.message) for each in found]


def test_budgets_that_are_kept() -> None:
    assert budget("parameters<=5354", "macs<=18.944K", "memory<=1GiB", "receptive_field>=3", "layers<=2") == []


def test_budgets_that_are_broken() -> None:
    assert budget("parameters<=5K", "macs<10K") == [
        ("E402", "parameters is 5,354 (5.354K), not <= 5K: 354 (0.354K) too much (a budget of the project)"),
        ("E402", "macs is 18,944 (18.94K), not < 10K: 8,944 (8.944K) too much (a budget of the project)"),
    ]
    (found,) = check(SMALL, Config(budgets=("params<=5K",), file=Path.cwd() / "pyproject.toml")).diagnostics
    assert Source(SMALL).slice(found.span) == "input: 3@8x8"
    assert found.label == "`budgets` in pyproject.toml"
    assert found.help == "the largest parts: fc1 (96 %), conv1 (4 %)"


@pytest.mark.parametrize(
    ("budgets", "text"), [("out=10", "input: 3@8x8\nC3D8\n"), ("params=3", SMALL), ("graph=00000000", SMALL)]
)
def test_what_a_project_states_of_all_specs_is_not_to_be_rewritten_for_one(budgets: str, text: str) -> None:
    (found,) = check(text, Config(budgets=(budgets,), file=Path.cwd() / "pyproject.toml")).diagnostics
    assert found.help == "it holds for every spec that these settings reach"


def test_a_budget_on_the_receptive_field_may_name_the_input() -> None:
    assert budget("receptive_field>=input") == [
        ("E402", "receptive_field is 3x3, not >= the input's 8x8 (a budget of the project)")
    ]
    assert budget("receptive_field>=input", text="input: 3@8x8\n(C3D8 R)*4\n") == []  # 1 + 4·2 = 9
    assert budget("receptive_field>=input", text="input: 3@5x9\n(C3D8 R)*2\n") == [  # 5 of 5, but 5 of 9
        ("E402", "receptive_field is 5x5, not >= the input's 5x9 (a budget of the project)")
    ]


def test_a_budget_on_what_a_network_does_not_have_is_none_of_its_business() -> None:
    assert budget("receptive_field>=3", text="input: 10@1x1\nflat FC10 R FC2\n") == []


def test_a_budget_stands_even_where_no_rule_is_selected() -> None:
    found = check(SMALL, Config(select=(), budgets=("params<=5K",))).diagnostics
    assert [each.code for each in found] == ["E402"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parameters<=60MiB",
            "`parameters<=60MiB` is not a budget: `parameters` is a count, but `60MiB` is not; write it plainly "
            "or with K, M or G",
        ),
        ("macs<=1 params<=2", "`macs<=1 params<=2` must be one check, such as `parameters<=60M`"),
        ("macs<=1\nC3D8", "`macs<=1\nC3D8` must be one check, such as `parameters<=60M`"),
    ],
)
def test_budgets_that_are_none(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        budget(text)
    assert str(error.value) == f"pyproject.toml: `budgets`: {message}"


def test_a_budget_on_a_metric_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        budget("paramters<=3")
    assert str(error.value).startswith(
        "pyproject.toml: `budgets`: `paramters<=3` is not a budget: `paramters` is not a quantity that "
        "`expect` can check; did you mean `parameters`?"
    )


# ---- files -----------------------------------------------------------------------------------------------------------


def test_a_failure_of_the_tool_is_no_finding(tmp_path: Path) -> None:
    def read(name: str) -> Source:
        raise ZeroDivisionError("1/0")

    found = check_file("a.spec", read=read)
    assert found.diagnostics == ()
    assert found.failure is not None
    assert found.failure.startswith("ZeroDivisionError: 1/0 (test_checking.py:")
    with pytest.raises(UsageError):
        check_file(str(SPECS / "vgg_d.spec"), Config(select=("W9",)))


def test_every_code_that_a_check_knows_has_a_page() -> None:
    assert [page.code for page in pages()] == list(registry.codes())
    assert {page.level for page in pages() if page.code.startswith("E")} == {"error"}
