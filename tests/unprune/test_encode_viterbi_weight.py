"""The fast encoder of the Viterbi format with its values: what the one without gives, and the survivors as a stream."""

import numpy as np

from golden import viterbi_weight as golden_viterbi_weight
from golden.catalog import CATALOG
from golden.params.viterbi_weight import ViterbiWeightParameters
from unprune import streams
from unprune.encode import viterbi, viterbi_weight
from unprune.encode.base import Cost


def test_streams_are_those_without_values_and_the_survivors_and_come_back() -> None:
    parameters = CATALOG["viterbi_weight_k8q5c3"]
    assert isinstance(parameters, ViterbiWeightParameters)
    weights = np.random.default_rng(5).normal(size=(37, 61)).astype(np.float32)
    mask = viterbi_weight.choose(weights, 0.125, parameters)
    assert mask.index is not None
    levels = np.where(mask.kept, np.rint(weights * 30), 0).astype(np.int8)
    (tile,), (plain,) = viterbi_weight.encode(levels, mask, parameters), viterbi.encode(levels, mask, parameters)
    shares = streams.shares(tile)
    assert {name: shares[name] for name in ("shape", "index")} == streams.shares(plain)
    assert shares["value"] == (levels[mask.kept].astype(int) % 256).tolist()
    decoded = golden_viterbi_weight.decode(shares, parameters)
    assert decoded.error == 0
    assert np.array_equal(viterbi_weight.rebuild(np.array(decoded.elements, np.uint64), tile, parameters), levels.ravel())
    assert viterbi_weight.cost(tile, parameters) == Cost(viterbi.cost(plain, parameters).index_bits, 8 * int(mask.kept.sum()))
