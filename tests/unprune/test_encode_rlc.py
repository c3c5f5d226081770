"""The fast run-length encoder gives what golden gives, bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import rlc as golden
from golden.params.rlc import RlcParameters
from unprune.encode.base import TILE_WEIGHTS, Mask
from unprune.encode.rlc import choose, cost, encode, rebuild

EYERISS = RlcParameters()
SETS = [
    EYERISS,
    RlcParameters(order="lsb", lanes=1),
    RlcParameters(run_bits=4, level_bits=8, pairs_per_word=5, lanes=8),
    RlcParameters(run_bits=1, level_bits=2, pairs_per_word=1, word_bits=8, marker=False),
    RlcParameters(run_bits=8, level_bits=8, pairs_per_word=7, word_bits=120),
    RlcParameters(run_bits=3, level_bits=5, pairs_per_word=3, marker=False, terminator=True),
]


def check_against_golden(levels, parameters):
    mask = Mask(np.ones(levels.shape, bool))
    (tile,) = encode(levels, mask, parameters)
    patterns = [[int(level) & (1 << parameters.level_bits) - 1 for level in row] for row in levels]
    expected = golden.encode(patterns, parameters)
    assert {name: elements.tolist() for name, elements in tile.streams.items()} == expected
    decoded = golden.decode(expected, parameters)
    assert decoded.error == 0
    assert (rebuild(np.array(decoded.elements, np.uint64), tile, parameters) == levels.ravel()).all()


@pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)
@given(data=st.data())
def test_words_are_those_of_golden(parameters, data):
    limit = 1 << parameters.level_bits - 1
    level = st.one_of(st.just(0), st.just(0), st.just(0), st.integers(-limit, limit - 1))
    columns = data.draw(st.integers(1, 90))
    rows = data.draw(st.integers(1, 3))
    flat = data.draw(st.lists(level, min_size=rows * columns, max_size=rows * columns))
    check_against_golden(np.array(flat, np.int64).reshape(rows, columns), parameters)


@pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)
@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 64, 65, 1000])
def test_a_run_of_any_length_is_cut_as_golden_cuts_it(parameters, count):
    for place in (None, 0, count - 1, count // 2):
        levels = np.zeros((1, count), np.int64)
        if place is not None:
            levels[0, place] = 1
        check_against_golden(levels, parameters)


def test_pruned_levels_are_zeros_and_tiles_follow_each_other():
    generator = np.random.default_rng(1)
    levels = generator.integers(-100, 100, (300, 500))
    kept = generator.random(levels.shape) < 0.1
    tiles = list(encode(levels, Mask(kept), EYERISS))
    assert [tile.weights for tile in tiles] == [TILE_WEIGHTS, TILE_WEIGHTS, levels.size - 2 * TILE_WEIGHTS]
    back = []
    for tile in tiles:
        shares = {name: elements.tolist() for name, elements in tile.streams.items()}
        back.append(rebuild(np.array(golden.decode(shares, EYERISS).elements, np.uint64), tile, EYERISS))
        assert cost(tile, EYERISS).index_bits + cost(tile, EYERISS).value_bits == 64 * len(tile.streams["code"])
    assert (np.concatenate(back) == (levels * kept).ravel()).all()


def test_a_layer_without_weights_gives_no_tile():
    assert list(encode(np.zeros((0, 5), np.int64), Mask(np.zeros((0, 5), bool)), EYERISS)) == []


def test_a_level_that_does_not_fit_is_refused():
    parameters = RlcParameters(run_bits=4, level_bits=8, pairs_per_word=5)
    with pytest.raises(ValueError, match=r"^levels must be between -128 and 127, was '0 to 128'$"):
        list(encode(np.array([[0, 128]]), Mask(np.ones((1, 2), bool)), parameters))


def test_chosen_mask_keeps_the_largest():
    mask = choose(np.array([[0.1, -3.0], [2.0, 0.5]]), 0.5, EYERISS)
    assert mask.kept.tolist() == [[False, True], [True, False]]


def test_a_wrong_number_of_weights_is_refused():
    (tile,) = encode(np.array([[1, 2]]), Mask(np.ones((1, 2), bool)), EYERISS)
    with pytest.raises(ValueError, match=r"^weights must be 2, was 1$"):
        rebuild(np.array([1], np.uint64), tile, EYERISS)
