"""Names of layers in other libraries, read by their arguments: `Conv2d(16, 128, 5, stride=2)` is `C5D128/2p0`.

Every entry knows the defaults of the libraries that have its layer: PyTorch's convolutions pad nothing and Keras' are
`valid`, Keras' batch norm has an eps of 0.001. Whatever of a call has no counterpart in a spec makes the whole call
unread; then the help says in words how the layer is written, without numbers that nobody wrote. Nothing is executed.
"""

from __future__ import annotations

import ast

from convsize.language.mistakes.libraries.arguments import Given, Unread
from convsize.language.mistakes.libraries.names import ELSEWHERE, ENTRIES, KERAS, RECURRENT, SHARED, STEMS
from convsize.record import Record

LONGEST_CALL = 400
"""Characters of a call that are read; no layer needs as many."""


class Reading(Record):
    """What a name or a call from elsewhere is in a spec.

    spelled: what a spec writes, or None where the call says something that a spec cannot; help: what to write, in
    words; certain: whether nothing but the spelling differs, so that it can be replaced unseen.
    """

    spelled: str | None
    help: str
    certain: bool = False


def _plainly(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _key(name: str) -> tuple[str, bool | None] | None:
    """The entry that a name means, and whether it is Keras' spelling: `Conv2D` and not `Conv2d`; None: either."""
    keras: bool | None = None
    plain = _plainly(name)
    for axes in ("1d", "2d", "3d"):
        for before, behind in ((axes, ""), (axes, "transpose")):
            if plain.endswith(before + behind) and plain != before + behind:
                mark = name.replace("_", "")[len(plain) - len(before + behind) + 1]
                some_small = any(char.islower() for char in name)
                some_great = any(char.isupper() for char in name)
                keras = mark == "D" if some_small and some_great else None
                plain = plain.removesuffix(before + behind) + behind
                break
    if plain in KERAS:
        keras = True
    return (plain, keras) if plain in ENTRIES else None


def known(name: str) -> bool:
    """Whether a name is a layer somewhere: in a spec, spelled otherwise, or in another library."""
    return _key(name) is not None or elsewhere(name)


def own(name: str) -> bool:
    """Whether a name is a word of the language as it stands."""
    return name in SHARED or (name in ENTRIES and ENTRIES[name].own)


def elsewhere(name: str) -> bool:
    """Whether a name is a layer of other libraries that a spec has not."""
    plain = _plainly(name)
    return plain in ELSEWHERE or plain.rstrip("123d") in ELSEWHERE


def stem(name: str) -> str | None:
    """The layer's letters for a name without its numbers: `CONV` is `C`."""
    return STEMS.get(_plainly(name))


def read(name: str, call: str | None = None, *, defaults: bool = False) -> Reading | None:
    """What a name, or a call with its brackets, means in a spec; None where no library has the name.

    defaults: whether the spec has a `default` statement, so that a token must state all that the call states.
    """
    found = _key(name)
    if found is None:
        if not elsewhere(name):
            return None
        if _plainly(name).rstrip("123d") in RECURRENT:
            scope = "recurrent layers (RNN, LSTM, GRU, ConvLSTM) are out of scope"
            return Reading(None, f"{scope}; `convsize ops` lists the layers")
        return Reading(None, "specs have no such layer; `convsize ops` lists the layers")
    key, keras = found
    entry = ENTRIES[key]
    if call is None:
        if entry.alone is None:
            return Reading(None, entry.form)
        return Reading(entry.alone, f"write `{entry.alone}`", entry.pure)
    if entry.own:
        spelled = key if entry.pure and call == "()" else key + call
        return Reading(spelled, f"write `{spelled}`", entry.pure and call == "()")
    try:
        given = _arguments(call, keras, defaults)
        bare = not given.positional and not given.named
        spelled = entry.read(given)
        given.done()
    except Unread as why:
        reason = str(why)
        return Reading(None, f"{entry.form}; here {reason}" if reason else entry.form)
    return Reading(spelled, f"write `{spelled}`", entry.pure and bare)


def _arguments(call: str, keras: bool | None, defaults: bool) -> Given:
    if len(call) > LONGEST_CALL:
        raise Unread("this is too long to be a layer")
    try:
        tree = ast.parse(f"f{call}", mode="eval").body
        if not isinstance(tree, ast.Call):
            raise Unread("the brackets hold no arguments")
        positional = [ast.literal_eval(each) for each in tree.args]
        named = {each.arg: ast.literal_eval(each.value) for each in tree.keywords if each.arg is not None}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise Unread("an argument is not a plain number or word") from None
    if len(named) != len(tree.keywords):
        raise Unread("an argument is not a plain number or word")
    if keras is None and {"filters", "strides", "activation", "use_bias", "pool_size"} & named.keys():
        keras = True
    elif keras is None and {"in_channels", "out_channels", "stride", "ceil_mode"} & named.keys():
        keras = False
    return Given(positional, named, keras=keras, explicit=defaults)
