"""The fast CSR encoder gives golden's streams, undoes them, and refuses what the parameters cannot hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from golden import csr as golden
from golden.catalog import CATALOG
from golden.params.csr import CsrParameters
from unprune.encode import csr
from unprune.encode.base import TILE_WEIGHTS, Mask

NARROW = CsrParameters(row_bits=3, column_bits=5, value_bits=4, count_bits=6)
DENSE = CsrParameters(row_bits=3, column_bits=5, value_bits=4, count_bits=6, dense=True, lanes=4)
layers = arrays.arrays(np.int8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=20), elements=st.integers(-8, 7))


def everything(levels):
    return Mask(np.ones(levels.shape, bool))


def as_shares(tile):
    shares = {name: [int(number) for number in tile.streams[name]] for name in ("pointer", "column", "value")}
    return {"shape": [tuple(int(number) for number in tile.streams["shape"][0])], **shares}


@settings(deadline=None)
@given(layers, st.randoms(use_true_random=False), st.sampled_from([NARROW, DENSE]))
def test_tiles_are_those_of_golden_and_come_back(levels, random, parameters):
    kept = np.array([[random.random() < 0.6 for _ in row] for row in levels], bool).reshape(levels.shape)
    rows, rebuilt = 0, []
    for tile in csr.encode(levels, Mask(kept), parameters):
        shares = as_shares(tile)
        count = shares["shape"][0][0]
        patterns = np.where(kept, levels, 0)[rows : rows + count].astype(np.int64) & 15
        assert shares == golden.encode(patterns.tolist(), parameters)
        elements = np.array(golden.decode(shares, parameters).elements, np.uint64)
        rebuilt += csr.rebuild(elements, tile, parameters).tolist()
        rows += count
    assert rebuilt == np.where(kept, levels, 0).ravel().tolist()


def test_tiles_are_whole_rows_within_the_limits():
    parameters = CATALOG["csr_survivors"]
    tiles = list(csr.encode(np.ones((700, 100), np.int8), everything(np.ones((700, 100))), parameters))
    assert [int(tile.streams["shape"][0][0]) for tile in tiles] == [655, 45]
    assert sum(tile.weights for tile in tiles) == 70000
    long = np.zeros((2, TILE_WEIGHTS - 1), np.int8)
    assert [tile.weights for tile in csr.encode(long, everything(long), parameters)] == [TILE_WEIGHTS - 1] * 2
    narrow = np.ones((9, 20), np.int8)
    assert [tile.weights for tile in csr.encode(narrow, everything(narrow), NARROW)] == [60, 60, 60]


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 32, 33, 64])
def test_the_lowest_and_the_highest_level_come_back(bits):
    parameters = CsrParameters(value_bits=bits)
    levels = np.array([[-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, -1, 0]])
    (tile,) = csr.encode(levels, everything(levels), parameters)
    elements = np.array(golden.decode(as_shares(tile), parameters).elements, np.uint64)
    assert csr.rebuild(elements, tile, parameters).tolist() == levels.ravel().tolist()


def test_cost_counts_row_pointers_columns_and_values():
    levels = np.array([[0, 5, -3], [0, 0, 0]])
    (tile,) = csr.encode(levels, everything(levels), CATALOG["csr_survivors"])
    assert csr.cost(tile, CATALOG["csr_survivors"]) == csr.Cost(index_bits=3 * 16 + 2 * 16, value_bits=16)


def test_the_largest_magnitudes_are_chosen_and_progress_is_told():
    told = []
    mask = csr.choose(np.array([[0.1, -3.0, 0.2, 2.0]]), 0.5, NARROW, told.append)
    assert (mask.kept.tolist(), told) == ([[False, True, False, True]], [4])


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (np.array([[8]]), r"^levels must be between -8 and 7, was '8 to 8'$"),
        (np.zeros((1, 32), np.int8), r"^columns must be below 2\*\*column_bits = 32, was 32$"),
    ],
)
def test_what_the_parameters_cannot_hold_is_refused(levels, message):
    with pytest.raises(ValueError, match=message):
        list(csr.encode(levels, everything(levels), NARROW))


def test_a_row_with_too_many_survivors_is_refused():
    parameters = CsrParameters(column_bits=5, count_bits=3)
    with pytest.raises(ValueError, match=r"^survivors of row 1 must be at most 7, was 8$"):
        list(csr.encode(np.array([[1] * 7 + [0], [1] * 8]), everything(np.ones((2, 8))), parameters))


@pytest.mark.parametrize(("parameters", "message"), [(NARROW, "survivors must be '1', was 0"), (DENSE, "weights must be '2', was 0")])
def test_a_tile_is_not_rebuilt_from_too_little(parameters, message):
    (tile,) = csr.encode(np.array([[1, 0]]), everything(np.ones((1, 2))), parameters)
    with pytest.raises(ValueError, match=message.replace("'", "")):
        csr.rebuild(np.zeros(0, np.uint64), tile, parameters)
