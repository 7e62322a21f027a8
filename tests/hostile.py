"""Networks whose inputs, blocks and heads are called what something else is called already."""

import builtins
import keyword

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from convsize.graph.layer_names import ATTRIBUTES

OF_THE_LANGUAGE = {"input", "default", "let", "def", "shared", "head", "expect", "split", "as", "x", "c", "main"}
OF_THE_LANGUAGE |= {"min", "max", "round"}

NAMES = tuple(
    sorted(
        name
        for name in {
            *keyword.kwlist,
            *keyword.softkwlist,
            *dir(builtins),
            *ATTRIBUTES,
            *(
                "none",
                "true",
                "false",
                "tensor",
                "module",
                "torch",
                "nn",
                "f",
                "i",
                "self",
                "reduce",
                "append",
                "extend",
            ),
            *(
                "conv1",
                "conv2",
                "conv3",
                "conv",
                "relu1",
                "relu6",
                "relu61",
                "relu6_",
                "relu",
                "cat1",
                "fc1",
                "fc",
                "x1",
            ),
            *("_", "__", "___", "_1", "__1", "_conv1", "__conv", "conv_", "conv1_", "a", "b", "a_", "a1", "main1"),
            *(
                "_modules",
                "__init__",
                "__class__",
                "__dict__",
                "bfloat",
                "bfloat1",
                "convBlock",
                "networkNone",
                "input",
            ),
        }
        if (name[0].islower() or name[0] == "_") and name not in OF_THE_LANGUAGE
    )
)


@st.composite
def hostile(draw: DrawFn) -> str:
    """Two inputs, two blocks that are called several times, in repeats too, and two heads."""
    inputs = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True))
    # The word relu6 is used beside the blocks.
    blocks = draw(
        st.lists(st.sampled_from([name for name in NAMES if name != "relu6"]), min_size=2, max_size=2, unique=True)
    )
    heads = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True))
    one, two = inputs
    wide, deep = blocks
    return "\n".join(
        [
            f"input {one}: 2@5x5",
            f"input {two}: 2@5x5",
            f"def {wide}(d): C1D{{d}} R relu6",
            f"def {deep}: [{wide}(3) | x] R {wide}(2)",
            f"@{one} C3D2 R relu6 as left",
            f"@{two} C3D2 relu6 as right",
            f"(@left + @right) {deep} {deep}*3 {wide}(2)*3 {wide}(4) as t C1D2",
            f"head {heads[0]} @t: C3D2 R {wide}(3)",
            f"head {heads[1]} @t: {deep}",
        ]
    )
