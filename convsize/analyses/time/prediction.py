"""Time: a forward pass or a training step on a device, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

from convsize.analyses.memory.autocast import HALF
from convsize.analyses.memory.step import require_known
from convsize.analyses.selection.logits import trailing_softmax
from convsize.analyses.time.model import Model
from convsize.analyses.time.units import Layer, Piece, pieces, types
from convsize.batches import require_batch
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.ops import catalogue
from convsize.records import ITEM_SIZES, TrainingSetting
from convsize.records.device import Accuracy, Device
from convsize.records.optimizers import OPTIMIZERS
from convsize.records.time import LayerTime, Sweep, SweepPoint, TimePrediction, TimeSetting

MOVED = {name: each.moved for name, each in OPTIMIZERS.items() if each.moved is not None}
"""Optimizers whose steps are known, with the tensors of a parameter's size that a step reads and writes."""

KNEE = 0.9
"""The share of the highest throughput that is reached at the knee of a sweep."""

_SUM = catalogue.join("add").NAME
"""The class of work of sums of gradients, which are timed as the layers that they are."""
_NO_LAYER = Layer((), (), tokens=False)


def predict_time(network: Network, device: Device, setting: TimeSetting) -> TimePrediction:
    """The time of a forward pass, or of a training step with cross entropy, on a device.

    Raises UsageError where the device has no figures for the type, or the setting makes no sense.
    """
    require_batch(setting.batch)
    if setting.dtype not in ITEM_SIZES:
        raise UsageError(f"there is no type `{setting.dtype}`; there are {', '.join(ITEM_SIZES)}")
    if setting.optimizer not in MOVED:
        raise UsageError(f"the time of the optimizer `{setting.optimizer}` is not known; there are {', '.join(MOVED)}")
    require_known(TrainingSetting(1, dtype=setting.dtype, autocast=setting.autocast))
    models = _models(device, setting)
    by_node: dict[int, list[Piece]] = {}
    for piece in _pieces(network, device, setting):
        by_node.setdefault(piece.node, []).append(piece)
    layers = []
    for index, found in by_node.items():
        estimates = [models[piece.dtype].estimate(piece) for piece in found]
        longest = max(estimates, key=lambda each: each.seconds)
        layers.append(
            LayerTime(
                network.nodes[index].name,
                estimates[0].seconds,
                sum(each.seconds for each in estimates[1:]),
                sum(piece.flops for piece in found),
                sum(piece.bytes for piece in found),
                longest.bound,
                longest.basis,
            )
        )
    outside = _outside(network, models, setting)
    seconds = sum(layer.seconds for layer in layers) + sum(each for _, each in outside)
    return TimePrediction(
        name=network.name,
        device=device.name,
        title=device.title,
        calibrated=device.calibrated,
        setting=setting,
        layers=tuple(layers),
        outside=outside,
        energy=None if device.tdp is None else device.tdp * seconds,
        accuracy=_accuracy(device, setting, {layer.basis for layer in layers}),
        assumed=None if device.efficiency is None else (*device.efficiency, device.overhead),
        between=_between(network, device, setting),
        tf32=dict(device.peaks).get("tf32") if setting.dtype == "float32" else None,
    )


def _between(network: Network, device: Device, setting: TimeSetting) -> tuple[float, float] | None:
    """The times at all of the device's peaks and half its overhead, and at half the assumed shares and twice that."""
    if device.efficiency is None:
        return None
    compute, bandwidth = device.efficiency
    best = device.replace(efficiency=(1.0, 1.0), overhead=device.overhead / 2)
    worst = device.replace(efficiency=(compute / 2, bandwidth / 2), overhead=device.overhead * 2)
    return _seconds(network, best, setting), _seconds(network, worst, setting)


def _seconds(network: Network, device: Device, setting: TimeSetting) -> float:
    models = _models(device, setting)
    found = _pieces(network, device, setting)
    outside = _outside(network, models, setting)
    return sum(models[piece.dtype].estimate(piece).seconds for piece in found) + sum(each for _, each in outside)


def _models(device: Device, setting: TimeSetting) -> dict[str, Model]:
    """The device's figures for every type that is computed in."""
    return {dtype: Model(device, dtype) for dtype in (setting.dtype, setting.autocast) if dtype is not None}


def _pieces(network: Network, device: Device, setting: TimeSetting) -> list[Piece]:
    computed = types(network, setting.dtype, setting.autocast, device.kind)
    return pieces(network, setting.batch, setting.dtype, training=setting.training, computed=computed)


def _accuracy(device: Device, setting: TimeSetting, bases: set[str]) -> Accuracy | None:
    if setting.autocast is not None:
        return None  # what was compared ran in one type
    mode = "per-shape" if bases == {"measured"} else "class"
    what = "training" if setting.training else "inference"
    return next((each for each in device.accuracy if (each.mode, each.what) == (mode, what)), None)


def _outside(network: Network, models: Mapping[str, Model], setting: TimeSetting) -> tuple[tuple[str, float], ...]:
    """What is done besides the layers: in a training step, and under autocast."""
    casts = () if setting.autocast is None else (("casts", _casts(network, models, setting)),)
    return (*_besides(network, models, setting), *casts) if setting.training else casts


def _casts(network: Network, models: Mapping[str, Model], setting: TimeSetting) -> float:
    """Seconds of the copies in another type that autocast makes: of what a layer reads, and of its parameters.

    In training the gradients of both are cast back.
    """
    model = models[setting.dtype]
    dropped = trailing_softmax(network) if setting.training else frozenset()
    computed = types(network, setting.dtype, setting.autocast, model.device.kind)
    sizes = []
    for node in network.layers:
        if node.index in dropped:
            continue
        own = computed[node.index]
        sizes += [
            setting.batch * network.nodes[index].output.elements for index in node.inputs if computed[index] != own
        ]
        if any(call.kernel in HALF for call in node.op.torch(*network.input_shapes(node))):
            # Copies of what is trained are made once for all uses.
            own_weights = network.own_parameters(node) if setting.training else network.parameters(node)
            sizes += [each.elements for each in own_weights if each.role != "buffer"]
    both = 2 if setting.training else 1
    # 4 bytes read and 2 written, or the other way round
    return both * sum(
        model.estimate(_plain("cast", "inference", 0, 3, size, 2, setting.dtype)).seconds for size in sizes
    )


def _besides(network: Network, models: Mapping[str, Model], setting: TimeSetting) -> tuple[tuple[str, float], ...]:
    """What a training step does besides its layers: the loss, sums of gradients, and the optimizer's step."""
    model = models[setting.dtype]
    computed = types(network, setting.dtype, setting.autocast, model.device.kind)
    itemsize = ITEM_SIZES[setting.dtype]
    dropped = trailing_softmax(network)
    flows = [False] * len(network.nodes)
    readers = [0] * len(network.nodes)
    for node in network.layers:
        if node.index not in dropped:
            trains = any(each.role != "buffer" for each in network.parameters(node))
            flows[node.index] = trains or any(flows[index] for index in node.inputs)
            for index in node.inputs:
                readers[index] += flows[node.index]
    sums = 0.0
    for node in network.layers:
        elements = setting.batch * node.output.elements
        own = computed[node.index]
        for _ in range(readers[node.index] - 1 if flows[node.index] else 0):
            piece = _plain(_SUM, "inference", 1, 3, elements, ITEM_SIZES[own], own)
            sums += models[own].estimate(piece).seconds
        for each in network.parameters(node) if node.first is not None else ():
            if each.role != "buffer":
                piece = _plain(_SUM, "inference", 1, 3, each.elements, itemsize, setting.dtype)
                sums += model.estimate(piece).seconds
    loss = 0.0
    for end in network.outputs.values():
        elements = setting.batch * network.nodes[end].output.elements
        loss += model.estimate(_plain("cross entropy", "forward", 8, 6, elements, itemsize, setting.dtype)).seconds
    touched = MOVED[setting.optimizer]
    sizes = [each.elements for node in network.layers for each in network.own_parameters(node) if each.role != "buffer"]
    if model.device.kind == "cuda":
        sizes = [sum(sizes)]  # one kernel works on all parameters
    name = f"step of {setting.optimizer}"
    steps = sum(
        model.estimate(_plain(name, "forward", touched, touched, size, itemsize, setting.dtype)).seconds
        for size in sizes
    )
    return (("loss", loss), ("sums of gradients", sums), (name, steps))


def _plain(family: str, direction: str, flops: int, moved: int, elements: int, itemsize: int, dtype: str) -> Piece:
    """A piece that belongs to no layer: so many operations and so many values moved for every element."""
    assert direction in ("inference", "forward")
    return Piece(
        -1,
        family,
        "inference" if direction == "inference" else "forward",
        flops * elements,
        moved * elements * itemsize,
        plain_features(family, elements),
        f"{family} of {elements} {direction}, {dtype}",
        _NO_LAYER,
        convolution=False,
        dtype=dtype,
    )


def plain_features(family: str, elements: int) -> tuple[float, ...]:
    """The features of what belongs to no layer; sums are timed as the layers that they are."""
    size = log2(max(elements, 1))
    return (size + 1, size, 0.0, 0.0) if family == _SUM else (size,)


def sweep_times(network: Network, device: Device, setting: TimeSetting, batches: tuple[int, ...]) -> Sweep:
    """Time, throughput and in training memory over batch sizes, with the knee of the throughput."""
    from convsize.analyses.memory.peak import training_memory

    points = []
    for batch in batches:
        found = predict_time(network, device, setting.replace(batch=batch))
        chosen = TrainingSetting(
            batch,
            setting.optimizer,
            setting.dtype,
            device=device.kind,
            autocast=setting.autocast,
            inference=not setting.training,
        )
        try:
            memory: int | None = training_memory(network, chosen).peak.bytes
        except UsageError:  # a batch norm that cannot be trained at batch 1, a type that is not known
            memory = None
        points.append(SweepPoint(batch, found.seconds, found.between, found.throughput, memory))
    highest = max(point.throughput for point in points)
    knee = next(point.batch for point in points if point.throughput >= KNEE * highest)
    return Sweep(network.name, device.name, setting, tuple(points), knee, found)
