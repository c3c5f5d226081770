"""The bitmap format: one mask bit per weight, and the values of the survivors packed in order.

Source: NVDLA's compressed weights. The order of bits and what a decoder makes of malformed streams are ours; docs/bitmap.md states them.
"""

from collections.abc import Mapping, Sequence

from golden.bits import Beat, Element, bits_to_words, data_beats, flatten, words_to_bits
from golden.decoded import Decoded
from golden.params.base import Error
from golden.params.bitmap import BitmapParameters

Bits = list[int]  # 0 or 1 each


def encode(
    matrix: Sequence[Sequence[int]], parameters: BitmapParameters, mask: Sequence[int] | None = None
) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns.

    Args:
        mask: One bit per weight, row-major; without it every level but 0 survives. A survivor of level 0 is a stored zero.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count, or a level needs more than ``value_bits``.
        TypeError: a level is not an integer.
    """
    p = parameters
    flat = flatten(matrix, p.count_bits, p.value_bits)
    kept = [int(level != 0) for level in flat] if mask is None else mask
    values: list[Element | None] = [level for level, one in zip(flat, kept, strict=True) if one]
    return {"shape": [len(flat)], "mask": list(bits_to_words(kept, p.lanes)), "value": values}


def place(mask: Sequence[int], values: Sequence[int]) -> list[int]:
    """The weights that *mask* stands for: ``mask[i]`` ? the next of *values* : 0."""
    following = iter(values)
    return [next(following) if bit else 0 for bit in mask]


def expand(masks: Sequence[Bits], beats: Sequence[Beat], lanes: int) -> tuple[list[int], Error]:
    """The weights of *masks*, one for each output beat, and whether the value *beats* of *lanes* have too few values for them or too many.

    Survivor number r is in lane ``r % lanes`` of value beat ``r // lanes`` and nowhere else: what a beat lacks does not come later. The
    first output beat that lacks a value ends the decoding (SHORT) and gives nothing. When all are decoded there must be nothing more, not
    even a beat without values (LONG); where no value is needed there is one beat, without values.
    """
    weights: list[int] = []
    used = 0
    for mask in masks:
        ranks = range(used, used + sum(mask))
        there = [beats[r // lanes][r % lanes] for r in ranks if r // lanes < len(beats) and r % lanes < len(beats[r // lanes])]
        if len(there) < len(ranks):
            return weights, Error.SHORT
        weights += place(mask, there)
        used = ranks.stop
    needed = max(1, -(-used // lanes))
    more = len(beats) > needed or len(beats[-1]) > used - (needed - 1) * lanes
    return weights, Error.LONG if more else Error.NONE


def combine(count: int, masks: Sequence[Bits], mask_error: int, values: Sequence[Element | None], lanes: int) -> Decoded:
    """The *count* weights of *masks* and of the share *values* of a stream of *lanes*, zeros from the first output beat with an error on.

    Of errors in both streams SHORT is told: that something is left over is known only when the matrix is complete.
    """
    weights, value_error = expand(masks, data_beats(values, lanes), lanes)
    error = min((error for error in (mask_error, value_error) if error), default=Error.NONE)
    return Decoded([*weights, *[0] * (count - len(weights))], error)


def masks(shares: Mapping[str, Sequence[Element | None]], parameters: BitmapParameters) -> tuple[list[Bits], int]:
    """The mask of each output beat, as far as there is one, without the bits past the last weight, and the error of the mask's stream."""
    (count,), lanes = shares["shape"], parameters.lanes
    assert isinstance(count, int)
    beats, needed = data_beats(shares["mask"], 1), -(-count // lanes)
    given = [word for beat in beats[:needed] for word in beat]
    bits = words_to_bits(given, lanes)[:count]
    more = len(beats) > max(1, needed) or (not needed and beats[0])
    error = Error.SHORT if len(given) < needed else Error.LONG if more else Error.NONE
    return [bits[start : start + lanes] for start in range(0, len(bits), lanes)], error


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: BitmapParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    Beats without data are skipped where they are not the last of their stream; mask bits past the last weight are not looked at. Error
    codes: 1 (SHORT) an output beat has no mask beat, or fewer values than its mask needs: it and all after it are zeros; 2 (LONG) the
    matrix is complete and there is more: a beat of either stream, or a value in the last beat.
    """
    (count,) = shares["shape"]
    assert isinstance(count, int)
    given, error = masks(shares, parameters)
    return combine(count, given, error, shares["value"], parameters.values)
