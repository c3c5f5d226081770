"""The fast encoder of relative indices: streams bit for bit as golden writes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import relative as golden
from golden.params.relative import RelativeParameters
from unprune.encode.base import TILE_WEIGHTS, Cost, Mask
from unprune.encode.relative import choose, cost, encode, rebuild
from unprune.streams import shares

SETS = [
    RelativeParameters(),
    RelativeParameters(order="high", pairs_per_word=6),
    RelativeParameters(gap_bits=5, pairs_per_word=13),  # a gap beat of 65 bits
    RelativeParameters(gap_bits=8, value_bits=4, pairs_per_word=1),
    RelativeParameters(gap_bits=1, value_bits=3, pairs_per_word=3, count_bits=9),
]


@pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)
@given(data=st.data())
def test_streams_are_those_of_golden_and_come_back(parameters: RelativeParameters, data: st.DataObject) -> None:
    limit = 1 << parameters.value_bits - 1
    level = st.one_of(*[st.just(0)] * 7, st.integers(-limit, limit - 1))
    flat = data.draw(st.lists(level, min_size=1, max_size=400))
    levels = np.array([flat], np.int64)
    (tile,) = encode(levels, Mask(np.ones(levels.shape, np.bool_)), parameters)
    assert shares(tile) == golden.encode([[level % (2 * limit) for level in flat]], parameters)
    decoded = golden.decode(shares(tile), parameters)
    assert decoded.error == 0
    assert rebuild(np.array(decoded.elements, np.uint64), tile, parameters).tolist() == flat
    assert cost(tile, parameters) == Cost(*(len(tile.streams["value"]) * bits for bits in (parameters.gap_bits, parameters.value_bits)))


def test_pruned_levels_are_zeros_and_tiles_follow_each_other() -> None:
    generator = np.random.default_rng(1)
    levels = generator.integers(-100, 100, (300, 500))
    mask = choose(np.abs(levels).astype(np.float32), 0.1, SETS[0])
    tiles = list(encode(levels, mask, SETS[0]))
    assert [tile.weights for tile in tiles] == [TILE_WEIGHTS, TILE_WEIGHTS, levels.size - 2 * TILE_WEIGHTS]
    back = [rebuild(np.array(golden.decode(shares(tile), SETS[0]).elements, np.uint64), tile, SETS[0]) for tile in tiles]
    assert np.array_equal(np.concatenate(back), (levels * mask.kept).ravel())


def test_a_layer_without_survivors_is_streams_without_elements() -> None:
    (tile,) = encode(np.zeros((3, 5), np.int64), Mask(np.zeros((3, 5), np.bool_)), SETS[0])
    assert shares(tile) == {"shape": [15], "gap": [], "value": []}


def test_a_level_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^levels must be between -128 and 127, was '0 to 128'$"):
        list(encode(np.array([[0, 128]]), Mask(np.ones((1, 2), np.bool_)), SETS[0]))
