"""A network in a notebook: its picture, its totals and the folded table, without a script or a style sheet.

Notebooks drop scripts and share one style sheet among all cells, so that colours and fonts stay the notebook's own. The
picture is an image of its own: its ids must not meet those of another network's picture in the same notebook.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape

from convsize.errors import ConvsizeError
from convsize.records import Report
from convsize.views.analysis.columns import BY_NAME
from convsize.views.canvas import file
from convsize.views.drawing import dot
from convsize.views.report.content import drawn, volumes
from convsize.views.text import numbers
from convsize.views.text.fold import fold

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
            f"{numbers.exact(totals.parameters)} parameters",
            f"{numbers.exact(totals.macs)} MACs",
            f"activations {numbers.size(totals.activation_bytes)} for batch {numbers.exact(report.batch)}",
        ]
    )
    image = svg(report)
    picture = ""
    if image is not None:
        data = b64encode(image.encode()).decode()
        alt = escape(f"The graph of {report.name}")
        picture = (
            f'<details open><summary>graph</summary><img alt="{alt}" src="data:image/svg+xml;base64,{data}"></details>'
        )
    columns = [BY_NAME[name] for name in _SHOWN]
    lines = fold(report.layers)
    heads = "".join(f'<th scope="col">{column.header}</th>' for column in columns)
    rows = []
    for line in lines:
        cells = [escape(column.text(line, in_full=column.name != "output_bytes")) for column in columns]
        if line.times > 1:
            cells[0] += f" ×{line.times}"
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return (
        f"<div><h4>{escape(report.name)}</h4><p>{escape(facts)}</p>{picture}<details><summary>"
        f"{numbers.plural(len(report.layers), 'layer')}</summary><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></details></div>"
    )
