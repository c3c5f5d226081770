"""Masks by magnitude, levels, and floors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from unprune.prune import entropy_floor, kept_magnitude, magnitude_mask, quantise

MATRICES = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-4, 4, width=16))
DENSITIES = st.floats(0, 1)


@given(MATRICES, DENSITIES)
def test_the_mask_is_that_of_a_stable_sort_by_falling_magnitude(weights, density):
    count = round(density * weights.size)
    expected = np.zeros(weights.size, bool)
    expected[sorted(range(weights.size), key=lambda i: (-abs(float(weights.flat[i])), i))[:count]] = True
    mask = magnitude_mask(weights, density)
    assert mask.dtype == np.bool_
    assert np.array_equal(mask, expected.reshape(weights.shape))


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0])
def test_a_constant_matrix_keeps_its_first_elements(value):
    assert magnitude_mask(np.full((3, 4), value), 0.4).ravel().tolist() == [True] * 5 + [False] * 7


def test_a_half_rounds_to_even_and_the_ends_keep_none_and_all():
    assert magnitude_mask(np.arange(5), 0.5).sum() == 2
    assert magnitude_mask(np.arange(7), 0.5).sum() == 4
    assert not magnitude_mask(np.arange(5), 0.0).any()
    assert magnitude_mask(np.zeros(5), 1.0).all()


def test_the_most_negative_integer_is_the_largest_magnitude():
    assert magnitude_mask(np.array([[127, -128]], np.int8), 0.5).tolist() == [[False, True]]


@pytest.mark.parametrize("density", [-0.1, 1.1, math.nan])
def test_a_density_outside_0_to_1_is_refused(density):
    with pytest.raises(ValueError, match=rf"^density must be between 0 and 1, was {density}$"):
        magnitude_mask(np.ones(3), density)


@pytest.mark.parametrize("call", [lambda w: magnitude_mask(w, 0.5, "fc1"), lambda w: quantise(w, 8, name="fc1")])
def test_weights_that_are_not_finite_are_counted_under_the_name_of_their_layer(call):
    with pytest.raises(ValueError, match=r"^fc1 must be finite, had 2 NaN and 1 infinite of 5 weights$"):
        call(np.array([np.nan, 1, -np.inf, np.nan, 2]))


@pytest.mark.parametrize("dtype", [np.complex64, np.bool_, object, "U1"])
def test_weights_that_are_not_real_numbers_are_refused(dtype):
    with pytest.raises(TypeError, match=r"^fc1 must be floats or integers, was "):
        magnitude_mask(np.zeros((2, 2), dtype), 0.5, "fc1")


def test_levels_round_half_to_even_and_the_largest_gets_the_last():
    quantised = quantise(np.array([[7.0, -7.0, 2.5, -2.5, 3.5, 0.5, 0.0]]), 4)
    assert quantised.levels.tolist() == [[7, -7, 2, -2, 4, 0, 0]]
    assert quantised.scale == 1.0
    assert quantised.lost == 1
    assert quantised.levels.dtype == np.int8


@given(MATRICES, st.integers(2, 16))
def test_a_level_is_within_half_a_scale_of_its_weight_and_within_range(weights, bits):
    quantised = quantise(weights, bits)
    limit = 2 ** (bits - 1) - 1
    assert quantised.scale > 0
    assert np.abs(quantised.levels).max() == (limit if weights.any() else 0)
    assert np.abs(quantised.levels * quantised.scale - weights).max() <= quantised.scale * 0.5000001
    assert quantised.weights.dtype == np.float32


def test_an_all_zero_matrix_has_levels_0_and_scale_1():
    quantised = quantise(np.zeros((2, 3), np.float32), 8)
    assert not quantised.levels.any()
    assert quantised.scale == 1.0
    assert quantised.lost == 0


def test_a_constant_matrix_has_one_level_and_gives_its_weights_back():
    quantised = quantise(np.full((2, 3), -0.3, np.float32), 8)
    assert (quantised.levels == -127).all()
    assert np.array_equal(quantised.weights, np.full((2, 3), -0.3, np.float32))


def test_pruned_weights_are_level_0_and_do_not_set_the_scale():
    quantised = quantise(np.array([[100.0, 7.0, 3.0, 0.1]]), 4, np.array([[False, True, True, True]]))
    assert quantised.levels.tolist() == [[0, 7, 3, 0]]
    assert quantised.scale == 1.0
    assert quantised.lost == 1


def test_wrong_bits_and_masks_are_refused():
    with pytest.raises(ValueError, match=r"^bits must be between 2 and 16, was 17$"):
        quantise(np.ones(2), 17)
    with pytest.raises(ValueError, match=r"^the mask of fc1 must be bool of shape \(2,\), was 'bool \(3,\)'$"):
        quantise(np.ones(2), 8, np.ones(3, bool), "fc1")


@given(MATRICES, DENSITIES)
def test_pruning_by_magnitude_keeps_all_that_its_count_can_keep(weights, density):
    assert kept_magnitude(weights, magnitude_mask(weights, density)) == pytest.approx(1)


def test_another_mask_keeps_its_share():
    weights = np.array([[1.0, -2.0], [3.0, -4.0]])
    assert kept_magnitude(weights, np.array([[True, False], [True, False]])) == pytest.approx(4 / 7)
    assert kept_magnitude(weights, np.zeros((2, 2), bool)) == 1
    assert kept_magnitude(np.zeros((2, 2)), np.ones((2, 2), bool)) == 1


def test_floors_are_the_entropies_of_mask_and_values():
    mask = np.zeros((4, 8), bool)
    mask[0] = True
    levels = np.zeros((4, 8), np.int8)
    levels[0] = [1, 1, 1, 1, 2, 2, 3, -3]
    floor = entropy_floor(mask, levels)
    assert floor.mask_bits_per_weight == pytest.approx(0.25 * 2 + 0.75 * math.log2(4 / 3))
    assert floor.value_bits_per_survivor == pytest.approx(0.5 * 1 + 0.25 * 2 + 2 * 0.125 * 3)
    assert floor.bits_per_weight == pytest.approx(floor.mask_bits_per_weight + 0.25 * floor.value_bits_per_survivor)


@pytest.mark.parametrize("kept", [False, True])
def test_floors_of_none_or_all_equal_survivors_are_0(kept):
    floor = entropy_floor(np.full((3, 3), kept), np.full((3, 3), 5))
    assert (floor.mask_bits_per_weight, floor.value_bits_per_survivor, floor.bits_per_weight) == (0, 0, 0)
