"""Lowering: the layers of a call list."""

from __future__ import annotations

from convsize.importing.calls import CallList
from convsize.importing.handlers import attention, joins, pointwise, pools, views, weighted
from convsize.importing.layers import Graph
from convsize.importing.reader import Handler, Reader
from convsize.importing.wholes import with_wholes

__all__ = ["lower"]

HANDLERS: dict[str, Handler] = {
    **weighted.HANDLERS,
    **pointwise.HANDLERS,
    **views.HANDLERS,
    **pools.HANDLERS,
    **joins.HANDLERS,
    **attention.HANDLERS,
}


def lower(calls: CallList) -> Graph:
    """The layers that a call list computes, with every obstacle that a spec cannot say."""
    return Reader(with_wholes(calls), HANDLERS).graph()
