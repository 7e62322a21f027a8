"""The loop: steps, tests and checkpoints, as events for who watches."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from convsize.errors import ConvsizeError, UsageError
from convsize.records import (
    EpochFigures,
    Event,
    HeadScore,
    Notice,
    RunEnd,
    RunStart,
    StepFigures,
)
from convsize.records.losses import LOSSES
from convsize.runtime.data.opening import open_data
from convsize.runtime.data.samples import Batch, Data
from convsize.runtime.layouts import channels_last
from convsize.runtime.meters.free_memory import out_of_memory
from convsize.runtime.training import checkpoints
from convsize.runtime.training.batches import Batches, InOrder, loader
from convsize.runtime.training.held import Meter, predicted
from convsize.runtime.training.job import Job
from convsize.runtime.training.objective import Objective, objective, require_losses
from convsize.runtime.training.optimizers import learning_rate, load_state, optimizer, state_tensors
from convsize.runtime.training.preparing import build
from convsize.runtime.training.processes import Processes, processes
from convsize.runtime.training.run_folder import Metrics, RunFolder
from convsize.runtime.training.stopping import Stop, stop_signals
from convsize.words import plural, size


def train(job: Job) -> Iterator[Event]:
    """Trains, or goes on training, and says what happens; the last event is a RunEnd.

    Raises UsageError where the settings, the data or a checkpoint do not fit, ConvsizeError where training fails:
    values that are no numbers any more, a disk that stayed full.
    """
    settings = job.settings
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no CUDA device: --device cpu trains on the CPU")
    with processes(settings.device) as group, stop_signals() as stop:
        run = _Run(job, group, stop)
        try:
            yield from run.events()
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise UsageError(_too_large(job, run.expected)) from None


def _too_large(job: Job, expected: int | None) -> str:
    needs = f" (predicted: {size(expected)})" if expected else ""
    return (
        f"{job.network.name} ran out of memory at batch {job.settings.batch}{needs}: use a smaller --batch "
        "with --accumulate, --autocast or --checkpoint; `convsize fit` says what fits. Checkpoints are kept: "
        f"--resume {job.folder}"
    )


class _Run:
    """A run in this process."""

    def __init__(self, job: Job, group: Processes, stop: Stop) -> None:
        self.job, self.group, self.stop = job, group, stop
        self.settings = job.settings
        self.device = torch.device(
            "cuda", group.local
        ) if job.settings.device == "cuda" else torch.device("cpu")  # fmt: skip
        self.folder = RunFolder(job.folder)
        self.step = 0
        self.epoch_loss = 0.0
        self.epoch_seconds = 0.0
        self.seconds = 0.0
        self.best: EpochFigures | None = None
        self.last: EpochFigures | None = None
        self.saved_at = -1
        self.expected: int | None = None
        self.failed = ""
        self._metrics_failed = False

    def events(self) -> Iterator[Event]:
        """The whole run."""
        yield from self._prepare()
        steps = self.batches.steps
        for epoch in range(self.step // steps, self.settings.epochs):
            yield from self._epoch(epoch)
            if self.stop.signal:
                break
        yield from self._save(even_if_done=False)
        if self.failed:
            raise ConvsizeError(f"the last checkpoint of {self.folder.path} could not be written: {self.failed}")
        yield RunEnd(
            self.job.network.name,
            str(self.folder.path),
            self.step // steps,
            self.settings.epochs,
            self.step,
            self.last,
            self.best,
            self.seconds,
            self.meter.peak(),
            self.expected,
            self.stop.signal,
        )

    # ---- before ------------------------------------------------------------------------------------------------------

    def _prepare(self) -> Iterator[Event]:
        job, settings, network = self.job, self.settings, self.job.network
        require_losses(network, settings)
        chosen = dict(settings.losses)
        usual = chosen.get("", next(iter(LOSSES)))
        regressed = [name for name in network.outputs if not LOSSES[chosen.get(name, usual)].labels]
        self.data: Data = open_data(
            settings.data, network, seed=settings.seed, augment=settings.augment, regressed=regressed
        )
        self.batches = Batches(
            len(self.data.train), settings.batch, settings.accumulate, settings.seed, self.group.rank, self.group.count
        )
        if not self.batches.steps:
            whole = settings.batch * settings.accumulate * self.group.count
            raise UsageError(
                f"a step takes {plural(whole, 'sample')}, and {settings.data} has {len(self.data.train):,} to train "
                "on: use a "
                "smaller --batch"
            )
        _, targets = self.data.train.__getitems__([0])
        self.objective: Objective = objective(network, settings, targets)
        self.expected, why = predicted(network, settings, self.objective.heads)
        self.meter = Meter(settings.device)
        self.module, said = build(network, settings, self.objective.heads, job.new_head, fresh=not job.resume)
        self.names: dict[Tensor, str] = {value: name for name, value in self.module.named_parameters()}
        self.optimizer = optimizer(self.module, settings)
        self.scaler = torch.amp.GradScaler(settings.device, enabled=settings.autocast == "float16")
        torch.manual_seed(settings.seed + self.group.rank)
        if self.group.first:
            if job.resume:
                self.folder.hold()
                checkpoints.tidy(self.folder.checkpoints)
            else:
                self.folder.make(network.name, job.spec, job.graph, settings)
        self.metrics = Metrics(self.folder.metrics)
        if job.resume:
            yield from self._go_on()
        self.running = self._running()
        trained = [value for value in self.module.parameters() if value.requires_grad]
        yield RunStart(
            name=network.name,
            folder=str(self.folder.path),
            device=torch.cuda.get_device_name(self.device) if settings.device == "cuda" else "cpu",
            processes=self.group.count,
            parameters=sum(value.numel() for value in self.module.parameters()),
            trained=sum(value.numel() for value in trained),
            samples=len(self.data.train),
            tested=len(self.data.test),
            epochs=settings.epochs,
            epoch_steps=self.batches.steps,
            left_out=self.batches.left_out,
            step=self.step,
            predicted=self.expected,
            unpredicted=why,
            said=(*self.data.said, *said),
        )

    def _running(self) -> nn.Module:
        """The module as it is called in training: with other processes, compiled."""
        running: nn.Module = self.module
        if self.group.count > 1:
            if self.settings.sync_bn:
                if self.settings.device != "cuda":
                    raise UsageError("--sync-bn is for GPUs: PyTorch has no synchronised batch norm on a CPU")
                running = nn.SyncBatchNorm.convert_sync_batchnorm(running)  # type: ignore[no-untyped-call]
            devices = [self.group.local] if self.settings.device == "cuda" else None
            running = DistributedDataParallel(running, device_ids=devices)
        return torch.compile(running) if self.settings.compile else running  # type: ignore[return-value]

    def _go_on(self) -> Iterator[Event]:
        """Takes over the newest checkpoint that is whole. Nothing is taken of one that does not fit."""
        found: checkpoints.Checkpoint | None = None
        for each in checkpoints.newest(self.folder.checkpoints):
            if isinstance(each, checkpoints.TornError):
                yield Notice(f"{each}; the checkpoint before it is used", warning=True)
            else:
                found = each
                break
        if found is None:
            if any(self.folder.checkpoints.glob("[0-9]*")):
                raise UsageError(f"no checkpoint in `{self.folder.checkpoints}` is complete: start a new run")
            yield Notice("the run was stopped before its first checkpoint: it starts again")
            if self.group.first:
                self.metrics.cut(0)
            return
        facts = found.facts
        if facts.get("graph") != self.job.graph:
            raise UsageError(
                f"the checkpoint in `{self.folder.path}` is of a different network (graph {facts.get('graph')}, this "
                f"is {self.job.graph})"
            )
        processes = int(facts.get("processes") or 0)
        if processes != self.group.count:
            raise UsageError(
                f"the run in `{self.folder.path}` has {plural(processes, 'process')}, not "
                f"{self.group.count}: the samples of a step are divided among them"
            )
        if facts.get("settings") != self._settled():
            raise UsageError(
                f"the checkpoint in `{self.folder.path}` was written with settings that differ from the run's"
            )
        own = self.module.state_dict()
        if {name: value.shape for name, value in own.items()} != {n: v.shape for n, v in found.weights.items()}:
            raise UsageError(f"the checkpoint in `{self.folder.path}` has weights that do not match this network")
        self.module.load_state_dict(found.weights)
        prefix = "optimizer/"
        state = {name.removeprefix(prefix): v for name, v in found.state.items() if name.startswith(prefix)}
        load_state(self.optimizer, self.names, state, facts["optimizer"])
        self.scaler.load_state_dict(facts["scaler"])
        torch.set_rng_state(found.state[f"random/{self.group.rank}"])
        if self.settings.device == "cuda" and f"random-cuda/{self.group.rank}" in found.state:
            torch.cuda.set_rng_state(found.state[f"random-cuda/{self.group.rank}"], self.device)
        self.step = self.saved_at = found.step
        self.epoch_loss, self.epoch_seconds, self.seconds = (
            facts["epoch_loss"],
            facts["epoch_seconds"],
            facts["seconds"],
        )
        self.best = msgspec.convert(facts["best"], EpochFigures | None)
        self.last = msgspec.convert(facts["last"], EpochFigures | None)
        if self.group.first:
            self.metrics.cut(facts["metrics"])
            try:  # the run may have been killed between a checkpoint and its weights' own files
                self._publish(checkpoints.place_of(self.folder.checkpoints, self.step))
            except OSError as error:
                self.failed = error.strerror or str(error)  # said at the end, if no checkpoint is written until then

    # ---- steps -------------------------------------------------------------------------------------------------------

    def _epoch(self, epoch: int) -> Iterator[Event]:
        settings, steps = self.settings, self.batches.steps
        self.data.set_epoch(epoch)
        self.batches.start(epoch, self.step - epoch * steps)
        workers = self.job.workers if self.job.workers is not None else 2 if self.data.from_files else 0
        batches = iter(loader(self.data.train, self.batches, workers, settings.device == "cuda"))
        pending: list[Tensor] = []
        waited = 0.0
        start = time.perf_counter()
        while self.step < (epoch + 1) * steps:
            asked = time.perf_counter()
            turns = [next(batches) for _ in range(settings.accumulate)]
            waited += time.perf_counter() - asked
            rate = learning_rate(settings, self.step, steps)
            pending.append(self._step(turns, rate))
            self.step += 1
            stopped = self._stopped()
            end = self.step == (epoch + 1) * steps
            saves = end or stopped or (self.job.save_every and self.step % self.job.save_every == 0)
            if saves or self.step % self.job.log_every == 0:
                losses = self._read(pending)
                spent = time.perf_counter() - start
                self.epoch_seconds += spent
                self.seconds += spent
                throughput = len(losses) * settings.batch * settings.accumulate * self.group.count / spent
                figures = StepFigures(
                    epoch + 1, self.step, sum(losses) / len(losses), rate, throughput, waited / spent, self.meter.peak()
                )
                yield from self._note("steps", figures.as_dict())
                yield figures
                if end:
                    yield from self._test(epoch, rate, waited / spent)
                if saves:
                    yield from self._save()
                waited = 0.0
                start = time.perf_counter()
            if stopped:
                return

    def _step(self, turns: list[Batch], rate: float) -> Tensor:
        """A step of the optimizer; its loss, which is not waited for."""
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        total: Tensor | None = None
        for at, batch in enumerate(turns):
            inputs, targets = self._there(batch)
            quiet = isinstance(self.running, DistributedDataParallel) and at < len(turns) - 1
            with self.running.no_sync() if quiet else contextlib.nullcontext():  # type: ignore[operator]
                with self._autocast():
                    loss = self.objective.loss(self.running(*inputs), targets) / len(turns)
                self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total = loss.detach() if total is None else total + loss.detach()
        if settings.clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_([value for value in self.names if value.requires_grad], settings.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        assert total is not None
        return total

    def _autocast(self) -> Any:
        if not self.settings.autocast:
            return contextlib.nullcontext()
        return torch.autocast(self.settings.device, dtype=getattr(torch, self.settings.autocast))

    def _there(self, batch: Batch) -> Batch:
        """A batch on the device, in the memory format of the network."""
        inputs, targets = batch
        if self.settings.device == "cuda":
            inputs = tuple(each.to(self.device, non_blocking=True) for each in inputs)
            targets = {name: each.to(self.device, non_blocking=True) for name, each in targets.items()}
        if self.settings.channels_last:
            inputs = tuple(map(channels_last, inputs))
        return inputs, targets

    def _stopped(self) -> bool:
        """Whether any process was told to stop; all of them then end after the same step."""
        if self.group.count > 1:
            told = self.group.largest(1 if self.stop.signal else 0)
            if told and not self.stop.signal:
                self.stop.signal = "SIGTERM"
        return bool(self.stop.signal)

    def _read(self, pending: list[Tensor]) -> list[float]:
        """The losses since the last figures, means over all processes. Raises ConvsizeError where one is no number."""
        own = torch.stack(pending).float().tolist()
        pending.clear()
        losses = [each / self.group.count for each in self.group.sums(own)]
        for at, loss in enumerate(losses):
            if not math.isfinite(loss):
                step = self.step - len(losses) + at + 1
                kept = f"; --resume {self.folder.path} resumes from step {self.saved_at}" if self.saved_at > 0 else ""
                raise ConvsizeError(
                    f"the loss of step {step} is {loss}: usually the learning rate is too high (it is "
                    f"{learning_rate(self.settings, step - 1, self.batches.steps):g}), or a target or an input is NaN; "
                    f"try a lower --lr, --warmup or --clip 1. Earlier checkpoints are kept{kept}"
                )
        self.epoch_loss += sum(losses)
        return losses

    # ---- tests -------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def _tested(self) -> tuple[float, tuple[HeadScore, ...]]:
        """The test's loss and scores, over all processes."""
        self.module.eval()
        batches = InOrder(len(self.data.test), self.settings.batch, self.group.rank, self.group.count)
        total = torch.zeros(len(self.objective.heads), 5, dtype=torch.float64, device=self.device)
        for batch in loader(self.data.test, batches, 0, self.settings.device == "cuda"):
            inputs, targets = self._there(batch)
            with self._autocast():
                outputs = self.module(*inputs)
            total += self.objective.sums(outputs, targets)
        self.module.train()
        return self.objective.scores(self.group.sums(total.flatten().tolist()))

    def _test(self, epoch: int, rate: float, waiting: float) -> Iterator[Event]:
        loss, scores = self._tested()
        figures = EpochFigures(
            epoch=epoch + 1,
            step=self.step,
            train_loss=self.epoch_loss / self.batches.steps,
            test_loss=loss,
            scores=scores,
            lr=rate,
            seconds=self.epoch_seconds,
            throughput=self.batches.steps * self.settings.batch * self.settings.accumulate * self.group.count
            / self.epoch_seconds,
            waiting=waiting,
            memory=self.meter.peak(),
            best=False,
        )  # fmt: skip
        figures = figures.replace(best=self.best is None or _better(figures, self.best))
        if figures.best:
            self.best = figures
        self.last = figures
        self.epoch_loss = self.epoch_seconds = 0.0
        yield from self._note("epoch", msgspec.to_builtins(figures))
        yield figures

    # ---- what stays --------------------------------------------------------------------------------------------------

    def _note(self, kind: str, figures: dict[str, Any]) -> Iterator[Event]:
        """A line in the metrics; a disk that does not take it is said once."""
        if not self.group.first:
            return
        try:
            self.metrics.add(kind, figures)
            self._metrics_failed = False
        except OSError as error:
            if not self._metrics_failed:
                self._metrics_failed = True
                yield Notice(f"{self.folder.metrics} cannot be written: {error.strerror or error}", warning=True)

    def _settled(self) -> dict[str, Any]:
        """The settings that a run may not change, as JSON gives them back. Epochs may become more."""
        settings = self.settings.replace(epochs=0) if self.settings.schedule != "cosine" else self.settings
        found: dict[str, Any] = json.loads(json.dumps(settings.as_dict()))
        return found

    def _publish(self, place: Path) -> None:
        """Makes the weights of this step's checkpoint those of the run, and the best ones where they are."""
        checkpoints.publish(place, self.folder.last)
        if self.best is not None and self.best.step == self.step:
            checkpoints.publish(place, self.folder.best)

    def _save(self, *, even_if_done: bool = True) -> Iterator[Event]:
        """A checkpoint of this step; where the disk does not take it, training goes on with the one before."""
        if not even_if_done and self.saved_at == self.step:
            return
        random = self.group.gathered(torch.get_rng_state())
        on_cuda = self.group.gathered(torch.cuda.get_rng_state(self.device)) if self.settings.device == "cuda" else []
        if not self.group.first:
            self.saved_at = self.step
            return
        tensors, numbers = state_tensors(self.optimizer, self.names)
        state = {f"optimizer/{name}": value for name, value in tensors.items()}
        state |= {f"random/{rank}": value for rank, value in enumerate(random)}
        state |= {f"random-cuda/{rank}": value for rank, value in enumerate(on_cuda)}
        facts = {
            "graph": self.job.graph,
            "processes": self.group.count,
            "settings": self._settled(),
            "epoch_loss": self.epoch_loss,
            "epoch_seconds": self.epoch_seconds,
            "seconds": self.seconds,
            "best": msgspec.to_builtins(self.best),
            "last": msgspec.to_builtins(self.last),
            "metrics": self.metrics.size,
            "scaler": self.scaler.state_dict(),
            "optimizer": numbers,
        }
        try:
            made = checkpoints.Checkpoint(self.step, self.module.state_dict(), state, facts)
            place = checkpoints.write(self.folder.checkpoints, made)
            self._publish(place)
        except OSError as error:
            self.failed = error.strerror or str(error)
            before = f"that of step {self.saved_at} is kept" if self.saved_at > 0 else "there is none yet"
            yield Notice(
                f"the checkpoint of step {self.step} could not be written ({self.failed}); {before}, and training "
                "goes on",
                warning=True,
            )
            return
        self.saved_at = self.step
        self.failed = ""


def _better(figures: EpochFigures, best: EpochFigures) -> bool:
    """By the main output's accuracy, or where it has none by the test loss."""
    ours, theirs = (
        next((score.top1 for score in each.scores if score.name == "main"), None) for each in (figures, best)
    )
    if ours is not None and theirs is not None:
        return ours > theirs
    return figures.test_loss < best.test_loss
