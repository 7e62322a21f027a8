"""Wholes: modules whose forward pass falls to pieces, put together again by their class and by what they call."""

from __future__ import annotations

from itertools import groupby

from convsize.importing.calls import Argument, Call, CallList, Ref

__all__ = ["with_wholes"]

_LRN = ("mul", "pad", "avg_pool", "mul", "add", "pow", "div")
"""What local response normalisation calls beside views of its values."""

_VIEWS = ("view", "unsqueeze", "squeeze", "reshape")


def with_wholes(calls: CallList) -> CallList:
    """The list with one call in the place of each such module."""
    found: list[Call] = []
    for place, group in groupby(calls.calls, lambda call: call.scope[-1:]):
        several = list(group)
        if place and place[0].kind == "LocalResponseNorm":
            several = _response_norm(several) or several
        found += several
    return calls.replace(calls=tuple(found))


def _response_norm(calls: list[Call]) -> list[Call] | None:
    """The one call that local response normalisation is; None where it is not what PyTorch's class calls."""
    steps = [call for call in calls if call.op not in _VIEWS]
    ops = tuple("avg_pool" if call.op.startswith("avg_pool") else call.op for call in steps)
    if ops != _LRN:
        return None
    square, pad, pool, scale, shift, power, quotient = steps
    entered = square.arguments["self"]
    window = pool.arguments["kernel_size"]
    if not isinstance(window, tuple) or square.arguments["other"] != entered or quotient.arguments["self"] != entered:
        return None
    size = window[0]
    amounts = pad.arguments["pad"]
    if not isinstance(size, int) or any(each != 1 for each in window[1:]) or not isinstance(amounts, tuple):
        return None
    if amounts[-2:] != (size // 2, (size - 1) // 2) or any(amounts[:-2]):
        return None
    arguments: dict[str, Argument] = {
        "self": entered,
        "size": size,
        "alpha": scale.arguments["other"],
        "beta": power.arguments["exponent"],
        "k": shift.arguments["other"],
    }
    if any(isinstance(each, Ref) for name, each in arguments.items() if name != "self"):
        return None
    return [Call("local_response_norm", arguments, quotient.results, quotient.scope)]
