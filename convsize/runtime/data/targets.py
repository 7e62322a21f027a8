"""What the outputs of a network are trained on: the class of an image, numbers, or the image itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from convsize.errors import UsageError
from convsize.record import Record
from convsize.runtime.data.preparation import Preparation
from convsize.runtime.data.samples import Task, volume
from convsize.words import plural


class Targets(Record):
    """The targets of a part, by the output's name.

    fixed: those that belong to a sample's place. returned: the outputs that give the image back, with black as 0 and
    white as 1.
    """

    fixed: dict[str, Tensor]
    returned: tuple[str, ...]

    def of(self, places: Tensor, images: Tensor, preparation: Preparation) -> dict[str, Tensor]:
        """The targets of a batch of prepared images."""
        found = {name: each[places] for name, each in self.fixed.items()}
        return found | {name: preparation.undone(images) for name in self.returned}


def image_targets(
    task: Task,
    name: str,
    classes: tuple[str, ...],
    labels: Tensor,
    numbers: Mapping[str, Tensor],
    dims: tuple[int, ...],
) -> Targets:
    """The targets of a part of the data set `name`, whose images enter the network as `dims` (C, H, W).

    Raises UsageError where an output wants what the set has not, or has fewer units than there are classes.
    """
    fixed = {}
    returned = []
    for output, out in task.outputs.items():
        where = f"the output `{output}` of {task.network}"
        if output in task.regressed:
            if output in numbers:
                if numbers[output].shape[1] != math.prod(out):
                    raise UsageError(
                        f"{name} has {plural(numbers[output].shape[1], 'number')} for {where}, which gives "
                        f"{math.prod(out):,}"
                    )
                fixed[output] = numbers[output].reshape(-1, *out)
            elif out == dims:
                returned.append(output)
            else:
                raise UsageError(
                    f"{name} has no numbers for {where}, which needs {volume(out)} of them: only an output with the "
                    "input's volume needs none, because it is trained to reproduce the image"
                )
        elif not classes:
            raise UsageError(f"{name} has no classes for {where}: train it on numbers, by a loss such as mse")
        elif math.prod(out[1:]) != 1:
            raise UsageError(
                f"{where} gives {volume(out)}, a class for every position, but {name} has one for every image: --data "
                "fake has targets for any output"
            )
        elif out[0] < len(classes):
            raise UsageError(
                f"{name} has {plural(len(classes), 'class')} and {where} {plural(out[0], 'unit')}: end it in "
                f"FC{len(classes)}, "
                f"or add a new head with --head FC{len(classes)}"
            )
        else:
            fixed[output] = labels.reshape(-1, *out[1:])
    return Targets(fixed, tuple(returned))
