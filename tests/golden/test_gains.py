"""The stated scaling and rounding of gains, on numbers small enough to follow by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import gains

finite = st.floats(-1e6, 1e6)


def test_linear_gain_of_a_worked_example():
    # |w| - 1 = -1, -0.75, 0, 1, 3; the peak is 3, so the factor is 127 / 3
    assert gains.linear([0.0, -0.25, 1.0, -2.0, 4.0], 1.0) == [-42, -32, 0, 42, 127]


def test_an_outlier_saturates_at_seven_thresholds_and_does_not_coarsen_the_rest():
    assert gains.linear([0.0, 2.0, 8.0, 1000.0], 1.0) == [-18, 18, 127, 127]


def test_rounding_is_half_to_even():
    # the peak is 127, so the factor is 1
    assert gains.linear([127.0, 0.5, 1.5, 2.5], 0.0) == [127, 0, 2, 2]


def test_tanh_gain_of_a_worked_example():
    expected = [round(127 * math.tanh(5 * (x - 0.2))) for x in (0.0, 0.2, 0.5, 1.0)]
    assert gains.tanh([0.0, 0.4, -1.0, 2.0], 0.2) == expected == [-97, 0, 115, 127]


def test_all_zero_layers_have_gains_of_one_sign():
    assert gains.linear([0.0, 0.0], 0.5) == [-127, -127]
    assert gains.linear([0.0, 0.0], 0.0) == [0, 0]
    assert gains.tanh([0.0, 0.0], 0.0) == [0, 0]
    assert gains.linear([], 0.5) == gains.tanh([], 0.5) == []


def test_constant_layers_have_equal_gains():
    assert gains.linear([3.0, -3.0], 1.0) == [127, 127]
    assert gains.linear([3.0, -3.0], 3.0) == [0, 0]


@pytest.mark.parametrize("rule", [gains.linear, gains.tanh])
def test_weights_that_are_not_finite_are_counted(rule):
    with pytest.raises(ValueError, match=r"^weights must be finite, 2 of 3 are NaN or infinite$"):
        rule([1.0, math.nan, -math.inf], 0.5)


@given(st.lists(finite, min_size=1), st.floats(-10, 1e6))
def test_gains_lie_within_the_limit_and_rise_with_the_magnitude(weights, threshold):
    for found in (gains.linear(weights, threshold), gains.tanh(weights, threshold)):
        assert all(-gains.LIMIT <= gain <= gains.LIMIT for gain in found)
        by_magnitude = [gain for _, gain in sorted(zip(map(abs, weights), found, strict=True))]
        assert by_magnitude == sorted(by_magnitude)


@given(st.lists(finite, min_size=1), st.floats(0, 1e6))
def test_only_weights_above_the_threshold_gain(weights, threshold):
    for weight, gain in zip(weights, gains.linear(weights, threshold), strict=True):
        assert gain <= 0 if abs(weight) <= threshold else gain >= 0
