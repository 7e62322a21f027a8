import pytest

from convsize.cli.commands.ops import find
from convsize.errors import UsageError
from convsize.ops import catalogue
from convsize.ops.examples import example


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("C", "convolution"),
        ("C3D64/2", "convolution"),
        ("convolution", "convolution"),
        ("conv", "convolution"),
        ("DW", "depthwise convolution"),
        ("maxpool", "max pooling"),
        ("max pooling", "max pooling"),
        ("MaxPool", "max pooling"),
        ("P", "max pooling"),
        ("hswish", "hard swish"),
        ("drop(0.5)", "dropout"),
        ("bn", "batch norm"),
        ("relu", "ReLU"),
        ("+", "sum"),
        ("*", "gate"),
    ],
)
def test_an_op_is_found_by_any_of_its_names(asked: str, name: str) -> None:
    assert find(asked) is find(name)


def test_an_unknown_op_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"there is no layer `hswich`: did you mean `hswish`\?"):
        find("hswich")


@pytest.mark.parametrize("op", catalogue.all_ops(), ids=lambda op: op.__name__)
def test_every_op_is_found_by_its_spelling_and_has_an_example(op) -> None:
    assert find(op.SPELLING.partition(":")[0]) in {op, find(op.NAME)}
    assert find(op.NAME) is op
    layer, inputs = example(op)
    assert isinstance(layer, op)
    assert layer.output(*inputs).elements > 0


def test_the_list_names_every_op(convsize) -> None:
    ran = convsize("ops", width=120)
    assert (ran.err, ran.code) == ("", 0)
    for op in catalogue.all_ops():
        assert f"{op.SPELLING} " in ran.out
        assert f" {op.NAME} " in ran.out
    assert max(map(len, ran.out.splitlines())) <= 120


def test_a_page_has_the_sections(convsize) -> None:
    ran = convsize("ops", "C")
    assert ran.out.startswith("C3D64/2p1d1g1b1floorws  convolution\n\nConvolution: every output sees")
    for section in ("Spec", "Shape", "Window", "Parameters", "MACs", "Saved for backward", "Source"):
        assert f"\n{section}\n" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_the_matrix_of_facts_has_every_op(convsize) -> None:
    ran = convsize("ops", "--facts", width=170)
    assert ran.code == 0
    assert len([line for line in ran.out.splitlines() if "->" in line]) >= len(catalogue.all_ops()) - 1
    # 3 by 3 over 8 maps for 8 maps at 16·16 places: 3·3·8·8·256 multiply-adds.
    assert "147,456" in convsize("ops", "C", "--facts", width=170).out


def test_an_unknown_op_is_wrong_usage(convsize) -> None:
    ran = convsize("ops", "hswich")
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err == "error: there is no layer `hswich`: did you mean `hswish`?\n"
