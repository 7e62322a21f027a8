"""Slow tests take turns: every one is drawn now and then, and a commit always draws the same."""

from turns import SHARE, is_drawn

TESTS = [f"tests/a/test_one.py::test_it[{name}]" for name in range(200)]
COMMITS = [f"{number:040x}" for number in range(200)]


def test_every_test_has_its_turn() -> None:
    for test in TESTS:
        assert any(is_drawn(test, commit) for commit in COMMITS), test


def test_a_commit_draws_about_its_share() -> None:
    drawn = sum(is_drawn(test, commit) for test in TESTS for commit in COMMITS)
    assert 0.9 < drawn * SHARE / (len(TESTS) * len(COMMITS)) < 1.1


def test_the_draw_is_the_same_everywhere() -> None:
    assert [number for number in range(60) if is_drawn("t", str(number))] == [7, 25, 27, 33, 37]
