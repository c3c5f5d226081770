"""A layer packed in one pass is golden's mask and what it keeps, and comes back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import bits, gains
from golden import viterbi as golden
from golden.catalog import CATALOG
from golden.params.viterbi import ViterbiParameters
from unprune.encode.gather import Gather
from unprune.encode.pack import Packed, pack, unpack

EXAMPLE = CATALOG["viterbi_k3q4"]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_index_and_survivors_are_goldens(seed):
    rng = np.random.default_rng(seed)
    k, p, q, outputs = int(rng.integers(1, 6)), int(rng.choice([1, 1, 2, 3])), int(rng.integers(1, 12)), int(rng.integers(0, 4))
    taps = tuple(int(tap) for tap in rng.integers(1, 1 << k + p, q * max(outputs, 1)))
    steps = int(rng.integers(1, 40))
    parameters = ViterbiParameters(k=k, p=p, q=q, comparator=outputs or None, taps=taps, block_steps=steps)
    weights = rng.standard_normal((int(rng.integers(0, 9)), int(rng.integers(1, 60)))).astype(rng.choice([np.float32, np.float64]))
    threshold = float(rng.normal())
    expected = golden.search(gains.linear(weights.ravel().tolist(), threshold), parameters)
    kept = np.array(golden.decompress(expected, weights.size, parameters), bool).reshape(weights.shape)
    packed = pack(weights, threshold, parameters)
    assert packed.index.tolist() == bits.bits_to_words(expected, 8)
    np.testing.assert_array_equal(packed.survivors, weights[kept])
    np.testing.assert_array_equal(unpack(packed, parameters), np.where(kept, weights, 0))
    assert unpack(packed, parameters).dtype == weights.dtype


@pytest.mark.parametrize("q", [1, 5, 32, 33, 63, 64, 65, 200])
def test_any_number_of_mask_bits_a_step_is_gathered(q):
    rng = np.random.default_rng(q)
    parameters = ViterbiParameters(k=4, q=q, taps=tuple(int(tap) for tap in rng.integers(1, 32, q)), block_steps=11)
    stream = rng.integers(0, 2, 35).astype(np.uint8)
    values = rng.standard_normal(35 * q - q // 2)
    kept = np.array(golden.decompress(stream.tolist(), values.size, parameters), bool)
    np.testing.assert_array_equal(Gather(parameters, values.size, values.dtype)(values, stream), values[kept])


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_number_of_workers_packs_the_same(workers):
    weights = np.random.default_rng(0).standard_normal((400, 1003)).astype(np.float32)
    one, many = pack(weights, 1.3, EXAMPLE), pack(weights, 1.3, EXAMPLE, workers=workers)
    np.testing.assert_array_equal(one.index, many.index)
    np.testing.assert_array_equal(one.survivors, many.survivors)


def test_what_cannot_be_packed_is_refused():
    with pytest.raises(TypeError, match=r"^weights must be float32 or float64, was int64$"):
        pack(np.zeros(4, int), 1.0, EXAMPLE)
    with pytest.raises(ValueError, match=r"^weights must be finite, 2 of 4 are NaN or infinite$"):
        pack(np.array([0.0, np.nan, -np.inf, 1.0]), 1.0, EXAMPLE)


def test_survivors_that_do_not_fit_the_index_are_refused():
    packed = pack(np.array([5.0, 0.1, 0.2, 7.0]), 1.0, EXAMPLE)
    with pytest.raises(ValueError, match=rf"^survivors must be {packed.survivors.size}, was {packed.survivors.size + 1}$"):
        unpack(Packed((4,), packed.index, np.ones(packed.survivors.size + 1)), EXAMPLE)
    with pytest.raises(ValueError, match=r"^the number of compressed bits must be at least 25, was 8$"):
        unpack(Packed((100,), packed.index, packed.survivors), EXAMPLE)
