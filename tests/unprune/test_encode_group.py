"""The fast group encoder: whole groups chosen, streams bit for bit as golden writes them, and back."""

import random

import numpy as np
import numpy.typing as npt
import pytest

from golden import group as golden
from golden.params.group import GroupParameters
from unprune import streams
from unprune.encode import csr, group
from unprune.encode.base import TILE_WEIGHTS, Cost, Mask

SETS = [
    GroupParameters(),
    GroupParameters(group=2, value_bits=32, lanes=2),  # a group of 64 bits
    GroupParameters(group=16, value_bits=3, lanes=16),
    GroupParameters(group=8, value_bits=5, row_bits=3, column_bits=7, count_bits=8),
]
sets = pytest.mark.parametrize("parameters", SETS, ids=str)


def everything(levels: npt.NDArray[np.signedinteger]) -> Mask:
    return Mask(np.ones(levels.shape, np.bool_))


@sets
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (64, 48), (1, 700), (700, 1), (0, 5), (5, 0)])
@pytest.mark.parametrize("density", [0, 0.3, 1])
def test_streams_are_those_of_golden_and_come_back(parameters: GroupParameters, shape: tuple[int, int], density: float) -> None:
    generator = np.random.default_rng(sum(shape))
    limit = 1 << parameters.value_bits - 1
    levels, mask = generator.integers(-limit, limit, shape), Mask(generator.random(shape) < density)
    kept = np.where(mask.kept, levels, 0)
    done: list[npt.NDArray[np.signedinteger]] = []
    for tile in group.encode(levels, mask, parameters):
        rows = tile.weights // shape[1]
        start = sum(part.size for part in done) // shape[1]
        shares = streams.shares(tile)
        assert shares == golden.encode((kept[start : start + rows] % (2 * limit)).tolist(), parameters)
        decoded = golden.decode(shares, parameters)
        assert decoded.error == 0
        done.append(group.rebuild(np.array(decoded.elements, np.uint64), tile, parameters))
    assert np.array_equal(np.concatenate([np.zeros(0, int), *done]), kept.ravel())


def test_the_groups_of_the_largest_root_mean_square_are_kept() -> None:
    weights = np.array([[3, 3, 4, 0, 0, -5], [0, 0, 1, 1, 9, 0], [2, 2, 2, 2, 4.1, 0]])
    told: list[int] = []
    mask = group.choose(weights, 4 / 9, SETS[1], told.append)
    assert mask.kept.astype(int).tolist() == [[1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1]]
    assert told == [18]


def test_the_last_group_of_a_row_lives_or_dies_by_what_it_has() -> None:
    weights = np.array([[1, 1, 1, 1, 3.0], [1, 1, 1, 1, 1]])
    assert group.choose(weights, 0.25, SETS[0]).kept.astype(int).tolist() == [[0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    assert group.choose(weights, 0.75, SETS[0]).kept.astype(int).tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]


@pytest.mark.parametrize("largest", [np.finfo(np.float64).max, 5e-324])
def test_squares_neither_overflow_nor_vanish(largest: float) -> None:
    weights = np.array([[0.0, largest / 2 if largest > 1 else 0, largest, 0]])
    assert group.choose(weights, 0.5, SETS[1]).kept.tolist() == [[False, False, True, True]]


def test_random_masks_keep_as_many_groups_as_asked_for_and_no_part_of_one() -> None:
    generator = random.Random(3)
    for _ in range(50):
        size = generator.choice([2, 4, 8, 16])
        weights = np.random.default_rng(generator.getrandbits(32)).normal(size=(generator.randrange(1, 9), generator.randrange(1, 60)))
        density = generator.random()
        kept = group.choose(weights, density, GroupParameters(group=size, value_bits=4, lanes=16)).kept
        groups = [row[start : start + size] for row in kept for start in range(0, kept.shape[1], size)]
        assert all(one.all() == one.any() for one in groups)
        assert sum(one.any() for one in groups) == round(density * len(groups))


def test_tiles_are_whole_rows_within_the_limits() -> None:
    levels = np.ones((700, 101), np.int8)
    tiles = list(group.encode(levels, everything(levels), SETS[0]))
    assert [int(tile.streams["shape"][0, 0]) for tile in tiles] == [TILE_WEIGHTS // 101, 700 - TILE_WEIGHTS // 101]
    assert sum(tile.weights for tile in tiles) == levels.size


def test_cost_is_an_index_and_all_values_of_each_surviving_group_and_the_row_pointers() -> None:
    levels = np.array([[0, 5, -3, 0, 0, 0, 0, 1, 2], [0] * 9])
    (tile,) = group.encode(levels, everything(levels), SETS[0])
    assert group.cost(tile, SETS[0]) == Cost(index_bits=3 * 24 + 3 * 14, value_bits=3 * 4 * 8)
    single = csr.encode(levels, everything(levels), csr.CsrParameters(column_bits=16))
    assert csr.cost(next(single), csr.CsrParameters(column_bits=16)) == Cost(index_bits=3 * 24 + 4 * 16, value_bits=4 * 8)


@pytest.mark.parametrize(
    ("levels", "values", "message"),
    [
        (np.array([[0, 8]]), {"value_bits": 4}, r"^levels must be between -8 and 7, was '0 to 8'$"),
        (np.zeros((1, 32), np.int8), {"column_bits": 3}, r"^groups a row must be below 2\*\*column_bits = 8, was 8$"),
        (np.ones((2, 16), np.int8), {"count_bits": 2}, r"^surviving groups of a row must be below 2\*\*count_bits = 4, was 4$"),
    ],
)
def test_what_the_parameters_cannot_hold_is_refused(levels: npt.NDArray[np.int8], values: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(group.encode(levels, everything(levels), GroupParameters(**values)))


def test_a_tile_is_not_rebuilt_from_too_little() -> None:
    (tile,) = group.encode(np.array([[1, 0, 1]]), everything(np.ones((1, 3), np.int8)), SETS[0])
    with pytest.raises(ValueError, match=r"^weights must be 4, was 3$"):
        group.rebuild(np.zeros(3, np.uint64), tile, SETS[0])
