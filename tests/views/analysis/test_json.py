import json as reader
from fractions import Fraction

import jsonschema
import pytest
from analysis_schema import VALIDATOR
from handmade_reports import TINY, field, layer, report

from convsize.views.analysis import json


def test_one_report_is_an_object_and_several_are_a_list() -> None:
    one, two = reader.loads(json.render([TINY])), reader.loads(json.render([TINY, TINY]))
    assert one["name"] == "tiny"
    assert two == [one, one]
    assert reader.loads(json.render([TINY], several=True)) == [one]
    for found in (one, two):
        VALIDATOR.validate(found)


def test_the_contract() -> None:
    found = json.to_object(TINY)
    assert found["schema"] == 1
    assert found["inputs"] == {"input": [3, 32, 32]}
    assert found["outputs"] == {"main": [10]}
    first = found["layers"][0]
    assert first["inputs"] == ["input"]
    assert first["output"] == [8, 32, 32]
    assert (first["parameters"], first["weights"], first["biases"], first["macs"]) == (224, 216, 8, 221184)
    assert {"size": [3, 3], "jump": [1, 1], "start": [-1, -1]}.items() <= first["receptive_field"].items()
    assert found["layers"][2]["receptive_field"] is None
    assert found["totals"]["receptive_field"] == [4, 4]
    assert found["diagnostics"] == [
        {
            "code": "W501",
            "severity": "warning",
            "message": "something is odd",
            "line": 2,
            "column": 1,
            "end_line": 2,
            "end_column": 5,
            "help": "write it otherwise",
        }
    ]


def test_whole_numbers_are_ints_and_others_floats() -> None:
    upsampled = report((layer(1, "up1", "up(2)", (3, 64, 64), sees=field(1, Fraction(1, 2))),))
    sees = json.to_object(upsampled)["layers"][0]["receptive_field"]
    assert sees["jump"] == [0.5, 0.5]
    assert type(sees["start"][0]) is int
    VALIDATOR.validate(reader.loads(json.render([upsampled])))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"batch": 0},
        {"dtype": "int8"},
        {"inputs": {"input": [0, 1, 1]}},
        {"totals": {}},
        {"diagnostics": [{"code": "E1"}]},
    ],
)
def test_the_schema_refuses_what_is_no_analysis(change: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(json.to_object(TINY) | change)
