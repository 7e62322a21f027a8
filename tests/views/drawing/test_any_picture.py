"""Whatever network there is, it can be drawn."""

import xml.etree.ElementTree as ElementTree

from hypothesis import given, reject, settings
from strategies import networks

from convsize import api
from convsize.errors import SpecError
from convsize.views.answers import comparison
from convsize.views.answers.pictures import comparison as comparison_picture
from convsize.views.drawing import dot as drawing_graph
from convsize.views.drawing import mermaid as drawing_mermaid
from convsize.views.drawing import receptive_field as receptive_field_picture
from convsize.views.drawing import text as drawing_text
from convsize.views.drawing import volumes as drawing_volumes
from convsize.views.drawing.folded import draw


@settings(max_examples=60)
@given(networks())
def test_any_network_is_drawn(text: str) -> None:
    try:
        report = api.parse(text, "net").analyze()
    except SpecError:  # some few of them have branches of different depths
        reject()
    for detail in ("network", "block", "layer"):
        drawing = draw(report, detail)
        rows = [row.name for part in drawing.leaves() for row in part.rows]
        assert sorted(rows) == sorted(row.name for row in report.layers)
        drawing_graph.render(report, detail=detail)
        drawing_mermaid.render(report, detail=detail)
        drawing_text.render(report, detail=detail, heat="memory")
    ElementTree.fromstring(drawing_volumes.scene(report).svg())
    ElementTree.fromstring(comparison_picture.scene(comparison.compare([report, report])).svg())
    if report.totals.receptive_field is not None:
        way = receptive_field_picture.way(report)
        receptive_field_picture.render(report, way)
        ElementTree.fromstring(receptive_field_picture.scene(report, way).svg())
