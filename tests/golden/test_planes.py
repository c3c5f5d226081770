"""The bit-plane code by its definition: the search is exact, the patches exact, and every value comes back."""

import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import viterbi
from golden.bits import Element, bits_to_words
from golden.decoded import Decoded
from golden.params.base import Error
from golden.params.planes import PlanesParameters, drawn_taps
from golden.params.viterbi import ViterbiParameters
from golden.planes import decode, encode, expand, flips_of, patches_of, search_block, step_outputs

GOOD: dict[str, Any] = {"value_bits": 2, "k": 2, "p": 2, "q": 3, "taps": (0b0001, 0b0110, 0b1011), "block_steps": 2, "gap_bits": 2}
SMALL = PlanesParameters(**GOOD)


@st.composite
def codes(draw: st.DrawFn) -> PlanesParameters:
    """Small codes with any taps, no history included."""
    k, p, q = draw(st.integers(0, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 9))
    taps = tuple(draw(st.lists(st.integers(1, (1 << k + p) - 1), min_size=q, max_size=q)))
    bits, steps, gap_bits = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return PlanesParameters(value_bits=bits, k=k, p=p, q=q, taps=taps, block_steps=6, steps=steps, gap_bits=gap_bits)


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


@st.composite
def matrices(draw: st.DrawFn, parameters: PlanesParameters) -> tuple[list[int], list[int]]:
    """Values and mask of a small matrix."""
    weights = draw(st.lists(st.tuples(st.integers(0, (1 << parameters.value_bits) - 1), st.integers(0, 1)), max_size=40))
    return [value for value, _ in weights], [kept for _, kept in weights]


@given(codes(), st.data())
@settings(max_examples=150, deadline=None)
def test_every_survivor_comes_back_and_pruned_weights_are_0(parameters: PlanesParameters, data: st.DataObject) -> None:
    values, mask = data.draw(matrices(parameters))
    shares = encode([values], parameters, mask)
    assert decode(shares, parameters) == Decoded([value * kept for value, kept in zip(values, mask, strict=True)], 0)
    beats = -(-len(values) // parameters.lanes)
    assert (len(shares["mask"]), len(shares["word"])) == (beats, beats)
    assert decode(encode([values], parameters), parameters).elements == values


def test_input_bits_stand_step_after_step_and_plane_after_plane() -> None:
    shares = encode([[1, 3, 2, 2, 0, 1]], SMALL, [1, 1, 1, 1, 0, 1])
    wanted = [[1, 1, 0, 0, None, 1], [0, 1, 1, 1, None, 0]]
    inputs = [search_block(bits, SMALL) for bits in wanted]
    assert shares["word"] == bits_to_words(inputs[0][:2] + inputs[1][:2] + inputs[0][2:] + inputs[1][2:], 4)
    assert shares["mask"] == [0b111, 0b101]


def patch(lane: int, plane: int, gap: int) -> int:
    """A patch of :data:`SMALL`: two bits of lane, one of plane, two of gap."""
    return lane | plane << 2 | gap << 3


def test_patch_names_lane_plane_and_the_beats_to_the_next() -> None:
    assert patches_of([(0, 1), (1, 0), (7, 0)], SMALL) == [patch(0, 1, 0), patch(1, 0, 2), patch(1, 0, 0)]
    assert patches_of([(4, 1)], SMALL) == [patch(3, 0, 1), patch(1, 1, 0)]  # the first patch is in beat 0, and flips nothing
    assert patches_of([(0, 0), (15, 1)], SMALL) == [patch(0, 0, 3), patch(3, 0, 2), patch(0, 1, 0)]
    assert patches_of([], SMALL) == []


@given(codes(), st.sets(st.tuples(st.integers(0, 200), st.integers(0, 31))))
def test_flips_come_back(parameters: PlanesParameters, flips: set[tuple[int, int]]) -> None:
    wanted = sorted({(weight, plane % parameters.value_bits) for weight, plane in flips})
    assert flips_of(patches_of(wanted, parameters), 201, parameters) == (wanted, False)


@pytest.mark.parametrize(
    ("patches", "beats", "flips", "more"),
    [
        ([], 1, [], False),
        ([None, None], 1, [], False),
        ([patch(2, 1, 3)], 1, [(2, 1)], False),  # the last gap is not looked at
        ([patch(2, 1, 3), None], 1, [(2, 1)], True),
        ([patch(2, 1, 3), None], 3, [(2, 1)], True),
        ([patch(2, 1, 3), None], 4, [(2, 1)], False),
        ([patch(2, 1, 0), None], 1, [(2, 1)], False),
        ([None, patch(2, 1, 0), None, patch(2, 1, 1), None, patch(0, 0, 0)], 2, [(2, 1), (2, 1), (3, 0)], False),
        ([patch(3, 1, 1), patch(1, 0, 0)], 2, [(4, 0)], False),  # there is no lane 3
        ([patch(1, 0, 1), patch(1, 0, 0)], 1, [(1, 0)], True),
    ],
)
def test_what_a_share_of_patches_flips(patches: list[Element | None], beats: int, flips: list[tuple[int, int]], more: bool) -> None:
    assert flips_of(patches, beats, SMALL) == (flips, more)


def test_a_patch_flips_one_bit_of_a_survivor_and_none_of_a_pruned_weight() -> None:
    shares = encode([[1, 2, 3, 0, 1, 2, 3]], SMALL, [1, 1, 0, 1, 0, 1, 1])
    before = decode(shares | {"patch": []}, SMALL).elements
    after = decode(shares | {"patch": [patch(1, 1, 1), patch(1, 0, 0), patch(2, 0, 1), patch(0, 1, 0), patch(1, 0, 0)]}, SMALL).elements
    assert [a ^ b for a, b in zip(before, after, strict=True)] == [0, 2, 0, 0, 0, 1, 2]  # type: ignore[operator]


WHOLE = encode([[3] * 7], SMALL)


@pytest.mark.parametrize(
    ("change", "error", "survivors"),
    [
        ({}, 0, 7),
        ({"mask": WHOLE["mask"][:2]}, 1, 6),
        ({"mask": [None, *WHOLE["mask"], None]}, 2, 7),
        ({"word": WHOLE["word"][:1]}, 1, 3),
        ({"word": []}, 1, 0),
        ({"word": [*WHOLE["word"], 0]}, 2, 7),
        ({"mask": WHOLE["mask"][:2], "word": WHOLE["word"][:1], "patch": [*WHOLE["patch"], patch(3, 0, 3), 0]}, 1, 3),
        ({"mask": [*WHOLE["mask"], 0], "word": WHOLE["word"][:1]}, 1, 3),
        ({"patch": [*WHOLE["patch"], patch(3, 0, 3), 0]}, 2, 7),
        ({"shape": [0]}, 2, 0),
        ({"shape": [0], "mask": [], "word": [None], "patch": [None, None]}, 0, 0),
        ({"shape": [0], "mask": [None, 1], "word": [], "patch": []}, 2, 0),
        ({"shape": [0], "mask": [], "word": [1], "patch": []}, 2, 0),
    ],
)
def test_error_of_malformed_shares(change: dict[str, list[Element | None]], error: int, survivors: int) -> None:
    decoded = decode(WHOLE | change, SMALL)
    (count,) = (WHOLE | change)["shape"]
    assert decoded == Decoded([3] * survivors + [0] * (int(str(count)) - survivors), error)


ANY_SHARE = st.lists(st.none() | st.integers(0, 1), max_size=12)


@given(codes(), st.integers(0, 40), ANY_SHARE, ANY_SHARE, ANY_SHARE)
@settings(deadline=None)
def test_any_shares_give_the_exact_count(
    parameters: PlanesParameters, count: int, mask: list[Element | None], word: list[Element | None], patches: list[Element | None]
) -> None:
    decoded = decode({"shape": [count], "mask": mask, "word": word, "patch": patches}, parameters)
    assert len(decoded.elements) == count
    assert decoded.error in list(Error)


def test_a_matrix_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^level 1 must be between 0 and 3, was 4$"):
        encode([[0, 4]], SMALL)
    with pytest.raises(ValueError, match=r"^the number of weights must be between 0 and 255, was 256$"):
        encode([[0] * 256], replace(SMALL, name="", count_bits=8))


@pytest.mark.parametrize(
    ("lanes", "sizes"), [(1, (6, 1, 1, 1)), (16, (6, 16, 1, 1)), (40, (12, 40, 4, 1)), (128, (12, 64, 6, 2)), (74, (12, 37, 3, 2))]
)
def test_weights_a_beat_choose_the_code(lanes: int, sizes: tuple[int, int, int, int]) -> None:
    parameters = PlanesParameters.weights(lanes)
    assert (parameters.k, parameters.q, parameters.p, parameters.steps) == sizes
    assert parameters.output.lanes == lanes
    with pytest.raises(ValueError, match=r"^lanes must be a multiple of q = 3, was 16$"):
        PlanesParameters.weights(16, q=3)


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
        ({"value_bits": 33}, "value_bits must be between 1 and 32, was 33"),
        ({"k": 17}, "k must be between 0 and 16, was 17"),
        ({"p": 0}, "p must be between 1 and 8, was 0"),
        ({"q": 257}, "q must be between 1 and 256, was 257"),
        ({"q": 4}, "the number of taps must be q * c = 4, was 3"),
        ({"taps": (1, 0, 1)}, "taps[1] must be between 1 and 15, was 0"),
        ({"taps": (1, 1, 16)}, "taps[2] must be between 1 and 15, was 16"),
        ({"k": 0, "taps": (1, 2, 4)}, "the largest of taps must be between 1 and 3, was 4"),
        ({"gap_bits": 0}, "gap_bits must be between 1 and 16, was 0"),
        ({"patches": 9}, "patches must be between 1 and 8, was 9"),
        ({"steps": 128, "block_steps": 128}, "steps * q must be between 1 and 256, was 384"),
        ({"steps": 3}, "block_steps must be a multiple of steps (3), was 2"),
        ({"value_bits": 32, "p": 8, "steps": 32, "block_steps": 32}, "steps * value_bits * p must be between 1 and 4096, was 8192"),
        ({"block_steps": 1398102}, "block_steps must be between 1 and 1398101, was 1398102"),
    ],
)
def test_value_out_of_range_is_refused_with_what_it_must_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        PlanesParameters(**GOOD | change)


def test_taps_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^taps must be a tuple of integers, was \[1, 2, 3\]$"):
        PlanesParameters(**GOOD | {"taps": [1, 2, 3]})
