"""Every op against PyTorch: what its file states is what PyTorch does."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from op_cases import CASES, Case

from convsize.geometry import AxisWindow, Shape
from convsize.ops import catalogue
from convsize.ops.base import SaveMode

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from convsize.runtime.calls import Pipeline, build, build_call  # noqa: E402

BATCH = 2
SECTIONS = ("Spec", "Shape", "Window", "Parameters", "MACs", "Saved for backward", "PyTorch", "Source")

# Their statistics are taken over positions, and the receptive field leaves statistics aside; a reshaped volume's
# positions are anywhere in its input, so "everything" is a bound.
STATISTICS = {"InstanceNorm", "GroupNorm", "FilterResponseNorm", "GlobalResponseNorm"}
BOUNDS = {"Reshape"}


def examples(count: int):
    return settings(
        max_examples=count,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


every_op = pytest.mark.parametrize("name", sorted(CASES))


def module_of(case: Case, device: str = "cpu") -> nn.Module:
    with torch.device(device):
        return build(case.op.torch(*case.inputs)) if case.inputs else nn.Identity()


def tensors_of(case: Case, device: str = "cpu", dtype: torch.dtype = torch.float32, batch: int = BATCH) -> list:
    if type(case.op).__name__ == "Embedding":
        return [torch.randint(0, 50, (batch, *shape.dims), device=device) for shape in case.inputs]
    return [torch.rand(batch, *shape.dims, device=device, dtype=dtype) + 0.5 for shape in case.inputs]


def test_every_op_has_a_case():
    assert set(CASES) == {op.__name__ for op in catalogue.all_ops()}


@pytest.mark.parametrize("op", catalogue.all_ops(), ids=lambda op: op.__name__)
def test_every_page_has_all_sections(op):
    lines = op.page().splitlines()
    headings = [line for line in lines[1:] if line and not line.startswith(" ")]
    assert tuple(heading for heading in headings if heading in SECTIONS) == SECTIONS
    for section in SECTIONS:
        assert lines[lines.index(section) + 1].startswith("    ")
    assert op.NAME
    assert op.STEM
    assert op.SPELLING


@every_op
@examples(25)
@given(data=st.data())
def test_shapes_and_parameters(name, data):
    case = data.draw(CASES[name])
    module = module_of(case, "meta").eval()
    if case.inputs:
        assert tuple(module(*tensors_of(case, "meta")).shape) == (BATCH, *case.output.dims)
    stated = [(p.name, p.shape, p.dtype == "int64") for p in case.op.parameters(*case.inputs)]
    found = [(key, tuple(value.shape), value.dtype == torch.int64) for key, value in module.state_dict().items()]
    assert stated == found
    trained = {parameter.name for parameter in case.op.parameters(*case.inputs) if parameter.role != "buffer"}
    assert trained == {key for key, _ in module.named_parameters()}


@every_op
@examples(15)
@given(data=st.data())
def test_multiply_adds(name, data):
    case = data.draw(CASES[name])
    macs = case.op.macs(case.inputs, case.output)
    if not case.inputs:
        assert macs == 0
        return
    if any(call.target == "convsize.AveragePool" for call in case.op.torch(*case.inputs)):
        assert macs == 0  # the module sums by a convolution with ones, which is no multiplication
        return
    module = module_of(case, "meta").eval()
    with FlopCounterMode(display=False) as counter:
        module(*tensors_of(case, "meta"))
    assert counter.get_total_flops() == 2 * BATCH * macs
    assert all(work.flops >= 0 for work in case.op.work(case.inputs, case.output))


# ---- receptive field -----------------------------------------------------------------------------------------------


def read_by(axis: AxisWindow, extent: int, output: int) -> set[int]:
    """The inputs along an axis that an output reads."""
    taps = [axis.dilation * t for t in range(axis.kernel)]
    if axis.transposed:
        return {i for i in range(extent) if output - i * axis.stride + axis.before in taps}
    read = {output * axis.stride - axis.before + tap for tap in taps}
    read &= set(range(-max(axis.before, 0), extent + max(axis.after, 0)))
    if axis.fill == "replicate":
        return {min(max(place, 0), extent - 1) for place in read}
    if axis.fill == "circular":
        return {place % extent for place in read}
    if axis.fill == "reflect":
        return {min(abs(place), 2 * (extent - 1) - abs(place)) for place in read}
    return read & set(range(extent))


def stated_support(case: Case, place: int, position: tuple[int, ...]) -> set[tuple[int, ...]]:
    source = case.inputs[place]
    window = case.op.window_of(place, *case.inputs)
    if window.kind == "everything":
        return set(product(*map(range, source.spatial)))
    if window.kind == "pointwise":
        if not source.rank:
            return {()}
        # What is 1 along an axis where the result is not was broadcast, so it is seen from everywhere.
        return {tuple(min(at, extent - 1) for at, extent in zip(position, source.spatial, strict=True))}
    if window.kind == "blocks":
        # Whole windows that lie side by side, the first and the last cut off.
        starts = [
            (at + axis.before) // axis.stride * axis.stride - axis.before
            for at, axis in zip(position, window.axes, strict=True)
        ]
        return set(
            product(
                *(
                    range(max(a, 0), min(a + w.kernel, n))
                    for a, w, n in zip(starts, window.axes, source.spatial, strict=True)
                )
            )
        )
    if window.kind == "reads":
        ends = [each.of(at) for each, at in zip(window.reads, position, strict=True)]
        reads = [
            set(range(first, last + 1)) & set(range(e)) for (first, last), e in zip(ends, source.spatial, strict=True)
        ]
        return set(product(*reads))
    reads = [read_by(*triple) for triple in zip(window.axes, source.spatial, position, strict=True)]
    return set(product(*reads))


def gradients(case: Case, module: nn.Module, tensors: list) -> list:
    """For every output position the magnitudes of the gradients at every input position: (P, N, *spatial) each.

    Samples do not see each other, so position p is asked of samples of its own and one backward pass answers for all.
    """
    samples = tensors[0].shape[0]
    positions = prod(case.output.spatial)
    inputs = [tensor.repeat(positions, *(1,) * (tensor.dim() - 1)).requires_grad_() for tensor in tensors]
    output = module(*inputs).reshape(positions, samples, case.output.channels, positions)
    # Weighted by random numbers, since what sums to a constant over the depth (softmax) has no gradient otherwise.
    output = (output * (torch.rand(case.output.channels, dtype=output.dtype) + 0.5)[:, None]).sum(2)
    torch.diagonal(output, dim1=0, dim2=2).sum().backward()
    return [x.grad.abs().sum(1).reshape(positions, samples, *x.shape[2:]) for x in inputs]


@every_op
@examples(15)
@given(data=st.data())
def test_receptive_field(name, data):
    case = data.draw(
        CASES[name].filter(lambda case: case.output.elements * sum(s.elements for s in case.inputs) < 40000)
    )
    if not case.inputs or name in STATISTICS:
        assert case.op.window(*case.inputs).kind == "pointwise"
        return
    module = module_of(case).double().eval()
    with torch.no_grad():
        for each, parameter in module.named_parameters():
            if not each.endswith("tau"):  # a threshold of 0 cuts nothing off
                parameter.uniform_(0.5, 1.5)
    if name == "Embedding":
        assert_tokens_stay_in_place(case, module)
        return
    tensors = tensors_of(case, dtype=torch.float64, batch=1)
    if name in {"MaxPool", "GlobalMaxPool"}:
        # A maximum sees one value: give every position in turn the largest, and join what is seen.
        (source,) = case.inputs
        peaks = 10 * torch.eye(source.area, dtype=torch.float64).reshape(source.area, 1, *source.spatial)
        tensors = [tensors[0] + peaks]
    positions = list(product(*map(range, case.output.spatial)))
    for place, magnitudes in enumerate(gradients(case, module, tensors)):
        seen = magnitudes.amax(1) > 1e-12
        for position, mask in zip(positions, seen, strict=True):
            found = {tuple(place) for place in mask.nonzero().tolist()}
            stated = stated_support(case, place, position)
            extreme = getattr(case.op, "how", "") in ("max", "min")  # they see one value
            # The weights of a standardised filter add up to 0: where all of them read one pixel, it sees nothing.
            flat = getattr(case.op, "standard", None) and case.op.padding.fill != "zeros"
            # Bicubic weights are 0 at whole distances from the middle, which antialiasing makes others of.
            cubic = getattr(case.op, "mode", "") == "bicubic" and case.op.sampling == "antialias"
            bound = name in BOUNDS or getattr(case.op, "grid", False) or extreme or flat or cubic
            assert found <= stated if bound else found == stated


def assert_tokens_stay_in_place(case: Case, module: nn.Module) -> None:
    """Tokens have no gradient: another token at a position changes the vector there and no other."""
    (tokens,) = tensors_of(case, batch=1)
    before = module(tokens)
    for place in product(*map(range, case.inputs[0].spatial)):
        changed = tokens.clone()
        changed[(0, 0, *place)] = (changed[(0, 0, *place)] + 1) % 50
        moved = (module(changed) != before).any(1)[0]
        assert {tuple(at) for at in moved.nonzero().tolist()} == stated_support(case, 0, place)


def stated_maps(case: Case, place: int, map_: int) -> set[int]:
    """The maps of an input that a map of the output is made of, as the op states it."""
    depth = case.inputs[place].channels
    read = case.op.maps_read(*case.inputs)
    if isinstance(read, int):
        if depth == 1:
            return {0}
        part = map_ // (case.output.channels // read)
        return set(range(part * depth // read, (part + 1) * depth // read))
    maps = [(each.place, each.first + at) for each in read for at in range(each.last - each.first)]
    assert len(maps) == case.output.channels
    return {maps[map_][1]} if maps[map_][0] == place else set()


ALL_MAPS = {"Attention", "LocalResponseNorm", "Softmax", "Reshape", "Reduce", "GLU"}
"""Of these "all maps" is a bound: they read the maps around each, those of other slices or of a head, or any."""


@every_op
@examples(15)
@given(data=st.data())
def test_maps(name, data):
    case = data.draw(
        CASES[name].filter(lambda case: case.output.elements * sum(s.elements for s in case.inputs) < 40000)
    )
    if not case.inputs or name == "Embedding":
        assert case.op.maps_read(*case.inputs) == 1
        return
    module = module_of(case).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(0.5, 1.5)
    tensors = [tensor.requires_grad_() for tensor in tensors_of(case, dtype=torch.float64, batch=1)]
    # Weights that no two positions share, for what is normalised sums to a constant.
    result = module(*tensors)
    weighted = (result * torch.rand_like(result)).reshape(case.output.channels, -1).sum(1)
    for map_ in range(case.output.channels):
        found = torch.autograd.grad(weighted[map_], tensors, retain_graph=True, allow_unused=True)
        for place, gradient in enumerate(found):
            if gradient is None:
                gradient = torch.zeros_like(tensors[place])
            magnitudes = gradient.reshape(case.inputs[place].channels, -1).abs().amax(1)
            seen = set((magnitudes > 1e-12).nonzero().flatten().tolist())
            stated = stated_maps(case, place, map_)
            assert seen <= stated
            blind = not seen  # windows in padding, a norm over one value
            assert seen == stated or blind or name in ALL_MAPS


# ---- saved for backward --------------------------------------------------------------------------------------------


def kept_by_torch(module: nn.Module, inputs: list) -> tuple[set, list[int]]:
    """What autograd keeps: the storages that exist anyway by what they are, and the bytes of each other one."""
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.nbytes():
            kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = module(*inputs)
    known = {value.untyped_storage().data_ptr(): name for name, value in module.state_dict(keep_vars=True).items()}
    known |= {output.untyped_storage().data_ptr(): "output"}
    known |= {tensor.untyped_storage().data_ptr(): place for place, tensor in enumerate(inputs)}
    named = {known[place] for place in kept if place in known}
    return named, sorted(storage.nbytes() for place, storage in kept.items() if place not in known)


def kept_as_stated(case: Case, mode: SaveMode) -> tuple[set, list[int]]:
    stated = case.op.saved(case.inputs, case.output, mode)
    ways = {"input": lambda s: s.place, "output": lambda s: "output", "parameter": lambda s: s.name}
    named = {ways[saved.what](saved) for saved in stated if saved.what != "extra"}
    return named, sorted(saved.size for saved in stated if saved.what == "extra")


@every_op
@examples(30)
@given(data=st.data(), training=st.booleans(), trains=st.booleans(), double=st.booleans())
def test_saved_for_backward(name, data, training, trains, double):
    case = data.draw(CASES[name])
    if not case.inputs:
        assert case.op.saved((), case.output, SaveMode(BATCH)) == ()
        return
    dtype = torch.float64 if double else torch.float32
    module = module_of(case).to(dtype).train(training).requires_grad_(trains)
    tensors = tensors_of(case, dtype=dtype)
    needs = tuple(name != "Embedding" and data.draw(st.booleans()) for _ in tensors)
    # Not leaves: the layers of a network read what others made.
    inputs = [t.requires_grad_(need) * 1 if need else t for t, need in zip(tensors, needs, strict=True)]
    mode = SaveMode(BATCH, "cpu", training, False, needs, trains, 8 if double else 4)
    if any(needs) or any(p.requires_grad for p in module.parameters()):
        assert kept_by_torch(module, inputs) == kept_as_stated(case, mode)
    else:
        assert kept_by_torch(module, inputs) == (set(), [])
        assert kept_as_stated(case, mode) == (set(), [])


IN_PLACE = ("ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid")


@pytest.mark.parametrize("name", IN_PLACE)
@examples(10)
@given(data=st.data(), need=st.booleans())
def test_saved_for_backward_in_place(name, data, need):
    case = data.draw(CASES[name])
    (call,) = case.op.torch(*case.inputs)
    module = build_call(call.replace(kwargs=(*call.kwargs, ("inplace", True))))
    (source,) = tensors_of(case)
    named, extra = kept_by_torch(module, [source.requires_grad_(need) * 1])
    mode = SaveMode(BATCH, inplace=True, needs=(need,))
    stated, stated_extra = kept_as_stated(case, mode)
    # In place, input and output are one storage.
    assert len(named) == len(stated)
    assert extra == stated_extra


# ---- pipelines -----------------------------------------------------------------------------------------------------


def test_a_pipeline_owns_its_steps_parameters():
    module = build(catalogue.token("FC").from_suffixes(_suffixes(size=(3,)), Shape(2, (2,))).torch(Shape(2, (2,))))
    assert isinstance(module, Pipeline)
    assert list(module.state_dict()) == ["weight", "bias"]
    module.double()
    module.load_state_dict({"weight": torch.ones(3, 4), "bias": torch.ones(3)})
    assert module(torch.ones(1, 2, 2, dtype=torch.float64)).tolist() == [[5.0, 5.0, 5.0]]
    assert module.to("meta")(torch.ones(1, 2, 2, dtype=torch.float64, device="meta")).device.type == "meta"


def _suffixes(**values):
    from convsize.ops.base import Suffixes

    return Suffixes(**values)
