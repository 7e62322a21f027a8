"""`convsize calibrate`: what this machine takes for layers."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from convsize.batches import require_batch
from convsize.cli.options import whole
from convsize.errors import ExitCode

if TYPE_CHECKING:
    from convsize.records.device import Device


def command(
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="Device to measure.")] = "cpu",
    dtype: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            help="Type to measure: float64, float32, float16 or bfloat16; repeatable.",
            show_default="float32",
        ),
    ] = None,
    channels_last: Annotated[
        bool, typer.Option("--channels-last", help="Use the channels-last memory format.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Measure a quarter of the samples, for a first look.")] = False,
    shapes: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="Also time every layer of this spec; repeatable."),
    ] = None,
    batch: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Batch for --shapes; repeatable.", show_default="1")
    ] = None,
    threads: Annotated[int | None, whole("CPU threads", 1, show_default="PyTorch's choice")] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the device file here.")
    ] = None,
) -> int:
    """Measure this machine, so that `time` can predict for it.

    Times layers of every class over depths, extents and batch sizes, forward and backward, as well as losses,
    optimizers, peak FLOP/s and bandwidth. This takes a few minutes. Without -o the device file `cpu` or `cuda` is
    written to the folder that `convsize devices` shows. Needs the extra `torch`.

    \b
    Examples:
      convsize calibrate
      convsize calibrate --shapes specs/resnet50.spec --batch 1 --batch 8
      convsize calibrate --device cuda --dtype float32 --dtype bfloat16
      convsize calibrate --channels-last -o channels_last.json
    """
    from convsize import api, devices, files
    from convsize.cli import terminal
    from convsize.cli.progress import Progress
    from convsize.errors import UsageError
    from convsize.records import ITEM_SIZES
    from convsize.runtime.child.apart import Apart
    from convsize.runtime.timing.grid import grid, wholes

    api.require_torch()
    samples = tuple((api.parse(text), size) for text, size in grid(0.25 if quick else 1.0))
    whole = tuple((api.parse(text, name=name), size) for name, text, size in wholes())
    sizes = tuple(batch or (1,))
    for size in sizes:
        require_batch(size)
    layers = tuple((api.load(path), sizes) for path in shapes or ())
    target = output
    if target is None:
        target = os.path.join(devices.home(), f"{device}.json")  # noqa: PTH118
        try:
            os.makedirs(devices.home(), exist_ok=True)  # noqa: PTH103
        except OSError as error:
            raise UsageError(f"`{devices.home()}` cannot be made: {error.strerror}; -o names another file") from None
    dtypes = tuple(dict.fromkeys(dtype or ("float32",)))
    if unknown := set(dtypes) - set(ITEM_SIZES):
        raise UsageError(f"--dtype takes {', '.join(ITEM_SIZES)}, not `{unknown.pop()}`")
    temporary = f"{target}.part"
    files.write(temporary, b"")  # now, and not after minutes of measuring, is it said that this cannot be

    def measured(_: None) -> Device:
        from convsize.runtime.timing.calibrate import Plan, calibrate

        plan = Plan(device, dtypes, samples, whole, layers, threads=threads, channels_last=channels_last)

        def told(what: str) -> None:
            if sys.stderr.isatty():
                progress.make_room()
            terminal.write(f"measuring {what}\n", sys.stderr)
            progress.step()

        with Progress(1, sys.stderr, patience=0) as progress:
            return calibrate(plan, told)

    try:
        found = Apart(measured, "nothing is written; --shapes without the spec at fault leaves it out")(None)
        files.write(temporary, devices.dump(found).encode())
        try:
            os.replace(temporary, target)  # noqa: PTH105 (the path stays as it was given)
        except OSError as error:
            raise UsageError(f"`{target}` cannot be written: {error.strerror}") from None
    finally:
        if os.path.exists(temporary):  # noqa: PTH110
            os.remove(temporary)  # noqa: PTH107
    peaks = ", ".join(f"{peak / 1e9:,.1f} GFLOP/s in {name}" for name, peak in found.peaks)
    terminal.write(
        f"{found.title}: {peaks}; {found.bandwidth / 1e9:.1f} GB/s; "
        f"{found.overhead * 1e6:.1f} µs per operator; repeats differ by {(found.noise or 0) * 100:.1f} % (median)\n"
        f"written to {target}: convsize time SPEC --device {device if output is None else target}\n"
    )
    return ExitCode.OK
