"""What changed between two networks, by hand; and against the strict load of PyTorch."""

import random
import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

from convsize import api
from convsize.analyses.diff.alignment import aligned
from convsize.analyses.diff.difference import checkpoint_fit, difference
from convsize.records import Difference


def compared(before: str, after: str, volume: str = "3@32x32") -> Difference:
    one, two = (api.parse(f"input: {volume}\n{text}") for text in (before, after))
    return difference(one, two, one.analyze(), two.analyze())


def changes(found: Difference) -> list[tuple[str, str | None, str | None]]:
    return [
        (each.kind, each.before and each.before.name, each.after and each.after.name)  # type: ignore[misc]
        for each in found.layers
    ]


def figure(found: Difference, name: str) -> tuple[object, object]:
    one = next(each for each in found.figures if each.name == name)
    return one.before, one.after


def test_the_same_network_written_in_another_way_has_no_difference() -> None:
    found = compared("C3D8 R C3D8 R", "(C3D8p1 R)*2")
    assert found.same
    assert found.layers == ()
    assert found.checkpoint.loads
    assert found.checkpoint.matching == 4
    assert all(each.before == each.after for each in found.figures)


def test_a_layer_put_in_front_renames_those_behind_it_and_is_the_only_one_added() -> None:
    # 3 -> 3 in front: 3·3·3·3 + 3 = 84 parameters, 84·… MACs 81·32·32 = 82944.
    found = compared("C5D8 R C5D16", "C3 C5D8 R C5D16")
    assert changes(found) == [("added", None, "conv1"), ("renamed", "conv1", "conv2"), ("renamed", "conv2", "conv3")]
    assert figure(found, "parameters")[1][0] - figure(found, "parameters")[0][0] == 84  # type: ignore[index]
    assert figure(found, "macs")[1][0] - figure(found, "macs")[0][0] == 82_944  # type: ignore[index]
    # 5 and 5 see 9, with 3 before them 11; one more volume of 3·32·32 floats.
    assert figure(found, "receptive_field") == ((9, 9), (11, 11))
    assert figure(found, "activation_bytes")[1][0] - figure(found, "activation_bytes")[0][0] == 12_288  # type: ignore[index]


def test_a_layer_taken_out() -> None:
    found = compared("C3D8 BN R M", "C3D8 R M")
    assert changes(found) == [("removed", "bn1", None)]
    assert [(one.key, one.before) for one in found.checkpoint.unexpected] == [
        ("bn1.weight", (8,)),
        ("bn1.bias", (8,)),
        ("bn1.running_mean", (8,)),
        ("bn1.running_var", (8,)),
        ("bn1.num_batches_tracked", ()),
    ]
    assert not found.checkpoint.missing


def test_a_wider_layer_resizes_those_that_read_it() -> None:
    found = compared("C3D8 R C3D4 GAP", "C3D16 R C3D4 GAP")
    assert changes(found) == [
        ("changed", "conv1", "conv1"),
        ("resized", "relu1", "relu1"),
        ("resized", "conv2", "conv2"),
    ]
    assert [(one.key, one.before, one.after) for one in found.checkpoint.mismatched] == [
        ("conv1.weight", (8, 3, 3, 3), (16, 3, 3, 3)),
        ("conv1.bias", (8,), (16,)),
        ("conv2.weight", (4, 8, 3, 3), (4, 16, 3, 3)),
    ]
    assert found.checkpoint.matching == 1


def test_a_stride_changes_one_layer_and_resizes_the_rest() -> None:
    found = compared("C3D8 R C3D8 R", "C3D8/2 R C3D8 R")
    assert [kind for kind, *_ in changes(found)] == ["changed", "resized", "resized", "resized"]
    assert found.checkpoint.loads
    assert not found.same
    assert found.outputs == (("main", (8, 32, 32), (8, 16, 16)),)


def test_other_wiring_of_the_same_layers() -> None:
    # The shortcut leaves from behind the first convolution, then from before it.
    found = compared("C3 as a C3 as b (C3 + @a)", "C3 as a C3 as b (C3 + @b)")
    assert changes(found) == [("rewired", "add1", "add1")]
    assert not found.same
    assert found.checkpoint.loads


def test_another_input_and_a_head() -> None:
    one = api.parse("input: 3@32x32\nC3D8 as low GAP FC10")
    two = api.parse("input: 3@64x64\nC3D8 as low GAP FC10\nhead box @low: GAP FC4")
    found = difference(one, two, one.analyze(), two.analyze())
    assert found.inputs == (("input", (3, 32, 32), (3, 64, 64)),)
    assert found.outputs == (("main", (10,), (10,)), ("box", None, (4,)))
    assert [each for each in changes(found) if each[0] == "added"] == [
        ("added", None, "box.gap1"),
        ("added", None, "box.fc1"),
    ]
    assert [one.key for one in found.checkpoint.missing] == ["box.fc1.weight", "box.fc1.bias"]


def test_replaced_layers_are_changed_where_they_are_of_one_kind() -> None:
    found = compared("C3D8 R M C3D8 tanh", "C5D8 R A C3D8 sigmoid")
    assert changes(found) == [
        ("changed", "conv1", "conv1"),
        ("removed", "maxpool1", None),
        ("added", None, "avgpool1"),
        ("removed", "tanh1", None),
        ("added", None, "sigmoid1"),
    ]


def test_more_turns_of_a_repeat_are_added_and_nothing_is_changed() -> None:
    found = compared("C3D8 (C3 R)*3 M C3D9 M", "C3D8 (C3 R)*5 M C3D9 M")
    assert {kind: [c[0] for c in changes(found)].count(kind) for kind in ("added", "renamed")} == {
        "added": 4,
        "renamed": 1,
    }


def test_layers_add_up_between_any_two_specs() -> None:
    networks = [api.load(path) for path in sorted((Path(__file__).parents[3] / "specs").glob("*.spec"))]
    reports = [network.analyze() for network in networks]
    for at, (one, report) in enumerate(zip(networks, reports, strict=True)):
        same = difference(one, one, report, report)
        assert same.same
        assert same.layers == ()
        assert same.checkpoint.loads
        two, other = networks[at - 1], reports[at - 1]
        found = difference(one, two, report, other)
        kinds = [each.kind for each in found.layers]
        assert other.totals.layers - report.totals.layers == kinds.count("added") - kinds.count("removed")
        names = [each.after.name for each in found.layers if each.after is not None]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("seed", range(60))
def test_alignment_is_a_longest_common_subsequence(seed: int) -> None:
    choice = random.Random(seed)
    one = [choice.choice("abcd") for _ in range(choice.randint(0, 25))]
    two = [choice.choice("abcd") for _ in range(choice.randint(0, 25))]
    pairs = aligned(one, two)
    assert pairs is not None
    assert all(one[left] == two[right] for left, right in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    table = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i, left in enumerate(one):
        for j, right in enumerate(two):
            table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
    assert len(pairs) == table[-1][-1]


def test_alignment_gives_up_where_nothing_is_alike() -> None:
    assert aligned(range(5000), range(5000, 10_000)) is None


@pytest.mark.timed
@pytest.mark.parametrize(
    "after",
    [
        "C3D6 (C3 R BN)*1000 C5 (C3 R BN)*2300 FC10",
        *(
            pytest.param(after, marks=pytest.mark.slow)
            for after in ("(C5 R BN)*3300", "(tanh A3/1p1 scale)*3300", "C3D4 (C3 R BN)*3300")
        ),
    ],
)
def test_ten_thousand_layers_are_compared_in_a_few_seconds(after: str) -> None:
    one, two = (api.parse(f"input: 3@64x64\n{text}") for text in ("(C3 R BN)*3300", after))
    reports = one.analyze(), two.analyze()
    start = time.perf_counter()
    difference(one, two, *reports)
    assert time.perf_counter() - start < 6


def test_a_checkpoint_loads_where_pytorch_says_so() -> None:
    torch = pytest.importorskip("torch")

    def module(network: api.Network) -> object:
        root = torch.nn.Module()
        for node in network.layers:
            for parameter in network.parameters(node):
                at = root
                for part in node.name.split("."):
                    if part not in dict(at.named_children()):
                        at.add_module(part, torch.nn.Module())
                    at = getattr(at, part)
                value = torch.zeros(parameter.shape)
                if parameter.role == "buffer":
                    at.register_buffer(parameter.name, value)
                else:
                    at.register_parameter(parameter.name, torch.nn.Parameter(value))
        return root

    texts = [
        "def b(d): (C3D{d} BN R + x)\nC3D8 BN R b(8)*2 M b(8) FC10",
        "def b(d): (C3D{d} BN R + x)\nC3D8 BN R b(8)*3 M C1D16 b(16) FC10",
        "def b(d): (C3D{d}b0 BN R + x)\nC3D8 BN R b(8)*2 M b(8) FC10",
        "C3D8 R M FC10",
    ]
    networks = [api.parse(f"input: 3@16x16\n{text}") for text in texts]
    for one in networks:
        for two in networks:
            fit = checkpoint_fit(one, two)
            old, new = module(one), module(two)
            state = old.state_dict()  # type: ignore[attr-defined]
            try:
                new.load_state_dict(state, strict=True)  # type: ignore[attr-defined]
                said = ""
            except RuntimeError as error:
                said = str(error)
            assert fit.loads == (said == "")
            for word, keys in (("Missing", fit.missing), ("Unexpected", fit.unexpected)):
                listed = re.search(rf"{word} key\(s\) in state_dict: (.*?)\. ", said)
                theirs = re.findall(r'"(.*?)"', listed[1]) if listed else []
                assert sorted(each.key for each in keys) == sorted(theirs)
            assert said.count("size mismatch for") == len(fit.mismatched)
            for each in fit.mismatched:
                assert f"size mismatch for {each.key}:" in said
