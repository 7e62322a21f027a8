"""Every rule by its code: the one list to add a line to.

Files are imported when their rule is asked for: a check pays for the rules it runs, and only the pages for the rest.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache

from convsize.errors import UsageError
from convsize.record import Record
from convsize.rules.base import Rule
from convsize.words import did_you_mean, nearest


class _Place(Record):
    """The file of a rule, and whether it runs with `--style` only."""

    module: str
    style: bool = False


_SYNTAX = _Place("syntax_errors")
_NAMES = _Place("name_errors")
_GEOMETRY = _Place("geometry_errors")
_JOINS = _Place("join_errors")
_EXPECTATIONS = _Place("expectation_errors")

RULES: dict[str, _Place] = {
    **{f"E{number:03}": _SYNTAX for number in range(1, 20)},
    **{f"E{number}": _NAMES for number in range(101, 120)},
    **{f"E{number}": _GEOMETRY for number in range(201, 214)},
    **{f"E{number}": _JOINS for number in range(301, 306)},
    **{f"E{number}": _EXPECTATIONS for number in range(401, 408)},
    "W501": _Place("dropped_pixels"),
    "W502": _Place("unused_value"),
    "W503": _Place("idle_default"),
    "W504": _Place("parameters_in_one_layer", style=True),
    "W505": _Place("small_receptive_field"),
    "W506": _Place("bias_before_norm"),
    "W507": _Place("unused_definition"),
    "W508": _Place("zeros_in_average"),
    "W509": _Place("shadowed_word"),
    "W510": _Place("padding_beyond_kernel"),
    "W511": _Place("pool_window_in_padding"),
    "W512": _Place("tied_to_input_size", style=True),
    "W513": _Place("layer_without_effect"),
    "W514": _Place("gridding"),
    "W515": _Place("normalised_twice"),
    "W517": _Place("shifted_branches"),
    "W518": _Place("weights_not_shared"),
    "W551": _Place("even_filter", style=True),
    "W552": _Place("large_filter", style=True),
    "W553": _Place("depth_no_power_of_two", style=True),
    "W554": _Place("tight_bottleneck", style=True),
    "W555": _Place("strided_pointwise", style=True),
    "W556": _Place("no_activation", style=True),
    "W557": _Place("unusual_pool", style=True),
    "W558": _Place("depth_after_pool", style=True),
    "W559": _Place("square_filter", style=True),
    "W560": _Place("missing_reduction", style=True),
    "W561": _Place("softmax_at_end", style=True),
    "W598": _Place("suppressions"),
    "W599": _Place("suppressions"),
}


_LISTED = "`convsize rules` lists them"


@cache
def _file(module: str) -> dict[str, Rule]:
    loaded = importlib.import_module(f"convsize.rules.{module}")
    one: Rule | None = getattr(loaded, "RULE", None)
    rules: tuple[Rule, ...] = loaded.RULES if one is None else (one,)
    return {each.code: each for each in rules}


def codes() -> tuple[str, ...]:
    """Every code, errors first."""
    return tuple(RULES)


def rule(code: str) -> Rule:
    """The rule of a code. Raises KeyError where there is none."""
    return _file(RULES[code].module)[code]


def find(asked: str) -> Rule:
    """The rule of a code or a name, in any case. Raises UsageError, naming the nearest, where there is none."""
    if asked.upper() in RULES:
        return rule(asked.upper())
    by_name = {each.name: each for each in all_rules()}
    plain = asked.lower().replace("_", "-").replace(" ", "-")
    if plain in by_name:
        return by_name[plain]
    guess = nearest(asked.upper(), RULES) if any(char.isdigit() for char in asked) else nearest(plain, by_name)
    raise UsageError(f"there is no rule `{asked}`: {did_you_mean(guess, _LISTED)}")


def rules(wanted: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of these codes."""
    return tuple(rule(code) for code in wanted)


def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the list: this reads all their files."""
    return rules(RULES)


def checks(*, style: bool = False) -> tuple[Rule, ...]:
    """The rules that look at networks: the default ones, with those of `--style` if asked for."""
    return rules(code for code, place in RULES.items() if code.startswith("W") and (style or not place.style))


def is_style(code: str) -> bool:
    """Whether a rule runs with `--style` only. Raises KeyError for an unknown code."""
    return RULES[code].style
