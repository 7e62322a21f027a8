"""`convsize train`: the network is trained."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convsize.batches import LARGEST_BATCH
from convsize.cli.options import Accumulated, Checkpoints, Inputs, Lets, Losses, number, whole
from convsize.cli.units import dtype
from convsize.errors import ExitCode
from convsize.records.optimizers import OptimizerName
from convsize.records.training import Schedule, Where
from convsize.words import plural

if TYPE_CHECKING:
    from convsize.api import Network
    from convsize.graph.new_head import NewHead
    from convsize.records import RunSettings
    from convsize.runtime.training.job import Job

_ENDED = {"SIGINT": 130, "SIGTERM": 143}  # 128 and the signal's number, as shells say it

_FREE = frozenset({"spec", "expression", "output", "resume", "save_every", "log_every", "workers", "epochs"})
"""What may be said again when a run goes on. More epochs do not change what was; under a cosine schedule they would."""


def command(
    ctx: typer.Context,
    spec: Annotated[str | None, typer.Argument(metavar="[SPEC]", help="Spec file; - reads standard input.")] = None,
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="digits, mnist:DIR, fashion-mnist:DIR, cifar10:DIR, folder:DIR, or fake (or fake:N, random samples).",
        ),
    ] = "digits",
    expression: Annotated[
        str | None, typer.Option("--expression", "-e", metavar="TEXT", help="Spec given on the command line.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DIR", help="Folder for the run.", show_default="runs/NAME")
    ] = None,
    resume: Annotated[str | None, typer.Option(metavar="DIR", help="Resume the run in this folder.")] = None,
    epochs: Annotated[int, whole("Passes over the training set", 1)] = 10,
    batch: Annotated[int, whole("Samples per batch and process", 1, LARGEST_BATCH)] = 32,
    optimizer: Annotated[OptimizerName, typer.Option(help="Optimizer.")] = "momentum",
    lr: Annotated[float, number("Peak learning rate.")] = 0.01,
    momentum: Annotated[float, number("Momentum of `momentum` and `nesterov`.")] = 0.9,
    weight_decay: Annotated[float, number("Weight decay.")] = 0.0,
    decay_all: Annotated[
        bool,
        typer.Option(
            "--decay-all/--decay-weights", help="Apply weight decay to norms and biases, too, or to weights only."
        ),
    ] = True,
    schedule: Annotated[Schedule, typer.Option(help="Learning-rate schedule.")] = "constant",
    warmup: Annotated[float, number("Warm-up epochs: the learning rate rises to its peak.")] = 0.0,
    lr_step: Annotated[int, whole("Epochs per step of --schedule step", 1)] = 10,
    lr_gamma: Annotated[float, number("Learning-rate factor per step of --schedule step.")] = 0.1,
    clip: Annotated[float, number("Clip gradients to this global norm; 0 turns it off.")] = 0.0,
    label_smoothing: Annotated[float, number("Label smoothing for cross entropy, 0 to 1.")] = 0.0,
    loss: Losses = None,
    loss_weight: Annotated[
        list[str] | None,
        typer.Option(metavar="OUTPUT=NUMBER", help="Weight of an output's loss, such as aux1=0.3; repeatable."),
    ] = None,
    accumulate: Accumulated = 1,
    autocast: Annotated[
        str, typer.Option(metavar="TYPE", help="Run under torch.autocast with bfloat16 or float16.", callback=dtype)
    ] = "",
    channels_last: Annotated[
        bool, typer.Option("--channels-last", help="Use the channels-last memory format.")
    ] = False,
    compile_: Annotated[bool, typer.Option("--compile", help="Compile the network with torch.compile.")] = False,
    checkpoint: Checkpoints = None,
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERIES",
            help="Replace the last layer: FC10, aux1=FC10, or '@features GAP FC10' after a tap; repeatable.",
        ),
    ] = None,
    init: Annotated[str | None, typer.Option(metavar="FILE", help="Initial weights (safetensors).")] = None,
    freeze: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYERS",
            help="Layers to freeze: conv1, 'down*', or @features for all layers up to that value; repeatable.",
        ),
    ] = None,
    augment: Annotated[bool, typer.Option("--augment", help="Shift, crop and flip images at random.")] = False,
    sync_bn: Annotated[bool, typer.Option("--sync-bn", help="Synchronize batch norm across GPUs.")] = False,
    seed: Annotated[int, whole("Random seed", 0)] = 0,
    device: Annotated[Where, typer.Option(help="Device to train on.")] = "cpu",
    save_every: Annotated[int, whole("Steps between extra checkpoints; 0 saves per epoch only", 0)] = 0,
    log_every: Annotated[int, whole("Steps between log lines", 1)] = 50,
    workers: Annotated[int | None, whole("Data-loading processes", 0, show_default="depends on the data")] = None,
    input_: Inputs = None,
    let: Lets = None,
) -> int:
    """Train a network and follow its loss, speed and memory.

    Weights, checkpoints, metrics (JSON lines) and curves are written to a folder. --resume continues a run that was
    stopped or killed, with the same numbers as without the interruption. For several GPUs or machines start the same
    command with torchrun. Needs the extra `train`.

    \b
    Examples:
      convsize train specs/lenet5.spec --data digits --epochs 20
      convsize train specs/keras_mnist.spec --data mnist:data --optimizer adam
      convsize train specs/resnet18.spec --data folder:photos --head FC3
      convsize train --resume runs/lenet5
      torchrun --nproc-per-node 2 -m convsize train specs/cifar10.spec --data fake
    """
    from convsize import api
    from convsize.cli import specs as named
    from convsize.errors import UsageError
    from convsize.records import RunSettings
    from convsize.records.training import wrong_setting

    api.require_torch()
    settings = RunSettings(
        data=data,
        epochs=epochs,
        batch=batch,
        accumulate=accumulate,
        optimizer=optimizer,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        decay_all=decay_all,
        schedule=schedule,
        warmup=warmup,
        lr_step=lr_step,
        lr_gamma=lr_gamma,
        clip=clip,
        label_smoothing=label_smoothing,
        losses=named.losses(loss or ()),
        loss_weights=_weights(loss_weight or ()),
        autocast=autocast,
        channels_last=channels_last,
        compile=compile_,
        augment=augment,
        sync_bn=sync_bn,
        seed=seed,
        device=device,
        processes=int(os.environ.get("WORLD_SIZE", "1")),
        heads=tuple(head or ()),
        init=init or "",
        frozen=tuple(freeze or ()),
        checkpoint=tuple(checkpoint or ()),
        inputs=tuple(input_ or ()),
        lets=tuple(let or ()),
    )
    if wrong := wrong_setting(settings):
        raise UsageError(f"{_option(wrong[0])} {wrong[1]}")
    if resume is None:
        if spec is not None and expression is not None:
            raise UsageError("one network is trained at a time: name a file or use -e, not both")
        return _new(spec, expression, output, settings, save_every, log_every, workers)
    if output is not None:
        raise UsageError("--resume continues in its own folder: leave --output out")
    asked = {
        name
        for name in ctx.params
        if (source := ctx.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
    return _again(resume, spec, expression, settings, asked, save_every, log_every, workers)


def _new(
    spec: str | None,
    expression: str | None,
    output: str | None,
    settings: RunSettings,
    save_every: int,
    log_every: int,
    workers: int | None,
) -> int:
    from pathlib import Path

    from convsize.cli import specs as named
    from convsize.errors import Source

    asked = named.sources([] if spec is None else [spec], [] if expression is None else [expression])
    (name, where), *_ = asked
    source = named.read(where)
    found = _network(Source(source.text, source.name), name, settings)
    if found is None:
        return ExitCode.FINDINGS
    network, new_head = found
    from convsize.runtime.training.job import Job
    from convsize.runtime.training.run_folder import free_folder

    folder = Path(output) if output is not None else free_folder(name)
    graph = network.analyze().graph
    return _run(Job(network, settings, folder, source.text, graph, False, save_every, log_every, workers, new_head))


def _again(
    resume: str,
    spec: str | None,
    expression: str | None,
    said: RunSettings,
    asked: set[str],
    save_every: int,
    log_every: int,
    workers: int | None,
) -> int:
    """Goes on with a run: by its own spec and settings, which what is said on the command line must not contradict."""
    from pathlib import Path

    from convsize.cli import specs as named
    from convsize.errors import Source, UsageError
    from convsize.runtime.training.job import Job
    from convsize.runtime.training.run_folder import RunFolder

    name, text, graph, settings = RunFolder(Path(resume)).read()
    fields = {"head": "heads", "freeze": "frozen", "loss": "losses"}
    fields |= {"loss_weight": "loss_weights", "input_": "inputs", "let": "lets", "compile_": "compile"}
    for option in sorted(asked - _FREE):
        field = fields.get(option, option)
        ours, theirs = getattr(settings, field), getattr(said, field)
        if ours != theirs:
            raise UsageError(
                f"the run in `{resume}` has {_option(option)} {_shown(ours)}, not {_shown(theirs)}: leave it out to "
                "resume, or start a new run"
            )
    if settings.processes != said.processes:
        raise UsageError(
            f"the run in `{resume}` has {plural(settings.processes, 'process')}, not {said.processes}: start "
            f"{settings.processes} with torchrun"
        )
    if "epochs" in asked:
        if settings.schedule == "cosine" and said.epochs != settings.epochs:
            raise UsageError(
                "under a cosine schedule the number of epochs determines every learning rate: start a new run"
            )
        settings = settings.replace(epochs=said.epochs)
    if spec is not None or expression is not None:
        (_, where), *_ = named.sources([] if spec is None else [spec], [] if expression is None else [expression])
        other = _network(named.read(where), name, settings)
        if other is None:
            return ExitCode.FINDINGS
        if other[0].analyze().graph != graph:
            raise UsageError(
                f"{f'`{spec}`' if spec else 'the expression'} is a different network from the one in `{resume}`"
            )
    found = _network(Source(text, str(Path(resume) / "network.spec")), name, settings)
    if found is None:
        return ExitCode.FINDINGS
    network, new_head = found
    if network.analyze().graph != graph:
        raise UsageError(f"network.spec in `{resume}` is not the network that the run started with")
    job = Job(network, settings, Path(resume), text, graph, True, save_every, log_every, workers, new_head)
    return _run(job)


def _network(source: Any, name: str, settings: RunSettings) -> tuple[Network, NewHead | None] | None:
    """The network with its new heads, or None where it has errors, which are reported."""
    from convsize import api
    from convsize.cli import specs as named
    from convsize.cli import terminal
    from convsize.graph.new_head import with_heads

    shapes, numbers = named.inputs(settings.inputs), named.lets(settings.lets)
    network = api.from_source(source, name=name, lets=numbers, inputs=shapes)
    new_head = None
    if settings.heads:
        new_head = with_heads(network, settings.heads)
        network = api.from_source(new_head.source, name=name, lets=numbers, inputs=shapes)
    terminal.report_diagnostics(network.diagnostics, network.source)
    if any(each.severity == "error" for each in network.diagnostics):
        return None
    return network, new_head


def _run(job: Job) -> int:
    """Trains in a process of its own."""
    from convsize.records import TrainingSetting
    from convsize.runtime.child.apart import Apart, Note

    def again(_: None, note: Note) -> None:
        from convsize.runtime.child.blame import training_steps

        settings = job.settings
        setting = TrainingSetting(
            settings.batch,
            device="cuda" if settings.device == "cuda" else "cpu",
            autocast=settings.autocast or None,
            losses=settings.losses,
        )
        training_steps(job.network, setting, note, last=settings.channels_last)

    layout = "try without --channels-last, and " if job.settings.channels_last else ""
    advice = f"{layout}where there are checkpoints --resume {job.folder} goes on from the last one"
    return Apart(lambda _: _trained(job), advice, again)(None)


def _trained(job: Job) -> int:
    """Trains and tells; only the first of several processes does."""
    from convsize.cli import terminal
    from convsize.cli.live import Display
    from convsize.records import EpochFigures, Notice, RunEnd, RunStart, StepFigures
    from convsize.runtime.training.loop import train
    from convsize.views.answers import training as view

    width, paint = terminal.width(sys.stdout), terminal.paint(sys.stdout)
    code = 0
    with Display(silent=os.environ.get("RANK", "0") != "0") as display:
        for event in train(job):
            if isinstance(event, RunStart):
                display.start(view.start(event, width=width, paint=paint), event)
            elif isinstance(event, StepFigures):
                display.step(view.step(event), event.step)
            elif isinstance(event, EpochFigures):
                display.line(view.epoch(event, paint))
                if not display.silent and (undrawn := _draw(job)):
                    display.warn(undrawn)
            elif isinstance(event, Notice):
                display.warn(event.text)
            elif isinstance(event, RunEnd):
                display.line(view.end(event, width=width, paint=paint).rstrip("\n"))
                code = _ENDED.get(event.stopped, 0)
    return code


def _draw(job: Job) -> str:
    """Draws the curves anew, or says why it cannot: they can be drawn again at any time, so that stops nothing."""
    from convsize import files
    from convsize.errors import UsageError
    from convsize.runtime.training.run_folder import Metrics, RunFolder
    from convsize.views.answers.pictures.curves import scene

    folder = RunFolder(job.folder)
    settings = job.settings
    title = f"{job.network.name} on {settings.data.partition(':')[0]}"
    subtitle = f"{settings.optimizer}, learning rate {settings.lr:g}, batch {settings.batch * settings.processes}"
    try:
        files.write(str(folder.curves), scene(title, subtitle, Metrics(folder.metrics).read()).file("svg"))
    except UsageError as error:
        return str(error)
    return ""


def _weights(texts: Any) -> tuple[tuple[str, float], ...]:
    from convsize.errors import UsageError

    found = []
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not equals or not 0 <= value < float("inf"):
            raise UsageError(f"--loss-weight takes an output and a number, such as aux1=0.3, not `{text}`")
        found.append((name.strip(), value))
    return tuple(found)


def _option(name: str) -> str:
    return "--" + name.strip("_").replace("_", "-")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join("=".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value) or "none"
    return str(value) if value != "" else "none"
