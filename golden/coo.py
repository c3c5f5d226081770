"""The coordinate format: position and value of each survivor, in order.

The position is row-major, ``row * columns + column``: what scipy's COO has as two arrays. The order in which malformed input is found
out is ours; docs/coo.md states it.
"""

from collections.abc import Iterator, Mapping, Sequence

from golden.bits import Element, flatten
from golden.csr import MalformedError
from golden.decoded import Decoded
from golden.params.coo import CooError, CooParameters

Survivor = tuple[int, int]  # position, value


def encode(matrix: Sequence[Sequence[int]], parameters: CooParameters) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns, of which those that are not 0 survive.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count, or a level needs more than ``value_bits``.
        TypeError: a level is not an integer.
    """
    flat = flatten(matrix, parameters.count_bits, parameters.value_bits)
    entries: list[Element | None] = [(position, level) for position, level in enumerate(flat) if level]
    return {"shape": [(len(flat), len(entries))], "entry": entries}


def survivors(count: int, number: int, entries: Sequence[Element | None]) -> Iterator[Survivor]:
    """The survivors up to the first error, which is raised as ``MalformedError``."""
    before, given = -1, 0
    if not number and any(entry is not None for entry in entries):
        raise MalformedError(CooError.LONG)
    for place, entry in enumerate(entries, 1):
        if isinstance(entry, tuple):
            given += 1
            if given == number and place < len(entries):
                raise MalformedError(CooError.LONG)
            position, value = entry
            if position >= count:
                raise MalformedError(CooError.RANGE)
            if position <= before:
                raise MalformedError(CooError.ORDER)
            yield position, value
            before = position
    if given < number:
        raise MalformedError(CooError.SHORT)


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: CooParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    With ``dense`` as many weights as the shape says, 0 where no survivor was before the first error; else as many (position, value) as it
    has survivors, those from the first error on (0, 0). The codes are those of :class:`CooError`.
    """
    (shape,) = shares["shape"]
    assert isinstance(shape, tuple)
    count, number = shape
    found: list[Survivor] = []
    error = CooError.NONE
    try:
        for survivor in survivors(count, number, shares["entry"]):
            found.append(survivor)
    except MalformedError as malformed:
        error = malformed.args[0]
    if not parameters.dense:
        return Decoded([*found, *[(0, 0)] * (number - len(found))], error)
    weights: list[Element] = [0] * count
    for position, value in found:
        weights[position] = value
    return Decoded(weights, error)
