"""The Viterbi format with its values: decoded as a bitmap whose mask the Viterbi code gives, and what malformed streams come to."""

import random

import pytest

from golden import bitmap, viterbi, viterbi_weight
from golden.catalog import CATALOG
from golden.params.base import Error
from golden.params.viterbi_weight import ViterbiWeightParameters

TINY = CATALOG["viterbi_weight_k3q4"]
assert isinstance(TINY, ViterbiWeightParameters)


def test_the_mask_keeps_the_largest_sum_of_gains_and_the_levels_it_keeps_come_back() -> None:
    generator = random.Random(3)
    for count in (0, 1, 4, 15, 16, 17, 63):
        levels, gains = [generator.randrange(1, 4) for _ in range(count)], [generator.randrange(-9, 10) for _ in range(count)]
        mask = viterbi.decompress(viterbi.search(gains, TINY), count, TINY)
        shares = viterbi_weight.encode([levels], gains, TINY)
        assert shares["value"] == [level for level, kept in zip(levels, mask, strict=True) if kept]
        decoded = viterbi_weight.decode(shares, TINY)
        assert (decoded.elements, decoded.error) == ([level * kept for level, kept in zip(levels, mask, strict=True)], 0)


def test_it_is_the_bitmap_format_with_the_mask_that_the_code_gives() -> None:
    parameters = CATALOG["viterbi_weight_k8q5c3"]
    assert isinstance(parameters, ViterbiWeightParameters)
    generator = random.Random(4)
    count = 1001
    index = [generator.getrandbits(8) for _ in range(26)]
    words = viterbi.decode({"shape": [count], "index": index}, parameters.mask).elements
    values = [generator.getrandbits(8) for _ in range(sum(word.bit_count() for word in words if isinstance(word, int)))]
    given = viterbi_weight.decode({"shape": [count], "index": index, "value": values}, parameters)
    assert given == bitmap.decode({"shape": [count], "mask": words, "value": values}, parameters.expansion)
    assert given.error == 0


@pytest.mark.parametrize(
    ("index", "values", "code", "weights"),
    [
        ([1, 0], 6, Error.NONE, 6),
        ([1], 6, Error.SHORT, 4),
        ([1], 3, Error.SHORT, 0),
        ([1, 0], 5, Error.SHORT, 4),
        ([1, 0, 0], 6, Error.LONG, 6),
        ([1, 0, 0], 5, Error.SHORT, 4),
        ([1, 0], 7, Error.LONG, 6),
        ([], 0, Error.SHORT, 0),
    ],
)
def test_malformed_streams_of_8_weights_end_in_their_code(index: list[int], values: int, code: Error, weights: int) -> None:
    decoded = viterbi_weight.decode({"shape": [8], "index": index, "value": [3] * values}, TINY)
    assert (decoded.error, sum(element != 0 for element in decoded.elements), len(decoded.elements)) == (code, weights, 8)


def test_gains_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the number of gains must be 2, was 1$"):
        viterbi_weight.encode([[1, 2]], [1], TINY)


def test_a_beat_that_is_too_wide_for_the_expander_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^steps \* q must be between 1 and 256, was 512$"):
        ViterbiWeightParameters(k=3, q=256, taps=(1,) * 256, steps=2)
