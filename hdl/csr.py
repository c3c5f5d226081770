"""The CSR decoder: row pointers, columns and values in; survivors with their coordinates out, or rows of weights."""

from amaranth.hdl import Module
from amaranth.lib import wiring

from golden.params.csr import CsrParameters
from hdl.csr_dense import DenseRows, connect_dense
from hdl.csr_pairs import PairReader
from hdl.csr_survivors import connect_survivors
from hdl.csr_wide_pairs import WidePairReader
from hdl.csr_wide_rows import WideDenseRows
from hdl.stream import decoder_members


class CsrDecoder(wiring.Component):
    """CSR decoder: gives the survivors with their coordinates, or with ``dense`` rows of weights.

    Rate: one survivor per clock cycle, from row to row and from matrix to matrix, as long as the row pointers keep ahead: one is read per
    clock cycle while the row before is taken, up to the next that ends a row with survivors. So a row takes as many cycles as it has
    survivors, or as there are row pointers from the one that ends it to that next one, whichever is more.
    With several ``pointers`` a beat a row takes as many cycles as it has survivors as long as no such beat is without a row with any.
    With ``dense`` a beat of ``lanes`` weights takes as many cycles as it has survivors, at least one; a matrix at least one for each of its
    row pointers. With several ``pairs`` all survivors of an input beat that are of the same output beat take one cycle together.
    Latency: 6 clock cycles from the row pointer that ends a row to its first survivor, 3 from a survivor's column and value; with ``dense``
    5 and 4 to the beat that the survivor completes; 1 more with several ``pointers``.
    The last survivor waits for the last row pointer, which may be wrong;
    with ``dense`` a survivor that is not its row's last waits for the next one, which may be of the same beat.
    The ready of all inputs, but with several ``pairs`` that of columns and values, follows that of the output combinationally
    (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: rows, columns and survivors.
        pointer: rows + 1 row pointers, ``pointers`` a beat. ``last`` with the last of a matrix, on this stream as on the next two.
        column, value: The column and the value of each survivor, ``pairs`` a beat, ``keep`` set from lane 0 upward, of all lanes but in the
            last beat of a matrix. A matrix of none has one beat without ``keep`` on each.
        survivor: Without ``dense``: row, column and value, (0, 0, 0) from the first error on.
        weight: With ``dense``: rows of weights, each from a new beat on; lanes past the row's end have no ``keep`` and are 0. Where a
            survivor is missing because of an error the weight is 0.

    ``error`` on the last beat is a code of :class:`golden.params.csr.CsrError`.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.parameters.dense:
            several = (WidePairReader, WideDenseRows) if self.parameters.pairs > 1 else (PairReader, DenseRows)
            connect_dense(m, self, self.parameters, *several)
        else:
            connect_survivors(m, self, self.parameters)
        return m


DECODER = CsrDecoder
