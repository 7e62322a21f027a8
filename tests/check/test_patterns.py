"""Patterns of paths mean what they mean in a .gitignore; git itself is the witness."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convsize.check.patterns import Patterns

# pattern, path, whether the pattern names it
CASES = [
    ("old.spec", "old.spec", True),
    ("old.spec", "a/b/old.spec", True),
    ("/old.spec", "a/old.spec", False),
    ("/old.spec", "old.spec", True),
    ("drafts/", "drafts/a.spec", True),
    ("drafts/", "a/drafts/b/c.spec", True),
    ("drafts/", "drafts", False),  # a file of that name is no folder
    ("a/b", "a/b/c.spec", True),
    ("a/b", "x/a/b", False),  # a slash in the middle anchors
    ("*.spec", "a/b.spec", True),
    ("a/*.spec", "a/b/c.spec", False),  # a star stays within one name
    ("a/**/c.spec", "a/c.spec", True),
    ("a/**/c.spec", "a/x/y/c.spec", True),
    ("**/c.spec", "c.spec", True),
    ("a/**", "a/x/y", True),
    ("a/**", "a", False),
    ("net?.spec", "net1.spec", True),
    ("net?.spec", "net.spec", False),
    ("net[12].spec", "net2.spec", True),
    ("net[!12].spec", "net2.spec", False),
    ("net[!12].spec", "net3.spec", True),
    ("net[a-c].spec", "netb.spec", True),
    ("net[c-a].spec", "netb.spec", False),
    ("net[.spec", "net[.spec", False),
    ("a/***/c", "a/x/y/c", True),
    (r"\#a.spec", "#a.spec", True),
    (r"\!a.spec", "!a.spec", True),
    ("a.spec  ", "a.spec", True),
    ("# a.spec", "# a.spec", False),
    ("", "a.spec", False),
]


@pytest.mark.parametrize(("pattern", "path", "named"), CASES)
def test_patterns(pattern: str, path: str, named: bool) -> None:
    assert Patterns([pattern]).named(path) is named


def test_the_last_pattern_decides_and_a_folder_that_is_out_stays_out() -> None:
    patterns = Patterns(["*.spec", "!keep.spec"])
    assert patterns.named("a.spec")
    assert not patterns.named("keep.spec")
    assert Patterns(["drafts/", "!drafts/keep.spec"]).named("drafts/keep.spec")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed: it is the witness here")
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def git_names(repository: Path, lines: list[str], path: str) -> bool:
    (repository / ".gitignore").write_text("\n".join(lines) + "\n")
    # --no-index: as if the path were there and not tracked. 0 where it is ignored, 1 where it is not.
    done = subprocess.run(["git", "-C", str(repository), "check-ignore", "-q", "--no-index", path], check=False)
    assert done.returncode in (0, 1)
    return done.returncode == 0


@pytest.mark.parametrize(("pattern", "path", "named"), CASES)
def test_git_says_the_same(repository: Path, pattern: str, path: str, named: bool) -> None:
    assert git_names(repository, [pattern], path) is named


# Two stars beside letters are one star, says gitignore(5); git cuts the letters before them off and lets them cross.
words = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!b]", "[^a]", "[a-b]"]), min_size=1, max_size=4).map(
    "".join
)
words = words.filter(lambda word: "**" not in word or not word.strip("*"))
lines = st.builds(
    lambda bang, lead, parts, tail: bang + lead + "/".join(parts) + tail,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/", "**/"]),
    st.lists(words, min_size=1, max_size=3),
    st.sampled_from(["", "/", "/**"]),
)
paths = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(lines, min_size=1, max_size=3), paths)
def test_git_says_the_same_of_any_patterns(repository: Path, patterns: list[str], path: str) -> None:
    assert Patterns(patterns).named(path) is git_names(repository, patterns, path)


WITHOUT_END = """
from convsize.check.patterns import Patterns
name = "a" * 2_000
for line in ("*a" * 1_000 + "*b", "*" * 3_000 + "b", "*?" * 1_000 + "*b", "*[a-b]" * 500 + "*[b]"):
    assert not Patterns([line]).named(name), line
for line in ("/".join(["**/a"] * 500) + "/b", "**/" * 3_000 + "b", "a/**/" * 900 + "b"):
    assert not Patterns([line]).verdict("a/" * 1_000 + "a", False), line
assert Patterns(["*a" * 1_000]).named(name)
"""


def test_no_pattern_takes_long() -> None:
    """Backtracking would take longer than the world is old; this takes about a second."""
    subprocess.run([sys.executable, "-c", WITHOUT_END], check=True, timeout=300)
