"""Random networks, and the bytes that PyTorch holds of a step of each: a table, so that a test need not measure.

`python tests/analyses/memory/measured.py` measures on a CPU what the lists below have and the table has not; with
`--again` everything; with a number, `300000`, it draws other random networks from this number on.
"""

import json
import sys
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[level]) for level in (1, 2)]

from campaign import setting_of
from small_networks import small_network
from training_layers import LAYERS
from witness import measured_bytes, predicted_bytes

import convsize
from convsize.analyses.memory.step import smallest_batch
from convsize.errors import SpecError, UsageError
from convsize.records import TrainingSetting

TABLE = Path(__file__).with_name("measured.jsonl")
LISTED = ("found", "summed", "frozen")
"""Kinds of networks that are listed below; the others are random ones."""

WANTED = {"checkpoint": 60, "frozen": 30, "inference": 10, "autocast": 30, "other": 30}
"""How many networks of the table are tried in a setting that has this, the first of them that holds."""


# What random networks found: each stands for its kind. On the left what they are about.
FOUND = {
    "a norm of groups copies what has gaps": "4@8x8\nC1D8 slice(0,4) GN2 C3D4",
    "a norm of groups copies a part": "4@8x8\nC3D8 split[x | GN2] C3D4",
    "a norm of groups copies its gradient": "4@6x6\n[C1D4 | C1D4 GN2] C3D4",
    "pools of volumes in float32": "2@8x8x8\nC1D4 lppool(2,2) C1D2",
    "a filter of one position on a volume": "2@4x4x4\nT1D1 LN",
    "a block that shrinks no more": "4@3x2x2\nC1D8 T1D2 C3D4",
    "a shuffle of one group": "3@8x8\nC3D6 R shuffle(1) C3D4",
    "a shuffle of single maps": "3@8x8\nC3D6 R shuffle(6) C3D4",
    "a softmax is contiguous": "2@8x8\nC3D4 LN S FC4",
    "a softmax of a line": "2@12\nC3D4 LN logsoftmax C3 FC4",
    "single maps are channels last": "1@4x6\nLN C3D8 BN GN1 R FC2",
    "lines of single maps": "1@8\nLN relu6 C3D8 FC2",
    "nothing is kept of a mask": "4@5x8\nsigmoid drop(0.5) pick(0) GAP FC3",
    "an output without a gradient": "3@8x6\nR as t\nFC2\nhead h @t: times(2)",
    "both gradients of a slope": "4@7\ndroppath(1) as t\nprelu A (x + x) FC2\nhead h @t: lppool(2,2)",
    "quotients of mixed types": "4@4x8\nC1D1/2 BN times(2) LRN",
    "an instance norm's gradient is contiguous": "4@5x4\nLN (x * split[LN logsoftmax | INb1 A1]) FC2",
    "a picked map's gradient is contiguous": "3@4x5\n(LN drop(1) + x) pick(0,1,0) C2D6p0 FC2",
    "a line's pool is a plane's": "4@8\nC3D4 LN M GAP FC2",
    "a line's mean is a plane's": "3@12\n(x * weight) sigmoid (x + C1D3) GAP FC3 S",
    "volumes of the nearest values": "2@4x4x4\nC3D4 LN up(2) C3D2 GAP FC2",
    "types that are concatenated": "1@5x5\n(x * C1D1) as t\n[C2D4psame | x] FC2b0\nhead h @t: LN",
    "a sum with what is seen of the whole image": "3@6x4\nC3D4 R (C3D4 + GAP C1D4) R FC2",
    "a sum with a vector": "3@6x4\nC3D4 R (GAP FC4 + x) R FC2",
    "gradients of a parameter without the axis of the batch": "1@8x8\nshared w: position\n(w + w w) plus(1)",
    "a loss in half precision without a gradient": "4@12\n(A2d2 gelu) as t\nC3D2/2\nhead h @t: gelu",
    "a sum with one map": "3@6x4\nC3D4 LN (C3D1 + x + C3x1D4/1x4p1x0) FC2",
    "a sum that grows twice": "3@6x4\nLN (GAP C1D1 + C3D1 + FC4 + C3D4) C1D2",
    "a gradient that is reshaped by a copy": "3@4x4\nC3D4 reshape(8,2,4) LN C3D4",
    "a vector is flat": "3@4x4\nFC6 flat FC3",
    "attention over an image": "3@6x4\nC1D8 (LN C1D24 attn(2) C1 + x) LN GAP FC3",
    "attention over a line": "3@8\nLN C1D12 attn(2) as t\nFC2\nhead a @t: C1D6 attn(1) R",
    "tokens and positions": "3@4x4\nC2D8/2p0 reshape(8,4) token(2) position (LN C1D24 attn(2) C1 + x) LN front(2) FC3",
    "attention over a volume": "6@3x2x2\nattn(2) up(2) C1D3 GN1",
    "attention over single positions": "3@1\nC1D3 [attn(1) | attn(1)] C1",
    "a vector's norm": "4@2x2\nFC6 LN BN GN2 FC3",
}

CHECKPOINT = TrainingSetting(1, "sgd", checkpoint=("*",))
FOUND_IN_SETTINGS = {
    "a checkpoint of nothing keeps nothing": ("2@12\ndef b: A1\nM3/2p0:1 b FC2", CHECKPOINT),
    "what a norm makes is gone with it": ("3@12\ndef b: droppath(0.3) BN\nb FC2", CHECKPOINT.replace(batch=2)),
    "a norm counts its batches": (
        "1@5x8\ndef b: droppath(0.3) BN\nb",
        CHECKPOINT.replace(dtype="bfloat16"),
    ),
    "what a pool makes is gone with it": ("1@6x4\ndef b: drop(0.5) C3D3/2 GMP\nb", CHECKPOINT.replace(batch=2)),
    "what a norm of groups makes is gone with it": ("1@8x5\ndef b: gelu GN1\nb", CHECKPOINT),
    "a block that nothing reads": ("3@6x6\ndef b: C3D4 R C3D2\nC1D3 as t\nb as u\n@t C3D2", CHECKPOINT),
    "columns in float16": ("3@4x2x2\nT1D2", TrainingSetting(1, "sgd", autocast="float16")),
    "volumes in float16": ("3@3x4x2\nC1D6/2 T3D3p1 LN C3D2", TrainingSetting(2, "sgd", dtype="float16")),
    "a line's pool without a gradient": ("4@8\nLN (M3/1p1 flat FC4 * x)", TrainingSetting(2, inference=True)),
    "a line's pool before anything is trained": (
        "4@8\nLN M as p\nflat FC2\nhead h @p: C1D2",
        TrainingSetting(2, "sgd", frozen=("ln1",)),
    ),
    "a softmax at the end is frozen": ("3@4x4\nC1D2 S", TrainingSetting(1, "sgd", frozen=("softmax1",))),
    "a batch norm of one sample whose depth is innermost": (
        "4@6x4\nC1D8 LN (GAP FC8 sigmoid + x) BN FC2",
        TrainingSetting(1, inference=True, autocast="bfloat16"),
    ),
    "indices that a pool in a checkpoint gives back": (
        "1@8x5\ndef b: M1\naffine (C1 + (b + b b)) GAP FC3",
        TrainingSetting(3, checkpoint=("*",)),
    ),
    "a maximum that a checkpoint makes again": (
        "2@6x6\ndef b: (x + reduce(max,width))\nC1D4 b FC3",
        TrainingSetting(3, checkpoint=("*",)),
    ),
    "keys and values that need no gradient": (
        "4@3x4\nC1D4 attn(2,@input,@input) FC2",
        TrainingSetting(2, "sgd"),
    ),
    "queries that need none": ("4@3x4\nC1D4 as k\n@input attn(2,@k,@input) FC2", TrainingSetting(2, "sgd")),
    "queries and keys that need none, and values of another depth": (
        "4@3x4\nC1D6 as v\n@input attn(2,@input,@v) FC2",
        TrainingSetting(2, "sgd"),
    ),
    "padding that wraps along one axis": (
        "3@5x6\nC1D4 C3D4p2:1x0:0circular GAP FC2",
        TrainingSetting(2, "sgd"),
    ),
    "a filter of one position on a volume, in few samples": ("2@2x2x2\nT1D1 LN", TrainingSetting(15, "sgd")),
    "a filter of one position on a volume, in many samples": ("2@2x2x2\nT1D1 LN", TrainingSetting(16, "sgd")),
    "a softmax in evaluation is frozen": ("3@4x4\nC1D2 S", TrainingSetting(1, inference=True, frozen=("*",))),
}


def rows(kind=None):
    """The table's rows of a kind, or all: texts, settings and what PyTorch holds."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if kind in (None, row["kind"]):
            changed = {name: _tuples(value) for name, value in row["setting"].items()}
            yield row["text"], TrainingSetting(**changed), row["bytes"]


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def drawn(number):
    """Networks and settings from a number on."""
    left = dict(WANTED)
    while any(left.values()):
        text = small_network(Random(number))
        network = convsize.parse(text)
        setting = setting_of("any", Random(f"{number} any"), network)
        number += 1
        kind = next(
            (each for each in ("checkpoint", "frozen", "inference", "autocast") if getattr(setting, each)), "other"
        )
        try:
            told = left[kind] and predicted_bytes(network, setting)
        except UsageError:  # what PyTorch does not compute in half precision
            continue
        if told:
            left[kind] -= 1
            yield text, setting


def found():
    """What random networks found, in the settings that show it."""
    for text in FOUND.values():
        for autocast in (None, "bfloat16"):
            for batch in (1, 3):
                yield _least(f"input: {text}", TrainingSetting(batch, "sgd", autocast=autocast))
    for text, setting in FOUND_IN_SETTINGS.values():
        yield f"input: {text}", setting


def summed():
    """Gradients of every layer that are summed, with one axis to three."""
    for extents in ("24", "8x8", "6x6x6"):
        for layer in (*LAYERS, "GAP"):
            text = f"input: 8@{extents}\nweight sigmoid (x + C1) {layer} FC3"
            try:
                convsize.parse(text)
            except SpecError:
                assert extents != "8x8"
            else:
                yield text, TrainingSetting(2, "sgd", autocast="bfloat16")


def frozen():
    """Layers of every kind that are not trained."""
    for layer in LAYERS:
        text = f"input: 3@9x9\nC3D8 R {layer}\nFC3"
        _, _, *middle, _ = [node.name for node in convsize.parse(text).layers]
        yield text, TrainingSetting(2, "sgd", frozen=tuple(middle))


def _least(text, setting):
    """The setting, with as many samples as the network takes at least."""
    least = smallest_batch(convsize.parse(text), setting.frozen)
    return text, setting.replace(batch=max(setting.batch, least))


def texts(kind):
    """The texts and settings that the table has of a kind which is listed here."""
    return list({"found": found, "summed": summed, "frozen": frozen}[kind]())


def main(arguments):
    """Writes the table."""
    plain = TrainingSetting()
    numbers = [int(each) for each in arguments if each.isdecimal()]
    known = {} if "--again" in arguments else {(text, setting): held for text, setting, held in rows()}
    at_random = drawn(numbers[0]) if numbers else [(text, setting) for text, setting, _ in rows("random")]
    kinds = {"random": list(at_random)} | {kind: texts(kind) for kind in LISTED}
    lines = []
    for kind, (text, setting) in [(kind, each) for kind, several in kinds.items() for each in several]:
        changed = {
            name: getattr(setting, name)
            for name in setting.__struct_fields__
            if getattr(setting, name) != getattr(plain, name)
        }
        held = known.get((text, setting)) or measured_bytes(convsize.parse(text), setting)
        lines.append(json.dumps({"kind": kind, "text": text, "setting": changed, "bytes": held}) + "\n")
    TABLE.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
