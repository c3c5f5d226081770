"""The codebook look-up: a table of values, then codes, each of which stands for the entry of the table with its number.

Source: Han et al., "Deep compression", ICLR 2016. That every matrix brings its own table, and what malformed streams come to, are ours;
docs/codebook.md states them.
"""

from collections.abc import Mapping, Sequence

from golden.bits import Element, data_beats, flatten
from golden.decoded import Decoded
from golden.params.base import check
from golden.params.codebook import CodebookError, CodebookParameters


def encode(
    matrix: Sequence[Sequence[int]], parameters: CodebookParameters, table: Sequence[int] | None = None
) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned value patterns.

    Args:
        table: The entries, those that occur and others; of equal ones the first is taken. Without one it is 0, if that occurs, and then
            the other values that occur, ascending.

    Raises:
        ValueError: there are more weights than ``count_bits`` can count, more different values than ``code_bits`` can tell, a value that
            the table has not, or one that needs more than ``value_bits``.
        TypeError: a value is not an integer.
    """
    p = parameters
    flat = flatten(matrix, p.count_bits, p.value_bits, "value")
    entries = sorted(set(flat)) if table is None else list(table)
    check(len(entries) <= p.entries, "the entries of the table", f"at most {p.entries}", len(entries))
    missing = sorted(set(flat) - set(entries))
    check(not missing, "a value", "one of the table", missing[:1])
    return {"shape": [len(flat)], "table": [*entries], "code": [entries.index(value) for value in flat]}


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: CodebookParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    The table is read first, then the codes, beat after beat; beats without data are skipped where they are not the last. The first error
    ends the decoding. Error codes, in the order of examination: 2 (LONG) the table has too many entries; then of each beat of codes 1
    (SHORT) there is none, or it lacks a code; 3 (RANGE) a code is not less than the number of entries; 2 (LONG) it completes the matrix and
    there is more: a code in it, or another beat. A beat that is SHORT or RANGE gives zeros, and so do all after it; one that is LONG
    gives its weights. A table that is LONG makes all weights zeros.
    """
    p = parameters
    (count,) = shares["shape"]
    assert isinstance(count, int)
    table = [entry for entry in shares["table"] if isinstance(entry, int)]
    beats = data_beats(shares["code"], p.lanes)
    last = -(-count // p.lanes) - 1 if count else 0
    weights: list[int] = []
    error = CodebookError.LONG if len(table) > p.entries else CodebookError.NONE
    for number, codes in enumerate([*beats, []][: last + 1]):
        needed = min(p.lanes, count - len(weights))
        if error:
            break
        if len(codes) < needed:
            error = CodebookError.SHORT
        elif any(code >= len(table) for code in codes[:needed]):
            error = CodebookError.RANGE
        else:
            weights += [table[code] for code in codes[:needed]]
            if number == last and (len(codes) > needed or len(beats) > last + 1):
                error = CodebookError.LONG
    return Decoded([*weights, *[0] * (count - len(weights))], error)
