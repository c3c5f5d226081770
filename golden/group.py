"""The group format: CSR whose survivors are aligned groups of consecutive columns, with one index and all weights of each.

Source: Yu et al., "Scalpel", ISCA 2017. A group that has a weight which is not 0 survives. That a row is filled up with zeros to whole
groups, and what a decoder makes of malformed streams, which is what CSR makes of it, is ours; docs/group.md states it.
"""

from collections.abc import Mapping, Sequence

from golden import csr
from golden.bits import Element
from golden.decoded import Decoded
from golden.params.base import check, check_range
from golden.params.group import GroupParameters


def join(levels: Sequence[int], parameters: GroupParameters) -> int:
    """The weights of a group as one number, the first in the lowest bits."""
    return sum(level << i * parameters.value_bits for i, level in enumerate(levels))


def split(number: int, parameters: GroupParameters) -> tuple[int, ...]:
    """The weights of a group of which *number* is made."""
    return tuple(number >> i * parameters.value_bits & (1 << parameters.value_bits) - 1 for i in range(parameters.group))


def encode(matrix: Sequence[Sequence[int]], parameters: GroupParameters) -> dict[str, list[Element | None]]:
    """The share of each stream for a matrix given as rows of unsigned level patterns, each row filled up with zeros to whole groups.

    Raises:
        ValueError: Rows of unequal length, a level of more than ``value_bits``, or more rows, groups a row or surviving groups than
            *parameters* allow.
        TypeError: A level is not an integer.
    """
    p = parameters
    joined = []
    for number, row in enumerate(matrix):
        check(len(row) == len(matrix[0]), f"the length of row {number}", f"{len(matrix[0])}, as that of the first", len(row))
        for place, level in enumerate(row):
            check_range(f"level [{number}, {place}]", level, 0, (1 << p.value_bits) - 1)
        joined.append([join(row[start : start + p.group], p) for start in range(0, len(row), p.group)])
    check_range("the number of groups in a row", len(joined[0]) if joined else 0, 0, (1 << p.column_bits) - 1)
    shares = csr.encode(joined, p.of)
    return shares | {"value": [split(value, p) for value in shares["value"] if isinstance(value, int)]}


def decode(shares: Mapping[str, Sequence[Element | None]], parameters: GroupParameters) -> Decoded:
    """What hardware gives for these shares, well formed or not: the weights of all groups, and the error, which CSR finds of the groups.

    rows * groups * group weights, those that fill up the rows included; 0 where no group was before the first error.
    """
    p = parameters
    values = [join(group, p) if isinstance(group, tuple) else None for group in shares["value"]]
    decoded = csr.decode({**shares, "value": values}, p.of)
    weights: list[Element] = [level for number in decoded.elements if isinstance(number, int) for level in split(number, p)]
    return Decoded(weights, decoded.error, row=decoded.row and decoded.row * p.group)
