"""The look-up unit: every answer is that of the search in CSR, and what malformed streams come to."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import csr, lookup
from golden.bits import Element
from golden.decoded import Decoded
from golden.params.lookup import LookUpError, LookUpParameters

NONE, SHORT, LONG, FIRST, DECREASE, COUNT, RANGE, ORDER, BEYOND = LookUpError
SMALL = LookUpParameters(row_bits=3, column_bits=3, survivor_bits=4, count_bits=8)
MATRIX = [[0, 0, 3, 0, 4], [0, 0, 0, 0, 0], [5, 0, 0, 7, 0], [0, 8, 0, 0, 6]]
WHOLE = lookup.encode(MATRIX, SMALL, requests=[(2, 3), (1, 2), (0, 4)])
ANY_REQUESTS = st.lists(st.none() | st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12)


def test_without_requests_every_weight_is_asked_for() -> None:
    shares = lookup.encode(MATRIX, SMALL)
    assert shares["shape"] == [(4, 5, 6, 20)]
    assert lookup.decode(shares, SMALL) == Decoded([weight for row in MATRIX for weight in row], NONE)


@given(st.lists(st.lists(st.sampled_from([0, 0, 1, 255]), min_size=5, max_size=5), max_size=3), st.randoms())
def test_every_answer_is_that_of_the_search_in_csr(matrix: list[list[int]], generator: Any) -> None:
    places = [(i, j) for i in range(len(matrix)) for j in range(5)]
    requests = [generator.choice(places) for _ in range(9)] if places else []
    shares = lookup.encode(matrix, SMALL, 5, requests)
    plain = csr.encode(matrix, SMALL.matrix, 5)
    assert lookup.decode(shares, SMALL) == Decoded([csr.access(plain, i, j) for i, j in requests], NONE)


@pytest.mark.parametrize(
    ("change", "weights", "error"),
    [
        ({}, [7, 0, 4], NONE),
        ({"request": [None, (2, 3), None, None, (1, 2), (0, 4)]}, [7, 0, 4], NONE),
        ({"request": [(2, 3), (1, 2)]}, [7, 0, 0], SHORT),
        ({"request": [(2, 3), (1, 2), None]}, [7, 0, 0], SHORT),
        ({"request": []}, [0, 0, 0], SHORT),
        ({"request": [(2, 3), (1, 2), (0, 4), (9, 9)]}, [7, 0, 0], LONG),
        ({"request": [(2, 3), (1, 2), (0, 4), None]}, [7, 0, 0], LONG),
        ({"request": [(2, 3), (1, 2), (4, 4), None]}, [7, 0, 0], LONG),  # before it is looked at
        ({"request": [(2, 3), (4, 2), (0, 4)]}, [7, 0, 0], BEYOND),
        ({"request": [(2, 3), (1, 5), (0, 4), (0, 0)]}, [7, 0, 0], BEYOND),  # the first error is told
        ({"request": [(2, 3), (7, 7)]}, [7, 0, 0], BEYOND),
        ({"column": [2, 4, 0, 3, 1]}, [0, 0, 0], SHORT),
        ({"column": [2, 4, 0, 3, 1, 4, 4]}, [0, 0, 0], LONG),
        ({"column": [2, 4, 0, 3, 1, 5]}, [0, 0, 0], RANGE),
        ({"column": [2, 4, 0, 3, 1, 1], "request": [(7, 7)]}, [0, 0, 0], ORDER),  # of the matrix, before all of requests
        ({"pointer": [1, 2, 2, 4, 6]}, [0, 0, 0], FIRST),
        ({"pointer": [0, 2, 1, 4, 6]}, [0, 0, 0], DECREASE),
        ({"pointer": [0, 2, 2, 4, 5]}, [0, 0, 0], COUNT),
        ({"shape": [(4, 5, 6, 0)], "request": []}, [], NONE),
        ({"shape": [(4, 5, 6, 0)], "request": [None, None]}, [], NONE),
        ({"shape": [(4, 5, 6, 0)]}, [], LONG),
        ({"shape": [(4, 5, 5, 0)]}, [], COUNT),
    ],
)
def test_first_error_is_told_and_ends_the_answers(change: dict[str, Any], weights: Any, error: LookUpError) -> None:
    assert lookup.decode({**WHOLE, **change}, SMALL) == Decoded(weights, error)


@given(st.integers(0, 12), ANY_REQUESTS)
def test_any_requests_give_the_exact_count(count: int, requests: list[Element | None]) -> None:
    decoded = lookup.decode({**WHOLE, "shape": [(4, 5, 6, count)], "request": requests}, SMALL)
    assert len(decoded.elements) == count
    assert decoded.error in (NONE, SHORT, LONG, BEYOND)


def test_a_request_beyond_the_matrix_and_too_many_of_them_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the row of request 1 must be between 0 and 3, was 4$"):
        lookup.encode(MATRIX, SMALL, requests=[(0, 0), (4, 0)])
    with pytest.raises(ValueError, match=r"^the column of request 0 must be between 0 and 4, was 5$"):
        lookup.encode(MATRIX, SMALL, requests=[(0, 5)])
    with pytest.raises(ValueError, match=r"^the number of requests must be between 0 and 255, was 256$"):
        lookup.encode(MATRIX, SMALL, requests=[(0, 0)] * 256)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row_bits": 0}, "row_bits must be between 1 and 32, was 0"),
        ({"column_bits": 33}, "column_bits must be between 1 and 32, was 33"),
        ({"value_bits": 65}, "value_bits must be between 1 and 64, was 65"),
        ({"survivor_bits": 17}, "survivor_bits must be between 2 and 16, was 17"),
    ],
)
def test_a_value_that_no_unit_can_have_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        LookUpParameters(**change)


@pytest.mark.parametrize("bits", range(2, 17))
def test_there_are_places_for_an_answer_in_every_cycle(bits: int) -> None:
    p = LookUpParameters(survivor_bits=bits)
    assert p.places.bit_count() == 1
    assert p.cycles + 2 <= p.places < 2 * (p.cycles + 2)
