from handmade_reports import field, layer

from convsize.records import Iteration, LayerRow
from convsize.views.text.fold import fold, unfolded


def iteration(repeat: int, number: int, *, block: bool = False) -> tuple[Iteration, ...]:
    return (Iteration(repeat, number, block),)


def conv(index: int, iterations: tuple[Iteration, ...] = (), *, weights: int = 9, sees: int = 3) -> LayerRow:
    return layer(index, f"conv{index}", "C3D64", (64, 8, 8), weights=weights, sees=field(sees), iterations=iterations)


def relu(index: int, iterations: tuple[Iteration, ...] = ()) -> LayerRow:
    return layer(index, f"relu{index}", "R", (64, 8, 8), op="ReLU", iterations=iterations)


def shown(rows: list[LayerRow]) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(line.name, line.times, line.bracket) for line in fold(rows)]


def test_layers_outside_repeats_stay() -> None:
    assert shown([conv(1), relu(2)]) == [("conv1", 1, ()), ("relu2", 1, ())]


def test_turns_alike_become_one_with_a_bracket() -> None:
    rows = [
        conv(1, iteration(1, 0)),
        relu(2, iteration(1, 0)),
        conv(3, iteration(1, 1), sees=5),
        relu(4, iteration(1, 1)),
        conv(5),
    ]
    assert shown(rows) == [("conv1", 2, ("first",)), ("relu2", 2, ("last",)), ("conv5", 1, ())]
    line = fold(rows)[0]
    assert (line.first.name, line.last.name) == ("conv1", "conv3")  # the last iteration sees more
    assert line.total(lambda row: row.weights) == 9  # one iteration's


def test_a_turn_of_one_layer_has_no_bracket() -> None:
    assert shown([conv(1, iteration(1, 0)), conv(2, iteration(1, 1)), conv(3, iteration(1, 2))]) == [("conv1", 3, ())]


def test_a_first_turn_that_differs_stands_alone() -> None:
    rows = [conv(1, iteration(1, 0), weights=5), conv(2, iteration(1, 1)), conv(3, iteration(1, 2))]
    assert shown(rows) == [("conv1", 1, ()), ("conv2", 2, ())]


def test_repeats_that_stand_side_by_side_do_not_mix() -> None:
    rows = [conv(1, iteration(1, 0)), conv(2, iteration(1, 1)), conv(3, iteration(2, 0)), conv(4, iteration(2, 1))]
    assert shown(rows) == [("conv1", 2, ()), ("conv3", 2, ())]


def test_nested_repeats_multiply() -> None:
    # ((C)*2 R)*3: the inner repeat has a number of its own in every iteration of the outer one.
    rows = []
    for outer in range(3):
        around = Iteration(1, outer, False)
        rows += [conv(len(rows) + at + 1, (around, Iteration(2 + outer, at, False))) for at in range(2)]
        rows.append(relu(len(rows) + 1, (around,)))
    assert shown(rows) == [("conv1", 6, ("first",)), ("relu3", 3, ("last",))]
    assert fold(rows)[0].last.name == "conv8"


def test_a_block_whose_turns_all_differ_is_one_summed_line() -> None:
    rows = []
    for number in range(3):
        iterations, blocks = iteration(1, number, block=True), (f"dl{number + 1}",)
        rows.append(conv(2 * number + 1, iterations, weights=10 + number).replace(blocks=blocks))
        rows.append(relu(2 * number + 2, iterations).replace(blocks=blocks))
    (line,) = fold(rows)
    assert (line.name, line.spec, line.times) == ("dl1…dl3", "dl*3", 1)
    assert line.total(lambda row: row.weights) == 10 + 11 + 12
    assert line.last is rows[-1]


def test_a_block_with_two_kinds_of_turns_is_listed() -> None:
    rows = [
        conv(at + 1, iteration(1, at, block=True), weights=5 if at == 0 else 9).replace(blocks=(f"b{at + 1}",))
        for at in range(3)
    ]
    assert shown(rows) == [("conv1", 1, ()), ("conv2", 2, ())]


def test_a_group_whose_turns_all_differ_is_listed() -> None:
    assert len(fold([conv(at, iteration(1, at), weights=at) for at in range(4)])) == 4


def test_every_layer_is_shown_or_summed_once() -> None:
    rows = [conv(at, iteration(1, at // 2), weights=9) for at in range(6)]
    assert sum(line.times * len(line.rows) for line in fold(rows)) == len(rows)
    assert len(unfolded(rows)) == len(rows)


def test_turns_that_are_wired_otherwise_inside_stay_apart() -> None:
    # The second relu of a iteration reads the convolution or the first relu.
    wired = [("conv1", "conv1"), ("conv4", "relu5"), ("conv7", "relu8")]
    rows = []
    for number, (first, second) in enumerate(wired):
        at = 3 * number + 1
        rows.append(conv(at, iteration(1, number)))
        rows += [relu(at + 1, iteration(1, number)).replace(inputs=(first,))]
        rows += [relu(at + 2, iteration(1, number)).replace(inputs=(second,))]
    assert [(name, times) for name, times, _ in shown(rows)] == [
        ("conv1", 1), ("relu2", 1), ("relu3", 1), ("conv4", 2), ("relu5", 2), ("relu6", 2)
    ]  # fmt: skip
