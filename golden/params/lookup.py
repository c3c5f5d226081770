"""Parameters of the look-up unit."""

import enum
from dataclasses import dataclass
from typing import ClassVar

from golden.params.base import Field, Parameters, Port, check_range
from golden.params.csr import CsrParameters

SMALL = 16  # words of the largest memory that is taken for one made of logic


class LookUpError(enum.IntEnum):
    """Error codes of the look-up: those of CSR for the matrix, and those of requests."""

    NONE = 0
    SHORT = 1  # a stream ended before the matrix was complete, or its requests were
    LONG = 2  # a stream goes on after that
    FIRST = 3  # row_pointer[0] is not 0
    DECREASE = 4  # a row pointer is below the one before it
    COUNT = 5  # a row pointer is above the number of survivors, or the last one is below it
    RANGE = 6  # a column is not below the number of columns
    ORDER = 7  # a column is not above the one before it in the row
    BEYOND = 8  # a request asks for a row or a column that the matrix has not


@dataclass(frozen=True, kw_only=True)
class LookUpParameters(Parameters):
    """A look-up unit: a matrix in CSR is loaded into memory, then each request for A[row, column] is answered.

    ``count_bits`` is the width of the number of requests.

    Attributes:
        row_bits: Width of row numbers, 1 to 32. A matrix has at most 2**row_bits - 1 rows.
        column_bits: Width of column numbers, 1 to 32. A matrix has at most 2**column_bits - 1 columns.
        value_bits: Width of a value, 1 to 64.
        survivor_bits: Width of the number of survivors and of the row pointers, 2 to 16. A matrix has at most 2**survivor_bits - 1
            survivors, which is what the memory holds.
    """

    format: ClassVar[str] = "lookup"
    errors: ClassVar[type[enum.IntEnum]] = LookUpError
    dense: ClassVar[bool] = False  # what is asked for is given

    row_bits: int = 10
    column_bits: int = 10
    value_bits: int = 8
    survivor_bits: int = 8

    def _check(self) -> None:
        check_range("row_bits", self.row_bits, 1, 32)
        check_range("column_bits", self.column_bits, 1, 32)
        check_range("value_bits", self.value_bits, 1, 64)
        check_range("survivor_bits", self.survivor_bits, 2, 16)

    def _slug(self) -> str:
        return f"lookup_s{self.survivor_bits}_r{self.row_bits}_c{self.column_bits}_v{self.value_bits}"

    @property
    def matrix(self) -> CsrParameters:
        """The decoder of the matrix: survivors with their coordinates."""
        return CsrParameters(
            row_bits=self.row_bits, column_bits=self.column_bits, value_bits=self.value_bits, count_bits=self.survivor_bits
        )

    @property
    def shape(self) -> Port:
        """Four fields: the number of rows, of columns, of survivors and of requests."""
        return Port("shape", (*self.matrix.shape.fields, Field("requests", self.count_bits)), framed=False)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``pointer``, ``column`` and ``value`` as of CSR; ``request``: a row and a column a beat."""
        return *self.matrix.inputs, Port("request", (Field("row", self.row_bits), Field("column", self.column_bits)))

    @property
    def output(self) -> Port:
        """``weight``: the answer to one request a beat."""
        return Port("weight", (Field("weight", self.value_bits),), user_bits=4)

    @property
    def cycles(self) -> int:
        """Clock cycles of the search: two a step, as many steps as ``survivor_bits``, but for the first step."""
        return 2 * self.survivor_bits - 1

    @property
    def places(self) -> int:
        """Requests that may be on their way at once: enough for one every cycle, and a power of two."""
        return 1 << (self.cycles + 1).bit_length()

    @property
    def latency(self) -> int:
        """From a request, whose matrix is loaded, to its answer: the cycles of the search and 4 more; 1 more with *skid*."""
        return self.cycles + 4 + self.skid
