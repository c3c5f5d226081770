"""The N:M format: worked examples, round trips against a plain mask, and what malformed streams come to."""

import random
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import nm
from golden.bits import Element
from golden.decoded import Decoded
from golden.params.nm import NmError, NmParameters

Share = Sequence[Element | None]

SMALL = NmParameters(groups=2, count_bits=8)  # 2:4, 8 weights a beat
ANY_SHARE = st.lists(st.none() | st.integers(0, 1), max_size=30)
LEGAL = (0x4, 0x8, 0x9, 0xC, 0xD, 0xE)


@st.composite
def any_parameters(draw: st.DrawFn) -> NmParameters:
    m = draw(st.sampled_from([2, 4, 8, 16]))
    return NmParameters(n=draw(st.integers(1, m)), m=m, value_bits=draw(st.integers(1, 12)), groups=draw(st.integers(1, 5)), count_bits=8)


def sparse(parameters: NmParameters, count: int, generator: random.Random) -> list[int]:
    """*count* level patterns of which at most n in each group are not 0."""
    flat = [0] * count
    for start in range(0, count, parameters.m):
        group = range(start, min(start + parameters.m, count))
        for position in generator.sample(group, min(parameters.n, len(group))):
            flat[position] = generator.getrandbits(parameters.value_bits)
    return flat


def error(count: int, index: Share, value: Share) -> tuple[NmError, int]:
    """The error code of these shares for :data:`SMALL`, and the number of weights that are not 0."""
    decoded = nm.decode({"shape": [count], "index": index, "value": value}, SMALL)
    assert len(decoded.elements) == count
    return NmError(decoded.error), sum(element != 0 for element in decoded.elements)


@pytest.mark.parametrize(
    ("group", "nibble"),
    [((1, 2, 0, 0), 0x4), ((1, 0, 2, 0), 0x8), ((0, 1, 2, 0), 0x9), ((1, 0, 0, 2), 0xC), ((0, 1, 0, 2), 0xD), ((0, 0, 1, 2), 0xE)],
)
def test_a_group_of_2_4_has_the_nibble_of_the_format(group: tuple[int, ...], nibble: int) -> None:
    assert nm.encode([group], SMALL) == {"shape": [4], "index": [nibble], "value": [1, 2]}


def test_the_legal_nibbles_are_six() -> None:
    assert tuple(nibble for nibble in range(16) if nm.expand(nibble, [1, 2], SMALL) is not None) == LEGAL


def test_groups_are_packed_from_bit_0_and_run_on_from_row_to_row() -> None:
    shares = nm.encode([[1, 2, 0], [0, 0, 0], [0, 3, 4]], SMALL)
    assert shares == {"shape": [9], "index": [0xC4, 0x4], "value": [1, 2, 0, 3, 4, 0]}
    assert nm.decode(shares, SMALL) == Decoded([1, 2, 0, 0, 0, 0, 0, 3, 4], 0)


def test_a_group_with_fewer_survivors_stores_its_first_zeros() -> None:
    assert nm.positions([0, 0, 0, 0], SMALL) == [0, 1]
    assert nm.positions([0, 0, 0, 5], SMALL) == [0, 3]
    assert nm.positions([5, 0, 0, 0], SMALL) == [0, 1]


def test_more_survivors_than_n_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match=r"^the survivors of a group must be at most 2, was 3$"):
        nm.encode([[1, 2, 3, 0]], SMALL)


@given(any_parameters(), st.integers(0, 255), st.randoms(use_true_random=False))
def test_decode_gives_back_what_was_encoded(parameters: NmParameters, count: int, generator: random.Random) -> None:
    flat = sparse(parameters, count, generator)
    shares = nm.encode([flat], parameters)
    groups = -(-count // parameters.m)
    assert len(shares["value"]) == groups * parameters.n
    assert len(shares["index"]) == -(-groups // parameters.groups)
    assert nm.decode(shares, parameters) == Decoded(list(flat), 0)


@given(any_parameters(), st.integers(0, 255), ANY_SHARE, ANY_SHARE)
def test_any_shares_give_the_exact_count(parameters: NmParameters, count: int, index: list[int | None], value: list[int | None]) -> None:
    decoded = nm.decode({"shape": [count], "index": index, "value": value}, parameters)
    assert len(decoded.elements) == count
    assert decoded.error in list(NmError)


@pytest.mark.parametrize(
    ("index", "value", "code", "weights"),
    [
        ([0x44, 0x44], [1] * 8, NmError.NONE, 8),
        ([None, 0x44, None, 0x44], [1] * 4 + [None] + [1] * 4, NmError.NONE, 8),
        ([0x44], [1] * 8, NmError.SHORT, 4),
        ([0x44, 0x44], [1] * 4, NmError.SHORT, 4),
        ([0x44, 0x44], [1] * 7, NmError.SHORT, 4),
        ([0x44, 0x44], [1, None] + [1] * 7, NmError.SHORT, 0),  # a value beat of one value in the midst
        ([], [], NmError.SHORT, 0),
        ([0x44, None], [1] * 8, NmError.SHORT, 4),
        ([0x44, 0x44, None], [1] * 8, NmError.LONG, 8),
        ([0x44, 0x44, 0x44], [1] * 8, NmError.LONG, 8),
        ([0x44, 0x44], [1] * 9, NmError.LONG, 8),
        ([0x44, 0x44], [*[1] * 8, None], NmError.LONG, 8),
        ([0x44, 0x40], [1] * 8, NmError.ORDER, 4),
        ([0x04, 0x44], [1] * 8, NmError.ORDER, 0),
        ([0x44, 0x54], [1] * 7, NmError.SHORT, 4),  # what is missing comes before the order
        ([0x44, 0x54, 0x44], [1] * 9, NmError.ORDER, 4),  # and the order before what is too much
        ([0x44], [1] * 99, NmError.SHORT, 4),
    ],
)
def test_malformed_streams_of_16_weights_end_in_their_code(index: Share, value: Share, code: NmError, weights: int) -> None:
    assert error(16, index, value) == (code, weights)


def test_a_last_beat_needs_the_values_of_its_groups_and_no_more() -> None:
    assert error(9, [0x44, 0x4], [1] * 6) == (NmError.NONE, 5)
    assert error(9, [0x44, 0xF4], [1] * 6) == (NmError.NONE, 5)  # a group past the end is not looked at
    assert error(9, [0x44, 0x4], [1] * 5) == (NmError.SHORT, 4)
    assert error(9, [0x44, 0x4], [1] * 7) == (NmError.LONG, 5)


def test_a_matrix_without_weights_has_a_beat_without_data_in_either_stream() -> None:
    assert nm.encode([[], []], SMALL) == {"shape": [0], "index": [], "value": []}
    good: list[tuple[Share, Share]] = [([], []), ([None, None], [])]
    assert [error(0, *shares) for shares in good] == [(NmError.NONE, 0)] * 2
    long: list[tuple[Share, Share]] = [([1], []), ([], [1]), ([1, None], [None])]
    assert [error(0, *shares) for shares in long] == [(NmError.LONG, 0)] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"m": 3}, "m must be a power of two, was 3"),
        ({"m": 32}, "m must be between 2 and 16, was 32"),
        ({"n": 0}, "n must be between 1 and 4, was 0"),
        ({"n": 5}, "n must be between 1 and 4, was 5"),
        ({"value_bits": 65}, "value_bits must be between 1 and 64, was 65"),
        ({"groups": 65}, "groups must be between 1 and 64, was 65"),
        ({"groups": 4, "count_bits": 4}, "count_bits must be at least 5 for 16 lanes, was 4"),
    ],
)
def test_value_out_of_range_is_refused_with_what_it_must_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        NmParameters(**change)
