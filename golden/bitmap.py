"""The bitmap format: one mask bit per weight, and the values of the survivors packed in order.

Source: NVDLA's compressed weights. The order of bits and what a decoder makes of malformed streams are ours; docs/bitmap.md states them.
"""

from collections.abc import Mapping, Sequence

from golden.bits import Element, bits_to_words, words_to_bits
from golden.decoded import Decoded
from golden.nm import Beat, to_beats
from golden.params.base import Error, check_range
from golden.params.bitmap import BitmapParameters


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
    flat = [level for row in matrix for level in row]
    check_range("the number of weights", len(flat), 0, (1 << p.count_bits) - 1)
    for place, level in enumerate(flat):
        check_range(f"level {place}", level, 0, (1 << p.value_bits) - 1)
    kept = [int(level != 0) for level in flat] if mask is None else mask
    values: list[Element | None] = [level for level, one in zip(flat, kept, strict=True) if one]
    return {"shape": [len(flat)], "mask": list(bits_to_words(kept, p.lanes)), "value": values}


def place(mask: Sequence[int], values: Sequence[int]) -> list[int]:
    """The weights that *mask* stands for: ``mask[i]`` ? the next of *values* : 0, for as many as there are mask bits."""
    following = iter(values)
    return [next(following) if bit else 0 for bit in mask]


def expand(masks: Sequence[Sequence[int]], beats: Sequence[Beat], values: int) -> tuple[list[int], Error]:
    """The weights of *masks*, one list of bits for each output beat, and whether the value *beats* hold too few values for them or too many.

    Survivor number r is in lane ``r % values`` of value beat ``r // values``, and nowhere else: of a beat that is not full the missing values
    are not there. The first output beat that lacks a value is given as zeros, and ends the decoding (SHORT). When all are decoded nothing
    may be left, not even a beat without values (LONG); where no value is needed there is one beat, without values.
    """
    weights: list[int] = []
    used = 0
    for mask in masks:
        ranks = range(used, used + sum(mask))
        found = [beats[r // values][r % values] for r in ranks if r // values < len(beats) and r % values < len(beats[r // values])]
        if len(found) < len(ranks):
            return weights, Error.SHORT
        weights += place(mask, found)
        used = ranks.stop
    needed = max(1, -(-used // values))
    more = len(beats) > needed or len(beats[-1]) > used - (needed - 1) * values
    return weights, Error.LONG if more else Error.NONE


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: BitmapParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    Beats without data are skipped where they are not the last of their stream; mask bits past the count are not looked at. Error codes:
    1 (SHORT) an output beat has no mask beat, or fewer values than its mask needs: it and all after it are zeros; 2 (LONG) the matrix is
    complete and there is more: a beat of either stream, or a value in the last beat.
    """
    p = parameters
    (count,) = shares["shape"]
    assert isinstance(count, int)
    words, needed = to_beats(shares["mask"], 1), -(-count // p.lanes)
    given = [word for beat in words[:needed] for word in beat]
    bits = words_to_bits(given, p.lanes)[:count]
    masks = [bits[start : start + p.lanes] for start in range(0, len(bits), p.lanes)]
    weights, error = expand(masks, to_beats(shares["value"], p.values), p.values)
    if len(given) < needed:
        error = Error.SHORT
    elif error is Error.NONE and (len(words) > max(1, needed) or len(words[-1]) > min(1, needed)):
        error = Error.LONG
    return Decoded([*weights, *[0] * (count - len(weights))], error)
