"""What every op states of its values against PyTorch: linear, moved, never negative, at random, without effect."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st
from op_cases import CASES, Case

from convsize.geometry import GeometryError, Shape
from convsize.ops import catalogue
from convsize.ops.base import Op

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from convsize.runtime.calls import build, build_call  # noqa: E402

OPS = {op.__name__: op for op in catalogue.all_ops()}
every_op = pytest.mark.parametrize("name", sorted(CASES.keys() - {"Input"}))


def ops_that(state: Callable[[type[Op]], bool]):
    """The ops of which something is stated."""
    return pytest.mark.parametrize("name", sorted(name for name, op in OPS.items() if state(op) and name != "Input"))


def examples(count: int):
    return settings(
        max_examples=count,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def module_of(case: Case, *, training: bool = False) -> nn.Module:
    module = build(case.op.torch(*case.inputs)).double().train(training).requires_grad_(False)
    for parameter in module.parameters():
        parameter.uniform_(-1.5, 1.5)
    return module


def tensors(case: Case, low: float = -2.0) -> list[Tensor]:
    if case.op.reads_tokens():
        return [torch.randint(0, 50, (2, *shape.dims)) for shape in case.inputs]
    return [torch.rand(2, *shape.dims, dtype=torch.float64) * (2 - low) + low for shape in case.inputs]


def among(values: Tensor, others: list[Tensor]) -> bool:
    known = torch.cat([torch.zeros(1, dtype=values.dtype), *(each.flatten() for each in others)])
    return bool(torch.isin(values, known).all())


@ops_that(lambda op: op.VALUES not in {"any", "linear", "summed", "multiplied", "non-negative"})
@examples(12)
@given(data=st.data())
def test_values(name, data):
    case = data.draw(CASES[name])
    module, inputs = module_of(case), tensors(case)
    out = module(*inputs)
    values = case.op.VALUES
    if values == "moved":
        assert among(out, inputs)
        assert among(module(*(each.long() for each in inputs)), [each.long() for each in inputs])
    elif values == "averaged":
        assert out.min() >= min(0.0, *(each.min().item() for each in inputs)) - 1e-9
        assert out.max() <= max(0.0, *(each.max().item() for each in inputs)) + 1e-9
    elif values == "chosen":
        assert among(out, inputs)
    elif values in {"shares", "distribution"}:
        assert out.min() >= 0
        assert out.max() <= 1 + 1e-9
    elif values == "logarithms":
        assert out.max() <= 1e-9
    if values in {"distribution", "logarithms"} and case.op.ends_in_logits:
        shares = out if values == "distribution" else out.exp()
        torch.testing.assert_close(shares.sum(1), torch.ones_like(shares.sum(1)))


@ops_that(lambda op: op.VALUES in {"linear", "moved", "averaged", "summed"})
@examples(10)
@given(data=st.data())
def test_linear_is_what_adds_up(name, data):
    case = data.draw(CASES[name])
    assert case.op.is_linear()
    module = module_of(case)
    one, two = tensors(case), tensors(case)
    both = module(*(a + b for a, b in zip(one, two, strict=True)))
    none = module(*(torch.zeros_like(each) for each in one))
    torch.testing.assert_close(both + none, module(*one) + module(*two))


@ops_that(lambda op: op.VALUES not in {"linear", "moved", "averaged", "summed"} and not op.reads_tokens())
def test_what_is_not_linear_does_not_add_up(name):
    def adds_up(case: Case) -> bool:
        torch.manual_seed(0)
        module, one, two = module_of(case), tensors(case), tensors(case)
        both = module(*(a + b for a, b in zip(one, two, strict=True)))
        none = module(*(torch.zeros_like(each) for each in one))
        return torch.allclose(both + none, module(*one) + module(*two), equal_nan=True)

    assert find(
        CASES[name],
        lambda case: not case.op.is_linear() and not adds_up(case),
        settings=settings(examples(200), phases=[Phase.generate]),
    )


@ops_that(lambda op: op.VALUES not in {"any", "linear", "logarithms"} or "is_non_negative" in vars(op))
@examples(12)
@given(data=st.data(), negative=st.booleans())
def test_values_that_are_never_negative(name, data, negative):
    case = data.draw(CASES[name])
    if case.op.is_non_negative([not negative] * len(case.inputs)):
        out = module_of(case)(*tensors(case, low=-2.0 if negative else 0.0))
        assert not (out < 0).any()


@ops_that(lambda op: "without_effect" in vars(op) or op.CLAMPS is not None)
@examples(12)
@given(data=st.data(), training=st.booleans())
def test_layers_without_effect(name, data, training):
    case = data.draw(CASES[name])
    if case.op.without_effect(*case.inputs) is not None:
        (source,) = tensors(case)
        assert torch.equal(module_of(case, training=training)(source), source)
    if case.op.CLAMPS is not None:
        (source,) = tensors(case, low=-9.0)
        low, high = case.op.CLAMPS
        assert torch.equal(module_of(case)(3 * source), (3 * source).clamp(low, high))


@every_op
@examples(6)
@given(data=st.data())
def test_random_numbers_are_drawn_in_training_alone(name, data):
    case = data.draw(CASES[name])
    module, inputs = module_of(case, training=True), tensors(case, low=0.5)
    if case.op.STATISTICS == "batch" and case.output.area == 1:
        assume(False)
    before = torch.random.get_rng_state()
    module(*inputs)
    drew = not torch.equal(torch.random.get_rng_state(), before)
    assert drew == case.op.random
    before = torch.random.get_rng_state()
    module.eval()(*inputs)
    assert torch.equal(torch.random.get_rng_state(), before)


@ops_that(lambda op: "in_place" in vars(op))
@examples(8)
@given(data=st.data())
def test_what_works_in_place_keeps_its_output(name, data):
    case = data.draw(CASES[name])
    if case.op.in_place:
        (call,) = case.op.torch(*case.inputs)
        module = build_call(call.replace(kwargs=(*call.kwargs, ("inplace", True))))
        (source,) = tensors(case)
        plain = source.clone().requires_grad_()
        build_call(call)(plain).sum().backward()
        leaf = source.clone().requires_grad_()
        made = leaf * 1
        out = module(made)
        assert out.data_ptr() == made.data_ptr()
        out.sum().backward()
        torch.testing.assert_close(leaf.grad, plain.grad)


@every_op
@examples(12)
@given(data=st.data())
def test_extents_follow_as_stated(name, data):
    case = data.draw(CASES[name])
    grown = tuple(Shape(each.channels, tuple(2 * extent for extent in each.spatial)) for each in case.inputs)
    window = case.op.window(*case.inputs).kind
    if case.op.EXTENTS == "flattened":
        assert case.output.spatial == ()
        assert case.op.output(*grown).channels == grown[0].elements
        return
    if case.op.EXTENTS == "reshaped":
        assert case.output.elements == case.inputs[0].elements
        if grown != case.inputs:
            with pytest.raises(GeometryError):
                case.op.output(*grown)
        return
    if case.op.EXTENTS == "cropped":
        assert case.op.output(*grown) == case.output
        return
    if case.op.EXTENTS == "kept":
        assert case.op.output(*grown).spatial == grown[0].spatial
    elif window == "everything":
        assert case.op.output(*grown).spatial == case.output.spatial
    elif window == "pointwise" and len(case.inputs) == 1:
        assert case.op.output(*grown).spatial == grown[0].spatial


@ops_that(lambda op: op.STATISTICS in {"batch", "map", "position"})
@examples(10)
@given(data=st.data())
def test_norms_normalise_what_they_state(name, data):
    case = data.draw(CASES[name])
    assume(case.output.elements > 1)
    module = build(case.op.torch(*case.inputs)).double().train()
    if case.op.STATISTICS == "batch":
        axes = [0, *range(2, 2 + case.output.rank)]
    elif case.op.STATISTICS == "map":
        axes = list(range(2, 2 + case.output.rank))
    else:
        axes = [1]
    mean = module(*tensors(case)).mean(axes)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-7, rtol=0)


def test_a_loss_has_the_softmax_that_it_takes_the_place_of():
    logits, target = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 1, 2, 4])
    wanted = nn.functional.cross_entropy(logits, target)
    for name in ("softmax", "logsoftmax"):
        op_type = catalogue.word(name)
        op = op_type.from_arguments({param.name: param.default for param in op_type.PARAMS}, Shape(5))
        out = build(op.torch(Shape(5)))(logits)
        assert op.ends_in_logits
        found = nn.functional.nll_loss(out.log() if op.VALUES == "distribution" else out, target)
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("value", ["1", "-0.5"])
def test_padding_by_a_value_is_not_linear_and_as_negative_as_its_value(value):
    source = Shape(2, (3, 4))
    op_type = catalogue.word("pad")
    assert op_type is not None
    op = op_type.from_arguments({"amounts": (1, 2), "mode": "zeros", "value": Fraction(value)}, source)
    case = Case(op, (source,), op.output(source))
    module, inputs = module_of(case), tensors(case)
    out = module(*inputs)
    assert out.shape[1:] == case.output.dims
    assert torch.equal(out, torch.nn.functional.pad(inputs[0], (1, 2, 1, 2), value=float(Fraction(value))))
    assert not case.op.is_linear()
    assert case.op.is_non_negative([True]) == (float(value) > 0)
    assert not case.op.is_non_negative([False])
