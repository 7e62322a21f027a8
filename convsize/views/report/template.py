"""Pages from their templates: Jinja2, with every value escaped that does not say that it is HTML.

The templates lie beside this file. A value that a template misses is an error, never an empty text.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, **values: Any) -> str:
    """A template with its values."""
    return _environment().get_template(template).render(values)


def asset(name: str) -> str:
    """A file that the package ships for its pages."""
    return files("convsize.views.report").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    # Start-up must not pay for it: only pages need Jinja2.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("convsize.views.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # JSON in a script element; Jinja2 escapes what could end it.
    found.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    found.filters["digest"] = _digest
    return found


def _digest(text: str) -> str:
    """What a content security policy names a style or a script by."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
