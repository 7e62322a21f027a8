"""What layers and the instances of blocks are called: every name of a network is unique, and an attribute in PyTorch.

A layer is its kind with a number, conv1; an instance its block with a number, bot3; the layers of a head or an
instance stand after its name and a dot. Numbers that would give a name away twice are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from keyword import iskeyword

ATTRIBUTES = frozenset(
    {
        "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu", "cuda", "double",
        "dump_patches", "eval", "extra_repr", "float", "forward", "freeze", "get_buffer", "get_extra_state",
        "get_parameter", "get_submodule", "half", "ipu", "layer_names", "load_state_dict", "modules", "mtia",
        "named_buffers", "named_children",
        "named_modules", "named_parameters", "parameters", "register_backward_hook", "register_buffer",
        "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
        "register_full_backward_pre_hook", "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook", "register_module", "register_parameter",
        "register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_", "run", "set_extra_state",
        "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train", "training", "type", "xpu",
        "zero_grad",
    }
)  # fmt: skip
"""What a module of PyTorch, or ours, calls its own attributes: no layer and no head can be one of these."""


def numbered(stem: str, counters: dict[str, int], taken: frozenset[str]) -> str:
    """The next name of a kind of layer or of a block: bot1, bot2 …

    A stem that ends in a digit gets an underscore, so that relu6's first is not the 61st ReLU.
    """
    if stem.startswith("__"):  # Python gives such names of a class another meaning
        stem = f"block_{stem.lstrip('_')}".rstrip("_")
    stem = f"{stem}_" if stem[-1].isdigit() else stem
    while True:
        number = counters.get(stem, 0) + 1
        counters[stem] = number
        name = f"{stem}{number}"
        if name not in taken:
            return name


def of_heads(heads: Collection[str], inputs: Iterable[str]) -> dict[str, str]:
    """What stands before the layers of every head: its name, with an underscore after it where that is taken."""
    inputs = frozenset(inputs)
    free = {head for head in heads if not (_private(head) or iskeyword(head))} - ATTRIBUTES - inputs
    taken = {*free, *inputs}
    found: dict[str, str] = {}
    for head in heads:
        name = head
        if head not in free:
            name = f"head_{head.lstrip('_')}" if _private(head) else f"{head}_"
            while name in taken:
                name += "_"
            taken.add(name)
        found[head] = name
    return found


def of_shared(blocks: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """What stands before the weights of every `shared` block: its name, with underscores after it where it is taken.

    A digit at its end gets one, too: `conv1` is a layer.
    """
    names = {*taken, *ATTRIBUTES}
    found: dict[str, str] = {}
    for block in blocks:
        name = f"shared_{block.lstrip('_')}" if _private(block) else block
        while name in names or name[-1].isdigit() or iskeyword(name):
            name += "_"
        names.add(name)
        found[block] = name
    return found


def _private(name: str) -> bool:
    """Whether a module of PyTorch may have it for itself: its privates end in no digit, as instances of blocks do."""
    return name.startswith("__") or (name.startswith("_") and not name[-1].isdigit())
