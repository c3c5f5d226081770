"""The run-length code (RLC): pairs of a run of zeros and the level after it, alone (lecture form) and packed in words (Eyeriss).

Source: Chen et al., "Eyeriss: an energy-efficient reconfigurable accelerator for deep convolutional neural networks", JSSC 2017.
The order of the bits in a word is ours, as is what a decoder makes of a malformed code; docs/rlc.md states both.
"""

from collections.abc import Iterable, Mapping, Sequence

from golden.bits import Element, flatten
from golden.decoded import Decoded
from golden.params.base import check
from golden.params.rlc import RlcError, RlcParameters

Pair = tuple[int, int]
END = (0, None)  # the terminator of the lecture form
TERMINATOR = (0, 0)  # in a word: no other pair is so, where zeros at the end of the matrix are not coded


def cut_runs(elements: Iterable[int], longest: int | None = None) -> list[Pair]:
    """*elements* as (run, level) pairs: *run* zeros, then *level*. A run is cut after *longest* zeros and the next becomes its level.

    n zeros at the end are (n - 1, 0): the level is an element too.
    """
    pairs: list[Pair] = []
    run = 0
    for element in elements:
        if element or run == longest:
            pairs.append((run, element))
            run = 0
        else:
            run += 1
    if run:
        pairs.append((run - 1, 0))
    return pairs


def pairs(elements: Iterable[int], longest: int | None = None) -> list[tuple[int, int | None]]:
    """The lecture form of *elements*: their pairs, runs of at most *longest* zeros, and the terminator :data:`END`."""
    return [*cut_runs(elements, longest), END]


def elements(pairs: Iterable[tuple[int, int | None]]) -> list[int]:
    """The elements that a code in lecture form stands for.

    Raises:
        ValueError: the terminator is missing, or something follows it.
    """
    given = list(pairs)
    check(END in given, "the last pair", f"the terminator {END}", given[-1] if given else None)
    check(given.index(END) == len(given) - 1, "the terminator", f"pair {len(given) - 1}, the last", given.index(END))
    return [element for run, level in given[:-1] if level is not None for element in [0] * run + [level]]


def coded(elements: Sequence[int], parameters: RlcParameters) -> list[Pair]:
    """The pairs of the code of *elements*; with a terminator zeros at the end have no pair but that, if there are any."""
    if not parameters.terminator:
        return cut_runs(elements, parameters.longest_run)
    end = len(elements) - next((zeros for zeros, element in enumerate(reversed(elements)) if element), len(elements))
    return cut_runs(elements[:end], parameters.longest_run) + [TERMINATOR] * (end < len(elements))


def pack(pairs: Sequence[Pair], parameters: RlcParameters) -> list[int]:
    """The words of a code. Unused pairs of the last word are (0, 0), its marker is 1."""
    p = parameters
    words = []
    for start in range(0, len(pairs), p.pairs_per_word):
        word = 0
        for (run, level), run_at, level_at in zip(pairs[start:], p.run_positions, p.level_positions, strict=False):
            word |= run << run_at | level << level_at
        words.append(word)
    if words and p.marker_position is not None:
        words[-1] |= 1 << p.marker_position
    return words


def unpack(word: int, parameters: RlcParameters) -> list[Pair]:
    """All pairs of a word, used or not."""
    p = parameters
    return [
        (word >> run_at & p.longest_run, word >> level_at & (1 << p.level_bits) - 1)
        for run_at, level_at in zip(p.run_positions, p.level_positions, strict=True)
    ]


def encode(matrix: Sequence[Sequence[int]], parameters: RlcParameters) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count, or a level needs more than ``level_bits``.
        TypeError: a level is not an integer.
    """
    flat = flatten(matrix, parameters.count_bits, parameters.level_bits)
    code: list[Element | None] = list(pack(coded(flat, parameters), parameters))
    return {"shape": [len(flat)], "code": code}


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: RlcParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    Error codes: 1 (SHORT) the code ended early; 2 (LONG) a run goes past the count, a pair past it is not (0, 0), or the word that
    completes it is not the last beat of the code; 3 (MARKER) a word's marker bit is not what its ``tlast`` is, or it has a terminator
    and no ``tlast``, such a word gives nothing. Elements that did not come before the first error, or after a terminator, are 0.
    """
    (count,) = shares["shape"]
    assert isinstance(count, int)
    found: list[int] = []
    error = RlcError.SHORT if count else RlcError.NONE
    for position, word in enumerate(shares["code"], start=1):
        if not isinstance(word, int):
            continue
        last = position == len(shares["code"])
        given = unpack(word, parameters)
        terminated = parameters.terminator and TERMINATOR in given
        if terminated:
            del given[given.index(TERMINATOR) :]
        marked = last if parameters.marker_position is None else word >> parameters.marker_position & 1
        if marked != last or (terminated and not last):
            error = RlcError.MARKER
            break
        fits = True
        for run, level in given:
            if len(found) + run + 1 <= count:
                found += [0] * run + [level]
            else:
                # Only unused pairs may stand past the count.
                fits = fits and len(found) == count and (run, level) == (0, 0)
                found += [0] * (count - len(found))
        if len(found) == count:
            error = RlcError.NONE if fits and last and (count or not given) else RlcError.LONG
            break
        if terminated:
            error = RlcError.NONE
    return Decoded([*found, *[0] * (count - len(found))], error)
