"""Any finite matrix goes through the encoder of every catalogue entry and comes back; what is not finite is refused."""

import importlib
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import gains
from golden import viterbi as golden_viterbi
from golden.catalog import CATALOG
from golden.params.base import Parameters
from golden.params.csr import CsrParameters
from golden.params.viterbi import ViterbiParameters
from unprune import streams
from unprune.encode.base import Tile
from unprune.encode.pack import pack, unpack
from unprune.prune import quantise

entries = pytest.mark.parametrize("parameters", CATALOG.values(), ids=lambda p: p.name)
KINDS = (np.float16, np.float32, np.float64)


@st.composite
def matrices(draw: st.DrawFn, columns: int, kinds: tuple[Any, ...] = KINDS) -> np.ndarray[Any, Any]:
    """Of no weight, one or a few rows; all zero, all equal, or of numbers from the least subnormal to the largest, of either sign."""
    kind = draw(st.sampled_from(kinds))
    shape = draw(st.sampled_from([(0, 3), (3, 0), (1, 1), (1, columns), (9, 1), (7, columns), (40, min(columns, 5))]))
    limits = np.finfo(kind)
    odd = [0.0, -0.0, float(limits.smallest_subnormal), float(limits.smallest_normal), float(limits.max), -float(limits.max), 1.0]
    numbers = draw(st.sampled_from([[0.0], [-0.0], [draw(st.sampled_from(odd))], odd, odd[:4], None]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return (generator.standard_normal(shape) if numbers is None else generator.choice(numbers, shape)).astype(kind)


def of(parameters: Parameters) -> Parameters:
    """The decoder that *parameters* are a view of, or they."""
    return getattr(parameters, "of", parameters)


def most_columns(parameters: Parameters) -> int:
    """A row's columns, no more than CSR may have in a row, of which all may survive."""
    inner = of(parameters)
    return min(33, (1 << min(inner.column_bits, inner.count_bits)) - 1) if isinstance(inner, CsrParameters) else 33


def levels_of(weights: np.ndarray[Any, Any], kept: np.ndarray[Any, Any], parameters: Parameters) -> np.ndarray[Any, Any]:
    """Levels as wide as the format's values, and no more different ones than a codebook tells apart."""
    bits = 8 if parameters.format == "viterbi" else min(parameters.output.fields[-1].bits, getattr(parameters, "code_bits", 16), 16)
    return quantise(weights, bits, kept).levels if bits > 1 else np.where(weights < 0, np.int8(-1), np.int8(0)) * kept


def decoded(tile: Tile, parameters: Parameters) -> np.ndarray[Any, Any]:
    """The elements that golden gives for *tile*, as they come off the decoder's output."""
    given_back = importlib.import_module(f"golden.{parameters.format}").decode(streams.shares(tile), parameters)
    assert given_back.error == 0
    fields = len(parameters.output.fields)
    elements = np.array(given_back.elements, object).reshape(-1, fields)
    wide = any(field.bits > 64 for field in parameters.output.fields)
    return (elements if wide else elements.astype(np.uint64)).squeeze(axis=1) if fields == 1 else elements.astype(np.uint64)


@entries
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_finite_matrix_comes_back(parameters: Parameters, data: st.DataObject) -> None:
    encoder: Any = importlib.import_module(f"unprune.encode.{parameters.format}")
    weights = data.draw(matrices(most_columns(parameters)))
    density = data.draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*(not followed|far from that)", UserWarning)  # of densities
        mask = encoder.choose(weights, density, parameters)
    levels = levels_of(weights, mask.kept, parameters)
    tiles = list(encoder.encode(levels, mask, parameters))
    back = [encoder.rebuild(decoded(tile, parameters), tile, parameters) for tile in tiles]
    assert [one.size for one in back] == [tile.weights for tile in tiles]
    assert np.concatenate([np.zeros(0), *back]).tolist() == np.where(mask.kept, levels, 0).ravel().tolist()


@entries
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_matrix_that_is_not_finite_is_refused(parameters: Parameters, kind: Any, bad: float) -> None:
    weights = np.ones((3, 3), kind)
    weights[1, 2] = bad
    with pytest.raises(ValueError, match=r"^weights must be finite, [^\n]*$"):
        importlib.import_module(f"unprune.encode.{parameters.format}").choose(weights, 0.5, parameters)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_viterbi_mask_of_any_finite_matrix_is_the_one_that_golden_picks(data: st.DataObject) -> None:
    parameters = CATALOG["viterbi_k3q4"]
    assert isinstance(parameters, ViterbiParameters)
    weights = data.draw(matrices(33, (np.float32, np.float64)))
    magnitudes = np.abs(weights).ravel()
    threshold = float(data.draw(st.sampled_from([0.0, -1.0, 1e-40, *magnitudes[:4].tolist()])))
    index = golden_viterbi.search(gains.linear(weights.ravel().tolist(), threshold), parameters)
    kept = np.array(golden_viterbi.decompress(index, weights.size, parameters), bool).reshape(weights.shape)
    packed = pack(weights, threshold, parameters)
    assert np.unpackbits(packed.index, count=len(index), bitorder="little").tolist() == index
    assert unpack(packed, parameters).tolist() == np.where(kept, weights, 0).tolist()
