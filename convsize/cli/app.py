"""The entry point: finds the command that was asked for and imports that one only."""

import gc
import sys
from os.path import exists
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from convsize.cli import COLLECTOR
from convsize.cli.guard import guarded
from convsize.version import __version__

GROUPS = {
    "Size a network": ("analyze", "sizes", "memory", "fit", "time", "diff"),
    "Check specs": ("check", "fmt"),
    "Bring a model in": ("import",),
    "Run it in PyTorch": ("verify", "train", "profile", "calibrate", "export"),
    "Draw and report": ("draw", "rf", "compare", "report"),
    "Look things up": ("explain", "ops", "rules", "devices"),
}
"""Every command in the order of `--help`; each is the function `command` of the file of its name."""

COMMANDS = tuple(name for group in GROUPS.values() for name in group)

_RUNS_TORCH = frozenset({"calibrate", "export", "import", "profile", "train", "verify"})
"""Commands that measure memory: there tensors in cycles are let go as early as ever."""


def _parse(parse: Any, params: Any, ctx: Any, args: list[str]) -> Any:
    """Parses a command line; of an option that there is none of, it says what is meant rather than what looks alike.

    The parser's own guess is any option that shares a few letters: `--sort` for `--json`. A file whose name begins
    with a dash looks like options: it raises UsageError, which says how to name it.
    """
    given = [*args]
    try:
        return parse(ctx, args)
    except Exception as error:
        dashed = _dashed(given)
        if dashed is not None and type(error).__name__ != "Exit":
            from convsize.errors import UsageError

            raise UsageError(f"`{dashed}` begins with a dash and is read as options: write `./{dashed}`") from None
        if getattr(error, "possibilities", None) is not None:
            error.possibilities = None  # type: ignore[attr-defined]
            error.message = _no_such(error.option_name, params)  # type: ignore[attr-defined]
        raise


def _dashed(args: list[str]) -> str | None:
    """The first argument that was meant as a file and begins with a dash."""
    options = args[: args.index("--")] if "--" in args else args
    dashed = (each for each in options if len(each) > 1 and each[0] == "-")
    return next((each for each in dashed if each.endswith(".spec") or exists(each)), None)  # noqa: PTH110 (pathlib is slow to start)


def _no_such(option: str, params: Any) -> str:
    """`No such option: --json: write `--format json``; the option of the nearest name; or that there is none."""
    from convsize.words import nearest, or_rather

    word = option.lstrip("-")
    formats = [name for param in params if "--format" in param.opts for name in getattr(param.type, "choices", ())]
    if word in formats:
        return f"No such option: {option}: write `--format {word}`"
    known = [name for param in params for name in (*param.opts, *param.secondary_opts) if name[:2] == "--"]
    guess = nearest(option, known)
    return f"No such option: {option}{or_rather(guess)}"


class _Command(TyperCommand):
    """A command whose unknown options are answered with what is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        found: list[str] = _parse(super().parse_args, self.get_params(ctx), ctx, args)
        return found

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands in the usage line: a required argument as it is, without braces around it."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


class _Commands(TyperGroup):
    """Commands whose files are imported when they are called, or when `--help` lists them all."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        # Names without commands: a mistyped one is compared to them.
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        found: list[str] = _parse(super().parse_args, self.get_params(ctx), ctx, args)
        return found

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands by what they are for, each with its first sentence."""
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.get_command(ctx, name).get_short_help_str(80)) for name in names])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        if cmd_name in _RUNS_TORCH:
            gc.set_threshold(*COLLECTOR)
        home = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        file = import_module(f"convsize.cli.commands.{cmd_name}")
        home.command(cmd_name, cls=_Command, no_args_is_help=False)(guarded(file.command))
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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Size convolutional networks from their shorthand.

    Volumes, receptive fields, parameters, multiply-adds and memory of every layer, exact and without PyTorch.

    \b
    convsize analyze specs/vgg_d.spec
    convsize analyze -e 'CRCRP FC10 S' --input 3@32x32
    convsize ops C
    """


def main() -> None:
    """Runs the command line and ends the process with an exit code of `errors.ExitCode`."""
    try:
        guarded(app)(prog_name="convsize")
    finally:
        if "torch" not in sys.modules:
            # All memory goes with the process: looking through it for cycles first would take a fifth of a start.
            gc.freeze()


if __name__ == "__main__":
    main()
