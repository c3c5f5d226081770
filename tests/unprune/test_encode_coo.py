"""The fast coordinate encoder: entries bit for bit as golden writes them, and back."""

import numpy as np
import numpy.typing as npt
import pytest

from golden import coo as golden
from golden.params.coo import CooParameters
from unprune import streams
from unprune.encode import coo
from unprune.encode.base import TILE_WEIGHTS, Cost, Mask

SETS = [CooParameters(), CooParameters(dense=False, lanes=1, value_bits=12), CooParameters(lanes=2, count_bits=5, value_bits=3)]


@pytest.mark.parametrize("parameters", SETS, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (64, 48), (1, 700), (700, 1), (0, 5)])
@pytest.mark.parametrize("density", [0, 0.3, 1])
def test_streams_are_those_of_golden_and_come_back(parameters: CooParameters, shape: tuple[int, int], density: float) -> None:
    generator = np.random.default_rng(sum(shape))
    limit = 1 << parameters.value_bits - 1
    levels, mask = generator.integers(-limit, limit, shape), Mask(generator.random(shape) < density)
    kept = np.where(mask.kept, levels, 0).ravel()
    done: list[npt.NDArray[np.int64]] = []
    for tile in coo.encode(levels, mask, parameters):
        start = sum(part.size for part in done)
        piece = kept[start : start + tile.weights]
        shares = streams.shares(tile)
        assert shares == golden.encode([(piece % (2 * limit)).tolist()], parameters)
        decoded = golden.decode(shares, parameters)
        assert decoded.error == 0
        done.append(coo.rebuild(np.array(decoded.elements, np.uint64), tile, parameters))
        survivors = np.count_nonzero(piece)
        assert coo.cost(tile, parameters) == Cost(survivors * parameters.count_bits, survivors * parameters.value_bits)
    assert np.array_equal(np.concatenate([np.zeros(0, int), *done]), kept)


def test_a_large_layer_is_cut_into_tiles() -> None:
    levels = np.ones((3, TILE_WEIGHTS // 2), np.int8)
    assert [tile.weights for tile in coo.encode(levels, Mask(levels == 1), CooParameters())] == [TILE_WEIGHTS, TILE_WEIGHTS // 2]


def test_too_few_elements_and_a_level_too_wide_are_refused() -> None:
    everything = Mask(np.ones((1, 2), np.bool_))
    with pytest.raises(ValueError, match=r"^levels must be between -8 and 7, was '0 to 8'$"):
        list(coo.encode(np.array([[8, 0]], np.int8), everything, CooParameters(value_bits=4)))
    for dense, message in ((True, r"^weights must be 2, was 1$"), (False, r"^survivors must be 2, was 1$")):
        parameters = CooParameters(dense=dense, lanes=1)
        (tile,) = coo.encode(np.array([[7, 1]], np.int8), everything, parameters)
        with pytest.raises(ValueError, match=message):
            coo.rebuild(np.zeros((1, 1 if dense else 2), np.uint64), tile, parameters)
