"""The bit-plane code by its definition: the search is exact, the patches exact, and every value comes back."""

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import viterbi
from golden.params.planes import PlanesParameters, drawn_taps
from golden.params.viterbi import ViterbiParameters
from golden.planes import Plane, decode, encode, expand, gaps_of, places_of, search_block, step_outputs

GOOD: dict[str, Any] = {"bits": 2, "k": 2, "p": 2, "q": 3, "taps": (0b0001, 0b0110, 0b1011), "block_steps": 2, "gap_bits": 2}
SMALL = PlanesParameters(**GOOD)


@st.composite
def codes(draw: st.DrawFn) -> PlanesParameters:
    """Small codes with any taps, no history included."""
    k, p, q = draw(st.integers(0, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 9))
    taps = tuple(draw(st.lists(st.integers(1, (1 << k + p) - 1), min_size=q, max_size=q)))
    return PlanesParameters(
        bits=draw(st.integers(1, 3)), k=k, p=p, q=q, taps=taps, block_steps=draw(st.integers(1, 4)), gap_bits=draw(st.integers(2, 4))
    )


def mismatches(wanted: list[int | None], given: list[int]) -> int:
    return sum(bit is not None and bit != other for bit, other in zip(wanted, given, strict=True))


def as_viterbi(parameters: PlanesParameters) -> ViterbiParameters:
    """The mask decompressor with the same window and taps."""
    p = parameters
    return ViterbiParameters(k=p.k, p=p.p, q=p.q, taps=p.taps, block_steps=p.block_steps)


@given(codes(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_input_matches_more_than_the_search(parameters: PlanesParameters, data: st.DataObject) -> None:
    steps = data.draw(st.integers(1, min(8 // parameters.p, parameters.block_steps)))
    wanted = data.draw(st.lists(st.sampled_from([0, 1, None]), min_size=1, max_size=steps * parameters.q))
    found = search_block(wanted, parameters)
    started = -(-len(wanted) // parameters.q)
    best = min(mismatches(wanted, expand(bits, len(wanted), parameters)) for bits in product((0, 1), repeat=started * parameters.p))
    assert len(found) == started * parameters.p
    assert mismatches(wanted, expand(found, len(wanted), parameters)) == best


@given(codes().filter(lambda parameters: parameters.k > 0), st.data())
@settings(deadline=None)
def test_search_is_that_of_the_viterbi_format_with_a_gain_for_every_care_bit(parameters: PlanesParameters, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.sampled_from([0, 1, None]), min_size=1, max_size=parameters.block))
    gains = [0 if bit is None else 2 * bit - 1 for bit in wanted]
    assert search_block(wanted, parameters) == viterbi.search_block(gains, as_viterbi(parameters))


@given(codes().filter(lambda parameters: parameters.k > 0), st.lists(st.integers(0, 1), max_size=60))
def test_outputs_are_those_of_the_viterbi_decompressor(parameters: PlanesParameters, bits: list[int]) -> None:
    count = len(bits) // parameters.p * parameters.q
    assert expand(bits, count, parameters) == viterbi.decompress(bits, count, as_viterbi(parameters))


def test_output_is_the_parity_of_window_and_tap() -> None:
    assert [step_outputs(window, SMALL) for window in (0b0001, 0b0010, 0b0110, 0b1011)] == [0b101, 0b110, 0b100, 0b111]


@given(codes(), st.data())
@settings(max_examples=150, deadline=None)
def test_every_survivor_comes_back_and_pruned_weights_are_0(parameters: PlanesParameters, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.tuples(st.integers(0, (1 << parameters.bits) - 1), st.integers(0, 1)), max_size=40))
    values, mask = [value for value, _ in weights], [kept for _, kept in weights]
    planes = encode(values, mask, parameters)
    assert decode(planes, mask, parameters) == [value * kept for value, kept in weights]
    blocks = [mask[start : start + parameters.block] for start in range(0, len(mask), parameters.block)]
    for plane in planes:
        assert all(count <= sum(block) for count, block in zip(plane.counts, blocks, strict=True))
        assert all(count < 1 << parameters.count_bits for count in plane.counts)
        assert all(0 <= gap <= parameters.filler for gap in plane.gaps)


def test_filler_skips_its_value_and_flips_nothing() -> None:
    assert gaps_of([0, 2, 6, 12, 13], SMALL) == [0, 1, 3, 0, 3, 2, 0]
    assert places_of([0, 1, 3, 0, 3, 2, 0], SMALL) == [0, 2, 6, 12, 13]
    assert places_of([1, 3], SMALL) == [1]


@given(st.sets(st.integers(0, 200)), st.integers(2, 5))
def test_patches_come_back(wrong: set[int], gap_bits: int) -> None:
    parameters = PlanesParameters(**GOOD | {"gap_bits": gap_bits})
    assert places_of(gaps_of(sorted(wrong), parameters), parameters) == sorted(wrong)


def test_patch_flips_one_bit_of_one_plane() -> None:
    planes = encode([1, 2, 3, 0, 1, 2, 3], [1, 1, 0, 1, 0, 1, 1], SMALL)
    plain = [Plane(plane.inputs, [0, 0], []) for plane in planes]
    patched = [plain[0], Plane(planes[1].inputs, [0, 1], [0])]  # block 1 begins with weight 6, its first survivor
    before, after = (decode(some, [1, 1, 0, 1, 0, 1, 1], SMALL) for some in (plain, patched))
    assert [a ^ b for a, b in zip(before, after, strict=True)] == [0, 0, 0, 0, 0, 0, 2]


@pytest.mark.parametrize(
    ("plane", "message"),
    [
        (Plane([0] * 5, [0, 0], []), "the number of input bits of a plane must be 6, was 5"),
        (Plane([0] * 6, [0], []), "the number of counts of a plane must be 2, was 1"),
        (Plane([0] * 6, [0, 1], [1, 1]), "the number of gaps of a plane must be 1, was 2"),
        (Plane([0] * 6, [0, 1], [1]), "a patch of block 1 must be at one of its 1 survivors, was 1"),
    ],
)
def test_plane_that_does_not_fit_the_matrix_is_refused(plane: Plane, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode([plane, plane], [1] * 7, SMALL)


def test_wrong_number_of_planes_and_masks_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the number of planes must be 2, was 0$"):
        decode([], [], SMALL)
    with pytest.raises(ValueError, match=r"^values and mask must be as many, was \(1, 2\)$"):
        encode([0], [1, 1], SMALL)


@pytest.mark.parametrize(("k", "p", "q"), [(0, 1, 5), (0, 8, 200), (1, 1, 3), (3, 2, 40), (8, 8, 80), (10, 8, 80)])
def test_drawn_taps_are_odd_have_a_new_bit_and_do_not_repeat_while_they_last(k: int, p: int, q: int) -> None:
    taps = drawn_taps(k, p, q)
    fitting = [mask for mask in range(1 << k + p) if mask.bit_count() % 2 and mask % (1 << p)]
    assert len(taps) == q
    assert set(taps) <= set(fitting)
    assert len(set(taps)) == min(q, len(fitting))
    assert drawn_taps(k, p, q, seed=1) != taps or len(fitting) == 1


def test_drawn_taps_follow_the_stated_hash() -> None:
    assert drawn_taps(2, 2, 4) == (7, 11, 13, 14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": 33}, "bits must be between 1 and 32, was 33"),
        ({"k": 17}, "k must be between 0 and 16, was 17"),
        ({"p": 0}, "p must be between 1 and 8, was 0"),
        ({"q": 257}, "q must be between 1 and 256, was 257"),
        ({"q": 4}, "the number of taps must be q = 4, was 3"),
        ({"taps": (1, 0, 1)}, "taps[1] must be between 1 and 15, was 0"),
        ({"taps": (1, 1, 16)}, "taps[2] must be between 1 and 15, was 16"),
        ({"gap_bits": 1}, "gap_bits must be between 2 and 16, was 1"),
        ({"block_steps": 1398102}, "block_steps must be between 1 and 1398101, was 1398102"),
    ],
)
def test_value_out_of_range_is_refused_with_what_it_must_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        PlanesParameters(**GOOD | change)


def test_taps_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^taps must be a tuple of integers, was \[1, 2, 3\]$"):
        PlanesParameters(**GOOD | {"taps": [1, 2, 3]})
