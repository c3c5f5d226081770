"""Tiles for the look-up unit: as golden encodes them, no larger than its memory and ports, and back."""

import numpy as np
import numpy.typing as npt
import pytest

from golden import lookup as golden
from golden.params.lookup import LookUpParameters
from unprune import streams
from unprune.encode import lookup
from unprune.encode.base import TILE_WEIGHTS, Cost, Mask

SETS = [
    LookUpParameters(),
    LookUpParameters(survivor_bits=4, value_bits=12),
    LookUpParameters(row_bits=2, column_bits=9, value_bits=3, count_bits=6),
    LookUpParameters(column_bits=3, survivor_bits=3, count_bits=5),
]


@pytest.mark.parametrize("parameters", SETS, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (64, 48), (1, 700), (700, 1), (0, 5)])
@pytest.mark.parametrize("density", [0, 0.1, 1])
def test_tiles_are_those_of_golden_fit_and_come_back(parameters: LookUpParameters, shape: tuple[int, int], density: float) -> None:
    generator = np.random.default_rng(sum(shape))
    limit = 1 << parameters.value_bits - 1
    levels, mask = generator.integers(-limit, limit, shape), Mask(generator.random(shape) < density)
    kept = np.where(mask.kept, levels, 0).ravel()
    done: list[npt.NDArray[np.int64]] = []
    start = 0
    for tile in lookup.encode(levels, mask, parameters):
        rows, columns, survivors, requests = (int(number) for number in tile.streams["shape"][0])
        assert rows * columns == requests == tile.weights
        piece = (kept[start : start + tile.weights] % (2 * limit)).reshape(rows, columns)
        start += tile.weights
        shares = streams.shares(tile)
        assert shares == golden.encode(piece.tolist(), parameters)  # which refuses what has no room
        decoded = golden.decode(shares, parameters)
        assert decoded.error == 0
        done.append(lookup.rebuild(np.array(decoded.elements, np.uint64), tile, parameters))
        index = (rows + 1) * parameters.survivor_bits + survivors * parameters.column_bits
        assert lookup.cost(tile, parameters) == Cost(index, survivors * parameters.value_bits)
    assert np.array_equal(np.concatenate([np.zeros(0, int), *done]), kept)


def test_a_tile_is_as_many_whole_rows_as_memory_and_ports_have_room_for() -> None:
    p = LookUpParameters(survivor_bits=4)
    levels = np.ones((9, 6), np.int8)
    assert [tile.weights for tile in lookup.encode(levels, Mask(levels == 1), p)] == [12, 12, 12, 12, 6]
    levels[1:8] = 0
    assert [tile.weights for tile in lookup.encode(levels, Mask(levels == 1), p)] == [54]
    few = LookUpParameters(row_bits=2)
    assert [tile.weights for tile in lookup.encode(levels, Mask(levels == 1), few)] == [18, 18, 18]
    wide = np.zeros((1, TILE_WEIGHTS + 1), np.int8)
    tiles = list(lookup.encode(wide, Mask(wide == 0), LookUpParameters(column_bits=20)))
    assert [tile.weights for tile in tiles] == [TILE_WEIGHTS, 1]


def test_a_row_with_too_many_survivors_is_cut_where_the_memory_is_full() -> None:
    levels = np.zeros((3, 40), np.int8)
    levels[1, ::2] = 1
    tiles = list(lookup.encode(levels, Mask(levels == 1), LookUpParameters(survivor_bits=3)))
    assert [tile.weights for tile in tiles] == [40, 14, 14, 12, 40]
    assert all(len(tile.streams["value"]) <= 7 for tile in tiles)
    assert [int(tile.streams["pointer"][-1]) for tile in tiles] == [0, 7, 7, 6, 0]


def test_too_few_answers_and_a_level_too_wide_are_refused() -> None:
    everything = Mask(np.ones((1, 2), np.bool_))
    p = LookUpParameters(value_bits=4)
    with pytest.raises(ValueError, match=r"^levels must be between -8 and 7, was '0 to 8'$"):
        list(lookup.encode(np.array([[8, 0]], np.int8), everything, p))
    (tile,) = lookup.encode(np.array([[7, 1]], np.int8), everything, p)
    with pytest.raises(ValueError, match=r"^weights must be 2, was 1$"):
        lookup.rebuild(np.zeros(1, np.uint64), tile, p)
