"""`convsize devices`: the machines that figures are known of."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from convsize.cli.options import Format
from convsize.errors import ExitCode


def command(
    device: Annotated[
        list[str] | None, typer.Argument(metavar="[DEVICE]...", help="Names or device files; all where none is named.")
    ] = None,
    format_: Format = "table",
) -> int:
    """List the devices that time and memory are predicted for.

    Data sheets of common GPUs are bundled; `convsize calibrate` adds this machine. A file of yours, in
    `convsize/devices` among your settings (XDG_CONFIG_HOME, or ~/.config), comes before a bundled one of its name.

    \b
    Examples:
      convsize devices
      convsize devices h200 --format json
    """
    from convsize.cli import terminal
    from convsize.devices import library
    from convsize.errors import UsageError
    from convsize.views.answers import devices as view

    code = ExitCode.OK
    found = []
    for name in device or library.names():
        try:
            found.append((library.load(name), library.path(name)))
        except UsageError as error:
            if device and len(device) == 1:
                raise
            terminal.complain(str(error))
            code = ExitCode.USAGE
    if format_ == "json":
        terminal.write(view.render_json(found))
    else:
        terminal.write(
            view.render(found, library.home(), width=terminal.width(sys.stdout), paint=terminal.paint(sys.stdout))
        )
    return code
