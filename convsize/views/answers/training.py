"""A training run in lines: how it begins, how it goes, how it ends."""

from __future__ import annotations

from convsize.records import EpochFigures, HeadScore, RunEnd, RunStart, StepFigures
from convsize.views.text import numbers
from convsize.views.text.layout import wrapped
from convsize.views.text.paint import PLAIN, Paint
from convsize.words import plural


def start(found: RunStart, *, width: int = 80, paint: Paint = PLAIN) -> str:
    """What is trained on what, where it is kept, and what memory is predicted."""
    where = found.device if found.processes == 1 else f"{plural(found.processes, 'process')} on {found.device}"
    trained = "" if found.trained == found.parameters else f", {numbers.exact(found.trained)} of them trained"
    out = [
        f"{paint(found.name, 'bold')} · {where} · {plural(found.parameters, 'parameter')}{trained}",
        f"{plural(found.samples, 'sample')} to train on, {numbers.exact(found.tested)} to test on · "
        f"{plural(found.epochs, 'epoch')} of {plural(found.epoch_steps, 'step')}",
    ]
    said = list(found.said)
    if found.left_out:
        said.append(f"left out of every epoch: {plural(found.left_out, 'sample')}, too few for a whole step")
    if found.predicted is not None:
        said.append(f"predicted memory of a step: {numbers.size(found.predicted)} (tensors only)")
    else:
        said.append(f"memory is not predicted: {found.unpredicted}")
    said.append(f"kept in {found.folder}")
    if found.step >= found.epochs * found.epoch_steps:
        said.append(f"complete: all {plural(found.step, 'step')} are done")
    elif found.step:
        said.append(f"resumes after step {numbers.exact(found.step)}")
    for sentence in said:
        first, *more = wrapped(sentence, max(width - 2, 20))
        out += [f"• {first}", *(f"  {line}" for line in more)]
    return "\n".join(out) + "\n\n"


def step(found: StepFigures) -> str:
    """The figures of some steps, in a line."""
    held = "" if found.memory is None else f"  {numbers.size(found.memory)}"
    return (
        f"epoch {found.epoch}  step {numbers.exact(found.step)}  loss {found.loss:.4f}  lr {found.lr:.4g}  "
        f"{_rate(found.throughput)} samples/s{held}"
    )


def _rate(value: float) -> str:
    """Two digits at least, and none after the point that nobody needs."""
    return numbers.exact(round(value)) if value >= 10 else f"{value:.2g}"


def epoch(found: EpochFigures, paint: Paint = PLAIN) -> str:
    """An epoch in a line, and one more for every output where there are several."""
    scores = found.scores
    own = f"  {score(scores[0])}" if len(scores) == 1 else ""
    best = paint("  best", "green") if found.best else ""
    line = (
        f"{paint(f'epoch {found.epoch}', 'bold')}  loss {found.train_loss:.4f}  test "
        f"{found.test_loss:.4f}{own}  {found.seconds:.1f} s{best}"
    )
    return "\n".join([line, *(f"  {each.name}: loss {each.loss:.4f}  {score(each)}" for each in scores if not own)])


def score(found: HeadScore) -> str:
    """`accuracy 98.61%  top 5 99.9%` or `mean absolute error 0.03`."""
    if found.top1 is None:
        return f"mean absolute error {found.error:.4g}"
    five = "" if found.top5 is None else f"  top 5 {found.top5:.2%}"
    return f"accuracy {found.top1:.2%}{five}"


def end(found: RunEnd, *, width: int = 80, paint: Paint = PLAIN) -> str:
    """How it ended, the best epoch, memory beside its prediction, and where everything is."""
    out = [""]
    if found.best is not None:
        names = "; ".join(
            (f"{each.name} " if len(found.best.scores) > 1 else "") + score(each) for each in found.best.scores
        )
        out.append(f"{paint('best', 'bold')}  {names}, in epoch {found.best.epoch} of {found.epochs}")
    out.append(f"{numbers.duration(found.seconds)} of training, {plural(found.step, 'step')}")
    if found.memory is not None and found.predicted is not None:
        out += wrapped(
            f"memory: {numbers.size(found.memory)} measured, including what libraries and allocators keep; "
            f"{numbers.size(found.predicted)} predicted for the tensors",
            width,
        )
    if found.stopped:
        out += wrapped(
            f"stopped by {found.stopped} after step {numbers.exact(found.step)}, which is saved: "
            f"convsize train --resume {found.folder}",
            width,
        )
    else:
        out += wrapped(f"weights, metrics and curves are in {found.folder}", width)
    return "\n".join(out) + "\n"
