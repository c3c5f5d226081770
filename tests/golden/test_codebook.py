"""The codebook: a worked example, round trips, and what malformed streams come to."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import codebook
from golden.decoded import Decoded
from golden.params.codebook import CodebookError, CodebookParameters

NONE, SHORT, LONG, RANGE = CodebookError
SMALL = CodebookParameters(code_bits=2, value_bits=8, lanes=2, count_bits=9)
ANY_SHARE = st.lists(st.none() | st.integers(0, 3), max_size=12)


def test_codes_are_the_numbers_of_entries() -> None:
    assert codebook.encode([[7, 0], [7, 9]], SMALL) == {"shape": [4], "table": [0, 7, 9], "code": [1, 0, 1, 2]}
    assert codebook.encode([[7, 0], [7, 9]], SMALL, [9, 0, 7, 0]) == {"shape": [4], "table": [9, 0, 7, 0], "code": [2, 1, 2, 0]}


@given(st.lists(st.sampled_from([0, 3, 77, 255]), max_size=300))
def test_decode_gives_back_what_was_encoded(flat: list[int]) -> None:
    assert codebook.decode(codebook.encode([flat], SMALL), SMALL) == Decoded(list(flat), NONE)


@given(st.integers(0, 20), ANY_SHARE, ANY_SHARE)
def test_any_shares_give_the_exact_count(count: int, table: list[Any], code: list[Any]) -> None:
    decoded = codebook.decode({"shape": [count], "table": table, "code": code}, SMALL)
    assert len(decoded.elements) == count
    assert decoded.error in list(CodebookError)


@pytest.mark.parametrize(
    ("count", "table", "code", "weights", "error"),
    [
        (3, [5, 6], [0, 1, 1], [5, 6, 6], NONE),
        (3, [None, 5, None, 6, None], [None, 0, 1, None, 1], [5, 6, 6], NONE),
        (0, [], [], [], NONE),
        (0, [5], [None, None], [], NONE),
        (3, [5, 6], [0, 1], [5, 6, 0], SHORT),
        (3, [5, 6], [0, 1, None], [5, 6, 0], SHORT),
        (3, [5, 6], [0, None, 1, 1], [0, 0, 0], SHORT),
        (3, [5, 6], [], [0, 0, 0], SHORT),
        (3, [5, 6], [0, 1, 1, 1], [5, 6, 6], LONG),
        (3, [5, 6], [0, 1, 1, None], [5, 6, 6], LONG),
        (0, [5, 6], [0], [], LONG),
        (3, [5, 6, 7, 8, 9], [0, 1, 1], [0, 0, 0], LONG),
        (3, [5, 6, 7, 8, 9], [0], [0, 0, 0], LONG),  # the table comes first
        (3, [5, 6], [0, 2, 1], [0, 0, 0], RANGE),
        (3, [5, 6], [0, 1, 3], [5, 6, 0], RANGE),
        (3, [5, 6], [0, 1, 1, 3], [5, 6, 6], LONG),  # a code that is too much is not looked up
        (1, [], [0], [0], RANGE),
        (3, [5], [0, 1], [0, 0, 0], RANGE),
    ],
)
def test_malformed_streams_end_in_their_code(count: int, table: Any, code: Any, weights: list[int], error: CodebookError) -> None:
    assert codebook.decode({"shape": [count], "table": table, "code": code}, SMALL) == Decoded(weights, error)


def test_what_no_table_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the entries of the table must be at most 4, was 5$"):
        codebook.encode([[1, 2, 3, 4, 5]], SMALL)
    with pytest.raises(ValueError, match=r"^a value must be one of the table, was \[3\]$"):
        codebook.encode([[1, 3]], SMALL, [1, 2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code_bits": 13}, "code_bits must be between 1 and 12, was 13"),
        ({"value_bits": 65}, "value_bits must be between 1 and 64, was 65"),
        ({"lanes": 3}, "lanes must be a power of two, was 3"),
        ({"lanes": 16, "count_bits": 4}, "count_bits must be at least 5 for 16 lanes, was 4"),
    ],
)
def test_a_value_that_no_decoder_can_have_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        CodebookParameters(**change)
