"""The report, which every command begins with."""

from __future__ import annotations

from convsize.answers.answer import Answer
from convsize.records import Report as BareReport
from convsize.words import plural


class Report(Answer, BareReport):
    """A report that shows itself: printed as the table of `convsize analyze`, in notebooks with its graph.

    >>> import convsize
    >>> report = convsize.parse("input: 3@32x32\\nCRCRP FC10 S", name="tiny").analyze()
    >>> report
    <Report of tiny: 7,858 parameters, 173,568 MACs, 7 layers>
    >>> print(str(report).splitlines()[0])
    tiny · input 3@32x32 · batch 1 · float32
    """

    def __repr__(self) -> str:
        totals = self.totals
        costs = f"{plural(totals.parameters, 'parameter')}, {totals.macs:,} MACs"
        return f"<Report of {self.name}: {costs}, {plural(len(self.layers), 'layer')}>"

    def __str__(self) -> str:
        from convsize.views.analysis import table

        return table.render(self).rstrip()

    def _repr_html_(self) -> str:
        from convsize.views.report import notebook

        return notebook.html(self)

    def _repr_svg_(self) -> str | None:
        from convsize.views.report import notebook

        return notebook.svg(self)
