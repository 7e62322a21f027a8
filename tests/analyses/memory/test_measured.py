"""Steps of many small networks, against a table of what PyTorch held, to the byte."""

from measured import rows
from witness import predicted_bytes

import convsize


def test_all_networks_of_the_table():
    different = [
        (text, setting, predicted, held)
        for text, setting, held in rows()
        if (predicted := predicted_bytes(convsize.parse(text), setting)) != held
    ]
    assert different == []
