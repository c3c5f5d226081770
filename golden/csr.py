"""The CSR format (compressed sparse row): encode, access by search, and decode whatever comes.

``row_pointer[i]`` to ``row_pointer[i + 1]`` are the numbers of the survivors of row i; each has a column and a value. The order in which
malformed input is found out is ours; docs/csr.md states it.
"""

from collections.abc import Iterator, Mapping, Sequence

from golden.bits import Element, data_beats
from golden.decoded import Decoded
from golden.params.base import check, check_range
from golden.params.csr import CsrError, CsrParameters

Survivor = tuple[int, int, int]  # row, column, value


class MalformedError(Exception):
    """The first error of a matrix; its argument is the code."""


class _Share:
    """The beats of one encoded stream for one matrix; the last of them has ``tlast``.

    With several *lanes* a beat that is not full, in the midst of a stream too, lacks the numbers of its other lanes.
    """

    def __init__(self, share: Sequence[Element | None], lanes: int = 1) -> None:
        self._beats = data_beats(share, lanes)
        self._lanes = lanes
        self._taken = 0

    def next(self, *, final: bool) -> int:
        """The next number; *final* says that the matrix needs no more after it, so that it has to be the last one of the last beat."""
        number, lane = divmod(self._taken, self._lanes)
        self._taken += 1
        if number >= len(self._beats) or lane >= len(self._beats[number]):
            raise MalformedError(CsrError.SHORT)
        if final and (number, lane + 1) != (len(self._beats) - 1, len(self._beats[-1])):
            raise MalformedError(CsrError.LONG)
        return self._beats[number][lane]

    def require_empty(self) -> None:
        """Nothing is needed of this stream."""
        if any(self._beats):
            raise MalformedError(CsrError.LONG)


def _rows(pointer: _Share, rows: int) -> Iterator[tuple[int, int]]:
    """Each row that is not empty, and the number of the survivor after its last."""
    before = 0
    for number in range(rows + 1):
        end = pointer.next(final=number == rows)
        if number == 0 and end != 0:
            raise MalformedError(CsrError.FIRST)
        if end < before:
            raise MalformedError(CsrError.DECREASE)
        if end > before:
            yield number - 1, end
        before = end


def _survivors(shape: tuple[int, ...], dense: bool, pointer: _Share, column: _Share, value: _Share) -> Iterator[Survivor]:
    """The survivors in order, up to the first error."""
    rows, columns, survivors = shape
    number = 0
    ends = _rows(pointer, rows)
    for row, end in ends:
        before = -1
        while number < end:
            final = number + 1 >= survivors
            # Where the beat of the last survivor says whether there was an error, all row pointers are read before it.
            if number == survivors or (not dense and final and (end != survivors or next(ends, None))):
                raise MalformedError(CsrError.COUNT)
            survivor = row, column.next(final=final), value.next(final=final)
            if survivor[1] >= columns:
                raise MalformedError(CsrError.RANGE)
            if survivor[1] <= before:
                raise MalformedError(CsrError.ORDER)
            yield survivor
            before = survivor[1]
            number += 1
    if number < survivors:
        raise MalformedError(CsrError.COUNT)
    if survivors == 0:
        column.require_empty()
        value.require_empty()


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: CsrParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not.

    Without ``dense`` as many (row, column, value) as the shape has survivors, those from the first error on (0, 0, 0);
    with ``dense`` rows * columns weights, 0 where no survivor was before the first error. The codes are those of :class:`CsrError`.
    """
    (shape,) = shares["shape"]
    assert isinstance(shape, tuple)
    rows, columns, count = shape
    survivors: list[Survivor] = []
    error = CsrError.NONE
    try:
        elements = (_Share(shares[name], parameters.pairs) for name in ("column", "value"))
        for survivor in _survivors(shape, parameters.dense, _Share(shares["pointer"]), *elements):
            survivors.append(survivor)
    except MalformedError as malformed:
        error = malformed.args[0]
    if not parameters.dense:
        return Decoded([*survivors, *[(0, 0, 0)] * (count - len(survivors))], error)
    weights: list[Element] = [0] * (rows * columns)
    for row, column, value in survivors:
        weights[row * columns + column] = value
    return Decoded(weights, error, row=columns or None)


def encode(matrix: Sequence[Sequence[int]], parameters: CsrParameters, columns: int | None = None) -> dict[str, list[Element | None]]:
    """The share of each stream for *matrix*: a sequence of rows of values as unsigned bit patterns, of which those that are not 0 survive.

    Args:
        columns: Number of columns; without it the length of the first row, 0 where there is none.

    Raises:
        ValueError: Rows of unequal length, a value of more than ``value_bits``, or more rows, columns or survivors than *parameters* allow.
        TypeError: A value is not an integer.
    """
    width = columns if columns is not None else len(matrix[0]) if matrix else 0
    check_range("the number of rows", len(matrix), 0, (1 << parameters.row_bits) - 1)
    check_range("the number of columns", width, 0, (1 << parameters.column_bits) - 1)
    pointer: list[Element | None] = [0]
    column: list[Element | None] = []
    value: list[Element | None] = []
    for number, row in enumerate(matrix):
        check(len(row) == width, f"the length of row {number}", f"{width}, as many as there are columns", len(row))
        for j, weight in enumerate(row):
            check_range(f"weight [{number}, {j}]", weight, 0, (1 << parameters.value_bits) - 1)
            if weight:
                column.append(j)
                value.append(weight)
        pointer.append(len(column))
    check_range("the number of survivors", len(column), 0, (1 << parameters.count_bits) - 1)
    return {"shape": [(len(matrix), width, len(column))], "pointer": pointer, "column": column, "value": value}


def access(shares: Mapping[str, Sequence[Element | None]], i: int, j: int) -> int:
    """A[i, j] of well-formed *shares*: search the columns of row i for j; absent means 0.

    Raises:
        IndexError: There is no row i or no column j.
    """
    (shape,) = shares["shape"]
    assert isinstance(shape, tuple)
    if not (0 <= i < shape[0] and 0 <= j < shape[1]):
        raise IndexError(f"[i, j] must be within {shape[0]} rows and {shape[1]} columns, was [{i}, {j}]")
    pointer, columns, values = ([number for number in shares[name] if isinstance(number, int)] for name in ("pointer", "column", "value"))
    for k in range(pointer[i], pointer[i + 1]):
        if columns[k] == j:
            return values[k]
    return 0
