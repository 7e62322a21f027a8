"""Random networks, and the bytes that PyTorch holds of a step of each: a table, so that a test need not measure.

`python tests/analyses/memory/measured.py` measures the table's networks anew on a CPU, and writes what it finds;
`python tests/analyses/memory/measured.py 300000` draws others first, by number from this one on.
"""

import json
import sys
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[level]) for level in (1, 2)]

from campaign import setting_of
from small_networks import small_network
from witness import measured_bytes, predicted_bytes

import convsize
from convsize.errors import UsageError
from convsize.records import TrainingSetting

TABLE = Path(__file__).with_name("measured.jsonl")
WANTED = {"checkpoint": 60, "frozen": 30, "inference": 10, "autocast": 30, "other": 30}
"""How many networks of the table are tried in a setting that has this, the first of them that holds."""


def rows():
    """The table: texts, settings and what PyTorch holds."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
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


def main(numbers):
    """Writes the table."""
    plain = TrainingSetting()
    chosen = list(drawn(int(numbers[0]))) if numbers else [(text, setting) for text, setting, _ in rows()]
    lines = []
    for text, setting in chosen:
        changed = {
            name: getattr(setting, name)
            for name in setting.__struct_fields__
            if getattr(setting, name) != getattr(plain, name)
        }
        held = measured_bytes(convsize.parse(text), setting)
        lines.append(json.dumps({"text": text, "setting": changed, "bytes": held}) + "\n")
    TABLE.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
