"""The N:M format: in each group of M consecutive weights N survive, and an index says where each of them stands.

Source: Mishra et al., "Accelerating sparse deep neural networks", 2021 (NVIDIA's 2:4). That groups run over the matrix flattened row-major,
what stands in an incomplete group, and what a decoder makes of malformed streams are ours; docs/nm.md states them.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from golden.bits import Element, data_beats, flatten
from golden.decoded import Decoded
from golden.params.base import check
from golden.params.nm import NmError, NmParameters


def positions(group: Sequence[int], parameters: NmParameters) -> list[int]:
    """Where the n stored weights of *group* (m levels) stand, ascending: those not 0 and, where they are fewer than n, the first 0s.

    Raises:
        ValueError: more than n levels are not 0.
    """
    stored = [position for position, level in enumerate(group) if level]
    check(len(stored) <= parameters.n, "the survivors of a group", f"at most {parameters.n}", len(stored))
    zeros = [position for position, level in enumerate(group) if not level]
    return sorted(stored + zeros[: parameters.n - len(stored)])


def encode(matrix: Sequence[Sequence[int]], parameters: NmParameters) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns; the last group is filled up with zeros.

    Raises:
        ValueError: a group has more than n survivors, there are more weights than ``count_bits`` can count, or a level needs more than
            ``value_bits``.
        TypeError: a level is not an integer.
    """
    p = parameters
    flat = flatten(matrix, p.count_bits, p.value_bits)
    padded = flat + [0] * (-len(flat) % p.m)
    packed: list[int] = []
    values: list[Element | None] = []
    for start in range(0, len(flat), p.m):
        group = padded[start : start + p.m]
        stored = positions(group, p)
        packed.append(sum(position << i * p.index_bits for i, position in enumerate(stored)))
        values += [group[position] for position in stored]
    index: list[Element | None] = [
        sum(one << i * p.group_bits for i, one in enumerate(packed[start : start + p.groups]))
        for start in range(0, len(packed), p.groups)
    ]
    return {"shape": [len(flat)], "index": index, "value": values}


def expand(indices: int, values: Sequence[int], parameters: NmParameters) -> list[int] | None:
    """The m weights of a group, from its indices, the first in bit 0, and its n values; None where the indices do not increase."""
    p = parameters
    stored = [indices >> i * p.index_bits & p.m - 1 for i in range(p.n)]
    if any(right <= left for left, right in pairwise(stored)):
        return None
    weights = [0] * p.m
    for position, value in zip(stored, values, strict=True):
        weights[position] = value
    return weights


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: NmParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    The first index beat and the first value beat are taken together, then the second ones, and so on; beats without data are skipped where
    they are not the last of their stream. The first pair with an error ends the decoding. Error codes, in the order of examination:
    1 (SHORT) a stream has no such beat, or the value beat has fewer values than the pair's groups need; 3 (ORDER) the indices of one of its
    groups do not increase; 2 (LONG) the pair completes the matrix, and there is more: a beat of either stream, or a value in this beat.
    A pair that is SHORT or ORDER gives zeros, and so does all after it; one that is LONG gives its weights.
    """
    p = parameters
    (count,) = shares["shape"]
    assert isinstance(count, int)
    index, value = data_beats(shares["index"], 1), data_beats(shares["value"], p.groups * p.n)
    pairs = -(-count // p.lanes) or 1  # a matrix without weights has a pair too: that of its beats without data
    weights: list[int] = []
    error = NmError.NONE
    for number in range(pairs):
        groups = min(p.groups, -(-(count - len(weights)) // p.m))
        indices = index[number] if number < len(index) else []
        values = value[number] if number < len(value) else []
        if len(values) < groups * p.n or len(indices) < bool(groups):
            error = NmError.SHORT
            break
        expanded = [expand(indices[0] >> g * p.group_bits, values[g * p.n : (g + 1) * p.n], p) for g in range(groups)]
        if None in expanded:
            error = NmError.ORDER
            break
        weights += [weight for group in expanded if group for weight in group]
    else:
        rest = len(index) > pairs or len(value) > pairs or len(values) > groups * p.n or len(indices) > bool(groups)
        error = NmError.LONG if rest else NmError.NONE
    return Decoded([*weights[:count], *[0] * (count - len(weights))], error)
