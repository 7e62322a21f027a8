"""Records are values: compared and hashed by their fields, never changed, and no tuples."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Mapping

import pytest

import convsize
from convsize.record import Record


class Point(Record):
    """A place."""

    x: int
    y: int = 2
    label: str = ""

    @property
    def sum(self) -> int:
        return self.x + self.y


class Marked(Point):
    """A place of a kind of its own."""

    @property
    def double(self) -> int:
        return 2 * self.x


class Bag(Record):
    things: Mapping[str, int] = {}


def test_they_are_values():
    point = Point(1, label="a")
    assert point == Point(1, 2, "a") != Point(1, 3, "a")
    assert hash(point) == hash(Point(1, 2, "a"))
    assert repr(point) == "Point(x=1, y=2, label='a')"
    assert str(inspect.signature(Point)) == "(x: int, y: int = 2, label: str = '')"
    assert Point.__doc__ == "A place."
    assert (point.x, point.y, point.label, point.sum) == (1, 2, "a", 3)
    assert point.replace(y=5) == Point(1, 5, "a")
    assert point == Point(1, 2, "a")


def test_their_fields_can_be_listed():
    assert Point.field_names() == ("x", "y", "label")
    assert Point.field_defaults() == {"y": 2, "label": ""}
    assert Record.field_defaults() == {}
    assert Point(1).values() == (1, 2, "")
    assert list(Point(1).as_dict().items()) == [("x", 1), ("y", 2), ("label", "")]
    match Point(3, 4):
        case Point(x, y):
            assert (x, y) == (3, 4)


def test_they_are_no_tuples():
    """Those of two kinds are never equal, whatever is in them, and nothing depends on the order of the fields."""
    assert Point(1) != (1, 2, "")
    assert Point(1) != Marked(1)
    assert not isinstance(Point(1), tuple)
    for misused in (iter, len, list, lambda point: point[0], lambda point: point < point):
        with pytest.raises(TypeError):
            misused(Point(1))


def test_they_go_through_pickle_and_copy():
    for each in (Point(1), Marked(3, 4)):
        for same in (pickle.loads(pickle.dumps(each)), copy.copy(each), copy.deepcopy(each)):
            assert same == each
            assert type(same) is type(each)


def test_a_subclass_has_the_fields_and_methods_of_its_own():
    assert Marked(3).replace(x=4).double == 8
    assert repr(Marked(3)) == "Marked(x=3, y=2, label='')"


def test_an_empty_default_is_one_of_its_own_in_every_record():
    assert Bag().things == {}
    assert Bag().things is not Bag().things
    with pytest.raises(TypeError, match="unhashable"):
        hash(Bag())


def test_what_goes_wrong_is_said():
    with pytest.raises(TypeError, match="Missing required argument 'x'"):
        Point()
    with pytest.raises(TypeError, match="Unexpected keyword argument 'z'"):
        Point(1, z=3)
    with pytest.raises(TypeError, match="Extra positional arguments provided"):
        Point(1, 2, "", 4)
    with pytest.raises(TypeError, match="`Point` has no field 'z'"):
        Point(1).replace(z=3)
    with pytest.raises(AttributeError):
        Point(1).x = 3
    with pytest.raises(AttributeError):
        Point(1).z = 3
    with pytest.raises(TypeError, match="Required field 'y' cannot follow optional fields"):

        class Bad(Record):
            x: int = 1
            y: int


def test_no_record_hides_what_every_record_has():
    """A field called `replace` or `values` would take the method's place."""
    for module in pkgutil.walk_packages(convsize.__path__, "convsize."):
        if not module.name.startswith(("convsize.runtime", "convsize.__main__")):
            importlib.import_module(module.name)
    waiting, known = [Record], []
    while waiting:
        known += (own := waiting.pop().__subclasses__())
        waiting += own
    assert len(known) > 150
    common = {name for name in vars(Record) if not name.startswith("_")}
    assert common == {"replace", "as_dict", "values", "field_names", "field_defaults"}
    assert [kind for kind in known if common & {*vars(kind)} and kind is not Record] == []
