"""The fast codebook encoder: tables and codes as golden writes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import codebook as golden
from golden.params.codebook import CodebookParameters
from unprune.encode.base import TILE_WEIGHTS, Cost, Mask
from unprune.encode.codebook import choose, cost, encode, rebuild
from unprune.streams import shares

EIGHT = CodebookParameters(code_bits=8, value_bits=8, lanes=8)


@given(st.lists(st.integers(-128, 127), min_size=1, max_size=300))
def test_streams_are_those_of_golden_and_come_back(flat: list[int]) -> None:
    levels = np.array([flat], np.int64)
    (tile,) = encode(levels, Mask(np.ones(levels.shape, np.bool_)), EIGHT)
    assert shares(tile) == golden.encode([[level % 256 for level in flat]], EIGHT)
    decoded = golden.decode(shares(tile), EIGHT)
    assert rebuild(np.array(decoded.elements, np.uint64), tile, EIGHT).tolist() == flat
    assert cost(tile, EIGHT) == Cost(0, 8 * (len(flat) + len(set(flat))))


def test_pruned_weights_have_the_code_of_0_and_tiles_follow_each_other() -> None:
    levels = np.random.default_rng(1).integers(-100, 100, (300, 500))
    mask = choose(np.abs(levels).astype(np.float32), 0.1, EIGHT)
    tiles = list(encode(levels, mask, EIGHT))
    assert [tile.weights for tile in tiles] == [TILE_WEIGHTS, TILE_WEIGHTS, levels.size - 2 * TILE_WEIGHTS]
    back = [rebuild(tile.streams["table"][tile.streams["code"]], tile, EIGHT) for tile in tiles]
    assert np.array_equal(np.concatenate(back), (levels * mask.kept).ravel())


def test_more_levels_than_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the entries of the table must be at most 4, was 5$"):
        list(encode(np.arange(5)[None], Mask(np.ones((1, 5), np.bool_)), CodebookParameters(code_bits=2)))
