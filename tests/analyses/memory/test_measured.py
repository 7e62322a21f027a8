"""Steps of many small networks, against a table of what PyTorch held, to the byte."""

import pytest
from measured import LISTED, rows, texts
from witness import measured_bytes, predicted_bytes

import convsize

KINDS = ("random", *LISTED)
PART = 20
ROWS = list(rows())


@pytest.mark.parametrize("kind", KINDS)
def test_networks_of_the_table(kind):
    different = [
        (text, setting, predicted, held)
        for text, setting, held in rows(kind)
        if (predicted := predicted_bytes(convsize.parse(text), setting)) != held
    ]
    assert different == []


@pytest.mark.parametrize("kind", LISTED)
def test_all_that_is_listed_is_measured(kind):
    listed = [(text, setting) for text, setting, _ in rows(kind)]
    assert listed == texts(kind), "run `python tests/analyses/memory/measured.py`, and look at what it writes"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(0, len(ROWS), PART))
def test_the_table_is_what_pytorch_holds(part):
    pytest.importorskip("torch")
    for text, setting, held in ROWS[part : part + PART]:
        assert measured_bytes(convsize.parse(text), setting) == held, (text, setting)
