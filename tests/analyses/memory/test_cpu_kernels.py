"""What convolutions hold for a moment on a CPU, worked by hand: the tensors in bytes, in blocks of 8 channels."""

import pytest

import convsize
from convsize.analyses.memory import cpu_kernels
from convsize.analyses.memory.cpu_kernels import allocator_peak
from convsize.analyses.memory.peak import training_memory
from convsize.records import TrainingSetting

FLOAT = 4
BATCH = 2


def held(text, name):
    network = convsize.parse(f"input: {text}")
    node = next(node for node in network.layers if node.name == name)
    found = cpu_kernels._held(network, node, BATCH)
    return None if found is None else (found.forward / FLOAT, found.backward / FLOAT)


def test_a_convolution_holds_copies_of_all_its_tensors():
    # Input and output are 2·16·64 values, the weights 16·16·9, the biases 16; all depths are whole blocks.
    volume, weight, bias = BATCH * 16 * 64, 16 * 16 * 9, 16
    # Backward makes the gradient of the input, then that of the weights in copies of input, output and weights.
    assert held("3@8x8\nC3D16 C3D16", "conv2") == (2 * volume + weight, volume + 2 * volume + weight + bias)


def test_a_first_convolution_has_no_gradient_of_its_input_and_no_copy_of_a_few_maps():
    output, weight, bias = BATCH * 16 * 64, 16 * 3 * 9, 16
    assert held("3@8x8\nC3D16", "conv1") == (output + weight, output + weight + bias)
    # With 12 maps, no whole blocks, the three maps are copied to 8 and the 12 to 16.
    taken, output, weight = BATCH * 8 * 64, BATCH * 16 * 64, 16 * 8 * 9
    assert held("3@8x8\nC3D12", "conv1") == (taken + output + weight, taken + output + weight + 12)


def test_depths_are_rounded_up_to_blocks():
    # 10 maps are copied to 16, 20 to 24.
    taken, output, weight = BATCH * 16 * 64, BATCH * 24 * 64, 24 * 16 * 9
    forward = taken + output + weight
    assert held("3@8x8\nC3D10 C3D20", "conv2") == (forward, BATCH * 10 * 64 + forward + 20)


def test_a_block_of_maps_is_copied_where_fewer_are_not():
    given, output, weight = BATCH * 8 * 64, BATCH * 16 * 64, 16 * 8 * 9
    forward = given + output + weight
    assert held("3@8x8\nC3D8 C3D16", "conv2") == (forward, given + forward + 16)


def test_the_gradient_of_the_input_may_be_the_larger_one():
    # Of one position, but dilated, so that the weights have theirs from a matrix product of 8 columns.
    given, output, weight = BATCH * 8 * 64, BATCH * 64 * 64, 64 * 8
    forward = given + output + weight
    assert given + 5 * weight + 64 + 8 * 64 < forward
    assert held("3@8x8\nC3D8 C1D64d2", "conv2") == (forward, forward)
    # 10 maps are copied to 16, and their gradient is made in such a copy.
    forward = BATCH * 16 * 64 + output + 64 * 16
    assert held("3@8x8\nC3D10 C1D64d2", "conv2") == (forward, forward)
    # Of many maps it is there twice: in blocks and as it is.
    given, output, weight = BATCH * 64 * 64, BATCH * 8 * 64, 8 * 64
    assert held("3@8x8\nC3D64 C1D8d2", "conv2") == (given + output + weight, 2 * given)


def test_large_weights_outweigh_the_copies_of_small_volumes():
    # The gradient of the weights is there twice, in blocks and as it is, when the volumes' copies are gone.
    volume, weight, bias = BATCH * 32 * 9, 32 * 32 * 9, 32
    assert held("3@3x3\nC3D32 C3D32", "conv2") == (2 * volume + weight, volume + weight + bias + weight + bias)


def test_a_filter_of_one_position_is_a_matrix_product_of_the_tensors_as_they_are():
    given, output, weight = BATCH * 16 * 64, BATCH * 24 * 64, 24 * 16
    assert held("3@8x8\nC3D16 C1D24", "conv2") == (output, given + weight + 24)


def test_a_volume_is_unfolded_in_a_loop_where_there_is_one_small_sample():
    network = convsize.parse("input: 3@6x6\nC3D8 C3D8")
    found = cpu_kernels._held(network, network.nodes[2], 1)
    volume, weight, columns = 8 * 36, 8 * 8 * 9, 8 * 9 * 36
    assert (found.forward, found.backward) == (FLOAT * (columns + volume), FLOAT * (volume + columns + weight + 8))


def test_a_dilated_filter_has_its_gradient_from_a_matrix_product():
    # 16·9 columns of a sample's 64 positions; the sum is made in four copies of the gradient.
    volume, weight, bias = BATCH * 16 * 64, 16 * 16 * 9, 16
    columns = 16 * 9 * 64
    backward = volume + 5 * weight + bias + columns
    assert held("3@8x8\nC3D16 C3D16d2", "conv2") == (2 * volume + weight, backward)


def test_so_has_one_that_is_taller_than_its_input():
    volume, weight = BATCH * 16 * 2 * 8, 16 * 16 * 9
    columns = 16 * 9 * 2 * 8
    assert held("3@2x8\nC3D16 C3D16", "conv2") == (2 * volume + weight, volume + 5 * weight + 16 + columns)
    # One that is wider than its input is none.
    assert held("3@8x2\nC3D16 C3D16", "conv2") == (2 * volume + weight, volume + 2 * (weight + 16))


def test_so_has_one_of_three_axes_but_for_one_that_is_flat():
    # The columns are those of one plane of 16 positions, with all 27 places of the filter.
    volume, weight = BATCH * 16 * 64, 16 * 16 * 27
    backward = volume + 5 * weight + 16 + 16 * 27 * 16
    assert held("3@4x4x4\nC3D16 C3D16", "conv2") == (2 * volume + weight, backward)
    weight = 16 * 16 * 9
    assert held("3@4x4x4\nC3D16 C1x3x3D16", "conv2") == (2 * volume + weight, volume + weight + 16 + 2 * volume)
    weight = 16 * 16 * 18
    backward = volume + 5 * weight + 16 + 16 * 18 * 16
    assert held("3@4x4x4\nC3D16 C2x3x3D16p0:1x1x1", "conv2") == (2 * volume + weight, backward)
    # On two axes the first one is an axis of the plane.
    assert held("3@8x8\nC3D16 C3x1D16", "conv2")[1] == 3 * BATCH * 16 * 64 + 16 * 16 * 3 + 16


def test_groups_that_are_no_whole_blocks_are_unfolded():
    # Two groups of 6 maps each: 6·9 columns of a sample's 64 positions, and nothing is copied into blocks.
    volume, weight = BATCH * 12 * 64, 12 * 6 * 9
    columns = 6 * 9 * 64
    gradients = volume + max(columns, volume), volume + 5 * weight + 12 + columns
    assert held("3@8x8\nC3D12 C3D12g2", "conv2") == (columns + 2 * volume, max(gradients))


def test_few_columns_of_groups_are_outweighed_by_the_gradient_of_the_input():
    given, output, weight, columns = BATCH * 12 * 64, BATCH * 12 * 16, 12 * 6, 6 * 16
    assert given + 5 * weight + 12 + columns < 2 * given
    assert held("3@8x8\nC3D12 C1D12g2/2", "conv2") == (columns + 2 * output, 2 * given)


def test_groups_of_whole_blocks_are_as_any_convolution():
    volume, weight = BATCH * 32 * 64, 32 * 16 * 9
    assert held("3@8x8\nC3D32 C3D32g2", "conv2") == (2 * volume + weight, 3 * volume + weight + 32)


def test_a_depthwise_convolution_copies_its_volumes():
    volume, weight = BATCH * 16 * 64, 16 * 9
    assert held("3@8x8\nC3D16 DW3", "dwconv1") == (2 * volume + weight, 3 * volume + weight + 16)


@pytest.mark.parametrize("maps", [2, 12])
def test_weights_of_a_depthwise_convolution_are_not_rounded_up(maps):
    copied, weight = BATCH * -(-maps // 8) * 8 * 64, maps * 9
    backward = BATCH * maps * 64 + weight + maps + 2 * copied
    assert held(f"3@8x8\nC3D{maps} DW3", "dwconv1") == (2 * copied + weight, backward)


def test_a_strided_convolution_cuts_its_gradient_out_of_copies():
    # The input has 4 times the output's positions: its gradient is made in three copies of it.
    given, output, weight = BATCH * 16 * 256, BATCH * 16 * 64, 16 * 16
    forward = given + output + weight
    backward = max(max(forward, 3 * given), given + forward + 16)
    assert backward == 3 * given
    assert held("3@16x16\nC3D16 C1D16/2", "conv2") == (forward, backward)


def test_a_stride_along_one_axis_is_one():
    given, output, weight = BATCH * 16 * 256, BATCH * 16 * 128, 16 * 16
    assert held("3@16x16\nC3D16 C1D16/1x2", "conv2") == (given + output + weight, 3 * given)
    # At stride 1 nothing is cut, however much larger than the output the input is.
    given, output, weight = BATCH * 32 * 64, BATCH * 8 * 36, 8 * 32 * 9
    backward = given + weight + 8 + output + given
    assert backward < 3 * given
    assert held("3@8x8\nC3D32 C3p0D8", "conv2") == (given + output + weight, backward)


def test_a_dilation_along_one_axis_is_one():
    volume, weight = BATCH * 16 * 64, 16 * 16 * 9
    backward = volume + 5 * weight + 16 + 16 * 9 * 64
    assert held("3@8x8\nC3D16 C3D16d1x2", "conv2") == (2 * volume + weight, backward)


def test_a_single_map_is_no_group():
    # It is copied to a block of 8, as its output and the weights are.
    copied, weight = BATCH * 8 * 64, 8 * 8 * 9
    backward = BATCH * 64 + weight + 1 + 2 * copied
    assert held("3@8x8\nC3D1 C3D1", "conv2") == (2 * copied + weight, backward)


def test_a_transposed_convolution_upwards_cuts_its_result_out_of_copies():
    given, output, weight = BATCH * 16 * 64, BATCH * 16 * 256, 16 * 16 * 4
    assert held("3@8x8\nC3D16 T2D16/2", "tconv1") == (3 * output, given + weight + 16 + given + output)
    # At stride 1 nothing is cut.
    volume, weight = BATCH * 16 * 64, 16 * 16 * 9
    assert held("3@8x8\nC3D16 T3D16p1", "tconv1") == (2 * volume + weight, 3 * volume + weight + 16)
    volume, weight = BATCH * 8 * 64, 8 * 8 * 9
    assert 2 * volume + weight < 3 * volume
    assert held("3@8x8\nC3D8 T3D8p1", "tconv1") == (2 * volume + weight, 3 * volume + weight + 8)


def test_after_a_layer_norm_depth_is_innermost():
    volume, weight = BATCH * 16 * 64, 16 * 16 * 9
    backward = 2 * weight + volume + volume + 2 * weight + 2 * 16
    assert held("3@8x8\nC3D16 LN C3D16", "conv2") == (2 * weight + volume, backward)


def test_what_is_no_convolution_holds_nothing():
    assert held("3@8x8\nC3D16 BN", "bn1") is None


def test_the_peak_is_the_highest_of_tensors_and_kernels():
    network = convsize.parse("input: 3@8x8\nC3D16 R C3D16 GAP FC2")
    memory = training_memory(network, TrainingSetting(BATCH, "sgd"))
    # In the backward pass of conv2: what lives before it, and what it holds.
    lives = next(
        one.end
        for one, after in zip(memory.steady.timeline, memory.steady.timeline[1:], strict=False)
        if (after.moment, after.layer) == ("backward", "conv2")
    )
    volume, weight = BATCH * 16 * 64, 16 * 16 * 9
    assert allocator_peak(network, memory) == lives + FLOAT * (3 * volume + weight + 16)


@pytest.mark.parametrize("changed", [{"frozen": ("conv1",)}, {"dtype": "float64"}, {"autocast": "bfloat16"}])
def test_other_settings_are_not_known(changed):
    network = convsize.parse("input: 3@8x8\nC3D16 R C3D16 GAP FC2")
    assert allocator_peak(network, training_memory(network, TrainingSetting(BATCH, "sgd", **changed))) is None


@pytest.mark.parametrize("layer", ["attn(2)", "C3D24ws", "C3D24p0:1ws"])
def test_layers_whose_kernels_are_not_known(layer):
    network = convsize.parse(f"input: 3@8x8\nC3D24 R {layer} GAP FC2")
    assert allocator_peak(network, training_memory(network, TrainingSetting(BATCH, "sgd"))) is None


def test_the_first_step_may_be_the_highest():
    # Adam's state comes at the end of the first step; from then on it lives all the time.
    network = convsize.parse("input: 3@8x8\nC3D16 R C3D16 GAP FC2")
    memory = training_memory(network, TrainingSetting(BATCH, "adam"))
    plain = allocator_peak(network, training_memory(network, TrainingSetting(BATCH, "sgd")))
    state = 2 * FLOAT * (3 * 16 * 9 + 16 + 16 * 16 * 9 + 16 + 2 * 16 + 2) + 6 * FLOAT
    assert allocator_peak(network, memory) == plain + state
