"""Records are named tuples in all but how quickly their classes are made."""

from __future__ import annotations

import copy
import inspect
import pickle
from pathlib import Path
from typing import NamedTuple

import pytest

from convsize.record import Record

PACKAGE = Path(__file__).resolve().parents[2] / "convsize"


class Point(Record):
    """A place."""

    x: int
    y: int = 2
    label: str = ""

    @property
    def sum(self) -> int:
        return self.x + self.y


class Reference(NamedTuple):
    """A place."""

    x: int
    y: int = 2
    label: str = ""


class Marked(Point):
    """A place of a kind of its own."""

    __slots__ = ()

    @property
    def double(self) -> int:
        return 2 * self.x


def test_they_are_what_named_tuples_are():
    ours, theirs = Point(1, label="a"), Reference(1, label="a")
    assert ours == theirs == (1, 2, "a")
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Reference", "Point")
    assert ours._fields == theirs._fields
    assert ours._field_defaults == theirs._field_defaults
    assert ours._asdict() == theirs._asdict()
    assert ours._replace(y=5) == theirs._replace(y=5)
    assert type(ours._replace(y=5)) is Point
    assert Point._make((4, 5, "b")) == Reference._make((4, 5, "b"))
    assert Point.__match_args__ == Reference.__match_args__
    assert str(inspect.signature(Point)) == "(x, y=2, label='')"
    assert Point.__doc__ == Reference.__doc__
    assert (ours.x, ours.y, ours.label, ours.sum) == (1, 2, "a", 3)


def test_they_go_through_pickle_and_copy():
    for each in (Point(1), Marked(3, 4)):
        for same in (pickle.loads(pickle.dumps(each)), copy.copy(each), copy.deepcopy(each)):
            assert same == each
            assert type(same) is type(each)


def test_a_subclass_has_the_fields_and_methods_of_its_own():
    assert Marked(3)._replace(x=4).double == 8
    assert repr(Marked(3)) == "Marked(x=3, y=2, label='')"


def test_what_goes_wrong_is_said():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=3)
    with pytest.raises(TypeError, match="Expected 3 arguments, got 2"):
        Point._make((1, 2))
    with pytest.raises(ValueError, match=r"unexpected field names: \['z'\]"):
        Point(1)._replace(z=3)
    with pytest.raises(AttributeError):
        Point(1).x = 3
    with pytest.raises(AttributeError):
        Point(1).z = 3
    with pytest.raises(TypeError, match="Bad: a field without a default follows one that has it"):

        class Bad(Record):
            x: int = 1
            y: int


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_annotations_of_records_and_ops_are_strings(path):
    """So they are on every version of Python; an op's fields are told from its ClassVars by their text."""
    text = path.read_text()
    if "(Record)" in text or path.parent.name == "ops":
        assert "from __future__ import annotations" in text or "class " not in text
