"""The look-up unit: a matrix in CSR, then requests; for each the weight that the matrix has there.

What malformed streams come to is ours; docs/lookup.md states it.
"""

from collections.abc import Mapping, Sequence

from golden import csr
from golden.bits import Element
from golden.decoded import Decoded
from golden.params.base import check_range
from golden.params.lookup import LookUpError, LookUpParameters


def encode(
    matrix: Sequence[Sequence[int]],
    parameters: LookUpParameters,
    columns: int | None = None,
    requests: Sequence[tuple[int, int]] | None = None,
) -> dict[str, list[Element | None]]:
    """The share of each stream for *matrix*, as :func:`golden.csr.encode` has it, and for *requests*: a row and a column each.

    Args:
        columns: Number of columns; without it the length of the first row, 0 where there is none.
        requests: Without them every weight is asked for, row after row.

    Raises:
        ValueError: What CSR cannot encode, or more requests than ``count_bits`` can count, or one beyond the matrix.
        TypeError: A value, a row or a column is not an integer.
    """
    shares = csr.encode(matrix, parameters.matrix, columns)
    (shape,) = shares["shape"]
    assert isinstance(shape, tuple)
    asked = [(i, j) for i in range(shape[0]) for j in range(shape[1])] if requests is None else list(requests)
    check_range("the number of requests", len(asked), 0, (1 << parameters.count_bits) - 1)
    for number, (i, j) in enumerate(asked):
        check_range(f"the row of request {number}", i, 0, shape[0] - 1)
        check_range(f"the column of request {number}", j, 0, shape[1] - 1)
    return shares | {"shape": [(*shape, len(asked))], "request": [*asked]}


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: LookUpParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not; ``None`` is a beat without data.

    The matrix is decoded first, as :func:`golden.csr.decode` does; an error in it is that of the whole, and all answers are 0. Then come
    the requests, beats without data skipped. The first of them with an error is answered with 0, and so are all after it. Error codes of
    requests, in the order of examination: 1 (SHORT) there is none; 2 (LONG) it should be the last, and there is another beat; 8 (BEYOND)
    the matrix has no such row or column.
    """
    (shape,) = shares["shape"]
    assert isinstance(shape, tuple)
    rows, columns, survivors, count = shape
    decoded = csr.decode({**shares, "shape": [(rows, columns, survivors)]}, parameters.matrix)
    error = LookUpError(decoded.error)
    weights = {triple[:2]: triple[2] for triple in decoded.elements if isinstance(triple, tuple)}
    share = shares["request"]
    places = [place for place, beat in enumerate(share) if beat is not None]
    answers: list[Element] = []
    for number in range(0 if error else count):
        request = share[places[number]] if number < len(places) else ()
        assert isinstance(request, tuple)
        if not request:
            error = LookUpError.SHORT
        elif number == count - 1 and places[number] != len(share) - 1:
            error = LookUpError.LONG
        elif request[0] >= rows or request[1] >= columns:
            error = LookUpError.BEYOND
        if error:
            break
        answers.append(weights.get(request, 0))
    if not count and not error and places:
        error = LookUpError.LONG
    return Decoded([*answers, *[0] * (count - len(answers))], error)
