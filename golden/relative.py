"""Relative index: each survivor as the gap of zeros before it and its value, gaps and values as two streams.

Source: Han et al., "Deep compression", ICLR 2016. That the gaps of a beat are one word, and what a decoder makes of malformed streams, are
ours; docs/relative.md states them.
"""

from collections.abc import Mapping, Sequence

from golden.bits import Element, data_beats, flatten
from golden.decoded import Decoded
from golden.params.relative import RelativeError, RelativeParameters
from golden.rlc import Pair, cut_runs


def pairs(elements: Sequence[int], parameters: RelativeParameters) -> list[Pair]:
    """*elements* as (gap, value) pairs, fillers among them; zeros after the last survivor have none."""
    survivors = [place for place, element in enumerate(elements) if element]
    return cut_runs(elements[: survivors[-1] + 1] if survivors else [], parameters.longest_run)


def shares_of(pairs: Sequence[Pair], parameters: RelativeParameters) -> dict[str, list[Element | None]]:
    """The shares of these pairs; gaps of the last beat that belong to no pair are 0."""
    p = parameters
    beats = [pairs[start : start + p.pairs_per_word] for start in range(0, len(pairs), p.pairs_per_word)]
    gaps: list[Element | None] = [sum(gap << at for (gap, _), at in zip(beat, p.gap_positions, strict=False)) for beat in beats]
    return {"gap": gaps, "value": [value for _, value in pairs]}


def encode(matrix: Sequence[Sequence[int]], parameters: RelativeParameters) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count, or a level needs more than ``value_bits``.
        TypeError: a level is not an integer.
    """
    flat = flatten(matrix, parameters.count_bits, parameters.value_bits)
    return {"shape": [len(flat)], **shares_of(pairs(flat, parameters), parameters)}


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: RelativeParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    The first gap beat and the first value beat are taken together, then the second ones, and so on; beats without data are skipped
    where they are not the last of their stream. Two beats with an error end the decoding. Error codes, in the order of examination: 1
    (SHORT) one is the last of its stream and the other is not, only one has data, or a value is missing in beats that are not the last:
    they give nothing; 2 (LONG) a pair stands past the count, or the last weight of the matrix is given and the beats are not the last.
    Elements that did not come before the first error are 0, and so are those after the last pair.
    """
    p = parameters
    (count,) = shares["shape"]
    assert isinstance(count, int)
    gap_beats, value_beats = data_beats(shares["gap"], 1), data_beats(shares["value"], p.pairs_per_word)
    found: list[int] = []
    error = RelativeError.NONE
    for number, (gaps, values) in enumerate(zip(gap_beats, value_beats, strict=False), start=1):
        last = number == len(gap_beats)
        lacking = bool(gaps) != bool(values) or (not last and len(values) < p.pairs_per_word)
        if last != (number == len(value_beats)) or lacking:
            error = RelativeError.SHORT
            break
        for value, at in zip(values, p.gap_positions, strict=False):
            found += [0] * (gaps[0] >> at & p.longest_run) + [value]
        if len(found) > count or (len(found) == count and not last):
            error = RelativeError.LONG
            break
    return Decoded([*found[:count], *[0] * (count - len(found))], error)
