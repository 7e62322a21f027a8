"""Opening a data set by what `--data` says."""

from __future__ import annotations

from collections.abc import Callable, Collection

from convsize.analyses.sizes.input_sizes import input_sizes
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.lowering.plan import lower
from convsize.record import Record
from convsize.runtime.data.cifar import read_cifar10
from convsize.runtime.data.digits import read_digits
from convsize.runtime.data.fake import fake_data
from convsize.runtime.data.folder import read_folder
from convsize.runtime.data.idx import read_fashion_mnist, read_mnist
from convsize.runtime.data.images import ImageSet, image_data
from convsize.runtime.data.samples import Data, Task
from convsize.words import nearest, or_rather


class _Source(Record):
    """A kind of data set: how it is read, and what stands after its colon (nothing where it takes none)."""

    read: Callable[[str, Task, Network], ImageSet]
    place: str = ""


_IMAGES = {
    "digits": _Source(lambda *_: read_digits()),
    "mnist": _Source(lambda place, *_: read_mnist(place), "DIR"),
    "fashion-mnist": _Source(lambda place, *_: read_fashion_mnist(place), "DIR"),
    "cifar10": _Source(lambda place, *_: read_cifar10(place), "DIR"),
    "folder": _Source(lambda place, task, network: read_folder(place, task, _smallest(network)), "DIR"),
}
_SPELLINGS = (*(f"{name}:{source.place}" if source.place else name for name, source in _IMAGES.items()), "fake")


def open_data(
    text: str, network: Network, *, seed: int, augment: bool = False, regressed: Collection[str] = ()
) -> Data:
    """The data set that `text` names, fitted to the inputs and outputs of a network.

    `digits`, `mnist:DIR`, `fashion-mnist:DIR`, `cifar10:DIR`, `folder:DIR`, or `fake` (`fake:N` for N training
    samples). seed decides what is drawn by chance; regressed are the outputs that are trained by mean squared error or
    smooth L1.

    Raises UsageError where there is no such data set, a file of it is missing or broken, or it does not fit the
    network.
    """
    plan = lower(network, logits=True)
    task = Task(
        network=network.name,
        inputs=plan.inputs,
        outputs={name: network.nodes[end].output.dims for name, end in network.outputs.items()},
        regressed=frozenset(regressed),
    )
    kind, _, where = text.partition(":")
    if kind == "fake":
        return fake_data(where, plan, task, seed)
    if kind not in _IMAGES:
        guess = or_rather(nearest(kind, [*_IMAGES, "fake"]))
        raise UsageError(f"there is no data set `{kind}`{guess}; there are {', '.join(_SPELLINGS)}")
    source = _IMAGES[kind]
    if bool(where) != bool(source.place):
        problem = f"needs a directory: {kind}:{source.place}" if source.place else "takes nothing after it"
        raise UsageError(f"--data {kind} {problem}")
    try:
        images = source.read(where, task, network)
    except OSError as error:
        raise UsageError(f"`{error.filename or where}` cannot be read: {error.strerror or error}") from None
    return image_data(images, task, seed=seed, augment=augment)


def _smallest(network: Network) -> tuple[int, int] | None:
    """The smallest height and width that a network of images allows; None where that cannot be said."""
    try:
        least = input_sizes(network).least(exact=False)
    except UsageError:  # a layer's own numbers depend on the size
        return None
    if least is None or len(least) != 1 or len(least[0][1]) != 3:
        return None
    _, height, width = least[0][1]
    return height, width
