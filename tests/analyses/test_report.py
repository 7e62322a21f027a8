"""The report as a whole: rows, totals and what stands out, against figures that are published or worked by hand."""

import time
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convsize.analyses.facts import gather
from convsize.analyses.parameters import count_parameters
from convsize.analyses.report import analyze
from convsize.api import parse
from convsize.errors import SpecError, UsageError
from convsize.words import percent

VGG_D = "(C3D64 R)*2 M (C3D128 R)*2 M (C3D256 R)*3 M ((C3D512 R)*3 M)*2 (FC4096 R drop(0.5))*2 FC1000 S"


def report(text, **options):
    return analyze(parse(text), **options)


def insight(found, kind):
    return [each.text for each in found.insights if each.kind == kind]


def test_vgg_d():
    found = report(f"input: 3@224x224\n{VGG_D}")
    totals = found.totals
    # N7: 16 layers. Parameters and multiply-adds as published; 13·(bias of each map) + 4096 + 4096 + 1000 biases.
    assert (totals.parameters, totals.macs, totals.weight_layers) == (138_357_544, 15_470_264_320, 16)
    assert totals.biases == 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512 + 2 * 4096 + 1000
    assert totals.receptive_field.size == (212, 212)
    # Every convolution's output: 2·64·224² + 2·128·112² + 3·256·56² + 3·512·28² + 3·512·14² = 13,547,520 values, each
    # with its ReLU twice; pools 64·112² + 128·56² + 256·28² + 512·14² + 512·7² = 1,530,368 - 0; the classifier
    # 2·3·4096 + 2·1000.
    pools = 64 * 112**2 + 128 * 56**2 + 256 * 28**2 + 512 * 14**2 + 512 * 7**2
    assert totals.activation_elements == 2 * 13_547_520 + pools + 3 * 2 * 4096 + 2 * 1000
    assert totals.activation_bytes == 4 * totals.activation_elements
    assert totals.parameter_bytes == 4 * 138_357_544
    assert insight(found, "parameters") == ["89 % of the parameters are in the fully connected layers fc1, fc2 and fc3"]
    assert insight(found, "activation_memory") == [
        "most activation memory (59 %) is in the first 3 of 16 weight layers, conv1 to conv3 and the layers "
        "right after it"
    ]
    assert insight(found, "receptive_field") == [
        "the receptive field of maxpool5, 212x212, is smaller than the 224x224 of `input`: the best-placed "
        "unit sees 90 % of it"
    ]


def test_what_does_most_of_the_work_needs_another_to_be_compared_with():
    # 3·64·9 multiply-adds at a position against 64·1.
    assert insight(report("input: 3@8x8\nC3D64 C1D1"), "macs") == ["conv1 does the most multiply-adds, 96 % of them"]
    assert insight(report("input: 3@8x8\nC3D64"), "macs") == []


@pytest.mark.parametrize("itemsize", [2, 4, 8])
def test_a_counter_of_batches_has_eight_bytes_in_every_type(itemsize):
    # The means and the variances of three maps, and one counter.
    count = count_parameters(gather(parse("input: 3@8x8\nBN")))[-1]
    assert (count.parameters, count.buffers) == (6, 7)
    assert count.buffer_bytes(itemsize) == 6 * itemsize + 8


def test_depth_counts_the_longest_path():
    # Two convolutions against one and a projection: 1 + 2 + 1.
    found = report("input: 4@8x8\nC3 (C3 R C3 + C1) GAP FC2\nhead other: FC3 FC3 FC3")
    assert found.totals.weight_layers == 4
    # conv, conv, ReLU, conv, conv, sum, GAP, FC, and the head's three, which count nothing there.
    assert found.totals.layers == 11


def test_hidden_units_and_connections_which_are_macs():
    # E11: 7x7 and a 3x3 kernel: 25 hidden units, 10 parameters, 5·5·3·3 connections.
    (row,) = report("input: 1@7x7\nC3D1p0").layers
    assert (row.output_elements, row.parameters, row.macs) == (25, 10, 225)
    # E10: 200x200 to 1000 units.
    (row,) = report("input: 1@200x200\nFC1000b0").layers
    assert (row.macs, row.parameters) == (40_000_000, 40_000_000)


def test_flops_are_twice_the_macs_and_the_itemised_work():
    # 6·28² outputs of 75 MACs and a bias, then one comparison each.
    found = report("input: 3@32x32\nC5D6p0 R")
    outputs = 6 * 28 * 28
    assert found.totals.macs == 75 * outputs
    assert found.totals.work == (("bias", outputs), ("activation", outputs))
    assert found.totals.flops == 2 * 75 * outputs + 2 * outputs


def test_repeated_convolutions_shrink():
    # E12: 32 -> 28 -> 24.
    assert [row.output for row in report("input: 1@32x32\nC5p0 C5p0").layers] == [(1, 28, 28), (1, 24, 24)]


def test_the_two_group_alexnet_has_the_papers_neurons():
    # N5: 253,440 is 55·55·96 minus what the paper miscounts; ours is 290,400. The others: 27²·256 = 186,624, 13²·384 =
    # 64,896 twice, 13²·256 = 43,264, 4096, 4096, 1000.
    text = """input: 3@227x227
C11D96/4p0 R M3/2 C5D256g2 R M3/2 C3D384 R C3D384g2 R C3D256g2 R M3/2 (FC4096 R)*2 FC1000"""
    found = report(text)
    weighted = [row.output_elements for row in found.layers if row.macs]
    assert weighted == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert found.totals.parameters == 60_965_224


def test_batch_and_dtype():
    one = report("input: 3@8x8\nC3D4 BN R")
    many = report("input: 3@8x8\nC3D4 BN R", batch=5, dtype="float16")
    assert many.totals.activation_elements == 5 * one.totals.activation_elements
    assert many.totals.activation_bytes * 2 == 5 * one.totals.activation_bytes
    assert many.totals.parameter_bytes * 2 == one.totals.parameter_bytes
    assert (many.totals.macs, many.totals.parameters) == (one.totals.macs, one.totals.parameters)
    assert [row.output_bytes for row in many.layers] == [5 * 2 * 4 * 64] * 3


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_has_a_sample(batch):
    with pytest.raises(UsageError, match=f"a batch has at least 1 sample, not {batch}"):
        report("input: 1@8x8\nC3", batch=batch)


def test_an_unknown_dtype():
    with pytest.raises(
        UsageError, match="there is no dtype `int8` here; there are: float64, float32, float16, bfloat16"
    ):
        report("input: 1@8x8\nC3", dtype="int8")


def test_rows_say_where_layers_stand():
    found = report("input: 3@8x8\ndef b: C3D4 R\nb*2 (C1 + x)")
    first, second = found.layers[0], found.layers[2]
    assert (first.name, first.op, first.spec, first.inputs) == ("b1.conv1", "convolution", "C3D4", ("input",))
    assert (first.line, first.column) == (2, 8)
    assert first.input_shapes == ((3, 8, 8),)
    assert (second.repeat_of, second.blocks) == ("b1.conv1", ("b2",))
    assert found.layers[-1].inputs == ("conv1", "b2.relu1")
    assert found.inputs == (("input", (3, 8, 8)),)
    assert found.outputs == (("main", (4, 8, 8)),)


def test_several_inputs():
    found = report("input a: 1@8x8\ninput b: 1@8x8\n@b C3 as q\n[@a C5 | @q]")
    last = found.layers[-1]
    assert [name for name, _ in last.receptive_fields] == ["a", "b"]
    assert last.receptive_field == last.receptive_fields[0][1]
    assert last.receptive_field.size == (5, 5)
    only_b = found.layers[0]
    assert [name for name, _ in only_b.receptive_fields] == ["b"]
    assert only_b.receptive_field.size == (3, 3)
    assert found.totals.receptive_field.size == (5, 5)


def test_what_stands_out():
    # conv1 reads 0 … 8 of 10; of its 4 rows conv2 reads 0 … 2 (from row 0), conv3 rows 0 and 2, of which one is kept.
    found = report("input: 1@10x10\nC3/2p0 [C3/2p0 | C1/2p0 crop(1)] GAP")
    assert insight(found, "unread") == ["no output ever reads 3 of the 10 rows and 3 of the 10 columns of `input`"]
    assert insight(found, "centres") == [
        "the branches that cat1 joins see different places: the centres of their receptive fields differ"
    ]
    assert insight(found, "skipped") == ["the windows of 3 layers leave out pixels of their inputs, conv3 2 of 4 rows"]


def test_where_all_layers_are_alike_nothing_is_said_of_the_work():
    assert insight(report("input: 8@8x8\nC3*4"), "macs") == []


def test_a_field_that_is_not_followed_is_said():
    (text,) = insight(report("input: 1@2x2\n(M2/2p1)*100"), "receptive_field")
    assert text == "the receptive field is not followed beyond maxpool63: neighbouring units lie over 2^62 pixels apart"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.714, "71 %"), (1, "100 %"), (0.9999, "over 99 %"), (0.0001, "under 0.1 %"), (0.004, "0.4 %"), (0, "0 %")],
)
def test_percentages(share, text):
    assert percent(share) == text


TOKENS = [
    "C3D8",
    "C1D4/2",
    "R",
    "BN",
    "M",
    "GN2",
    "up(2)",
    "T2D4/2",
    "A3/1p1",
    "DW3",
    "drop(0.5)",
    "(C3 + x)",
    "[C1 | C3]",
    "(x * GAP)",
]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8), st.integers(1, 4), st.booleans())
def test_totals_are_the_sums_of_the_rows(tokens, batch, flat):
    try:
        found = report(f"input: 4@16x12\n{' '.join(tokens)}{' GAP FC5' if flat else ''}", batch=batch)
    except SpecError:
        assume(False)
    totals, rows = found.totals, found.layers
    for name in ("parameters", "weights", "biases", "buffers", "macs", "flops", "parameter_bytes"):
        assert getattr(totals, name) == sum(getattr(row, name) for row in rows)
    assert totals.activation_elements == sum(row.output_elements for row in rows)
    assert totals.activation_bytes == sum(row.output_bytes for row in rows)
    assert totals.flops == 2 * totals.macs + sum(flops for _, flops in totals.work)
    assert totals.parameters == totals.weights + totals.biases
    assert totals.layers == len(rows)
    for row in rows:
        assert row.flops == 2 * row.macs + sum(flops for _, flops in row.work)
        assert row.output_elements == batch * prod(row.output)
        elements = {
            role: sum(t.elements for t in row.tensors if t.role == role) for role in ("weight", "bias", "buffer")
        }
        assert elements == {"weight": row.weights, "bias": row.biases, "buffer": row.buffers}
    assert all(0 <= each.share <= 1 for each in found.insights)


def seconds(text):
    network = parse(text)
    began = time.perf_counter()
    analyze(network)
    return time.perf_counter() - began


@pytest.mark.timed
def test_time_grows_with_the_layers_and_no_faster():
    # Generous, for a machine under load: a quadratic pass over 10,000 layers takes minutes.
    assert seconds("input: 3@224x224\n(C3D64 R)*5000") < 8
    assert seconds("input: 3@64x64\ndef dl: [x | BN R C1D128 BN R C3D32]\ndl*1000") < 8
    assert seconds("input: 3@64x64\n(up(2) C3/2)*2500") < 8
