"""A network in a notebook: its picture, its totals and the folded table, without a script or a style sheet.

Notebooks drop scripts and share one style sheet among all cells, so that colours and fonts stay the notebook's own. The
picture is an image of its own: its ids must not meet those of another network's picture in the same notebook.
"""

from __future__ import annotations

from base64 import b64encode

from convsize.errors import ConvsizeError
from convsize.records import Report
from convsize.views.analysis.columns import BY_NAME
from convsize.views.canvas import file
from convsize.views.drawing import dot
from convsize.views.report.content import drawn, volumes
from convsize.views.report.template import rendered
from convsize.views.text import numbers
from convsize.views.text.fold import fold
from convsize.words import plural

_SHOWN = ("name", "spec", "output", "receptive_field", "parameters", "macs", "output_bytes")


def svg(report: Report) -> str | None:
    """The graph of the network, or None where there is no Graphviz or there are too many shapes to look at."""
    found = drawn(report)
    if found is None:
        return None
    try:
        return file.from_dot(dot.render(report, detail=found[0]), "svg").decode()
    except ConvsizeError:
        return None


def html(report: Report) -> str:
    """The picture, the totals and the folded table."""
    totals = report.totals
    facts = " · ".join(
        [
            f"{volumes(report.inputs)} → {volumes(report.outputs)}",
            f"{plural(totals.parameters, 'parameter')}",
            f"{numbers.exact(totals.macs)} MACs",
            f"activations {numbers.size(totals.activation_bytes)} for batch {numbers.exact(report.batch)}",
        ]
    )
    columns = [BY_NAME[name] for name in _SHOWN]
    rows = []
    for line in fold(report.layers):
        cells = [column.text(line, in_full=column.name != "output_bytes") for column in columns]
        if line.times > 1:
            cells[0] += f" ×{line.times}"
        rows.append(cells)
    image = svg(report)
    return rendered(
        "notebook.html",
        name=report.name,
        facts=facts,
        picture="" if image is None else b64encode(image.encode()).decode(),
        count=plural(len(report.layers), "layer"),
        heads=[column.header for column in columns],
        rows=rows,
    )
