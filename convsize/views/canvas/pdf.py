"""An SVG as a PDF.

svglib with reportlab: both are pure Python (their lxml has wheels everywhere), small and kept for over fifteen years;
cairosvg would need the cairo library of the system, typst weighs 34 MB. Texts stand in the reader's own Helvetica.
"""

from __future__ import annotations

import io

from convsize.errors import ConvsizeError, UsageError


def from_svg(svg: str) -> bytes:
    """A page of the picture's size, without any time of writing, so that equal pictures are equal files.

    Raises UsageError where svglib is not installed, ConvsizeError where it cannot read the picture.
    """
    try:
        from reportlab import rl_config  # type: ignore[import-untyped]
        from reportlab.graphics import renderPDF  # type: ignore[import-untyped]
        from svglib.svglib import svg2rlg
    except ImportError:
        raise UsageError(
            "a PDF needs svglib, which is not installed: pip install 'convsize[pdf]'; SVG and PNG need nothing more"
        ) from None
    rl_config.invariant = 1
    drawing = svg2rlg(io.BytesIO(svg.encode()))
    if drawing is None:
        raise ConvsizeError("svglib cannot read the picture")
    data: bytes = renderPDF.drawToString(drawing, msg="")
    return data
