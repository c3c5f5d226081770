"""The run-length code against the textbook example, Eyeriss words worked out by hand, an independent decoder and every malformed kind."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.catalog import CATALOG
from golden.decoded import Decoded
from golden.params.rlc import RlcError, RlcParameters
from golden.rlc import END, cut_runs, decode, elements, encode, pack, pairs, unpack

EYERISS = RlcParameters()
MIRRORED = RlcParameters(order="lsb")
TINY = CATALOG["rlc_tiny"]
EXAMPLE = [0, 0, 12, 0, 0, 0, 0, 53, 0, 0, 22]

weights = st.lists(st.one_of(st.just(0), st.just(0), st.integers(0, 255)), max_size=300)
sets = st.sampled_from([p for p in CATALOG.values() if isinstance(p, RlcParameters)])


def test_the_lecture_example():
    assert pairs(EXAMPLE) == [(2, 12), (4, 53), (2, 22), END]
    assert elements(pairs(EXAMPLE)) == EXAMPLE


def test_neighbours_have_run_0_and_zeros_at_the_end_are_a_level_too():
    assert pairs([7, 8]) == [(0, 7), (0, 8), END]
    assert pairs([5, 0]) == [(0, 5), (0, 0), END]
    assert pairs([0, 0, 0]) == [(2, 0), END]
    assert pairs([]) == [END]


def test_a_run_is_cut_after_the_longest():
    assert cut_runs([0] * 40 + [9], 31) == [(31, 0), (8, 9)]
    assert cut_runs([0] * 31 + [9], 31) == [(31, 9)]
    assert cut_runs([0] * 32 + [9], 31) == [(31, 0), (0, 9)]
    assert cut_runs([0] * 64, 31) == [(31, 0), (31, 0)]
    assert cut_runs([0] * 65, 31) == [(31, 0), (31, 0), (0, 0)]


@given(weights, st.one_of(st.none(), st.integers(0, 40)))
def test_the_lecture_form_comes_back(flat, longest):
    code = pairs(flat, longest)
    assert elements(code) == flat
    assert all(longest is None or run <= longest for run, _ in code)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ([], r"^the last pair must be the terminator \(0, None\), was None$"),
        ([(2, 12)], r"^the last pair must be the terminator \(0, None\), was \(2, 12\)$"),
        ([(2, 12), END, (0, 1)], r"^the terminator must be pair 2, the last, was 1$"),
    ],
)
def test_a_lecture_code_without_its_terminator_is_refused(code, message):
    with pytest.raises(ValueError, match=message):
        elements(code)


def test_eyeriss_words_by_hand():
    (word,) = encode([EXAMPLE], EYERISS)["code"]
    # run 63:59, level 58:43, run 42:38, level 37:22, run 21:17, level 16:1, last 0
    assert word == 2 << 59 | 12 << 43 | 4 << 38 | 53 << 22 | 2 << 17 | 22 << 1 | 1
    (word,) = encode([EXAMPLE], MIRRORED)["code"]
    # run 4:0, level 20:5, run 25:21, level 41:26, run 46:42, level 62:47, last 63
    assert word == 2 | 12 << 5 | 4 << 21 | 53 << 26 | 2 << 42 | 22 << 47 | 1 << 63


def test_only_the_last_word_is_marked_and_its_unused_pairs_are_zero():
    words = pack([(1, 2), (3, 4), (5, 6), (7, 8)], EYERISS)
    assert [word & 1 for word in words] == [0, 1]
    assert unpack(words[1], EYERISS) == [(7, 8), (0, 0), (0, 0)]


def test_spare_bits_are_written_0_and_not_read():
    p = CATALOG["rlc_8bit_n8"]
    assert isinstance(p, RlcParameters)
    assert p.spare_positions == (1, 2, 3)
    shares = encode([[0, 3, 9]], p)
    (word,) = shares["code"]
    assert isinstance(word, int)
    assert word & 0b1110 == 0
    assert decode({**shares, "code": [word | 0b1110]}, p) == decode(shares, p)


@given(weights, sets)
def test_what_is_encoded_comes_back(flat, p):
    flat = [level % (1 << p.level_bits) for level in flat][: (1 << p.count_bits) - 1]
    decoded = decode(encode([flat], p), p)
    assert (decoded.elements, decoded.error) == (flat, RlcError.NONE)


@given(weights, sets)
def test_a_code_read_by_strings_of_bits_gives_the_elements(flat, p):
    flat = [level % (1 << p.level_bits) for level in flat][: (1 << p.count_bits) - 1]
    read = []
    words = encode([flat], p)["code"]
    for word in words:
        bits = f"{word:0{p.word_bits}b}"
        for pair in range(p.pairs_per_word):
            start = pair * p.pair_bits
            if p.order == "msb":
                run, level = bits[start : start + p.run_bits], bits[start + p.run_bits : start + p.pair_bits]
            else:
                here = bits[::-1][start : start + p.pair_bits][::-1]
                level, run = here[: p.level_bits], here[p.level_bits :]
            read += [0] * int(run, 2) + [int(level, 2)]
        if p.marker:
            assert int(bits[-1 if p.order == "msb" else 0]) == (word is words[-1])
    if p.terminator:
        read += [0] * len(flat)  # zeros at the end that are not coded
    assert read[: len(flat)] == flat
    assert not any(read[len(flat) :])


def shares(count: int, *code: Any) -> dict[str, Any]:
    return {"shape": [count], "code": list(code)}


def word(first: tuple[int, int] = (0, 0), second: tuple[int, int] = (0, 0), last: int = 0) -> int:
    """A word of :data:`TINY`: 2 pairs of a run and a level of one bit each, and the marker in bit 0."""
    return first[0] << 4 | first[1] << 3 | second[0] << 2 | second[1] << 1 | last


@pytest.mark.parametrize(
    ("given", "found", "error"),
    [
        (shares(2, word((0, 1), (0, 1), last=1)), [1, 1], 0),
        (shares(3, word((0, 1), (1, 1), last=1)), [1, 0, 1], 0),
        (shares(1, word((0, 1), last=1)), [1], 0),
        (shares(2, None, word((1, 1), last=1)), [0, 1], 0),
        (shares(0), [], 0),
        (shares(0, None, None), [], 0),
        (shares(2), [0, 0], RlcError.SHORT),
        (shares(3, word((0, 1), (0, 1), last=1)), [1, 1, 0], RlcError.SHORT),
        (shares(3, word((0, 1), (0, 1)), None), [1, 1, 0], RlcError.SHORT),
        (shares(0, word(last=1)), [], RlcError.LONG),
        (shares(1, word((1, 1), last=1)), [0], RlcError.LONG),  # a run past the count
        (shares(2, word((0, 1), (1, 1), last=1)), [1, 0], RlcError.LONG),
        (shares(1, word((0, 1), (0, 1), last=1)), [1], RlcError.LONG),  # a pair past the count that is not (0, 0)
        (shares(1, word((0, 1), (1, 0), last=1)), [1], RlcError.LONG),
        (shares(2, word((0, 1), (0, 1)), word(last=1)), [1, 1], RlcError.LONG),  # a word after the end
        (shares(2, word((0, 1), (0, 1)), None), [1, 1], RlcError.LONG),
        (shares(2, word((0, 1), (0, 1)), word()), [1, 1], RlcError.LONG),  # is found before the last word's marker is missed
        (shares(2, word((0, 1), (0, 1))), [0, 0], RlcError.MARKER),
        (shares(4, word((0, 1), (0, 1), last=1), word((0, 1), (0, 1), last=1)), [0, 0, 0, 0], RlcError.MARKER),
        (shares(4, word((0, 1), (0, 1)), word((0, 1), (0, 1))), [1, 1, 0, 0], RlcError.MARKER),
        (shares(1, word((0, 1), last=1), None), [0], RlcError.MARKER),
        (shares(0, word()), [], RlcError.MARKER),
    ],
)
def test_the_first_error_is_told_and_what_came_before_it_is_given(given, found, error):
    decoded = decode(given, TINY)
    assert (decoded.elements, decoded.error) == (found, error)


def test_without_a_marker_only_the_end_of_the_stream_ends_a_code():
    p = CATALOG["rlc_unmarked_n2"]
    assert isinstance(p, RlcParameters)
    given = encode([[1] * 8], p)
    assert decode(given, p).error == RlcError.NONE
    assert decode({**given, "shape": [9]}, p).error == RlcError.SHORT
    assert decode({**given, "shape": [4]}, p).error == RlcError.LONG


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run_bits": 0}, r"^run_bits must be between 1 and 16, was 0$"),
        ({"level_bits": 33}, r"^level_bits must be between 1 and 32, was 33$"),
        ({"pairs_per_word": 17}, r"^pairs_per_word must be between 1 and 16, was 17$"),
        ({"word_bits": 63}, r"^word_bits must be between 64 and 1024, was 63$"),
        ({"marker": False, "word_bits": 62}, r"^word_bits must be between 63 and 1024, was 62$"),
        ({"order": "big"}, r"^order must be one of msb, lsb, was 'big'$"),
        ({"lanes": 3}, r"^lanes must be a power of two, was 3$"),
        ({"lanes": 128}, r"^lanes must be between 1 and 64, was 128$"),
        ({"lanes": 16, "count_bits": 4}, r"^count_bits must be at least 5 for 16 lanes, was 4$"),
    ],
)
def test_a_value_that_no_unpacker_can_have_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        RlcParameters(**change)


def test_the_marker_is_true_or_false():
    with pytest.raises(TypeError, match=r"^marker must be True or False, was 1$"):
        RlcParameters(marker=1)  # type: ignore[arg-type]


LECTURE = RlcParameters(run_bits=4, level_bits=8, pairs_per_word=4, word_bits=48, marker=False, terminator=True, count_bits=9, order="lsb")


def lecture_words(*words):
    return [sum((run | level << 4) << 12 * i for i, (run, level) in enumerate(word)) for word in words]


def test_the_lecture_example_is_its_three_pairs_and_a_terminator():
    (word,) = encode([EXAMPLE], LECTURE)["code"]
    assert unpack(word, LECTURE) == [(2, 12), (4, 53), (2, 22), (0, 0)]


@given(st.lists(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 5]), max_size=200), st.integers(0, 40))
def test_a_terminator_stands_for_any_number_of_zeros(flat, zeros):
    shares = encode([flat + [0] * zeros], LECTURE)
    assert decode(shares, LECTURE) == Decoded(flat + [0] * zeros, 0)
    assert encode([[*flat, 0]], LECTURE)["code"] == encode([flat + [0] * (zeros + 1)], LECTURE)["code"]


@pytest.mark.parametrize(
    ("count", "words", "found", "error"),
    [
        (4, [[(1, 7), (0, 9), (0, 0), (3, 3)]], [0, 7, 9, 0], RlcError.NONE),  # what follows a terminator is not looked at
        (3, [[(1, 7), (0, 9), (0, 0), (3, 3)]], [0, 7, 9], RlcError.NONE),
        (2, [[(1, 7), (0, 9), (0, 0)]], [0, 7], RlcError.LONG),
        (5, [[(0, 1), (0, 2), (0, 3), (0, 4)]], [1, 2, 3, 4, 0], RlcError.SHORT),  # nothing says that a zero follows
        (4, [[(0, 1), (0, 2), (0, 3), (0, 4)]], [1, 2, 3, 4], RlcError.NONE),
        (4, [[(0, 1), (0, 2), (0, 3), (0, 4)], []], [1, 2, 3, 4], RlcError.LONG),
        (5, [[(0, 1), (0, 2), (0, 3), (0, 4)], []], [1, 2, 3, 4, 0], RlcError.NONE),
        (5, [[(0, 1)], [(0, 2)]], [0] * 5, RlcError.MARKER),
        (5, [[]], [0] * 5, RlcError.NONE),
        (0, [[]], [], RlcError.NONE),
        (0, [[(0, 1)]], [], RlcError.LONG),
    ],
)
def test_a_terminator_ends_the_code_and_nothing_else_may(count, words, found, error):
    assert decode({"shape": [count], "code": lecture_words(*words)}, LECTURE) == Decoded(found, error)
