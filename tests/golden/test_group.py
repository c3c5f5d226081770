"""The group format: against scipy, round trips, and what malformed streams come to."""

import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from golden.decoded import Decoded
from golden.group import decode, encode
from golden.params.csr import CsrError
from golden.params.group import GroupParameters

PAIRS = GroupParameters(group=2, lanes=4, value_bits=8)
SMALL = GroupParameters(group=4, lanes=4, value_bits=2, row_bits=2, column_bits=2, count_bits=2)
EXAMPLE = [[0, 0, 3, 0, 4], [0, 0, 0, 0, 0], [5, 6, 0, 0, 0]]
SHARES: dict[str, Any] = {"shape": [(3, 3, 3)], "pointer": [0, 2, 2, 3], "column": [1, 2, 0], "value": [(3, 0), (4, 0), (5, 6)]}


@st.composite
def matrices(draw: st.DrawFn) -> list[list[int]]:
    rows, columns = draw(st.integers(0, 6)), draw(st.integers(0, 14))
    return draw(st.lists(st.lists(st.sampled_from([0, 0, 0, 1, 255]), min_size=columns, max_size=columns), min_size=rows, max_size=rows))


def test_a_group_with_a_weight_survives_and_the_last_of_a_row_is_filled_up() -> None:
    assert encode(EXAMPLE, PAIRS) == SHARES
    filled = [weight for row in EXAMPLE for weight in (*row, 0)]
    assert decode(SHARES, PAIRS) == Decoded(list(filled), 0, row=6)


@given(matrices(), st.sampled_from([2, 4, 8]))
def test_decode_gives_back_what_was_encoded(matrix: list[list[int]], size: int) -> None:
    parameters = GroupParameters(group=size)
    decoded = decode(encode(matrix, parameters), parameters)
    columns = len(matrix[0]) if matrix else 0
    filled = np.pad(np.array(matrix, int).reshape(len(matrix), columns), ((0, 0), (0, -columns % size)))
    assert decoded == Decoded(filled.ravel().tolist(), 0, row=filled.shape[1] or None)


@given(matrices(), st.sampled_from([2, 4, 8]))
def test_streams_are_those_of_scipy_whose_blocks_are_groups(matrix: list[list[int]], size: int) -> None:
    shares = encode(matrix, GroupParameters(group=size))
    if matrix and matrix[0]:  # scipy has no empty ones
        theirs = scipy.sparse.bsr_matrix(np.pad(matrix, ((0, 0), (0, -len(matrix[0]) % size))), blocksize=(1, size))
        assert (shares["pointer"], shares["column"]) == (theirs.indptr.tolist(), theirs.indices.tolist())
        assert shares["value"] == [tuple(block) for block in theirs.data[:, 0].tolist()]


@pytest.mark.parametrize(
    ("changes", "error", "good"),
    [
        ({"pointer": [1, 2, 2, 3]}, CsrError.FIRST, 0),
        ({"pointer": [0, 2, 1, 3]}, CsrError.DECREASE, 2),
        ({"pointer": [0, 2, 2, 2]}, CsrError.COUNT, 2),
        ({"column": [1, 3, 0]}, CsrError.RANGE, 1),
        ({"column": [1, 1, 0]}, CsrError.ORDER, 1),
        ({"column": [1, 2]}, CsrError.SHORT, 2),
        ({"value": [(3, 0), None]}, CsrError.SHORT, 1),
        ({"value": [None, (3, 0), None, (4, 0), (5, 6)]}, 0, 3),
        ({"value": [(3, 0), (4, 0), (5, 6), None]}, CsrError.LONG, 2),
        ({"value": []}, CsrError.SHORT, 0),
    ],
)
def test_the_first_error_is_told_and_ends_the_decoding(changes: dict[str, Any], error: int, good: int) -> None:
    placed = {2: 3, 4: 4, 12: 5, 13: 6}
    kept = dict(list(placed.items())[: [0, 1, 2, 4][good]])
    assert decode(SHARES | changes, PAIRS) == Decoded([kept.get(place, 0) for place in range(18)], error, row=6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"group": 1}, "group must be between 2 and 16, was 1"),
        ({"group": 6}, "group must be a power of two, was 6"),
        ({"group": 8, "value_bits": 9}, "value_bits must be between 1 and 8, was 9"),
        ({"row_bits": 0}, "row_bits must be between 1 and 32, was 0"),
        ({"column_bits": 33}, "column_bits must be between 1 and 32, was 33"),
        ({"lanes": 2}, "lanes must be between 4 and 256, was 2"),
        ({"lanes": 12}, "lanes must be a power of two, was 12"),
        ({"lanes": 32, "column_bits": 3}, "lanes must be below group * 2**column_bits = 32, was 32"),
    ],
)
def test_parameters_that_no_decoder_has_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        GroupParameters(**values)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 1], [1]], "the length of row 1 must be 2, as that of the first, was 1"),
        ([[0, 4]], "level [0, 1] must be between 0 and 3, was 4"),
        ([[0] * 13], "the number of groups in a row must be between 0 and 3, was 4"),
        ([[0]] * 4, "the number of rows must be between 0 and 3, was 4"),
        ([[1] * 8] * 2, "the number of survivors must be between 0 and 3, was 4"),
    ],
)
def test_what_cannot_be_encoded_is_refused(matrix: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        encode(matrix, SMALL)


def test_a_decoder_of_few_weights_a_beat_has_smaller_groups() -> None:
    assert [(p.lanes, p.group) for p in map(GroupParameters.weights, (2, 4, 16))] == [(2, 2), (4, 4), (16, 4)]
    assert GroupParameters.weights(16, group=8).group == 8
    with pytest.raises(ValueError, match=r"^group must be between 2 and 16, was 1$"):
        GroupParameters.weights(1)
