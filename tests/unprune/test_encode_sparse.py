"""The fast side of the sparse view: the decoder's own streams, and layers put together from positions and values."""

import numpy as np
import pytest

from golden import sparse as golden
from golden.catalog import CATALOG, FORMATS
from golden.params.sparse import SparseParameters
from unprune import streams
from unprune.encode import rlc, sparse
from unprune.encode.base import Tile, choose_largest

PARAMETERS = CATALOG["sparse_rlc_n8"]


def layer():
    weights = np.random.default_rng(0).normal(size=(30, 41))
    return np.rint(weights * 30).astype(np.int8), choose_largest(weights, 0.2, PARAMETERS)


def test_streams_mask_and_cost_are_the_decoders():
    levels, mask = layer()
    (tile,), (inner,) = sparse.encode(levels, mask, PARAMETERS), rlc.encode(levels, mask, PARAMETERS.of)
    assert {name: list(stream) for name, stream in tile.streams.items()} == {name: list(stream) for name, stream in inner.streams.items()}
    assert sparse.cost(tile, PARAMETERS) == rlc.cost(inner, PARAMETERS.of)
    weights = np.random.default_rng(1).normal(size=(9, 9))
    np.testing.assert_array_equal(sparse.choose(weights, 0.3, PARAMETERS).kept, rlc.choose(weights, 0.3, PARAMETERS.of).kept)


def test_what_golden_gives_is_put_in_place():
    levels, mask = layer()
    (tile,) = sparse.encode(levels, mask, PARAMETERS)
    decoded = golden.decode(streams.shares(tile), PARAMETERS)
    rebuilt = sparse.rebuild(np.array(decoded.elements, np.uint64), tile, PARAMETERS)
    np.testing.assert_array_equal(rebuilt, np.where(mask.kept, levels, 0).ravel())
    assert not sparse.rebuild(np.zeros((0, 2), np.uint64), tile, PARAMETERS).any()


def test_a_position_past_the_tile_is_refused():
    with pytest.raises(ValueError, match=r"^a position must be below 3, was 3$"):
        sparse.rebuild(np.array([[3, 1]], np.uint64), Tile(3, {"shape": np.array([3], np.uint64)}), PARAMETERS)


@pytest.mark.parametrize("kind", [kind for name, kind in FORMATS.items() if name in ("csr", "group", "coo")])
def test_where_rows_start_new_beats_or_are_filled_up_positions_are_still_the_weights_own(kind):
    levels, mask = layer()
    parameters = SparseParameters(of=kind.weights(4))
    back = []
    for tile in sparse.encode(levels, mask, parameters):
        decoded = golden.decode(streams.shares(tile), parameters)
        back.append(sparse.rebuild(np.array(decoded.elements, np.uint64), tile, parameters))
    np.testing.assert_array_equal(np.concatenate(back), np.where(mask.kept, levels, 0).ravel())
