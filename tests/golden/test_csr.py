"""The CSR format against scipy.sparse, against numbers worked out by hand, and against every malformed kind."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from golden.catalog import CATALOG
from golden.csr import access, decode, encode
from golden.params.csr import CsrError, CsrParameters

SURVIVORS = CATALOG["csr_survivors"]
DENSE = CATALOG["csr_dense8"]
EXAMPLE = [[0, 0, 3, 0, 4], [0, 0, 0, 0, 0], [5, 0, 0, 7, 0], [0, 8, 0, 0, 6]]
PLACED = [(0, 2, 3), (0, 4, 4), (2, 0, 5), (2, 3, 7), (3, 1, 8), (3, 4, 6)]  # its survivors


@st.composite
def matrices(draw):
    rows, columns = draw(st.integers(0, 8)), draw(st.integers(0, 8))
    weight = st.one_of(st.just(0), st.integers(0, 255))
    return draw(st.lists(st.lists(weight, min_size=columns, max_size=columns), min_size=rows, max_size=rows)), columns


def followed_by_zeros(survivors, shares):
    return survivors + [(0, 0, 0)] * (shares["shape"][0][2] - len(survivors))


def placed(survivors):
    """The weights of a matrix as large as the example."""
    weights = {(i, j): value for i, j, value in survivors}
    return [weights.get((i, j), 0) for i in range(4) for j in range(5)]


def test_the_textbook_example():
    shares = encode(EXAMPLE, SURVIVORS)
    assert shares == {"shape": [(4, 5, 6)], "pointer": [0, 2, 2, 4, 6], "column": [2, 4, 0, 3, 1, 4], "value": [3, 4, 5, 7, 8, 6]}
    assert (access(shares, 2, 3), access(shares, 1, 2)) == (7, 0)
    assert (decode(shares, SURVIVORS).elements, decode(shares, SURVIVORS).error) == (PLACED, 0)
    dense = decode(shares, DENSE)
    assert (dense.elements, dense.error, dense.row) == ([weight for row in EXAMPLE for weight in row], 0, 5)


@given(matrices())
def test_encode_agrees_with_scipy(given_matrix):
    matrix, columns = given_matrix
    theirs = scipy.sparse.csr_matrix(np.array(matrix, np.int64).reshape(len(matrix), columns))
    shares = encode(matrix, SURVIVORS, columns)
    assert shares["shape"] == [(len(matrix), columns, theirs.nnz)]
    assert (shares["pointer"], shares["column"], shares["value"]) == (theirs.indptr.tolist(), theirs.indices.tolist(), theirs.data.tolist())


@given(matrices())
def test_decode_and_access_give_the_matrix_back(given_matrix):
    matrix, columns = given_matrix
    shares = encode(matrix, SURVIVORS, columns)
    assert [[access(shares, i, j) for j in range(columns)] for i in range(len(matrix))] == matrix
    wanted = [(i, j, weight) for i, row in enumerate(matrix) for j, weight in enumerate(row) if weight]
    assert (decode(shares, SURVIVORS).elements, decode(shares, SURVIVORS).error) == (wanted, 0)
    assert (decode(shares, DENSE).elements, decode(shares, DENSE).error) == ([weight for row in matrix for weight in row], 0)


@pytest.mark.parametrize(
    ("changes", "error", "good"),
    [
        ({"pointer": [1, 2, 2, 4, 6]}, CsrError.FIRST, []),
        ({"pointer": [0, 2, 1, 4, 6]}, CsrError.DECREASE, PLACED[:2]),
        ({"pointer": [0, 2, 2, 4, 5]}, CsrError.COUNT, PLACED[:5]),
        ({"shape": [(4, 5, 7)]}, CsrError.COUNT, PLACED),
        ({"pointer": [0, 2, 2, 4]}, CsrError.SHORT, PLACED[:4]),
        ({"pointer": []}, CsrError.SHORT, []),
        ({"pointer": [0, 2, 2, 4, 6, 6]}, CsrError.LONG, PLACED[:4]),
        ({"pointer": [0, 2, 2, 4, 6, None]}, CsrError.LONG, PLACED[:4]),
        ({"column": [2, 5, 0, 3, 1, 4]}, CsrError.RANGE, PLACED[:1]),
        ({"column": [2, 2, 0, 3, 1, 4]}, CsrError.ORDER, PLACED[:1]),
        ({"column": [2, 4, 3, 0, 1, 4]}, CsrError.ORDER, [*PLACED[:2], (2, 3, 5)]),
        ({"column": [2, 4, 0]}, CsrError.SHORT, PLACED[:3]),
        ({"column": [2, 4, 0, 3, 1, 4, 4]}, CsrError.LONG, PLACED[:5]),
        ({"value": [3, None, None]}, CsrError.SHORT, PLACED[:1]),
        ({"value": [3, 4, 5, 7, 8, 6, None]}, CsrError.LONG, PLACED[:5]),
        ({"value": [3], "column": [2, 5]}, CsrError.SHORT, PLACED[:1]),
    ],
)
def test_the_first_error_zeroes_what_follows(changes, error, good):
    shares = encode(EXAMPLE, SURVIVORS) | changes
    assert (decode(shares, SURVIVORS).elements, decode(shares, SURVIVORS).error) == (followed_by_zeros(good, shares), error)
    assert (decode(shares, DENSE).elements, decode(shares, DENSE).error) == (placed(good), error)


@pytest.mark.parametrize(
    ("changes", "error", "dense_error"),
    [
        ({"pointer": [0, 2, 2, 6, 5], "column": [2, 4, 0, 1, 2, 3]}, CsrError.DECREASE, CsrError.DECREASE),
        ({"pointer": [0, 2, 2, 7, 7], "column": [2, 4, 0, 1, 2, 3]}, CsrError.COUNT, CsrError.COUNT),
        ({"pointer": [0, 2, 2, 4, 7]}, CsrError.COUNT, CsrError.COUNT),
        ({"shape": [(4, 5, 5)]}, CsrError.COUNT, CsrError.LONG),
    ],
)
def test_only_coordinates_read_all_row_pointers_before_the_last_survivor(changes, error, dense_error):
    shares = encode(EXAMPLE, SURVIVORS) | changes
    count = shares["shape"][0][2]
    rows = PLACED if "column" not in changes else [*PLACED[:3], (2, 1, 7), (2, 2, 8), (2, 3, 6)]
    assert (decode(shares, SURVIVORS).elements, decode(shares, SURVIVORS).error) == (followed_by_zeros(rows[: count - 1], shares), error)
    good = rows[: count - (dense_error == CsrError.LONG)]
    assert (decode(shares, DENSE).elements, decode(shares, DENSE).error) == (placed(good), dense_error)


@pytest.mark.parametrize(
    ("shares", "error"),
    [
        ({"shape": [(0, 0, 0)], "pointer": [0], "column": [], "value": []}, 0),
        ({"shape": [(2, 0, 0)], "pointer": [0, 0, 0], "column": [None], "value": []}, 0),
        ({"shape": [(0, 3, 0)], "pointer": [0], "column": [], "value": [1]}, CsrError.LONG),
        ({"shape": [(0, 3, 1)], "pointer": [0], "column": [0], "value": [1]}, CsrError.COUNT),
        ({"shape": [(1, 0, 1)], "pointer": [0, 1], "column": [0], "value": [1]}, CsrError.RANGE),
        ({"shape": [(1, 0, 0)], "pointer": [0, 1], "column": [0], "value": [1]}, CsrError.COUNT),
    ],
)
def test_matrices_without_weights(shares, error):
    assert decode(shares, SURVIVORS).elements == [(0, 0, 0)] * shares["shape"][0][2]
    dense = decode(shares, DENSE)
    assert (dense.elements, dense.error, decode(shares, SURVIVORS).error) == ([], error, error)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 1], [1]], r"^the length of row 1 must be 2, as many as there are columns, was 1$"),
        ([[2]], r"^weight \[0, 0\] must be between 0 and 1, was 2$"),
        ([[0, 0, 0, 0]], r"^the number of columns must be between 0 and 3, was 4$"),
        ([[0]] * 4, r"^the number of rows must be between 0 and 3, was 4$"),
        ([[1, 1, 1]] * 3, r"^the number of survivors must be between 0 and 7, was 9$"),
    ],
)
def test_what_cannot_be_encoded_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        encode(matrix, CATALOG["csr_survivors_tiny"])


def test_access_outside_the_matrix_is_refused():
    with pytest.raises(IndexError, match=r"^\[i, j\] must be within 4 rows and 5 columns, was \[4, 0\]$"):
        access(encode(EXAMPLE, SURVIVORS), 4, 0)


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"row_bits": 0}, ValueError, "row_bits must be between 1 and 32, was 0"),
        ({"column_bits": 33}, ValueError, "column_bits must be between 1 and 32, was 33"),
        ({"value_bits": 65}, ValueError, "value_bits must be between 1 and 64, was 65"),
        ({"dense": 1}, TypeError, "dense must be True or False, was 1"),
        ({"lanes": 2}, ValueError, "lanes must be between 1 and 1, was 2"),
        ({"dense": True, "lanes": 12}, ValueError, "lanes must be a power of two, was 12"),
        ({"dense": True, "lanes": 8, "column_bits": 3}, ValueError, r"lanes must be below 2\*\*column_bits = 8, was 8"),
    ],
)
def test_parameters_that_no_decoder_has_are_refused(values, kind, message):
    with pytest.raises(kind, match=f"^{message}$"):
        CsrParameters(**values)


@pytest.mark.parametrize("name", ["column", "value"])
def test_with_several_pairs_a_beat_that_is_not_full_lacks_the_others(name):
    several = CsrParameters(dense=True, lanes=4, pairs=4)
    shares = encode(EXAMPLE, several)
    assert decode(shares, several) == decode(shares, DENSE)
    split = {**shares, name: [*shares[name][:3], None, *shares[name][3:]]}
    assert (decode(split, several).elements, decode(split, several).error) == (placed(PLACED[:3]), CsrError.SHORT)
    assert decode(split, DENSE) == decode(shares, DENSE)


def test_a_number_too_many_is_found_in_the_beat_of_the_last():
    several = CsrParameters(dense=True, lanes=4, pairs=4)
    shares = encode(EXAMPLE, several)
    for extra in ([0], [None]):
        longer = decode({**shares, "value": [*shares["value"], *extra]}, several)
        assert (longer.elements, longer.error) == (placed(PLACED[:5]), CsrError.LONG)


def test_a_set_of_one_pair_has_the_digest_that_it_had_before_there_were_several():
    one, several = CsrParameters(dense=True, lanes=4), CsrParameters(dense=True, lanes=4, pairs=2)
    assert "pairs" not in one.to_dict()
    assert CsrParameters.from_dict(one.to_dict()) == one
    assert CsrParameters.from_dict(several.to_dict()) == several
    assert several.name.startswith("csr_dense4_s2_")


@pytest.mark.parametrize(
    ("values", "must"),
    [
        ({"pairs": 2}, "pairs must be between 1 and 1, was 2"),
        ({"dense": True, "lanes": 4, "pairs": 3}, "pairs must be a power of two, was 3"),
        ({"dense": True, "lanes": 4, "pairs": 8}, "pairs must be between 1 and 4, was 8"),
        ({"dense": True, "lanes": 8, "pairs": 8, "count_bits": 3}, r"pairs must be below 2\*\*count_bits = 8, was 8"),
    ],
)
def test_says_which_number_of_pairs_there_cannot_be(values, must):
    with pytest.raises(ValueError, match=f"^{must}$"):
        CsrParameters(**values)
