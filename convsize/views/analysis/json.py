"""The JSON that other tools build on: schema 1, described by analysis.schema.json beside this file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from convsize.errors import Diagnostic, Source
from convsize.records import LayerRow, ReceptiveField, Report, Totals

SCHEMA = 1


def render(reports: Sequence[Report], *, several: bool | None = None) -> str:
    """One object for one report, a list for several.

    `several` says which where the number of reports does not: of two specs that were asked for, one may be wrong.
    """
    objects = [to_object(report) for report in reports]
    listed = len(objects) != 1 if several is None else several
    return json.dumps(objects if listed else objects[0], indent=2, ensure_ascii=False) + "\n"


def to_object(report: Report) -> dict[str, Any]:
    """The contract's object of one report, of plain ints, floats, strings, lists and dicts."""
    return {
        "schema": SCHEMA,
        "name": report.name,
        "graph": report.graph,
        "inputs": {name: list(dims) for name, dims in report.inputs},
        "batch": report.batch,
        "dtype": report.dtype,
        **({"convention": report.convention} if report.convention else {}),
        "layers": [_layer(layer) for layer in report.layers],
        "outputs": {name: list(dims) for name, dims in report.outputs},
        "totals": _totals(report.totals),
        "unread": [
            {
                "input": unread.input,
                "axis": unread.axis,
                "pixels": unread.pixels,
                "ranges": [list(each) for each in unread.ranges],
            }
            for unread in report.unread
        ],
        "insights": [
            {
                "kind": insight.kind,
                "text": insight.text,
                "share": float(insight.share),
                "layers": list(insight.layers),
            }
            for insight in report.insights
        ],
        "diagnostics": [diagnostic(found, report.source) for found in report.diagnostics],
    }


def diagnostic(found: Diagnostic, source: Source) -> dict[str, Any]:
    """A diagnostic with its place as people count it; the end is the first column after it."""
    start = source.place(found.span.start)
    end = source.place(found.span.end)
    return {
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "help": found.help,
    }


def _layer(layer: LayerRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": layer.name,
        "op": layer.op,
        "spec": layer.spec,
        "line": layer.line,
        "column": layer.column,
        "inputs": list(layer.inputs),
        "output": list(layer.output),
        "parameters": layer.parameters,
        "weights": layer.weights,
        "biases": layer.biases,
        "buffers": layer.buffers,
        "tensors": [
            {"name": tensor.name, "shape": list(tensor.shape), "role": tensor.role} for tensor in layer.tensors
        ],
        "macs": layer.macs,
        "flops": layer.flops,
        "work": dict(layer.work),
        "output_elements": layer.output_elements,
        "output_bytes": layer.output_bytes,
        "parameter_bytes": layer.parameter_bytes,
        "receptive_field": _field(layer.receptive_field),
        "lost": [lost.as_dict() for lost in layer.lost],
        "repeat_of": layer.repeat_of,
        "blocks": list(layer.blocks),
    }
    if layer.module is not None:
        found |= {"module": layer.module, "shares": layer.shares}
    if len(layer.receptive_fields) > 1:
        found["receptive_fields"] = {name: _field(field) for name, field in layer.receptive_fields}
    return found


def _totals(totals: Totals) -> dict[str, Any]:
    found = totals.as_dict()
    found["work"] = dict(totals.work)
    field = totals.receptive_field
    found["receptive_field"] = None if field is None else list(field.size)
    return found


def _field(field: ReceptiveField | None) -> dict[str, Any] | None:
    if field is None:
        return None
    return {
        "size": list(field.size),
        "smallest": list(field.smallest),
        "jump": _numbers(field.jump),
        "start": _numbers(field.start),
        "centre": _numbers(field.centre),
        "seen": float(field.seen),
        "whole": field.whole,
        "aligned": field.aligned,
    }


def _numbers(values: Iterable[Fraction | int]) -> list[int | float]:
    """Whole numbers as ints: a jump of 1 is 1, after upsampling 0.5."""
    return [value.numerator if value.denominator == 1 else float(value) for value in values]
