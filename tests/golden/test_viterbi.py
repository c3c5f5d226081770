"""The Viterbi format's definition against every possible input, and against numbers worked out by hand."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import viterbi
from golden.bits import words_to_bits
from golden.catalog import CATALOG
from golden.params.base import Error
from golden.params.viterbi import ViterbiParameters

EXAMPLE = CATALOG["viterbi_k3q4"]
INDEX_BITS = 8  # all inputs of so many bits are tried


@st.composite
def small(draw, steps=1):
    """Parameters with a window of at most 7 bits and blocks of at most 6 steps, whole beats each."""
    k, p = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    q, comparator = draw(st.integers(1, 5)), draw(st.sampled_from([None, 1, 2, 3, 4, 5]))
    outputs = comparator or 1
    taps = draw(st.lists(st.integers(1, (1 << k + p) - 1), min_size=q * outputs, max_size=q * outputs))
    block_steps = steps * draw(st.integers(1, 6 // steps))
    threshold = draw(st.integers(1, (1 << outputs) - 1))
    return ViterbiParameters(
        k=k, p=p, q=q, comparator=comparator, threshold=threshold, taps=tuple(taps), block_steps=block_steps, steps=steps
    )


@st.composite
def small_layers(draw):
    """Parameters and integer gains that take at most ``INDEX_BITS`` compressed bits; often ties."""
    parameters = draw(small())
    size = draw(st.integers(0, INDEX_BITS // parameters.p * parameters.q))
    limit = draw(st.sampled_from([0, 1, 3, 127]))
    return parameters, draw(st.lists(st.integers(-limit, limit), min_size=size, max_size=size))


def worth(bits, gains, parameters):
    """Sum of *gains* that the mask of *bits* keeps."""
    return sum(gain for gain, kept in zip(gains, viterbi.decompress(bits, len(gains), parameters), strict=True) if kept)


def path_order(bits, parameters):
    """What the tie rule compares: of two equal paths the one whose states are lower, the last state first, then the windows before."""
    windows, window = [], 0
    for start in range(0, len(bits), parameters.p):
        for bit in bits[start : start + parameters.p]:
            window = (window << 1 | bit) % (1 << parameters.k + parameters.p)
        windows.append(window)
    last = window % (1 << parameters.k)
    return [last, *reversed(windows)]


@settings(max_examples=200, deadline=None)
@given(small_layers())
def test_no_input_keeps_more_and_of_equal_ones_the_tie_rule_picks(layer):
    parameters, gains = layer
    found = viterbi.search(gains, parameters)
    assert len(found) == -(-len(gains) // parameters.q) * parameters.p
    block, pieces = parameters.block_steps * parameters.q, []
    for start in range(0, len(gains), block):
        piece = gains[start : start + block]
        inputs = product((0, 1), repeat=-(-len(piece) // parameters.q) * parameters.p)
        pieces += min(inputs, key=lambda bits: (-worth(bits, piece, parameters), path_order(bits, parameters)))
    assert found == pieces
    every = product((0, 1), repeat=len(found))
    assert worth(found, gains, parameters) == max(worth(bits, gains, parameters) for bits in every)


def test_all_ties_give_the_all_zero_input():
    assert viterbi.search([0] * 40, EXAMPLE) == [0] * 10


def test_mask_bits_of_a_window_by_hand():
    # window 0110: taps 1101, 1011, 1111, 1001 leave 0100, 0010, 0110, 0000
    assert viterbi.step_mask(0b0110, EXAMPLE) == [1, 1, 0, 0]


def test_decompression_by_hand():
    # the bits 1, 0, 1 make the windows 0001, 0010, 0101
    assert viterbi.decompress([1, 0, 1], 12, EXAMPLE) == [1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1]
    assert viterbi.decompress([1, 0, 1], 10, EXAMPLE) == [1, 1, 1, 1, 0, 1, 1, 0, 0, 1]


def test_search_of_the_worked_example():
    gains = [5, 4, 1, 2, -3, 2, 1, -3, -2, 4, -1, 3]
    assert viterbi.search(gains, EXAMPLE) == [1, 0, 1]
    assert worth([1, 0, 1], gains, EXAMPLE) == 12 + 3 + 7


def test_the_first_of_a_steps_bits_enters_first():
    parameters = ViterbiParameters(k=2, p=2, q=2, taps=(0b0010, 0b0001))
    assert viterbi.decompress([1, 0], 2, parameters) == [1, 0]


@pytest.mark.parametrize(("threshold", "expected"), [(1, 0), (2, 0), (3, 1)])
def test_comparator_reads_its_first_output_as_bit_0(threshold, expected):
    parameters = ViterbiParameters(k=1, q=1, taps=(0b10, 0b01), comparator=2, threshold=threshold)
    assert viterbi.step_mask(0b01, parameters) == [expected]  # outputs 0, 1: the number 2


def test_comparator_of_one_output_inverts_it():
    inverted = ViterbiParameters(k=1, q=1, taps=(0b11,), comparator=1)
    plain = ViterbiParameters(k=1, q=1, taps=(0b11,))
    assert [viterbi.step_mask(window, inverted) for window in range(4)] == [[1], [0], [0], [1]]
    assert [viterbi.step_mask(window, plain) for window in range(4)] == [[0], [1], [1], [0]]


@given(small(), st.data())
def test_every_block_decodes_alone(parameters, data):
    block = parameters.block_steps
    bits = data.draw(st.lists(st.integers(0, 1), min_size=3 * block * parameters.p, max_size=3 * block * parameters.p))
    whole = viterbi.decompress(bits, 3 * block * parameters.q, parameters)
    second = viterbi.decompress(bits[block * parameters.p : 2 * block * parameters.p], block * parameters.q, parameters)
    assert whole[block * parameters.q : 2 * block * parameters.q] == second


@given(small(), st.data())
def test_a_bit_reaches_no_further_than_the_window(parameters, data):
    size = 6 * parameters.p
    bits = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    place = data.draw(st.integers(0, size - 1))
    one_block = ViterbiParameters.from_dict(parameters.to_dict() | {"block_steps": 6, "name": ""})
    flipped = [bit ^ (i == place) for i, bit in enumerate(bits)]
    first = viterbi.decompress(bits, 6 * parameters.q, one_block)
    second = viterbi.decompress(flipped, 6 * parameters.q, one_block)
    for step in range(6):
        newest = (step + 1) * parameters.p - 1  # the step's window holds bits newest - (k + p - 1) to newest
        if not newest - (parameters.k + parameters.p - 1) <= place <= newest:
            piece = slice(step * parameters.q, (step + 1) * parameters.q)
            assert first[piece] == second[piece]


@settings(deadline=None)
@given(small(steps=2), st.lists(st.integers(-5, 5), max_size=40))
def test_decoding_the_encoded_gives_the_chosen_mask(parameters, gains):
    shares = viterbi.encode(gains, parameters)
    mask = viterbi.decompress(viterbi.search(gains, parameters), len(gains), parameters)
    decoded = viterbi.decode(shares, parameters)
    assert decoded.error == Error.NONE
    width = parameters.mask_bits
    assert [word >> i & 1 for word in decoded.elements for i in range(width)] == mask + [0] * (-len(mask) % width)


@pytest.mark.parametrize(
    ("beats", "words", "error"),
    [
        ([1, 0, 1], [0b1111, 0b0110, 0b0010], Error.NONE),
        ([1, 0], [0b1111, 0b0110, 0], Error.SHORT),
        ([1, 0, 1, 1], [0b1111, 0b0110, 0b0010], Error.LONG),
    ],
)
def test_an_index_of_another_length_is_an_error_and_completes_with_zeros(beats, words, error):
    decoded = viterbi.decode({"shape": [10], "index": beats}, EXAMPLE)
    assert (decoded.elements, decoded.error) == (words, error)


def test_an_empty_matrix_needs_no_index():
    assert viterbi.encode([], EXAMPLE) == {"shape": [0], "index": []}
    assert viterbi.decode({"shape": [0], "index": []}, EXAMPLE).elements == []
    assert viterbi.decode({"shape": [0], "index": [1]}, EXAMPLE).error == Error.LONG


def test_beats_hold_the_first_bit_lowest():
    parameters = ViterbiParameters(k=2, q=1, taps=(1,), steps=4, block_steps=4)
    assert viterbi.pack([1, 0, 0, 0, 1, 1], parameters) == [0b0001, 0b0011]


WORDS = ViterbiParameters.from_dict(EXAMPLE.to_dict() | {"word_bits": 4, "name": ""})


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5), max_size=80))
def test_memory_words_hold_the_same_bits_and_stand_for_the_same_mask(gains):
    shares, plain = viterbi.encode(gains, WORDS), viterbi.encode(gains, EXAMPLE)
    assert words_to_bits(shares["index"], 4)[: len(plain["index"])] == plain["index"]
    assert viterbi.decode(shares, WORDS) == viterbi.decode(plain, EXAMPLE)


@pytest.mark.parametrize(
    ("index", "words", "error"),
    [
        ([0b1101], [0b1111, 0b0110, 0b0010], Error.NONE),  # the fourth bit is past the matrix, whatever it is
        ([0b0101, 0b0000], [0b1111, 0b0110, 0b0010], Error.LONG),
        ([0b0101, None], [0b1111, 0b0110, 0b0010], Error.LONG),
        ([None, 0b0101], [0b1111, 0b0110, 0b0010], Error.NONE),
        ([], [0, 0, 0], Error.SHORT),
    ],
)
def test_an_index_of_words_has_to_end_with_the_word_that_completes_the_matrix(index, words, error):
    decoded = viterbi.decode({"shape": [10], "index": index}, WORDS)
    assert (decoded.elements, decoded.error) == (words, error)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"word_bits": 0}, "word_bits must be between 1 and 4096, was 0"),
        ({"word_bits": 3, "steps": 2, "block_steps": 6}, "word_bits must be a multiple of steps * p = 2, was 3"),
        ({"word_bits": 8, "block_steps": 12}, "block_steps must be a multiple of the 8 steps of a word, was 12"),
    ],
)
def test_words_hold_whole_beats_and_blocks_whole_words(values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ViterbiParameters.from_dict(EXAMPLE.to_dict() | {"name": ""} | values)
