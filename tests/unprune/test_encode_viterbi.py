"""The fast Viterbi encoder gives golden's bits, meets densities, and says what it cannot do."""

import math
import warnings

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import gains as golden_gains
from golden import viterbi as golden
from golden.catalog import CATALOG
from golden.params.viterbi import ViterbiParameters
from unprune.encode import density, engine, fast, taps, trellis, viterbi
from unprune.encode.base import Mask
from unprune.encode.compiled import _folder, compiled
from unprune.encode.sums import sums

EXAMPLE = CATALOG["viterbi_k3q4"]


def parameters_of(rng, k, p, q, comparator=None, **more):
    """Parameters with random taps, drawn without the designer's rules."""
    outputs = comparator or 1
    values = {"threshold": int(rng.integers(1, 1 << outputs)), "block_steps": int(rng.integers(1, 30))} | more
    drawn = tuple(int(tap) for tap in rng.integers(1, 1 << k + p, q * outputs))
    return ViterbiParameters(k=k, p=p, q=q, comparator=comparator, taps=drawn, **values)


def sparse_code(**more):
    """A code for densities near 0.125, with designed taps."""
    drawn = (0x1A3, 0x127, 0x17B, 0x195, 0x15F, 0x161, 0x1A5, 0x15F, 0x12D, 0x139, 0x1F7, 0x1B5, 0x185, 0x1B3, 0x163)
    return ViterbiParameters(k=8, q=5, comparator=3, taps=drawn, **more)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# search and decompress against golden


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_search_gives_goldens_bits(seed):
    rng = np.random.default_rng(seed)
    k, p = int(rng.integers(1, 7)), int(rng.choice([1, 1, 2, 3]))
    comparator = [None, 1, 2, 3, 4, 5][rng.integers(6)]
    parameters = parameters_of(rng, k, p, int(rng.integers(1, 10)), comparator)
    limit = int(rng.choice([1, 2, 127, 10**6]))
    size = min(int(rng.integers(0, 40 * parameters.block_steps * parameters.q)), 300)
    extreme = rng.random() < 0.2
    gains = rng.choice([-limit, limit], size) if extreme else rng.integers(-limit, limit + 1, size)
    expected = golden.search(gains.tolist(), parameters)
    assert viterbi.search(gains, parameters).tolist() == expected
    assert engine.search(engine.Integers(gains), parameters, plain=True).tolist() == expected
    assert viterbi.decompress(np.array(expected, np.uint8), size, parameters).tolist() == golden.decompress(expected, size, parameters)


@pytest.mark.parametrize(("k", "q"), [(7, 5), (8, 4), (9, 3), (10, 3), (11, 2), (12, 2), (13, 1), (14, 1)])
def test_long_windows_give_goldens_bits(k, q):
    rng = np.random.default_rng(k)
    parameters = parameters_of(rng, k, 1, q, block_steps=k + 3)
    gains = rng.integers(-127, 128, 2 * (k + 3) * q - 1)
    assert viterbi.search(gains, parameters).tolist() == golden.search(gains.tolist(), parameters)


@pytest.mark.parametrize(("k", "q", "comparator"), [(8, 5, 3), (8, 16, None), (6, 36, 2), (12, 19, None)])
@pytest.mark.parametrize("seed", [0, 1])
def test_both_kernels_agree_at_the_edge_of_16_bits(k, q, comparator, seed):
    rng = np.random.default_rng(seed)
    steps = 300 if k < 10 else 40
    parameters = parameters_of(rng, k, 1, q, comparator, block_steps=steps)
    gains = rng.choice([-127, 127], 33 * steps * q + 5)
    drift = np.where(rng.random(gains.size) < 0.9, 127, gains) if seed else gains
    assert fast.rebase_steps(k, 127 * q) > 0
    quick = engine.search(engine.Integers(drift), parameters)
    np.testing.assert_array_equal(quick, engine.search(engine.Integers(drift), parameters, plain=True))


def test_gains_too_large_for_16_bits_go_to_the_general_kernel():
    rng = np.random.default_rng(0)
    parameters = parameters_of(rng, 4, 1, 3, block_steps=5)
    gains = rng.integers(-(1 << 40), 1 << 40, 47)
    assert viterbi.search(gains, parameters).tolist() == golden.search(gains.tolist(), parameters)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_stop_when_one_fails(workers):
    batch = engine.LANES * EXAMPLE.block_steps * EXAMPLE.q
    told = []

    def fail(weights):
        told.append(weights)
        if len(told) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        viterbi.search(np.ones(100 * batch, np.int8), EXAMPLE, fail, workers)
    assert len(told) <= 3 + 2 * workers  # what the others had begun


def test_any_number_of_workers_gives_the_same_bits_and_reports_every_weight():
    gains = np.random.default_rng(0).integers(-50, 20, 200_003)
    parameters = sparse_code(block_steps=64)
    one = viterbi.search(gains, parameters, workers=1)
    done = []
    np.testing.assert_array_equal(viterbi.search(gains, parameters, done.append, workers=3), one)
    assert sum(done) == gains.size


@pytest.mark.parametrize("plain", [False, True])
def test_small_layers_share_lanes_and_get_the_bits_that_they_get_alone(plain):
    rng = np.random.default_rng(0)
    parameters = parameters_of(rng, 4, 1, 5, 2, block_steps=7)
    layers = [rng.integers(-60, 40, size) for size in (3, 0, 35, 36, 1, 1500, 34, 700)]
    found = engine.search_all([engine.Integers(layer) for layer in layers], parameters, plain=plain, workers=2)
    assert [bits.tolist() for bits in found] == [golden.search(layer.tolist(), parameters) for layer in layers]


def test_search_rejects_floats_and_sums_that_overflow():
    with pytest.raises(TypeError, match=r"^gains must be integers, was float64$"):
        viterbi.search(np.zeros(3), EXAMPLE)
    with pytest.raises(ValueError, match=r"^the sum of a block's gains must be below 2\*\*61, was \d+$"):
        viterbi.search(np.array([1 << 60]), EXAMPLE)


def test_search_rejects_a_trellis_that_needs_too_much_memory():
    parameters = ViterbiParameters(k=24, q=1, taps=(1,), block_steps=1024)
    with pytest.raises(ValueError, match=r"^block_steps \* 2\*\*k must be at most \d+ to be searched, was 17179869184$"):
        viterbi.search(np.zeros(3, int), parameters)


def test_decompress_rejects_too_few_bits():
    with pytest.raises(ValueError, match=r"^the number of compressed bits must be at least 3, was 2$"):
        viterbi.decompress(np.zeros(2, np.uint8), 9, EXAMPLE)


def test_additions_give_every_windows_sum():
    rng = np.random.default_rng(0)
    parameters = parameters_of(rng, 6, 2, 13, 2)
    plan, gains = sums(parameters), rng.integers(-100, 100, 13)
    slots = [0, *gains.tolist()]
    for a, b in plan.additions:
        slots.append(slots[a] + slots[b])
    for window in range(1 << 8):
        assert slots[plan.slot[window]] == sum(g for g, kept in zip(gains, golden.step_mask(window, parameters), strict=True) if kept)
    assert len(slots) == plan.slots


def test_compiling_goes_on_where_no_cache_can_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("UNPRUNE_CACHE", str(tmp_path / "file" / "cache"))
    _folder.cache_clear()
    try:
        assert _folder() == ""
        assert compiled(lambda value: value + 1)(1) == 2
    finally:
        _folder.cache_clear()


def test_machine_code_is_kept_under_the_state_of_the_package_and_numba_is_left_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setenv("UNPRUNE_CACHE", str(tmp_path))
    before = numba.config.CACHE_DIR
    _folder.cache_clear()
    try:
        assert compiled(lambda value: value + 1)(1) == 2
        assert len(list((tmp_path / "numba").glob("*/**/*.nbi"))) == 1
    finally:
        _folder.cache_clear()
    assert before == numba.config.CACHE_DIR


# gains from weights


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", [-0.3, 0.0, 0.01, 0.4, 30.0])
def test_gains_of_floats_are_goldens(kind, threshold):
    weights = np.random.default_rng(0).standard_t(2, 500).astype(kind)
    low, high = density.extremes(weights)
    assert (low, high) == (float(np.abs(weights).min()), float(np.abs(weights).max())) == density.extremes(weights, workers=3)
    rows = np.empty((1, weights.size), np.int8)
    engine.Linear(weights, threshold, low, high).load(0, weights.size, rows)
    assert rows[0].tolist() == golden_gains.linear(weights.tolist(), threshold)
    engine.Tanh(weights, threshold, high).load(0, weights.size, rows)
    assert rows[0].tolist() == golden_gains.tanh(weights.tolist(), threshold)


def test_rows_end_in_zeros():
    rows = np.empty((3, 6), np.int32)
    trellis.load(np.arange(1, 10), 0, 4, rows)
    assert rows.tolist() == [[1, 2, 3, 4, 0, 0], [5, 6, 7, 8, 0, 0], [9, 0, 0, 0, 0, 0]]


# density


@pytest.mark.parametrize("gain", ["linear", "tanh"])
@pytest.mark.parametrize("shape", [(300, 784), (37, 411), (1, 5120)])
def test_density_is_met_and_magnitude_kept(gain, shape):
    weights = normal(*shape)
    mask = viterbi.choose(weights, 0.09, sparse_code(), gain=gain)
    assert mask.kept.shape == shape
    assert abs(mask.kept.mean() - 0.09) <= 0.001
    best = np.sort(np.abs(weights).ravel())[-mask.kept.sum() :].sum()
    assert np.abs(weights)[mask.kept].sum() > 0.8 * best
    np.testing.assert_array_equal(mask.kept.ravel(), viterbi.decompress(mask.index, weights.size, sparse_code()))


def test_one_threshold_gives_the_bits_of_goldens_gains_and_search():
    weights = normal(1, 700)
    parameters = sparse_code(block_steps=32)
    layer = density.Layer(parameters, "linear", *density.extremes(weights.ravel()), 1)
    first, trial, _ = layer.run(weights.ravel(), [0.2, 1.3, 5.0], None)
    expected = golden.search(golden_gains.linear(weights.ravel().tolist(), 1.3), parameters)
    assert trial.bits.tolist() == expected
    assert first.bits.tolist() == golden.search(golden_gains.linear(weights.ravel().tolist(), 0.2), parameters)
    mask = golden.decompress(expected, 700, parameters)
    assert trial.kept.tolist() == [sum(mask[start : start + 160]) for start in range(0, 700, 160)]


def test_an_outlier_costs_nothing():
    weights = normal(300, 784)
    plain = np.abs(weights)[viterbi.choose(weights, 0.09, sparse_code()).kept].sum()
    weights[0, 0] = 1000.0
    kept = viterbi.choose(weights, 0.09, sparse_code()).kept
    kept[0, 0] = False
    assert np.abs(weights)[kept].sum() > 0.995 * plain


@pytest.mark.parametrize("weights", [np.zeros((200, 784), np.float32), np.full((200, 784), -2.5, np.float32)])
def test_constant_layers_meet_the_density_too(weights):
    mask = viterbi.choose(weights, 0.12, sparse_code(block_steps=64))
    assert abs(mask.kept.mean() - 0.12) <= 0.001


def test_densities_0_and_1_give_the_emptiest_and_fullest_mask():
    weights = normal(50, 400)
    with pytest.warns(UserWarning, match="is far from that"):
        nothing = viterbi.choose(weights, 0.0, sparse_code())
    with pytest.warns(UserWarning, match="is far from that"):
        everything = viterbi.choose(weights, 1.0, sparse_code())
    assert nothing.kept.mean() < 0.001  # what the window cannot avoid at the start of a block
    assert everything.kept.all()


def test_a_plain_xor_asked_for_few_weights_says_so():
    parameters = parameters_of(np.random.default_rng(0), 5, 1, 8, block_steps=64)
    with pytest.warns(UserWarning, match=r"keeps about 0\.5 of all weights by its nature; 0\.09 is far from that and costs magnitude"):
        viterbi.choose(normal(50, 400), 0.09, parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        viterbi.choose(normal(50, 400), 0.5, parameters)


@pytest.mark.parametrize("kind", [np.float16, np.int8, np.float64])
def test_other_kinds_of_weights_are_taken_exactly(kind):
    weights = np.rint(normal(20, 400) * 20).astype(kind)
    expected = viterbi.choose(weights.astype(np.float32), 0.1, sparse_code(block_steps=64))
    np.testing.assert_array_equal(viterbi.choose(weights, 0.1, sparse_code(block_steps=64)).kept, expected.kept)


def test_empty_layers_have_empty_masks():
    mask = viterbi.choose(np.zeros((0, 7), np.float32), 0.1, sparse_code())
    assert mask.kept.shape == (0, 7)
    assert list(viterbi.encode(np.zeros((0, 7), np.int8), mask, sparse_code())) == []


def test_choose_says_what_is_wrong():
    weights = normal(3, 5)
    weights[0, :2] = math.nan, math.inf
    with pytest.raises(ValueError, match=r"^weights must be finite, 2 of 15 are NaN or infinite$"):
        viterbi.choose(weights, 0.1, sparse_code())
    with pytest.raises(ValueError, match=r"^density must be between 0 and 1, was 1\.5$"):
        viterbi.choose(weights, 1.5, sparse_code())
    with pytest.raises(ValueError, match=r"^gain must be 'linear' or 'tanh', was 'cubic'$"):
        viterbi.choose(weights, 0.1, sparse_code(), gain="cubic")
    with pytest.raises(TypeError, match=r"^weights must be floats or integers, was bool$"):
        viterbi.choose(np.ones(3, bool), 0.1, sparse_code())


# tiles


@pytest.mark.parametrize(("steps", "block_steps", "tiles"), [(1, 64, 3), (8, 1024, 3), (16, 4096, 3), (80, 8000, 4)])
def test_tiles_decode_by_golden_to_the_levels(steps, block_steps, tiles):
    parameters = sparse_code(steps=steps, block_steps=block_steps)
    weights = normal(151, 1000) if block_steps > 1024 else normal(150, 900)
    mask = viterbi.choose(weights, 0.1, parameters)
    levels = np.rint(weights * 20).astype(np.int8)
    found = list(viterbi.encode(levels, mask, parameters))
    assert len(found) == tiles
    back = []
    for tile in found:
        decoded = golden.decode({name: stream.tolist() for name, stream in tile.streams.items()}, parameters)
        assert decoded.error == 0
        back.append(viterbi.rebuild(decoded.elements, tile, parameters))
        assert viterbi.cost(tile, parameters).index_bits == -(-tile.weights // 5)
        assert viterbi.cost(tile, parameters).value_bits == 8 * tile.survivors.size
    np.testing.assert_array_equal(np.concatenate(back), np.where(mask.kept, levels, 0).ravel())


def test_rebuild_notices_words_that_do_not_fit():
    parameters = sparse_code(block_steps=64)
    weights = normal(2, 100)
    mask = viterbi.choose(weights, 0.1, parameters)
    (tile,) = viterbi.encode(np.ones(weights.shape, np.int8), mask, parameters)
    with pytest.raises(ValueError, match=r"^mask bits must be 200, was 5$"):
        viterbi.rebuild([0], tile, parameters)
    with pytest.raises(ValueError, match=rf"^survivors must be {mask.kept.sum()}, was 0$"):
        viterbi.rebuild([0] * 40, tile, parameters)


def test_a_mask_from_elsewhere_is_refused():
    with pytest.raises(ValueError, match=r"^mask must come from choose\(\)"):
        next(viterbi.encode(np.ones((2, 2), np.int8), Mask(np.ones((2, 2), bool)), EXAMPLE))


# taps


def test_independence_is_that_of_vectors_over_two_elements():
    assert taps.independent((0b011, 0b101, 0b111))
    assert not taps.independent((0b011, 0b101, 0b110))
    assert not taps.independent((0b011, 0b011))


def test_found_taps_keep_the_rules_and_beat_the_first_draw():
    blank = ViterbiParameters(k=4, q=4, comparator=3, taps=(1,) * 12)
    first, found = taps.climb(blank, 0.1, 0, seed=3), taps.climb(blank, 0.1, 30, seed=3)
    assert all(tap & 1 and tap >> 4 & 1 for tap in found.taps)
    assert all(taps.independent(found.taps[start : start + 3]) for start in range(0, 12, 3))
    assert taps.score(found, 0.1) > taps.score(first, 0.1)


def test_light_taps_are_two_terms_that_steps_share():
    blank = ViterbiParameters(k=5, q=6, taps=(1,) * 6)
    found = taps.climb(blank, 0.5, 30, seed=3, light=True).taps
    assert len(set(found)) == 6
    for tap in found:
        neighbours = [place for place in range(5) if tap >> place & 3 == 3]
        assert tap & 1
        assert tap.bit_count() <= 2 or (tap.bit_count() == 3 and neighbours) or (tap.bit_count() == 4 and len(neighbours) >= 2)


def test_light_taps_need_a_window_that_has_enough_of_them():
    with pytest.raises(ValueError, match=r"^q \* c must be at most 3 for light taps, was 6$"):
        taps.climb(ViterbiParameters(k=2, q=6, taps=(1,) * 6), 0.5, 1, seed=0, light=True)


def test_taps_need_a_window_longer_than_the_comparator():
    with pytest.raises(ValueError, match=r"^comparator must be at most k \+ p - 1 = 2 for independent taps, was 3$"):
        taps.climb(ViterbiParameters(k=2, q=1, comparator=3, taps=(1,) * 3), 0.1, 1, seed=0)
