"""The fast bit-plane encoder and decoder give what golden gives, and lose nothing at any size."""

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import planes as golden
from golden.bits import words_to_bits
from golden.catalog import CATALOG
from golden.decoded import Decoded
from golden.params.planes import PlanesParameters, drawn_taps
from unprune import streams
from unprune.encode import planes
from unprune.encode.base import Cost, Mask
from unprune.network import load_digits
from unprune.prune import magnitude_mask, quantise


def code(bits: int, k: int, p: int, q: int, block_steps: int = 512, gap_bits: int = 8, seed: int = 0) -> PlanesParameters:
    taps = drawn_taps(k, p, q, seed)
    return PlanesParameters(value_bits=bits, k=k, p=p, q=q, taps=taps, block_steps=block_steps, gap_bits=gap_bits, count_bits=32)


def matched(encoded: planes.Planes, mask: npt.NDArray[np.bool_]) -> float:
    """The share of care bits that the inputs alone give."""
    return 1 - encoded.flips / (mask.sum() * len(encoded.inputs))


def same_as_golden(parameters: PlanesParameters, count: int, density: float, seed: int) -> None:
    """Encode *count* seeded random weights with both, compare, and decode with both."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 1 << parameters.value_bits, count)
    mask = rng.random(count) < density
    fast = planes.encode_values(values, mask, parameters, workers=1)
    slow = golden.encode([values.tolist()], parameters, mask.astype(int).tolist())
    bits = words_to_bits([word for word in slow["word"] if isinstance(word, int)], parameters.word_bits)
    steps = -(-count // parameters.q)
    inputs = np.array(bits, int).reshape(-1, parameters.value_bits, parameters.p)[:steps] @ (1 << np.arange(parameters.p)[::-1])
    assert (fast.inputs.T.tolist(), fast.patches.tolist()) == (inputs.tolist(), slow["patch"])
    expected = np.where(mask, values, 0).tolist()
    assert planes.decode_values(fast, mask, parameters).tolist() == expected
    assert golden.decode(slow, parameters) == Decoded(expected, 0)


@given(
    st.builds(
        code, st.sampled_from([1, 2, 9]), st.integers(0, 7), st.integers(1, 4), st.sampled_from([1, 2, 7, 20, 40, 70, 140, 256]),
        st.integers(1, 5), st.integers(2, 5), st.integers(0, 99),
    ),
    st.floats(0, 4), st.sampled_from([0, 0.1, 0.3, 0.6, 1]), st.integers(0, 1 << 32),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_result_is_golden(parameters: PlanesParameters, steps: float, density: float, seed: int) -> None:
    same_as_golden(parameters, round(steps * parameters.q), density, seed)


@pytest.mark.parametrize(("k", "bits"), [(0, 9), (2, 9), (8, 1)])
@pytest.mark.parametrize("density", [0.05, 0.12, 0.16, 0.25, 0.5, 1])  # few care bits, the turn from cube to scan, several words of them
def test_result_is_golden_with_eight_new_bits(k: int, bits: int, density: float) -> None:
    same_as_golden(code(bits, k, 8, 80, block_steps=2), 120, density, seed=k)


@pytest.mark.parametrize(("k", "p"), [(4, 2), (6, 2), (5, 3), (9, 4), (10, 1), (9, 8)])
def test_result_is_golden_with_several_words_of_history(k: int, p: int) -> None:
    same_as_golden(code(1, k, p, 12, block_steps=9), 12 * (20 if p < 8 else 2), 0.3, seed=k)


def test_history_of_two_bytes_loses_nothing_and_matches_more_than_one() -> None:
    rng = np.random.default_rng(1)
    values, mask = rng.integers(0, 256, 80 * 24), rng.random(80 * 24) < 0.1
    shares = []
    for k in (0, 8, 16):
        parameters = code(8, k, 8, 80)
        encoded = planes.encode_values(values, mask, parameters)
        assert np.array_equal(planes.decode_values(encoded, mask, parameters)[mask], values[mask])
        shares.append(matched(encoded, mask))
    assert shares == sorted(set(shares))


@pytest.mark.parametrize("density", [0, 0.01, 0.1, 0.5, 1])
@pytest.mark.parametrize("values", ["random", "zero", "ones"])
def test_nothing_is_lost_at_any_density(values: str, density: float) -> None:
    rng = np.random.default_rng(2)
    shape = (331, 97)
    given = {"random": rng.integers(-(1 << 31), 1 << 31, shape), "zero": np.zeros(shape, np.int64), "ones": np.full(shape, -1)}[values]
    mask = rng.random(shape) < density
    parameters = code(32, 4, 4, 40, block_steps=37, gap_bits=4)
    decoded = planes.decode_values(planes.encode_values(given, mask, parameters), mask, parameters)
    assert decoded.shape == shape
    assert np.array_equal(decoded, np.where(mask, given, 0).astype(np.uint32))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (1, 1)])
def test_matrix_of_no_weights_or_one(shape: tuple[int, ...]) -> None:
    parameters = code(3, 2, 2, 8)
    mask = np.ones(shape, bool)
    encoded = planes.encode_values(np.full(shape, 5), mask, parameters)
    assert planes.decode_values(encoded, mask, parameters).tolist() == np.full(shape, 5).tolist()
    assert encoded.inputs.shape == (3, mask.size)


def test_any_number_of_workers_gives_the_same_and_progress_adds_up() -> None:
    rng = np.random.default_rng(3)
    values, mask = rng.integers(0, 256, 20_011), rng.random(20_011) < 0.1
    parameters, done = code(8, 8, 8, 80, block_steps=16), list[int]()
    one = planes.encode_values(values, mask, parameters, done.append, workers=1)
    three = planes.encode_values(values, mask, parameters, workers=3)
    assert np.array_equal(one.inputs, three.inputs)
    assert np.array_equal(one.patches, three.patches)
    assert (len(done), sum(done)) == (16, 20_011)


def test_one_word_of_history_matches_as_much_as_published_figures_lead_to_expect() -> None:
    rng = np.random.default_rng(4)
    count = 80 * 512 * 2
    values, mask = rng.integers(0, 256, count), rng.random(count) < 0.1
    for k, low, high in ((0, 0.934, 0.945), (8, 0.985, 0.989)):
        parameters = code(8, k, 8, 80)
        assert low < matched(planes.encode_values(values, mask, parameters), mask) < high


def test_shipped_network_comes_back() -> None:
    weights = load_digits().layers["fc1.weight"]
    mask = magnitude_mask(weights, 0.1)
    levels = quantise(weights, 8, mask).levels
    parameters = code(8, 8, 8, 80)
    decoded = planes.decode_values(planes.encode_values(levels, mask, parameters), mask, parameters)
    assert np.array_equal(decoded.astype(np.uint8).view(np.int8), levels)


def test_size_counts_inputs_and_patches() -> None:
    parameters = code(1, 2, 2, 10, block_steps=4, gap_bits=3)  # a lane is 4 bits, a plane none
    assert planes.Planes(np.zeros((1, 12), np.uint8), np.zeros(3, np.uint64), 2).bits(parameters) == 24 + 3 * 7


def test_wrong_input_is_refused() -> None:
    parameters = code(2, 2, 2, 3, block_steps=2, gap_bits=2)
    with pytest.raises(TypeError, match=r"^values must be integers, was float64$"):
        planes.encode_values(np.zeros(3), np.ones(3, bool), parameters)
    with pytest.raises(TypeError, match=r"^mask must be bool, was int64$"):
        planes.encode_values(np.zeros(3, int), np.ones(3, int), parameters)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^mask must be of shape \(3,\), was \(4,\)$"):
        planes.encode_values(np.zeros(3, int), np.ones(4, bool), parameters)


@pytest.mark.parametrize(
    ("steps", "patches", "message"),
    [
        (2, [], "the inputs must be 2 for each step, was (2, 2)"),
        (3, [2 << 3, 1], "a patch must be of one of 7 weights, was 7"),  # a lane is 2 bits, a plane 1
    ],
)
def test_planes_that_do_not_fit_the_matrix_are_refused(steps: int, patches: list[int], message: str) -> None:
    encoded = planes.Planes(np.zeros((2, steps), np.uint8), np.array(patches, np.uint64), len(patches))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        planes.decode_values(encoded, np.ones(7, bool), code(2, 2, 2, 3, block_steps=2, gap_bits=3))


SETS = [PlanesParameters(), *(CATALOG[name] for name in ("planes_k8q16_n4_skid", "planes_k0q6_n2_skid", "planes_tiny"))]


@pytest.mark.parametrize("parameters", SETS, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (1, 90), (90, 1), (0, 5)])
def test_streams_are_those_of_golden_and_come_back(parameters: PlanesParameters, shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(sum(shape))
    limit = 1 << parameters.value_bits - 1
    parameters = replace(parameters, name="", k=min(parameters.k, 4), taps=())  # golden's search takes its time
    levels, kept = generator.integers(-limit, limit, shape), generator.random(shape) < 0.4
    done: list[npt.NDArray[np.int64]] = []
    for tile in planes.encode(levels, Mask(kept), parameters):
        part = slice(start := sum(piece.size for piece in done), start + tile.weights)
        shares = streams.shares(tile)
        patterns = (levels.ravel()[part] % (2 * limit)).tolist()
        assert shares == golden.encode([patterns], parameters, kept.ravel()[part].astype(int).tolist())
        decoded = golden.decode(shares, parameters)
        assert decoded.error == 0
        done.append(planes.rebuild(np.array(decoded.elements, np.uint64), tile, parameters))
        inputs = -(-tile.weights // parameters.q) * parameters.p * parameters.value_bits
        assert planes.cost(tile, parameters) == Cost(tile.weights, inputs + len(shares["patch"]) * parameters.patch_bits)
    assert np.array_equal(np.concatenate([np.zeros(0, int), *done]), np.where(kept, levels, 0).ravel())


def test_a_large_layer_is_cut_into_tiles_of_whole_blocks_a_small_count_into_whole_beats() -> None:
    parameters = PlanesParameters(k=0, block_steps=100)
    levels = np.ones((3, 50_000), np.int8)
    tiles = list(planes.encode(levels, Mask(levels == 1), parameters))
    assert [tile.weights for tile in tiles] == [64_000, 64_000, 22_000]
    small = replace(parameters, name="", count_bits=8)
    assert [tile.weights for tile in planes.encode(levels[:, :130], Mask(levels[:, :130] == 1), small)] == [240, 150]
    smallest = replace(parameters, name="", count_bits=4)
    assert [tile.weights for tile in planes.encode(levels[:1, :20], Mask(levels[:1, :20] == 1), smallest)] == [15, 5]


def test_a_level_too_wide_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^levels must be between -8 and 7, was '0 to 8'$"):
        list(planes.encode(np.array([[8, 0]], np.int8), Mask(np.ones((1, 2), np.bool_)), PlanesParameters(value_bits=4, k=0)))
