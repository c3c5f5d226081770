"""Parameters of the CSR decoder."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Parameters, Port, check, check_range


class CsrError(enum.IntEnum):
    """Error codes of CSR."""

    NONE = 0
    SHORT = 1  # a stream ended before the matrix was complete
    LONG = 2  # a stream goes on after the matrix is complete
    FIRST = 3  # row_pointer[0] is not 0
    DECREASE = 4  # a row pointer is below the one before it
    COUNT = 5  # a row pointer is above the number of survivors, or the last one is below it
    RANGE = 6  # a column is not below the number of columns
    ORDER = 7  # a column is not above the one before it in the row


@dataclass(frozen=True, kw_only=True)
class CsrParameters(Parameters):
    """A CSR decoder: row pointers, columns and values in; (row, column, value) or rows of weights out.

    ``count_bits`` is the width of the number of survivors and of the row pointers: a matrix has at most 2**count_bits - 1 survivors.

    Attributes:
        row_bits: Width of row numbers, 1 to 32. A matrix has at most 2**row_bits - 1 rows.
        column_bits: Width of column numbers, 1 to 32. A matrix has at most 2**column_bits - 1 columns.
        value_bits: Width of a value, 1 to 64.
        dense: False gives a survivor a cycle with its coordinates; True gives all weights, zeros included, each row from a new beat on.
        lanes: Weights a beat, a power of two from 1 to 256; without *dense* it has to be 1.
        pointers: Row pointers a beat, 1, 2 or 4, so that empty rows cost less; with *dense*, where none is skipped, it has to be 1.
        pairs: Columns and values a beat, of as many survivors, a power of two up to 16 and *lanes*, so that an output beat does not take a
            cycle for each of its survivors; without *dense* it has to be 1.
    """

    format: ClassVar[str] = "csr"
    errors: ClassVar[type[enum.IntEnum]] = CsrError

    row_bits: int = 16
    column_bits: int = 16
    value_bits: int = 8
    dense: bool = False
    lanes: int = 1
    pointers: int = 1
    pairs: int = 1

    def _check(self) -> None:
        check_range("row_bits", self.row_bits, 1, 32)
        check_range("column_bits", self.column_bits, 1, 32)
        check_range("value_bits", self.value_bits, 1, 64)
        if not isinstance(self.dense, bool):
            raise TypeError(f"dense must be True or False, was {self.dense!r}")
        check_range("lanes", self.lanes, 1, 256 if self.dense else 1)
        check(self.lanes.bit_count() == 1, "lanes", "a power of two", self.lanes)
        check_range("pointers", self.pointers, 1, 1 if self.dense else 4)
        check(self.pointers.bit_count() == 1, "pointers", "a power of two", self.pointers)
        check_range("pairs", self.pairs, 1, min(self.lanes, 16))
        check(self.pairs.bit_count() == 1, "pairs", "a power of two", self.pairs)
        check(self.pairs < 1 << self.count_bits, "pairs", f"below 2**count_bits = {1 << self.count_bits}", self.pairs)
        check(self.lanes < 1 << self.column_bits, "lanes", f"below 2**column_bits = {1 << self.column_bits}", self.lanes)

    def _slug(self) -> str:
        kind = f"dense{self.lanes}{f'_s{self.pairs}' if self.pairs > 1 else ''}" if self.dense else "survivors"
        return f"csr_{kind}_r{self.row_bits}_c{self.column_bits}_v{self.value_bits}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """Each row starts a new beat."""
        return cls(dense=True, lanes=lanes, **values)

    def to_dict(self) -> dict[str, Any]:
        """As of all parameters, but without ``pairs`` where that is 1: so a set of one pair a beat has the digest that it always had."""
        values = super().to_dict()
        if self.pairs == 1:
            del values["pairs"]
        return values

    @property
    def shape(self) -> Port:
        """Three fields: the number of rows, of columns and of survivors."""
        fields = (Field("rows", self.row_bits), Field("columns", self.column_bits), Field("survivors", self.count_bits))
        return Port("shape", fields, framed=False)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``pointer``: rows + 1 row pointers, *pointers* a beat; ``column`` and ``value``: one of each a survivor, *pairs* a beat."""
        pointer, column, value = Field("pointer", self.count_bits), Field("column", self.column_bits), Field("value", self.value_bits)
        elements = (Port(one.name, (one,), lanes=self.pairs) for one in (column, value))
        return Port("pointer", (pointer,), lanes=self.pointers), *elements

    @property
    def survivor(self) -> Port:
        """``survivor``: row, column and value of one survivor a beat; with *dense* a stream inside the decoder."""
        fields = (Field("row", self.row_bits), Field("column", self.column_bits), Field("value", self.value_bits))
        return Port("survivor", fields, user_bits=3)

    @property
    def output(self) -> Port:
        """``survivor``; with *dense* ``weight``: *lanes* weights of one row a beat."""
        if not self.dense:
            return self.survivor
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.lanes, user_bits=3)

    @property
    def rows_apart(self) -> bool:
        """With *dense*."""
        return self.dense

    def weights_of(self, shape: Sequence[int]) -> int:
        """Rows times columns."""
        rows, columns, _ = shape
        return rows * columns

    @property
    def latency(self) -> int:
        """6 from the row pointer that ends a survivor's row to that survivor; with *dense* 5, to the beat that the survivor completes;
        1 more with several *pointers*, to the first survivor of such a beat; 1 more with *skid*.
        From a survivor's column and value, whose row is known, it is 3, with *dense* 4."""
        return 6 - self.dense + (self.pointers > 1) + self.skid
