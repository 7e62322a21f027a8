"""`convsize devices`: the machines that figures are known of."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from convsize.cli.options import Format
from convsize.errors import ExitCode


def command(
    device: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DEVICE]...", help="Device names or device files.", show_default="all devices"),
    ] = None,
    format_: Format = "table",
) -> int:
    """List the devices for which time and memory are predicted.

    Data sheets of common GPUs are bundled; `convsize calibrate` adds this machine. A device file of your own in
    $XDG_CONFIG_HOME/convsize/devices (~/.config/convsize/devices) replaces a bundled one of the same name.

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
