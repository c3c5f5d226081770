"""The coordinate format: what scipy has, round trips, and what malformed entries come to."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.bits import Element
from golden.coo import decode, encode
from golden.decoded import Decoded
from golden.params.coo import CooError, CooParameters

DENSE = CooParameters(lanes=2, count_bits=8)
SURVIVORS = CooParameters(dense=False, lanes=1, count_bits=8)
ENTRIES: list[Element | None] = [(1, 5), (3, 7), (4, 9)]


def test_positions_are_row_major() -> None:
    assert encode([[0, 5, 0], [7, 9, 0]], DENSE) == {"shape": [(6, 3)], "entry": ENTRIES}


@given(st.lists(st.integers(0, 255), max_size=255))
def test_decode_gives_back_what_was_encoded(flat: list[int]) -> None:
    shares = encode([flat], DENSE)
    assert decode(shares, DENSE) == Decoded(list(flat), 0)
    assert decode(shares, SURVIVORS) == Decoded([(place, value) for place, value in enumerate(flat) if value], 0)


def test_entries_are_those_of_numpy() -> None:
    matrix = np.random.default_rng(0).integers(0, 3, (9, 14))
    rows, columns = np.nonzero(matrix)
    positions = np.ravel_multi_index((rows, columns), matrix.shape)
    expected = list(zip(positions.tolist(), matrix[rows, columns].tolist(), strict=True))
    assert encode(matrix.tolist(), DENSE) == {"shape": [(126, len(expected))], "entry": expected}


@pytest.mark.parametrize(
    ("shape", "entries", "error", "good"),
    [
        ((6, 3), ENTRIES, 0, 3),
        ((6, 3), [None, (1, 5), None, (3, 7), (4, 9)], 0, 3),
        ((6, 3), ENTRIES[:2], 1, 2),
        ((6, 3), [*ENTRIES[:2], None], 1, 2),
        ((6, 3), [], 1, 0),
        ((6, 3), [*ENTRIES, (5, 1)], 2, 2),
        ((6, 3), [*ENTRIES, None], 2, 2),
        ((6, 0), ENTRIES, 2, 0),
        ((4, 3), ENTRIES, 3, 2),
        ((0, 3), ENTRIES, 3, 0),
        ((6, 3), [(1, 5), (1, 7), (4, 9)], 4, 1),
        ((6, 3), [(1, 5), (0, 7), (9, 9)], 4, 1),
        ((6, 3), [(1, 5), (9, 7), (0, 9)], 3, 1),
        ((6, 3), [(1, 5), (0, 7)], 4, 1),
        ((6, 2), [(1, 5), (0, 7), (4, 9)], 2, 1),
        ((6, 0), [], 0, 0),
        ((0, 0), [None, None], 0, 0),
    ],
)
def test_first_error_is_told_and_ends_the_decoding(shape: tuple[int, int], entries: list[Element | None], error: int, good: int) -> None:
    found: list[Any] = [entry for entry in entries if entry][:good]
    assert decode({"shape": [shape], "entry": entries}, SURVIVORS) == Decoded([*found, *[(0, 0)] * (shape[1] - good)], error)
    weights = [dict(found).get(place, 0) for place in range(shape[0])]
    assert decode({"shape": [shape], "entry": entries}, DENSE) == Decoded(list(weights), error)


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.none() | st.tuples(st.integers(0, 24), st.integers(0, 9)), max_size=20))
def test_any_share_gives_the_exact_count(count: int, number: int, entries: list[Element | None]) -> None:
    shares: dict[str, list[Element | None]] = {"shape": [(count, number)], "entry": entries}
    dense, survivors = decode(shares, DENSE), decode(shares, SURVIVORS)
    assert (len(dense.elements), len(survivors.elements)) == (count, number)
    assert dense.error == survivors.error
    assert dense.error in list(CooError)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"value_bits": 0}, "value_bits must be between 1 and 64, was 0"),
        ({"lanes": 3}, "lanes must be a power of two, was 3"),
        ({"dense": False}, "lanes must be between 1 and 1, was 8"),
        ({"lanes": 16, "count_bits": 4}, "lanes must be below 2**count_bits = 16, was 16"),
    ],
)
def test_value_out_of_range_is_refused_with_what_it_must_be(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        CooParameters(**values)


def test_wrong_kinds_and_a_matrix_that_does_not_fit_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^dense must be True or False, was 1$"):
        CooParameters(dense=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^level 1 must be between 0 and 255, was 256$"):
        encode([[0, 256]], DENSE)
    assert CooParameters.weights(16).lanes == 16
