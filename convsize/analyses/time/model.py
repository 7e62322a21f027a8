"""How long a piece of work takes on a device: looked up, interpolated between what was measured, or assumed.

The floor of a piece is max(FLOPs / peak, bytes / bandwidth), the roofline of Williams et al. 2009, and an overhead: an
operator's, or where its class was measured the least that any sample of it took. Between samples the ratio of the
measured time to the floor is interpolated by its logarithm, weighted by inverse square distance (Shepard 1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import Literal

from convsize.analyses.time.units import Piece, table_name
from convsize.errors import UsageError
from convsize.record import Record
from convsize.records.device import Device, Sample

_NEAREST = 6
"""Samples that an interpolation takes into account."""

_SOFTENING = 0.05
"""Added to squared distances, so that a sample that was hit exactly does not drown its neighbours' say in the noise."""


class Estimate(Record):
    """Seconds, with what they are mostly made of and where they come from."""

    seconds: float
    bound: Literal["compute", "bandwidth", "overhead"]
    basis: Literal["measured", "calibrated", "assumed"]


class Model:
    """A device's figures, ready to be asked."""

    def __init__(self, device: Device, dtype: str) -> None:
        self.device = device
        self.dtype = dtype
        peaks = dict(device.peaks)
        if dtype not in peaks:
            known = ", ".join(name for name in peaks if name != "tf32")
            raise UsageError(f"the device {device.name} has no figures for {dtype}; it has {known}")
        self._peak = peaks[dtype]
        # PyTorch computes float32 convolutions in TF32 where there is one, and matrix products in float32.
        self._convolution_peak = peaks.get("tf32", self._peak) if dtype == "float32" else self._peak
        self._compute, self._bandwidth = device.efficiency or (1.0, 1.0)
        self._shapes = dict(device.shapes)
        self._classes = {table.name: table.samples for table in device.classes}
        self._ratios: dict[str, list[tuple[tuple[float, ...], float]]] = {}
        self._overheads = {name: min(each.seconds for each in samples) for name, samples in self._classes.items()}
        self._known: dict[str, Estimate] = {}

    def estimate(self, piece: Piece) -> Estimate:
        """The time of a piece."""
        found = self._known.get(piece.key)
        if found is None:
            found = self._known[piece.key] = self._estimate(piece)
        return found

    def _estimate(self, piece: Piece) -> Estimate:
        name = table_name(piece.family, piece.direction, self.dtype)
        floor, bound = self._floor(name, piece.convolution, piece.flops, piece.bytes)
        if piece.key in self._shapes:
            return Estimate(self._shapes[piece.key], bound, "measured")
        samples = self._classes.get(name)
        if samples is None:
            return Estimate(floor, bound, "assumed")
        return Estimate(floor * self._ratio(name, samples, piece), bound, "calibrated")

    def _floor(
        self, name: str, convolution: bool, flops: float, bytes_: float
    ) -> tuple[float, Literal["compute", "bandwidth", "overhead"]]:
        """The least seconds that a piece can take by the device's peaks, and what makes most of them."""
        peak = self._convolution_peak if convolution else self._peak
        compute = flops / (peak * self._compute)
        moving = bytes_ / (self.device.bandwidth * self._bandwidth)
        overhead = self._overheads.get(name, self.device.overhead)
        most = max(compute, moving)
        bound: Literal["compute", "bandwidth", "overhead"]
        bound = "overhead" if overhead > most else "compute" if compute >= moving else "bandwidth"
        return overhead + most, bound

    def _ratio(self, name: str, samples: Sequence[Sample], piece: Piece) -> float:
        """By how much pieces of these features take longer than their floor."""
        features = piece.features
        if name not in self._ratios:
            # The two numbers in front of a sample's features are its FLOPs and bytes, of which its floor follows.
            self._ratios[name] = [
                (
                    each.features[2:],
                    log(each.seconds / self._floor(name, piece.convolution, each.features[0], each.features[1])[0]),
                )
                for each in samples
            ]
        if len(self._ratios[name][0][0]) != len(features):
            raise UsageError(
                f"the device {self.device.name} has samples of `{name}` that this convsize cannot compare with a "
                "layer: another version measured them; run `convsize calibrate` again"
            )
        near = sorted(
            (sum((a - b) ** 2 for a, b in zip(own, features, strict=True)), ratio) for own, ratio in self._ratios[name]
        )[:_NEAREST]
        weights = [1 / (distance + _SOFTENING) for distance, _ in near]
        return exp(sum(w * ratio for w, (_, ratio) in zip(weights, near, strict=True)) / sum(weights))
