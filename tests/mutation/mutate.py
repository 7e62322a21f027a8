"""Mutation testing, in rounds outside CI: one thing in the code is changed, and some test should fail.

    python tests/mutation/mutate.py map                                  # which test reaches which line; needs coverage
    python tests/mutation/mutate.py run convsize/geometry.py convsize/ops --sample 40 --seed 1
    python tests/mutation/mutate.py run --survivors                      # those again that survived, after new tests
    python tests/mutation/mutate.py run convsize/analyses/memory --tests tests/analyses/memory/test_measured.py
    python tests/mutation/mutate.py score

`map` runs the tests of TESTS once and notes for every line which of them reach it, and the CPU time of each. `run`
draws a sample of every place that is named, and runs for each mutant the tests that reach the changed line, those of
its subject first and the quickest of them first, until one fails. Every mutant is a fork of a process that has PyTorch
and pytest loaded, but nothing of convsize: what is computed when a module is loaded is computed anew, and no cache
hides a change. A mutant may use CPU seconds, not seconds of the clock, so that a busy machine judges as a quiet one
does; one that never ends is killed, too.

Without a map `--tests` names the tests that judge, files or folders, the quickest first.

What a person has found to change nothing stands in equivalent.txt, one mutant a line, and does not count.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile, zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutation"
MAP, RESULTS = WORK / "map.json", WORK / "results.jsonl"
EQUIVALENT = Path(__file__).with_name("equivalent.txt")

TESTS = (
    "tests/ops",
    "tests/graph",
    "tests/contract",
    "tests/outside",
    "tests/cli/test_ops.py",
    "tests/analyses",
    "tests/runtime/training",
    "tests/cli/test_train_command.py",
    "tests/cli/test_memory_command.py",
)
OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-m", "not slow and not timed and not gpu")
LONGEST_TEST = 10.0
"""CPU seconds: tests that take longer judge no mutant."""
BUDGET = 5.0
"""CPU seconds of tests that a mutant is shown."""
LIMIT = 30
"""CPU seconds after which a mutant counts as one that does not end."""

Mutant = dict[str, object]

# ---- what is changed -------------------------------------------------------------------------------------------------

_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    """What a node may be changed into."""
    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            new = copy.deepcopy(node)
            new.ops[at] = _COMPARED[type(op)]()
            yield new
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COMPUTED:
        new = copy.deepcopy(node)
        new.op = _COMPUTED[type(node.op)]()
        yield new
    elif isinstance(node, ast.BoolOp):
        new = copy.deepcopy(node)
        new.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield new
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Name) and node.id in _CALLED and isinstance(node.ctx, ast.Load):
        yield ast.Name(_CALLED[node.id], ast.Load())
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    plain = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.NamedExpr
    if isinstance(node, ast.If | ast.IfExp | ast.While) and isinstance(node.test, plain):
        new = copy.deepcopy(node)
        new.test = ast.UnaryOp(ast.Not(), new.test)
        yield new
    if isinstance(node, ast.comprehension):
        for at in range(len(node.ifs)):
            new = copy.deepcopy(node)
            del new.ifs[at]
            yield new
    dropped = isinstance(node, ast.AugAssign | ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom)
    )
    if dropped:
        yield ast.Pass()


_Place = tuple[tuple[str, int | None], ...]
"""The way from a module to a node: fields, and places in those that are lists."""


def _walk(node: ast.AST, place: _Place, scope: str, line: ast.stmt | None) -> Iterator[tuple[_Place, str, ast.stmt]]:
    """Every node that may be changed, with its scope and its statement; annotations and messages stay."""
    if isinstance(node, ast.stmt):
        line = node
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        scope += f"{'.' if scope else ''}{node.name}{'()' if isinstance(node, ast.FunctionDef) else ''}"
    if line is not None:
        yield place, scope, line
    if isinstance(node, ast.JoinedStr | ast.Raise | ast.Assert | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: a check, as an assertion is
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        if isinstance(value, ast.AST):
            yield from _walk(value, (*place, (name, None)), scope, line)
        elif isinstance(value, list):
            for at, each in enumerate(value):
                if isinstance(each, ast.AST):
                    yield from _walk(each, (*place, (name, at)), scope, line)


def _at(tree: ast.AST, place: _Place) -> ast.AST:
    for name, at in place:
        value = getattr(tree, name)
        tree = value if at is None else value[at]
    return tree


def _put(tree: ast.AST, place: _Place, new: ast.AST) -> None:
    *way, (name, at) = place
    home = _at(tree, tuple(way))
    if at is None:
        setattr(home, name, new)
    else:
        getattr(home, name)[at] = new


def mutants(path: Path) -> list[Mutant]:
    """All mutants of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for place, scope, line in _walk(tree, (), "", None):
        node = _at(tree, place)
        for number, new in enumerate(_changed(node)):
            last = line.body[0].lineno - 1 if hasattr(line, "body") else line.end_lineno  # type: ignore[attr-defined]
            old = ast.unparse(node).splitlines()[0]
            text = f"{path.relative_to(ROOT)} | {scope} | {old} -> {ast.unparse(new).splitlines()[0]}"
            seen[text] += 1
            if seen[text] > 1:
                text += f" | {seen[text]}"
            found.append(
                {
                    "text": text,
                    "place": place,
                    "number": number,
                    "first": line.lineno,
                    "last": max(last, line.lineno),
                    "called": "()" in scope,
                }
            )
    return found


def _code(path: Path, mutant: Mutant) -> object:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    place: _Place = tuple(map(tuple, mutant["place"]))  # type: ignore[arg-type]
    new = list(_changed(_at(tree, place)))[mutant["number"]]  # type: ignore[call-overload]
    _put(tree, place, new)
    return compile(ast.fix_missing_locations(tree), str(path), "exec")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the changed module in the place of its file."""

    def __init__(self, name: str, path: Path, code: object) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, name: str, *_: object) -> object:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def exec_module(self, module: object) -> None:
        exec(self.code, vars(module))


# ---- which test reaches which line -----------------------------------------------------------------------------------


class _Contexts:
    """A pytest plugin: coverage by test, and the CPU time of each."""

    def __init__(self, measured: object) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.start = 0.0

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.start = time.process_time()
        self.measured.switch_context(nodeid)  # type: ignore[attr-defined]

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.seconds[nodeid] = time.process_time() - self.start
        self.measured.switch_context("")  # type: ignore[attr-defined]


def make_map(tests: list[str]) -> None:
    """Runs the tests and notes by file and line the tests that reach it. What is named is added to what is known."""
    import coverage
    import pytest

    WORK.mkdir(parents=True, exist_ok=True)
    measured = coverage.Coverage(data_file=None, include=[str(ROOT / "convsize" / "*")], config_file=False)
    measured.start()
    plugin = _Contexts(measured)
    pytest.main([*OPTIONS[:1], *OPTIONS[2:], *tests], plugins=[plugin])
    measured.stop()
    data = measured.get_data()
    known = json.loads(MAP.read_text()) if MAP.exists() else {"seconds": {}, "lines": {}}
    known["seconds"] |= plugin.seconds
    for name in data.measured_files():
        lines = known["lines"].setdefault(str(Path(name).relative_to(ROOT)), {})
        for line, contexts in data.contexts_by_lineno(name).items():
            lines[str(line)] = sorted({*lines.get(str(line), ()), *contexts} - {""})
    MAP.write_text(json.dumps(known))
    print(f"{len(known['seconds'])} tests")


def _apart(path: str, test: str) -> int:
    """How many folders of a file's subject a test's does not share: tests/graph and convsize/graph are one subject."""
    own, other = Path(path).parts[1:-1], Path(test.partition("::")[0]).parts[1:-1]
    return len(own) - len([*takewhile(lambda pair: pair[0] == pair[1], zip(own, other, strict=False))])


def chosen_tests(known: dict[str, dict], path: str, mutant: Mutant) -> list[str]:
    """The tests that judge a mutant: those of its subject before others, the quickest first."""
    lines, seconds = known["lines"].get(path, {}), known["seconds"]
    reach = {
        test for line in range(mutant["first"], mutant["last"] + 1) for test in lines.get(str(line), ())  # type: ignore[call-overload,operator]
    }  # fmt: skip
    if not reach and not mutant["called"]:  # it runs when the module is loaded
        reach = {test for tests in lines.values() for test in tests}
    found, spent = [], 0.0
    for test in sorted(reach, key=lambda test: (_apart(path, test), seconds.get(test, 0.0), test)):
        spent += seconds.get(test, 0.0)
        if seconds.get(test, 0.0) > LONGEST_TEST or (spent > BUDGET and found):
            break
        found.append(test)
    return found


# ---- mutants ---------------------------------------------------------------------------------------------------------


def judge(path: Path, mutant: Mutant, tests: list[str]) -> str:
    """Whether a test fails: "killed", "survived", or "unreached" where no test sees the line."""
    if not tests:
        return "unreached"
    child = os.fork()
    if not child:
        _suffer(path, mutant, tests)
    _, status = os.waitpid(child, 0)
    return "survived" if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 else "killed"


def _suffer(path: Path, mutant: Mutant, tests: list[str]) -> None:
    """In a process of its own: the changed module, and the tests."""
    import pytest

    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.environ["CONVSIZE_MUTANT"] = "1"
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_DATA, (6 << 30, 6 << 30))
    signal.alarm(20 * LIMIT)
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    code = 1
    try:
        sys.meta_path.insert(0, _Finder(name, path, _code(path, mutant)))
        # A few first: most mutants fall to them, and then the files of the others need not be read.
        for some in (tests[:8], tests[8:40], tests[40:]):
            code = int(pytest.main([*OPTIONS, "--tb=no", *some])) if some else 0
            if code:
                break
    except BaseException:
        code = 1
    os._exit(0 if code == 0 else 1)


def _results() -> dict[str, dict]:
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return {each["text"]: each for each in map(json.loads, lines)}


def run(names: list[str], sample: int, seed: int, survivors: bool, judges: list[str]) -> None:
    """Judges mutants, by the tests that reach them or by the judges that are named, and says each that survives."""
    import hypothesis  # noqa: F401 (loaded once, before the forks)
    import torch

    torch.set_num_threads(1)
    known = {} if judges else json.loads(MAP.read_text())
    WORK.mkdir(parents=True, exist_ok=True)
    before = _results()
    drawn: list[list[tuple[Path, Mutant]]] = []
    for name in names:
        place = ROOT / name
        files = [place] if name.endswith(".py") else sorted(place.rglob("*.py"))
        of_place = [(path, mutant) for path in files for mutant in mutants(path)]
        random.Random(seed).shuffle(of_place)
        drawn.append(of_place if survivors else of_place[:sample])
    # In turns, so that a run that is stopped has drawn alike of every place.
    work = [each for turn in zip_longest(*drawn) for each in turn if each is not None]
    if survivors:
        work = [
            each for each in work if before.get(str(each[1]["text"]), {}).get("verdict") in ("survived", "unreached")
        ]
    with RESULTS.open("a", encoding="utf-8") as file:
        for path, mutant in work:
            text = str(mutant["text"])
            if text in before and not survivors:
                continue
            start = time.perf_counter()
            tests = judges or chosen_tests(known, str(path.relative_to(ROOT)), mutant)
            verdict = judge(path, mutant, tests)
            facts = {"text": text, "line": mutant["first"], "verdict": verdict, "tests": len(tests)}
            file.write(json.dumps(facts) + "\n")
            file.flush()
            print(
                f"{verdict:9} {time.perf_counter() - start:5.1f} s {len(tests):4} :{mutant['first']} {text}", flush=True
            )


def score() -> None:
    """Says by area how many were killed of those that are not equivalent."""
    same = set(EQUIVALENT.read_text(encoding="utf-8").splitlines()) if EQUIVALENT.exists() else set()
    areas: dict[str, Counter[str]] = {}
    for text, facts in _results().items():
        parts = Path(text.split(" | ")[0]).parts
        deep = len(parts) > 3 and parts[1] in ("analyses", "runtime")
        area = "/".join(parts[1 : 3 if deep else 2])
        areas.setdefault(area, Counter())["equivalent" if text in same else facts["verdict"]] += 1
    areas["all"] = sum(areas.values(), Counter())
    print("| code | mutants | equivalent | killed | survived | score |\n| :-- | --: | --: | --: | --: | --: |")
    for area, counts in areas.items():
        left = counts["survived"] + counts["unreached"]
        judged = counts["killed"] + left
        share = f"{100 * counts['killed'] / judged:.0f} %" if judged else ""
        print(f"| {area} | {counts.total()} | {counts['equivalent']} | {counts['killed']} | {left} | {share} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Mutation testing; the module's docstring says how.")
    parser.add_argument("what", choices=("map", "run", "score", "list"))
    parser.add_argument("names", nargs="*")
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--tests", nargs="+", default=[])
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    if asked.what == "map":
        make_map(asked.names or [each for each in TESTS if Path(each).exists()])
    elif asked.what == "run":
        run(asked.names or ["convsize"], asked.sample, asked.seed, asked.survivors, asked.tests)
    elif asked.what == "list":
        for name in asked.names:
            for each in mutants(ROOT / name):
                print(each["first"], each["text"])
    else:
        score()
