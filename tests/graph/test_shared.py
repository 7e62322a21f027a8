"""Shared blocks: one set of weights for all their uses, by names, counts and errors."""

import pytest

import convsize
from convsize.errors import SpecError

HEADS = """\
input: 3@32x32
shared gn: GN4
shared tower: (C3D16 gn R)*2
shared cls: tower C3D18
def merge(a): (up(2) + @a C1D16)
C3D8/2 R C3D12/2 R as c3
C3D24/2 R C1D16 as p4
merge(@c3) as p3 cls
head cls4 @p4: cls
head box4 @p4: tower C3D8
"""


def weights(network: convsize.Network) -> list[str]:
    return [f"{node.module}.{each.name}" for node in network.layers for each in network.own_parameters(node)]


def test_weights_are_called_by_their_block_wherever_it_stands() -> None:
    network = convsize.parse(
        "input left: 3@8x8\ninput right: 3@8x8\nshared t: C3D4 BN R\n@left t as a\n@right t as b\n(@a + @b)"
    )
    assert [node.name for node in network.layers] == [
        "t1.conv1", "t1.bn1", "t1.relu1", "t2.conv1", "t2.bn1", "t2.relu1", "add1",
    ]  # fmt: skip
    assert [node.first for node in network.layers] == [None, None, None, 2, 3, 4, None]
    assert weights(network) == [
        "t.conv1.weight", "t.conv1.bias",
        "t.bn1.weight", "t.bn1.bias", "t.bn1.running_mean", "t.bn1.running_var", "t.bn1.num_batches_tracked",
    ]  # fmt: skip


def test_counted_once_and_worked_every_time() -> None:
    # 3·3·3·8 + 8, 3·3·8·12 + 12, 3·3·12·24 + 24, 24·16 + 16, 12·16 + 16: the trunk and the merge; then one norm of 32,
    # one tower of 2·(3·3·16·16 + 16), one head of 3·3·16·18 + 18, and the box head of 3·3·16·8 + 8.
    trunk = 224 + 876 + 2616 + 400 + 208
    report = convsize.parse(HEADS).analyze()
    assert report.totals.parameters == trunk + 32 + 2 * 2320 + 2610 + 1160
    by_name = {row.name: row for row in report.layers}
    first, again = by_name["cls1.tower1.conv1"], by_name["box4.tower1.conv1"]
    assert (first.parameters, first.module, first.shares) == (2320, "tower.conv1", None)
    assert (again.parameters, again.module, again.shares) == (0, "tower.conv1", "cls1.tower1.conv1")
    assert (first.macs, again.macs) == (9 * 256 * 64, 9 * 256 * 16)
    assert by_name["cls4.tower1.relu1"].shares is None


def test_every_part_has_the_weights_that_it_uses() -> None:
    """A head counts all that it is computed with, as if it stood alone."""
    trunk = 224 + 876 + 2616 + 400
    checks = f"expect cls4: params={trunk + 32 + 4640 + 2610}\nexpect box4: params={trunk + 32 + 4640 + 1160}"
    assert convsize.parse(f"{HEADS}{checks}\n").analyze().diagnostics == ()


def test_a_repeat_is_one_set_for_all_iterations() -> None:
    network = convsize.parse("input: 4@8x8\nshared step: C3 R\n(step BN)*5 FC2")
    assert network.analyze().totals.parameters == 148 + 5 * 8 + 4 * 64 * 2 + 2
    assert weights(network)[:2] == ["step.conv1.weight", "step.conv1.bias"]


def test_values_that_are_passed_may_differ() -> None:
    network = convsize.parse(
        "input: 4@8x8\nshared cell(a, n=4, g=R): [x | @a] C3D{n} g\nC1 as p\ncell(@p) as q\ncell(@p,g=R) cell(@q,4)"
    )
    assert len(weights(network)) == 4


def test_names_that_are_taken() -> None:
    """Neither a head, an attribute of modules, nor a layer goes by the name of the weights."""
    network = convsize.parse(
        "input: 4@8x8\nshared conv1: C3\nshared train: C3\nshared box: C3\n"
        "conv1 train box C3\nhead box: conv1 train box"
    )
    assert list(dict.fromkeys(name.rpartition(".")[0] for name in weights(network))) == [
        "conv1_.conv1", "train_.conv1", "box_.conv1", "conv1",
    ]  # fmt: skip


OWN = "or write `def f` for weights of each call's own"
ERRORS = [
    (
        "shared f: C3D8 R\nf f",
        "`f` is shared, so one depth enters it everywhere: 3@8x8 does on line 3, not 8@8x8",
        f"bring it to the same depth before, as in `C1D3`; {OWN}",
    ),
    (
        "shared f(n): C3D{n}\nC3D4 f(4) M f(n=4) FC4",
        None,
        None,
    ),
    (
        "shared f(n=c): C3D{n}\nC3D4 f f(5)",
        "`f` is shared, so `n` is one for all its calls: 4 on line 3, not 5",
        f"call it alike everywhere, {OWN}",
    ),
    (
        "shared f(g): C3 g\nf(R) f(leaky(0.1))",
        "`f` is shared, so `g` is one for all its calls: R on line 3, not leaky(0.1)",
        f"call it alike everywhere, {OWN}",
    ),
    (
        "shared f: FC8\n[f | M f]",
        "this layer of a `shared` block cannot be one and the same at 3@8x8 and at 3@4x4",
        "its weights or its padding follow from what enters it: let the same enter at every use, or write `def` for "
        "weights of each call's own",
    ),
    (
        "shared f: C3/2psame\nf as a\nM1/2 as b @a f as d (@d + @d)",
        None,
        None,
    ),
]


@pytest.mark.parametrize(("text", "message", "help_text"), ERRORS, ids=lambda each: str(each)[:30])
def test_uses_that_need_another_set_of_weights(text: str, message: str | None, help_text: str | None) -> None:
    if message is None:
        convsize.parse(f"input: 3@8x8\n{text}")
        return
    with pytest.raises(SpecError) as caught:
        convsize.parse(f"input: 3@8x8\n{text}")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message, found.help) == ("E118", message, help_text)
