"""The list of ops: complete, of one kind, and loaded only as far as it is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_networks import PATTERNS, built, filled

import convsize.ops
from convsize.geometry import Shape
from convsize.language.mnemonics import MNEMONICS
from convsize.ops import catalogue
from convsize.ops.base import Op

SHARED = {"__init__", "base", "catalogue", "examples"}


def test_every_file_is_listed():
    files = {path.stem for path in Path(convsize.ops.__file__).parent.glob("*.py")} - SHARED
    listed = {*catalogue.TOKENS.values(), *catalogue.WORDS.values(), *catalogue.JOINS.values()}
    assert {place.split(":")[0] for place in listed} == files


def test_tokens_take_the_suffixes_that_the_language_reads():
    assert set(catalogue.TOKENS) == set(MNEMONICS)
    for name, mnemonic in MNEMONICS.items():
        takes = set(catalogue.token(name).SUFFIXES)
        assert takes - {"size"} <= mnemonic.suffixes
        assert ("size" in takes) == (mnemonic.size != "none")


def test_names_are_unique():
    ops = catalogue.all_ops()
    assert len({op.NAME for op in ops}) == len(ops)
    assert len({op.STEM for op in ops}) == len(ops)


def test_words_and_tokens_share_a_class():
    assert catalogue.word("softmax") is catalogue.token("S")
    assert catalogue.word("bn") is catalogue.token("BN")
    assert catalogue.word("nonsense") is None
    with pytest.raises(KeyError):
        catalogue.token("Q")


def test_an_op_must_state_every_rule():
    with pytest.raises(TypeError, match="op Half states no output, window, parameters, macs, work, saved, torch"):

        class Half(Op):
            NAME = "half an op"


def test_only_what_is_asked_for_is_imported():
    code = (
        "import sys; from convsize.ops import catalogue; catalogue.token('R');"
        "print(sorted(m for m in sys.modules if m.startswith('convsize.ops.')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    files = ("base", "catalogue", "relu", "shared", "shared.keeps", "shared.pointwise")
    assert found.strip() == str([f"convsize.ops.{name}" for name in files])


def test_random_networks_know_every_op():
    """Joins, their writer makes by itself; embeddings take numbers, which no layer gives."""
    volumes = [Shape(depth, (4,) * rank) for depth in (6, 8, 1) for rank in (2, 1, 3, 0)]
    found = {"Embedding", "Input", *(catalogue.join(kind).__name__ for kind in catalogue.JOINS)}
    for pattern in PATTERNS:
        networks = (built(filled(pattern, volume, 1, 4), volume) for volume in volumes)
        network = next((each for each in networks if each), None)
        assert network, f"`{pattern}` fits no volume"
        found |= {type(node.op).__name__ for node in network.nodes}
    assert {op.__name__ for op in catalogue.all_ops()} - found == set()
