"""The fast N:M encoder: the n largest of every group, and streams bit for bit as golden writes them."""

import random
from typing import Any

import numpy as np
import pytest

from golden import nm
from golden.params.nm import NmParameters
from unprune import streams
from unprune.encode.base import TILE_WEIGHTS, Cost, Mask
from unprune.encode.nm import choose, cost, encode, rebuild

SETS = [
    NmParameters(),
    NmParameters(groups=40),  # an index beat of 160 bits
    NmParameters(n=1, m=2, groups=1),
    NmParameters(n=3, m=8, groups=3, count_bits=9),
    NmParameters(n=16, m=16, groups=2),
    NmParameters(n=4, m=8, groups=5, value_bits=12),
]
sets = pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)
shapes = pytest.mark.parametrize("shape", [(1, 1), (7, 13), (64, 48), (1, 700), (700, 1), (0, 5)])


def layer(shape: tuple[int, int]) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def chosen(weights: Any, parameters: NmParameters) -> Mask:
    return choose(weights, parameters.n / parameters.m, parameters)


@sets
@shapes
def test_mask_holds_the_n_largest_of_every_group(parameters: NmParameters, shape: tuple[int, int]) -> None:
    weights = layer(shape)
    mask = chosen(weights, parameters)
    magnitudes, kept = np.abs(weights).ravel().tolist(), mask.kept.ravel().tolist()
    assert mask.kept.shape == shape
    for start in range(0, len(kept), parameters.m):
        group = range(start, min(start + parameters.m, len(kept)))
        largest = sorted(group, key=lambda i: -magnitudes[i])[: parameters.n]
        assert [i for i in group if kept[i]] == sorted(largest)


def test_of_equal_magnitudes_the_first_are_kept() -> None:
    mask = choose(np.array([[1.0, -1, 1, -1], [0, 0, 0, 0], [1, 1, 2, 1]]), 0.5, NmParameters())
    assert mask.kept.tolist() == [[True, True, False, False], [True, True, False, False], [True, False, True, False]]


def test_another_density_is_not_followed_and_a_warning_says_so() -> None:
    weights = layer((8, 8))
    with pytest.warns(UserWarning, match=r"^nm_2_4_\w+ keeps 2 of every 4 weights, a density of 0\.5; the 0\.1 asked for is not followed$"):
        mask = choose(weights, 0.1, NmParameters())
    assert (mask.kept == chosen(weights, NmParameters()).kept).all()


@pytest.mark.filterwarnings("error")
def test_the_density_of_the_format_gives_no_warning() -> None:
    assert chosen(layer((8, 8)), NmParameters()).kept.mean() == 0.5


def test_progress_counts_every_weight() -> None:
    seen: list[int] = []
    choose(layer((8, 9)), 0.5, NmParameters(), seen.append)
    assert sum(seen) == 72


@sets
@shapes
def test_streams_are_those_of_golden_and_come_back(parameters: NmParameters, shape: tuple[int, int]) -> None:
    mask = chosen(layer(shape), parameters)
    limit = 1 << parameters.value_bits - 1
    drawn = np.random.default_rng(1).integers(-limit, limit, shape)
    levels = np.where(mask.kept, drawn, 0).astype(np.int16)
    done: list[Any] = []
    for tile in encode(levels, mask, parameters):
        piece = levels.ravel()[sum(part.size for part in done) :][: tile.weights]
        shares = streams.shares(tile)
        assert shares == nm.encode([[level % (2 * limit) for level in piece.tolist()]], parameters)
        decoded = nm.decode(shares, parameters)
        assert decoded.error == 0
        done.append(rebuild(np.array(decoded.elements, np.uint64), tile, parameters))
    assert np.array_equal(np.concatenate(done) if done else np.array([]), levels.ravel())


def test_a_survivor_of_level_0_is_a_stored_zero() -> None:
    levels = np.array([[0, 0, 0, 9]], np.int8)
    (tile,) = encode(levels, Mask(np.array([[False, False, True, True]])), NmParameters())
    assert streams.shares(tile) == {"shape": [4], "index": [0b1100], "value": [0, 9]}


def test_a_large_layer_is_cut_into_tiles_of_whole_beats() -> None:
    parameters = NmParameters(groups=3)
    levels = np.ones((3, TILE_WEIGHTS), np.int8)
    mask = chosen(np.ones(levels.shape), parameters)
    tiles = list(encode(levels, mask, parameters))
    assert sum(tile.weights for tile in tiles) == levels.size
    assert all(tile.weights % parameters.lanes == 0 and tile.weights <= TILE_WEIGHTS for tile in tiles[:-1])
    assert {len(tile.streams["value"]) * 2 for tile in tiles[:-1]} == {tiles[0].weights}


def test_cost_is_n_indices_and_n_values_of_every_started_group() -> None:
    (tile,) = encode(np.zeros((3, 3), np.int8), Mask(np.zeros((3, 3), np.bool_)), NmParameters())
    assert cost(tile, NmParameters()) == Cost(3 * 4, 3 * 2 * 8)


def test_a_group_of_too_many_survivors_and_a_level_too_wide_are_refused() -> None:
    everything = Mask(np.ones((1, 4), np.bool_))
    with pytest.raises(ValueError, match=r"^the survivors of a group must be at most 2, was 3$"):
        list(encode(np.array([[1, 2, 3, 0]], np.int8), everything, NmParameters()))
    with pytest.raises(ValueError, match=r"^levels must be between -8 and 7, was '0 to 8'$"):
        list(encode(np.array([[8, 0, 0, 0]], np.int8), everything, NmParameters(value_bits=4)))


def test_too_few_weights_are_refused() -> None:
    (tile,) = encode(np.zeros((1, 4), np.int8), Mask(np.zeros((1, 4), np.bool_)), NmParameters())
    with pytest.raises(ValueError, match=r"^weights must be 4, was 3$"):
        rebuild(np.zeros(3, np.uint64), tile, NmParameters())


def test_random_small_layers_match_golden() -> None:
    generator = random.Random(7)
    for _ in range(200):
        m = generator.choice([2, 4, 8, 16])
        parameters = NmParameters(n=generator.randint(1, m), m=m, groups=generator.randint(1, 9), count_bits=10)
        weights = np.array([[generator.choice([0, 0, 1, -2, 3]) for _ in range(generator.randrange(1, 60))]], np.float32)
        mask = chosen(weights, parameters)
        levels = np.where(mask.kept, weights, 0).astype(np.int8)
        (tile,) = encode(levels, mask, parameters)
        assert streams.shares(tile) == nm.encode(levels.view(np.uint8).tolist(), parameters)
