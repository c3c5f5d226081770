"""Bits, bytes and beats keep their order: bit 0, byte 0 and lane 0 first."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from golden.bits import beats_of, bits_to_words, data_beats, to_beats, words_to_bits
from golden.params.base import Field, Port

BYTES = Port("weight", (Field("level", 8),), lanes=3)
PAIRS = Port("pair", (Field("row", 9), Field("value", 4)), lanes=2)


def test_words_are_packed_from_bit_0_of_word_0() -> None:
    assert bits_to_words([1, 0, 0, 0, 1, 1], 4) == [0b0001, 0b11]
    assert words_to_bits([0b0001, 0b11], 4) == [1, 0, 0, 0, 1, 1, 0, 0]


@given(st.lists(st.integers(0, 1)), st.integers(1, 70))
def test_bits_come_back_followed_by_padding(bits: list[int], width: int) -> None:
    back = words_to_bits(bits_to_words(bits, width), width)
    assert back[: len(bits)] == bits
    assert not any(back[len(bits) :])
    assert len(back) - len(bits) < width


def test_fields_are_padded_to_bytes_and_the_first_is_lowest() -> None:
    assert list(to_beats(PAIRS, [(0x1A5, 0xF), (1, 2)])) == [(bytes([0xA5, 0x01, 0x0F, 0x01, 0x00, 0x02]), b"\1" * 6)]


def test_last_beat_is_partial_and_its_unused_lanes_are_0() -> None:
    assert list(to_beats(BYTES, [1, 2, 3, 4])) == [(b"\1\2\3", b"\1\1\1"), (b"\4\0\0", b"\1\0\0")]


def test_each_row_starts_a_beat_where_asked() -> None:
    beats = list(to_beats(BYTES, [1, 2, 3, 4, 5, 6, 7, 8], row=4))
    assert [data for data, _ in beats] == [b"\1\2\3", b"\4\0\0", b"\5\6\7", b"\10\0\0"]


def test_nothing_is_one_beat_without_data() -> None:
    assert list(to_beats(BYTES, [])) == [(b"\0\0\0", b"\0\0\0")]


def test_none_is_a_beat_without_data_in_the_midst() -> None:
    assert [keep for _, keep in to_beats(BYTES, [1, None, 2])] == [b"\1\0\0", b"\0\0\0", b"\1\0\0"]


@given(st.lists(st.none() | st.integers(0, 9)), st.integers(1, 4), st.none() | st.integers(1, 9))
def test_beats_are_full_but_at_the_end_of_a_row_and_before_one_without_data(
    elements: list[int | None], lanes: int, row: int | None
) -> None:
    beats = beats_of(elements, lanes, row)
    assert [one for beat in beats for one in beat] == [one for one in elements if one is not None]
    assert sum(not beat for beat in beats) == elements.count(None) or beats == [[]]
    count = 0
    for beat, after in pairwise(beats):
        count += len(beat)
        assert not beat or not after or len(beat) == lanes or (row and count % row == 0)
    assert all(len(beat) <= lanes for beat in beats)


def test_of_beats_without_data_a_model_sees_only_the_last() -> None:
    assert data_beats([None, 1, 2, 3, None, None, 4, None, None], 2) == [[1, 2], [3], [4], []]
    assert data_beats([], 2) == data_beats([None, None], 2) == [[]]
