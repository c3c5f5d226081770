"""The relative index: worked examples, round trips, and what malformed streams come to."""

import re
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import relative
from golden.decoded import Decoded
from golden.params.relative import RelativeError, RelativeParameters

NONE, SHORT, LONG = RelativeError
TWO = RelativeParameters(pairs_per_word=2, count_bits=10)  # a byte holds the gaps of a beat
ANY_SHARE = st.lists(st.none() | st.integers(0, 1), max_size=30)


@st.composite
def any_parameters(draw: st.DrawFn) -> RelativeParameters:
    high = draw(st.booleans())
    gap_bits = 4 if high else draw(st.integers(1, 9))
    pairs = draw(st.sampled_from([2, 4, 6])) if high else draw(st.integers(1, 7))
    return RelativeParameters(gap_bits=gap_bits, value_bits=4, pairs_per_word=pairs, order="high" if high else "low", count_bits=10)


def test_gaps_stand_in_nibbles_and_the_first_in_the_low_or_the_high_one() -> None:
    matrix = [[0, 0, 12, 0, 0], [0, 0, 53, 0, 0], [22, 0, 0, 0, 0]]
    assert relative.encode(matrix, TWO) == {"shape": [15], "gap": [0x42, 0x2], "value": [12, 53, 22]}
    high = RelativeParameters(pairs_per_word=2, order="high")
    assert relative.encode(matrix, high) == {"shape": [15], "gap": [0x24, 0x20], "value": [12, 53, 22]}
    wide = RelativeParameters(pairs_per_word=4, order="high")
    assert relative.encode([[1, 0, 1, 0, 0, 1, 0, 0, 0, 1]], wide)["gap"] == [0x2301]  # byte by byte: 01 23


def test_five_bit_gaps_follow_each_other_bit_by_bit() -> None:
    p = RelativeParameters(gap_bits=5, pairs_per_word=3)
    assert relative.encode([[0] * 31 + [1] + [0] * 2 + [1, 1]], p)["gap"] == [31 | 2 << 5]


@pytest.mark.parametrize(("zeros", "pairs"), [(15, [(15, 7)]), (16, [(15, 0), (0, 7)]), (33, [(15, 0), (15, 0), (1, 7)])])
def test_a_filler_stands_for_sixteen_zeros(zeros: int, pairs: list[tuple[int, int]]) -> None:
    assert relative.pairs([0] * zeros + [7], TWO) == pairs


@given(st.lists(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 3]), max_size=200))
def test_positions_are_the_running_sum_of_gaps_and_ones(flat: list[int]) -> None:
    pairs = relative.pairs(flat, TWO)
    positions = list(accumulate(gap + 1 for gap, _ in pairs))
    assert [at - 1 for at, (_, value) in zip(positions, pairs, strict=True) if value] == [at for at, one in enumerate(flat) if one]


@given(any_parameters(), st.lists(st.sampled_from([0, 0, 0, 0, 0, 0, 1, 9]), max_size=300))
def test_decode_gives_back_what_was_encoded(parameters: RelativeParameters, flat: list[int]) -> None:
    shares = relative.encode([flat], parameters)
    assert len(shares["gap"]) == -(-len(shares["value"]) // parameters.pairs_per_word)
    assert relative.decode(shares, parameters) == Decoded(list(flat), NONE)


@given(any_parameters(), st.integers(0, 300), ANY_SHARE, ANY_SHARE)
def test_any_shares_give_the_exact_count(parameters: RelativeParameters, count: int, gap: list[Any], value: list[Any]) -> None:
    decoded = relative.decode({"shape": [count], "gap": gap, "value": value}, parameters)
    assert len(decoded.elements) == count
    assert decoded.error in list(RelativeError)


def test_an_empty_matrix_and_one_without_survivors_have_beats_without_data() -> None:
    assert relative.encode([[0, 0, 0]], TWO) == {"shape": [3], "gap": [], "value": []}
    for count in (0, 3):
        assert relative.decode({"shape": [count], "gap": [], "value": [None, None]}, TWO) == Decoded([0] * count, NONE)


@pytest.mark.parametrize(
    ("count", "gap", "value", "weights", "error"),
    [
        (4, [0x00, 0x00], [1, 2, 3, 4], [1, 2, 3, 4], NONE),
        (4, [0x00, 0x70], [1, 2, 3], [1, 2, 3, 0], NONE),  # a gap past the last pair is not looked at
        (5, [None, 0x00, None, 0x01], [1, 2, None, 3, 4], [1, 2, 0, 3, 4], NONE),
        (9, [0x00, None], [1, 2, None], [1, 2, 0, 0, 0, 0, 0, 0, 0], NONE),
        (4, [0x00], [1, 2, 3], [0, 0, 0, 0], SHORT),
        (4, [0x00, 0x00], [1, 2], [0, 0, 0, 0], SHORT),
        (6, [0x00, 0x00, 0x00], [1, 2, 3], [1, 2, 0, 0, 0, 0], SHORT),
        (6, [0x00, 0x00], [1, None, 2, 3], [0] * 6, SHORT),  # a value beat of one value in the midst
        (6, [0x00, None], [1, 2, 3], [1, 2, 0, 0, 0, 0], SHORT),
        (6, [0x00, 0x00], [1, 2, None], [1, 2, 0, 0, 0, 0], SHORT),
        (3, [0x00, 0x00], [1, 2, 3, 4], [1, 2, 3], LONG),
        (3, [0x50], [1, 2], [1, 0, 0], LONG),
        (3, [0x05], [1, 2], [0, 0, 0], LONG),
        (2, [0x00, 0x00], [1, 2, 3], [1, 2], LONG),
        (2, [0x00, None], [1, 2, None], [1, 2], LONG),
        (2, [0x00, 0x00, 0x00], [1, 2, 3, None, None, 4], [1, 2], LONG),  # known before anything is missing
        (1, [0x00, 0x00], [1], [0], SHORT),  # and what is missing comes before a pair past the count
        (0, [0x00], [0], [], LONG),
        (0, [0x00], [], [], SHORT),
        (0, [], [1], [], SHORT),
    ],
)
def test_malformed_streams_end_in_their_code(count: int, gap: Any, value: Any, weights: list[int], error: RelativeError) -> None:
    assert relative.decode({"shape": [count], "gap": gap, "value": value}, TWO) == Decoded(weights, error)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gap_bits": 0}, "gap_bits must be between 1 and 16, was 0"),
        ({"value_bits": 33}, "value_bits must be between 1 and 32, was 33"),
        ({"pairs_per_word": 17}, "pairs_per_word must be between 1 and 16, was 17"),
        ({"order": "even"}, "order must be one of low, high, was 'even'"),
        ({"order": "high", "gap_bits": 5}, "order must be low but for an even number of 4-bit gaps, was 'high'"),
        ({"order": "high", "pairs_per_word": 3}, "order must be low but for an even number of 4-bit gaps, was 'high'"),
        ({"lanes": 3}, "lanes must be a power of two, was 3"),
        ({"lanes": 16, "count_bits": 4}, "count_bits must be at least 5 for 16 lanes, was 4"),
    ],
)
def test_a_value_that_no_decoder_can_have_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        RelativeParameters(**change)
