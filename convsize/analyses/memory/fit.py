"""What fits: the largest batch, or the largest input, that can be trained within a budget of memory."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from convsize.analyses.memory.peak import training_memory
from convsize.analyses.memory.step import smallest_batch
from convsize.analyses.sizes.input_sizes import input_sizes
from convsize.batches import LARGEST_BATCH
from convsize.errors import SpecError, UsageError
from convsize.geometry import Shape
from convsize.graph.build import build
from convsize.graph.network import Network
from convsize.records import BatchFit, Capacity, InputFit, TrainingMemory, TrainingSetting
from convsize.records.device import Device
from convsize.records.sizes import AxisSizes
from convsize.words import plural

"""Samples up to which a batch is looked for."""

LARGEST_EXTENT = 2**16
"""Pixels of an axis up to which an input is looked for."""

_NEARBY = 256
"""Pixels within which a size that the network takes is looked for, where axes are tied together."""


def largest_batch(
    network: Network, setting: TrainingSetting, capacity: Capacity, device: Device | None = None
) -> BatchFit:
    """The largest batch whose training fits into a capacity; the setting's own batch plays no role.

    What it takes is the peak of the tensors, and on a GPU what is known to come on top. The peak grows with the batch:
    at every operator boundary each tensor that lives there is as large as before or larger. device: what is known of
    the GPU where the setting's device is one.

    Raises UsageError where nothing is left of the capacity.
    """
    memory = _available(capacity)
    known: dict[int, TrainingMemory] = {}

    def at(batch: int) -> TrainingMemory:
        if batch not in known:
            known[batch] = training_memory(network, setting.replace(batch=batch), device)
        return known[batch]

    def peak(batch: int) -> int:
        return at(batch).reserved

    smallest = smallest_batch(network, setting.frozen)
    if peak(smallest) > memory:
        return BatchFit(network.name, capacity, smallest, 0, None, at(smallest))
    low, high = smallest, 2 * smallest
    while peak(high) <= memory:
        if high == LARGEST_BATCH:
            return BatchFit(network.name, capacity, smallest, high, at(high), None)
        # Beyond what the last two batches say, so that the next one is likely to lie above the budget.
        growth = max((peak(high) - peak(low)) // (high - low), 1)
        low, high = high, min(max(2 * high, high + 9 * (memory - peak(high)) // (8 * growth) + 1), LARGEST_BATCH)
    while high - low > 1:
        middle = low + (high - low) * (memory - peak(low)) // (peak(high) - peak(low))
        middle = min(max(middle, low + 1), high - 1)
        low, high = (middle, high) if peak(middle) <= memory else (low, middle)
    return BatchFit(network.name, capacity, smallest, low, at(low), at(high))


def largest_input(
    network: Network,
    setting: TrainingSetting,
    capacity: Capacity,
    device: Device | None = None,
    lets: Mapping[str, Fraction] | None = None,
) -> InputFit:
    """The largest input whose training at the setting's batch fits into a capacity, as `largest_batch` has it.

    All axes of all inputs grow together, in the proportion in which they are declared, each to the nearest extent at
    or below it that the network takes. Fully connected layers are made as large as what reaches them. lets are the
    constants that the network was built with.

    Raises UsageError where its sizes cannot be solved, or the capacity holds nothing or any input.
    """
    memory = _available(capacity)
    search = _InputSearch(network, setting, device, lets)
    extent = search.below(search.axis.declared) or search.above(search.axis.declared)
    if not extent:
        raise UsageError(f"{network.name}: it accepts no input size")
    low, high = 0, 0
    while True:
        found = search.at(extent)
        if found is not None and found.reserved <= memory:
            low = extent
        else:
            high = extent
        following = search.above(low + 1)
        if not following or (high and following >= high):
            break
        if not high and following >= LARGEST_EXTENT:
            raise UsageError(f"{network.name}: even an input of {plural(low, 'position')} along an axis fits")
        extent = search.guess(memory, following, high)
    beyond = search.at(high) if high else None
    return InputFit(
        name=network.name,
        capacity=capacity,
        inputs=search.dims(low) if low else (),
        fits=search.at(low) if low else None,
        beyond_inputs=search.dims(high) if beyond is not None else (),
        beyond=beyond,
    )


def _available(capacity: Capacity) -> int:
    if capacity.available < 1:
        kept = f" of which {capacity.reserve:,} are reserved" if capacity.reserve else ""
        raise UsageError(f"nothing fits into {plural(capacity.memory, 'byte')}{kept}: give more memory")
    return capacity.available


class _InputSearch:
    """Training memory by the extent of one axis, which the others follow."""

    def __init__(
        self,
        network: Network,
        setting: TrainingSetting,
        device: Device | None,
        lets: Mapping[str, Fraction] | None,
    ) -> None:
        self._network = network
        self._setting = setting
        self._device = device
        self._lets = lets
        sizes = input_sizes(network, lets)
        self._declared = sizes.inputs
        self._axes: dict[tuple[str, int], AxisSizes] = {
            (name, axis.axis): axis for axis in sizes.axes for name in axis.inputs
        }
        self.axis = sizes.axes[0]
        self._coupled = bool(sizes.coupled)
        self._built: dict[int, Network | None] = {}
        self._known: dict[int, TrainingMemory | None] = {}
        self._order = max(len(dims) - 1 for _, dims in sizes.inputs)

    def dims(self, extent: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The volume of every input."""
        found = []
        for name, (depth, *extents) in self._declared:
            own = []
            for place, declared in enumerate(extents):
                valid = self._axes[name, place].valid
                wished = max(declared * extent // self.axis.declared, 1)
                own.append(wished if self._coupled else valid.below(wished) or valid.smallest or wished)
            found.append((name, (depth, *own)))
        return tuple(found)

    def at(self, extent: int) -> TrainingMemory | None:
        """What training takes, None where there is no network of that size."""
        if extent not in self._known:
            network = self._network_at(extent)
            self._known[extent] = None if network is None else training_memory(network, self._setting, self._device)
        return self._known[extent]

    def below(self, extent: int) -> int:
        """The largest extent that the network takes, of those at most as large; 0 where there is none."""
        if not self._coupled:
            return self.axis.valid.below(extent) or 0
        # Axes that are tied together are valid together: only building says it.
        near = range(extent, max(extent - _NEARBY, 0), -1)
        return next((each for each in near if self._network_at(each) is not None), 0)

    def above(self, extent: int) -> int:
        """The smallest extent that the network takes, of those at least as large; 0 where there is none."""
        if not self._coupled:
            return self.axis.valid.above(extent) or 0
        return next((each for each in range(extent, extent + _NEARBY) if self._network_at(each) is not None), 0)

    def _network_at(self, extent: int) -> Network | None:
        if extent not in self._built:
            inputs = {name: Shape(dims[0], dims[1:]) for name, dims in self.dims(extent)}
            try:
                built = build(self._network.file, self._lets, name=self._network.name, inputs=inputs, stated=False)
            except SpecError:
                built = None
            self._built[extent] = built
        return self._built[extent]

    def guess(self, memory: int, low: int, high: int) -> int:
        """An extent from `low` to below `high` (0: nothing is known not to fit) at which the budget is about spent.

        What training takes is nearly a constant and a multiple of the pixels. Where that leads astray, half-way.
        """
        known = sorted((extent, found) for extent, found in self._known.items() if found is not None)
        upper = high - 1 if high else LARGEST_EXTENT
        wished = Fraction(low + upper, 2)
        if known and len(self._known) < 7:
            # The nearest two: those beside the budget where there are some on either side.
            beside = sorted(known, key=lambda each: abs(each[1].reserved - memory))[:2]
            (one, less), (other, more) = min(beside), max(beside)
            if one == other:
                parts = dict(less.peak.parts)
                fixed = sum(parts[kind] for kind in ("parameters", "buffers", "gradients", "optimizer"))
                one, other, first, second = 0, other, fixed, more.reserved
            else:
                first, second = less.reserved, more.reserved
            slope = Fraction(second - first, other**self._order - one**self._order)
            if slope > 0:
                area = one**self._order + (memory - first) / slope
                wished = Fraction(max(float(area), 1.0) ** (1 / self._order))
        return max(self.below(min(int(wished), upper)), low)
