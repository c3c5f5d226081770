"""The bitmap format: worked examples, round trips against a plain mask, and what malformed streams come to."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import bitmap
from golden.bits import Element
from golden.decoded import Decoded
from golden.params.base import Error
from golden.params.bitmap import BitmapParameters

Share = Sequence[Element | None]

SMALL = BitmapParameters(lanes=4, values=2, count_bits=8)
ANY_SHARE = st.lists(st.none() | st.integers(0, 1), max_size=30)
any_parameters = st.builds(BitmapParameters, lanes=st.integers(1, 20), values=st.sampled_from([1, 2, 4, 8, 16]), count_bits=st.just(8))


def error(count: int, mask: Share, value: Share) -> tuple[int, int]:
    """The error code of these shares for :data:`SMALL`, and the number of weights that are not 0."""
    decoded = bitmap.decode({"shape": [count], "mask": mask, "value": value}, SMALL)
    assert len(decoded.elements) == count
    return decoded.error, sum(element != 0 for element in decoded.elements)


def test_mask_bits_are_packed_from_bit_0_and_values_follow_in_order() -> None:
    shares = bitmap.encode([[0, 5, 0], [7, 9, 0]], SMALL)
    assert shares == {"shape": [6], "mask": [0b1010, 0b01], "value": [5, 7, 9]}
    assert bitmap.decode(shares, SMALL) == Decoded([0, 5, 0, 7, 9, 0], 0)


def test_a_survivor_of_level_0_is_stored() -> None:
    shares = bitmap.encode([[0, 5]], SMALL, mask=[1, 1])
    assert shares == {"shape": [2], "mask": [0b11], "value": [0, 5]}
    assert bitmap.decode(shares, SMALL) == Decoded([0, 5], 0)


@given(any_parameters, st.lists(st.tuples(st.booleans(), st.integers(0, 255)), max_size=255))
def test_decode_gives_back_what_was_encoded(parameters: BitmapParameters, weights: list[tuple[bool, int]]) -> None:
    flat, mask = [level * kept for kept, level in weights], [int(kept) for kept, _ in weights]
    shares = bitmap.encode([flat], parameters, mask)
    assert len(shares["mask"]) == -(-len(flat) // parameters.lanes)
    assert len(shares["value"]) == sum(mask)
    assert bitmap.decode(shares, parameters) == Decoded(list(flat), 0)
    assert bitmap.decode(bitmap.encode([flat], parameters), parameters) == Decoded(list(flat), 0)


@given(any_parameters, st.integers(0, 255), ANY_SHARE, ANY_SHARE)
def test_any_shares_give_the_exact_count(parameters: BitmapParameters, count: int, mask: Share, value: Share) -> None:
    decoded = bitmap.decode({"shape": [count], "mask": mask, "value": value}, parameters)
    assert len(decoded.elements) == count
    assert decoded.error in list(Error)


@pytest.mark.parametrize(
    ("mask", "value", "code", "weights"),
    [
        ([0xF, 0x1], [1] * 5, Error.NONE, 5),
        ([None, 0xF, None, 0x1], [None, 1, 1, None, 1, 1, 1], Error.NONE, 5),
        ([0xF, 0x1], [1] * 4, Error.SHORT, 4),
        ([0xF, 0x1], [1] * 3, Error.SHORT, 0),
        ([0xF, 0x1], [1, None, 1, 1, 1, 1], Error.SHORT, 0),  # what a value beat lacks does not come later
        ([0xF, 0x1], [], Error.SHORT, 0),
        ([0xF], [1] * 5, Error.SHORT, 4),
        ([0xF, None], [1] * 5, Error.SHORT, 4),
        ([], [1], Error.SHORT, 0),
        ([0xF, 0x1, None], [1] * 5, Error.LONG, 5),
        ([0xF, 0x1, 0x0], [1] * 5, Error.LONG, 5),
        ([0xF, 0x1], [1] * 6, Error.LONG, 5),
        ([0xF, 0x1], [*[1] * 5, None], Error.LONG, 5),
        ([0xF, 0x0], [*[1] * 4, None], Error.LONG, 4),
        ([0x0, 0x0], [], Error.NONE, 0),
        ([0x0, 0x0], [1], Error.LONG, 0),
        ([0xF, 0x1, 0x1], [1] * 3, Error.SHORT, 0),  # short values, and a long mask
        ([0xF], [1] * 99, Error.SHORT, 4),
    ],
)
def test_malformed_streams_of_8_weights_end_in_their_code(mask: Share, value: Share, code: Error, weights: int) -> None:
    assert error(8, mask, value) == (code, weights)


def test_mask_bits_past_the_last_weight_are_not_looked_at() -> None:
    assert error(5, [0xF, 0xF], [1] * 5) == (Error.NONE, 5)


def test_a_matrix_without_weights_has_a_beat_without_data_in_either_stream() -> None:
    assert bitmap.encode([[], []], SMALL) == {"shape": [0], "mask": [], "value": []}
    assert error(0, [None, None], []) == (Error.NONE, 0)
    long: list[tuple[Share, Share]] = [([1], []), ([], [1]), ([0, None], [None])]
    assert [error(0, *shares) for shares in long] == [(Error.LONG, 0)] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lanes": 0}, "lanes must be between 1 and 256, was 0"),
        ({"value_bits": 65}, "value_bits must be between 1 and 64, was 65"),
        ({"values": 12}, "values must be a power of two, was 12"),
        ({"values": 512}, "values must be between 1 and 256, was 512"),
    ],
)
def test_value_out_of_range_is_refused_with_what_it_must_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BitmapParameters(**change)
