"""The fast bit-plane encoder and decoder give what golden gives, and lose nothing at any size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import planes as golden
from golden.params.planes import PlanesParameters, drawn_taps
from unprune.encode import planes
from unprune.network import load_digits
from unprune.prune import magnitude_mask, quantise


def code(bits: int, k: int, p: int, q: int, block_steps: int = 512, gap_bits: int = 8, seed: int = 0) -> PlanesParameters:
    return PlanesParameters(bits=bits, k=k, p=p, q=q, taps=drawn_taps(k, p, q, seed), block_steps=block_steps, gap_bits=gap_bits)


def same_as_golden(parameters: PlanesParameters, count: int, density: float, seed: int) -> None:
    """Encode *count* seeded random weights with both, compare, and decode with both."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 1 << parameters.bits, count)
    mask = rng.random(count) < density
    fast = planes.encode(values, mask, parameters, workers=1)
    slow = golden.encode(values.tolist(), mask.astype(int).tolist(), parameters)
    assert [(x.inputs.tolist(), x.counts.tolist(), x.gaps.tolist()) for x in fast] == [(x.inputs, x.counts, x.gaps) for x in slow]
    expected = np.where(mask, values, 0).tolist()
    assert planes.decode(fast, mask, parameters).tolist() == expected
    assert golden.decode(slow, mask.astype(int).tolist(), parameters) == expected


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
        encoded = planes.encode(values, mask, parameters)
        assert np.array_equal(planes.decode(encoded, mask, parameters)[mask], values[mask])
        shares.append(planes.matched(encoded, mask, parameters))
    assert shares == sorted(set(shares))


@pytest.mark.parametrize("density", [0, 0.01, 0.1, 0.5, 1])
@pytest.mark.parametrize("values", ["random", "zero", "ones"])
def test_nothing_is_lost_at_any_density(values: str, density: float) -> None:
    rng = np.random.default_rng(2)
    shape = (331, 97)
    given = {"random": rng.integers(-(1 << 31), 1 << 31, shape), "zero": np.zeros(shape, np.int64), "ones": np.full(shape, -1)}[values]
    mask = rng.random(shape) < density
    parameters = code(32, 4, 4, 40, block_steps=37, gap_bits=4)
    decoded = planes.decode(planes.encode(given, mask, parameters), mask, parameters)
    assert decoded.shape == shape
    assert np.array_equal(decoded, np.where(mask, given, 0).astype(np.uint32))


@pytest.mark.parametrize("shape", [(0,), (0, 5), (1, 1)])
def test_matrix_of_no_weights_or_one(shape: tuple[int, ...]) -> None:
    parameters = code(3, 2, 2, 8)
    mask = np.ones(shape, bool)
    encoded = planes.encode(np.full(shape, 5), mask, parameters)
    assert planes.decode(encoded, mask, parameters).tolist() == np.full(shape, 5).tolist()
    assert [plane.counts.size for plane in encoded] == [mask.size] * 3


def test_any_number_of_workers_gives_the_same_and_progress_adds_up() -> None:
    rng = np.random.default_rng(3)
    values, mask = rng.integers(0, 256, 20_011), rng.random(20_011) < 0.1
    parameters, done = code(8, 8, 8, 80, block_steps=16), list[int]()
    one, three = planes.encode(values, mask, parameters, done.append, workers=1), planes.encode(values, mask, parameters, workers=3)
    assert all(np.array_equal(a.inputs, b.inputs) and np.array_equal(a.gaps, b.gaps) for a, b in zip(one, three, strict=True))
    assert (len(done), sum(done)) == (16, 20_011)


def test_one_word_of_history_matches_as_much_as_published_figures_lead_to_expect() -> None:
    rng = np.random.default_rng(4)
    count = 80 * 512 * 2
    values, mask = rng.integers(0, 256, count), rng.random(count) < 0.1
    for k, low, high in ((0, 0.934, 0.945), (8, 0.985, 0.989)):
        parameters = code(8, k, 8, 80)
        assert low < planes.matched(planes.encode(values, mask, parameters), mask, parameters) < high


def test_shipped_network_comes_back() -> None:
    weights = load_digits().layers["fc1.weight"]
    mask = magnitude_mask(weights, 0.1)
    levels = quantise(weights, 8, mask).levels
    parameters = code(8, 8, 8, 80)
    decoded = planes.decode(planes.encode(levels, mask, parameters), mask, parameters)
    assert np.array_equal(decoded.astype(np.uint8).view(np.int8), levels)


def test_size_counts_inputs_patches_and_counts() -> None:
    plane = planes.Plane(np.zeros(24, np.uint8), np.array([1, 0, 2]), np.array([7, 1, 0], np.uint16))
    assert plane.bits(code(1, 2, 2, 10, block_steps=4, gap_bits=3)) == 24 + 3 * 3 + 3 * 6


def test_wrong_input_is_refused() -> None:
    parameters = code(2, 2, 2, 3, block_steps=2, gap_bits=2)
    with pytest.raises(TypeError, match=r"^values must be integers, was float64$"):
        planes.encode(np.zeros(3), np.ones(3, bool), parameters)
    with pytest.raises(TypeError, match=r"^mask must be bool, was int64$"):
        planes.encode(np.zeros(3, int), np.ones(3, int), parameters)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^mask must be of shape \(3,\), was \(4,\)$"):
        planes.encode(np.zeros(3, int), np.ones(4, bool), parameters)
    with pytest.raises(ValueError, match=r"^the number of planes must be 2, was 0$"):
        planes.decode([], np.ones(3, bool), parameters)


@pytest.mark.parametrize(
    ("inputs", "counts", "gaps", "message"),
    [
        (5, [0, 0], [], "the number of input bits of a plane must be 6, was 5"),
        (6, [0], [], "the number of counts of a plane must be 2, was 1"),
        (6, [0, 1], [1, 1], "the number of gaps of a plane must be 1, was 2"),
        (6, [0, 1], [1], "a patch of block 1 must be at one of its 1 survivors, was 1"),
    ],
)
def test_plane_that_does_not_fit_the_matrix_is_refused(inputs: int, counts: list[int], gaps: list[int], message: str) -> None:
    plane = planes.Plane(np.zeros(inputs, np.uint8), np.array(counts), np.array(gaps, np.uint16))
    with pytest.raises(ValueError, match=f"^{message}$"):
        planes.decode([plane, plane], np.ones(7, bool), code(2, 2, 2, 3, block_steps=2, gap_bits=2))
