"""The Viterbi format with its values: the compressed bits stand for the mask, and the values of the survivors follow packed in order.

Source: Lee et al., ICLR 2018; what is ours is said in docs/viterbi.md, docs/bitmap.md and docs/viterbi_weight.md.
"""

from collections.abc import Mapping, Sequence

from golden import viterbi
from golden.bitmap import Bits, combine
from golden.bits import Element, flatten, words_to_bits
from golden.decoded import Decoded
from golden.params.base import check
from golden.params.viterbi_weight import ViterbiWeightParameters


def encode(matrix: Sequence[Sequence[int]], gains: Sequence[int], parameters: ViterbiWeightParameters) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns, whose weights have these integer *gains*, row-major.

    The mask is the one that keeps the largest sum of gains; the levels that it does not keep are lost.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count, or not as many gains, or a level needs more than ``value_bits``.
        TypeError: a level is not an integer.
    """
    flat = flatten(matrix, parameters.count_bits, parameters.value_bits)
    check(len(gains) == len(flat), "the number of gains", str(len(flat)), len(gains))
    shares = viterbi.encode(gains, parameters)
    kept = [bit for mask in masks(shares, parameters)[0] for bit in mask]
    return shares | {"value": [level for level, one in zip(flat, kept, strict=True) if one]}


def masks(shares: Mapping[str, Sequence[Element | None]], parameters: ViterbiWeightParameters) -> tuple[list[Bits], int]:
    """The mask of each output beat, without the bits past the last weight, and the error of the index; bits after a SHORT one are 0."""
    (count,), lanes = shares["shape"], parameters.mask_bits
    assert isinstance(count, int)
    decoded = viterbi.decode(shares, parameters)
    bits = words_to_bits([word for word in decoded.elements if isinstance(word, int)], lanes)[:count]
    return [bits[start : start + lanes] for start in range(0, count, lanes)], decoded.error


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: ViterbiWeightParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    Error codes: 1 (SHORT) the index ended early, or an output beat has fewer values than its mask needs: from there on weights are 0;
    2 (LONG) the matrix is complete and there is more: a beat of either stream, or a value in the last beat.
    """
    (count,) = shares["shape"]
    assert isinstance(count, int)
    given, error = masks(shares, parameters)
    return combine(count, given, error, shares["value"], parameters.values)
