"""The entry point: finds the command that was asked for and imports that one only."""

import gc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from convsize.cli import COLLECTOR
from convsize.cli.guard import guarded
from convsize.version import __version__

COMMANDS = (
    "analyze",
    "check",
    "compare",
    "diff",
    "draw",
    "fmt",
    "ops",
    "sizes",
    "memory",
    "fit",
    "time",
    "devices",
    "calibrate",
    "train",
    "profile",
    "export",
    "report",
    "rf",
    "verify",
    "rule",
    "rules",
)
"""Every command in the order of `--help`; each is the function `command` of the file of its name."""

_RUNS_TORCH = frozenset({"calibrate", "export", "profile", "train", "verify"})
"""Commands that measure memory: there tensors in cycles are let go as early as ever."""


class _Commands(TyperGroup):
    """Commands whose files are imported when they are called, or when `--help` lists them all."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        # Names without commands: a mistyped one is compared to them.
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        if cmd_name in _RUNS_TORCH:
            gc.set_threshold(*COLLECTOR)
        home = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        file = import_module(f"convsize.cli.commands.{cmd_name}")
        home.command(cmd_name, no_args_is_help=False)(guarded(file.command))
        return typer.main.get_command(home)


def _version(asked: bool) -> None:
    if asked:
        print(f"convsize {__version__}")
        raise typer.Exit


# Help is plain text: it reads the same in a pipe, in a narrow terminal and in a log.
app = typer.Typer(
    cls=_Commands,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Sizes convolutional networks from their shorthand.

    Volumes, receptive fields, parameters, multiply-adds and memory of every layer, exactly and without PyTorch.

    \b
    convsize analyze specs/vgg_d.spec
    convsize analyze -e 'CRCRP FC10 S' --input 3@32x32
    convsize ops C
    """


def main() -> None:
    """Runs the command line and ends the process with an exit code of `errors.ExitCode`."""
    guarded(app)(prog_name="convsize")


if __name__ == "__main__":
    main()
