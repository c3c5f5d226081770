"""The fast bitmap encoder: streams bit for bit as golden writes them, and back."""

from typing import Any

import numpy as np
import pytest

from golden import bitmap as golden_bitmap
from golden.params.bitmap import BitmapParameters
from unprune import streams
from unprune.encode import bitmap
from unprune.encode.base import TILE_WEIGHTS, Cost, Mask

SETS = [BitmapParameters(), BitmapParameters(lanes=128), BitmapParameters(lanes=5, values=2, count_bits=9, value_bits=12)]
sets = pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)
shapes = pytest.mark.parametrize("shape", [(1, 1), (7, 13), (64, 48), (1, 700), (700, 1), (0, 5)])


def layer(shape: tuple[int, int], value_bits: int) -> tuple[Any, Mask]:
    """Levels of a layer, zero among them, and a mask of about a third."""
    generator = np.random.default_rng(sum(shape))
    limit = 1 << value_bits - 1
    return generator.integers(-limit, limit, shape).astype(np.int16), Mask(generator.random(shape) < 0.3)


@sets
@shapes
def test_streams_are_those_of_golden_and_come_back(parameters: BitmapParameters, shape: tuple[int, int]) -> None:
    levels, mask = layer(shape, parameters.value_bits)
    done: list[Any] = []
    for tile in bitmap.encode(levels, mask, parameters):
        piece = slice(sum(part.size for part in done), None)
        flat, kept = levels.ravel()[piece][: tile.weights], mask.kept.ravel()[piece][: tile.weights]
        shares = streams.shares(tile)
        patterns = (flat % (1 << parameters.value_bits)).tolist()
        assert shares == golden_bitmap.encode([patterns], parameters, kept.astype(int).tolist())
        decoded = golden_bitmap.decode(shares, parameters)
        assert decoded.error == 0
        done.append(bitmap.rebuild(np.array(decoded.elements, np.uint64), tile, parameters))
        assert bitmap.cost(tile, parameters) == Cost(tile.weights, int(kept.sum()) * parameters.value_bits)
    assert np.array_equal(np.concatenate(done) if done else np.array([]), np.where(mask.kept, levels, 0).ravel())


def test_a_large_layer_is_cut_into_tiles_of_whole_beats() -> None:
    parameters = BitmapParameters(lanes=48, values=64)
    levels = np.ones((3, TILE_WEIGHTS), np.int8)
    tiles = list(bitmap.encode(levels, Mask(levels == 1), parameters))
    assert sum(tile.weights for tile in tiles) == levels.size
    assert all(tile.weights % 48 == 0 and tile.weights <= TILE_WEIGHTS for tile in tiles[:-1])


def test_more_lanes_than_weights_can_be_counted_give_tiles_nevertheless() -> None:
    parameters = BitmapParameters(lanes=64, values=64, count_bits=4)
    levels = np.arange(40, dtype=np.int8).reshape(1, 40)
    tiles = list(bitmap.encode(levels, Mask(levels > 3), parameters))
    assert [tile.weights for tile in tiles] == [15, 15, 10]


def test_a_level_too_wide_and_too_few_weights_are_refused() -> None:
    parameters = BitmapParameters(value_bits=4)
    everything = Mask(np.ones((1, 2), np.bool_))
    with pytest.raises(ValueError, match=r"^levels must be between -8 and 7, was '0 to 8'$"):
        list(bitmap.encode(np.array([[8, 0]], np.int8), everything, parameters))
    (tile,) = bitmap.encode(np.array([[7, 0]], np.int8), everything, parameters)
    with pytest.raises(ValueError, match=r"^weights must be 2, was 1$"):
        bitmap.rebuild(np.zeros(1, np.uint64), tile, parameters)
