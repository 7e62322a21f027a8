"""The first values of weights, as a person would write them: the commonest way for all but those named."""

from __future__ import annotations

from convsize.lowering.plan import Init, Plan, Step
from convsize.lowering.source.layout import Bracket, Expr, call, statement


def initialising(plan: Plan) -> list[str]:
    """The loop that gives the weights their first values: the commonest way for all but those named."""
    ways: dict[tuple[Init, bool], list[Step]] = {}
    for step in plan.steps:
        if step.init is not None and not step.again:
            transposed = step.init.scheme == "he" and "Transpose" in step.call.target
            ways.setdefault((step.init, transposed), []).append(step)
    if not ways:
        return []
    common = max(ways, key=lambda way: len(ways[way]))
    kinds = sorted({step.call.target.removeprefix("convsize.") for steps in ways.values() for step in steps})
    lines = (
        ["        for name, layer in self.named_modules():"]
        if len(ways) > 1
        else ["        for layer in self.modules():"]
    )
    wanted: Expr = Bracket("(", list(kinds), ")") if len(kinds) > 1 else kinds[0]
    test = Bracket("(", ["layer", wanted], ")")
    lines += statement(12, "if isinstance", test, ":")
    word = "if"
    for way, steps in ways.items():
        if way == common:
            continue
        others = (step.module for other, rest in ways.items() if other != way for step in rest)
        ends = {name[at:] for name in others for at in range(len(name))}
        lines += _named_test(word, [step.module for step in steps], ends)
        lines += _starting(way, 20)
        word = "elif"
    if len(ways) > 1:
        lines.append("                else:")
        lines += _starting(common, 20)
    else:
        lines += _starting(common, 16)
    if any(name.name == "bias" for steps in ways.values() for step in steps for name in step.parameters):
        lines += ["                if layer.bias is not None:", "                    nn.init.zeros_(layer.bias)"]
    return lines


def _starting(way: tuple[Init, bool], indent: int) -> list[str]:
    init, transposed = way
    arguments: list[tuple[str, Expr]] = [("", "layer.weight")]
    if init.scheme == "glorot":
        return statement(indent, "", call("nn.init.xavier_normal_", arguments))
    if init.slope:
        arguments.append(("a=", repr(init.slope)))
    if transposed:
        arguments.append(("mode=", '"fan_out"'))
    return statement(indent, "", call("nn.init.kaiming_normal_", arguments))


def _named_test(word: str, names: list[str], ends: set[str]) -> list[str]:
    """`if` for the names, by their endings where these tell them from the others, all of whose `ends` are given."""
    endings: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        texts = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        ending = next((text for text in texts if text not in ends), None)
        if ending is None:
            return statement(16, f"{word} name in ", Bracket("{", [f'"{name}"' for name in names], "}"), ":")
        endings[ending] = None
    quoted: list[Expr] = [f'"{ending}"' for ending in endings]
    test = quoted[0] if len(quoted) == 1 else Bracket("(", quoted, ")")
    return statement(16, f"{word} name", call(".endswith", [("", test)]), ":")
