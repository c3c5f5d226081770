"""The CSR decoder: row pointers, columns and values in; survivors with their coordinates out, or rows of weights."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrError, CsrParameters
from hdl.csr_dense import DenseRows, sides_signature
from hdl.csr_pointer import Intake, RowFinder, registers, row_signature, shape_widths
from hdl.stream import decoder_members, payload


class SurvivorReader(wiring.Component):
    """The element side: joins columns and values, counts them off against the rows, checks the columns, and zeroes from the first error on.

    One survivor per cycle. Latency 3 from ``column`` and ``value``, 3 from ``rows``.

    Members:
        rows: See :func:`hdl.csr_pointer.row_widths`; its ready follows ``survivor.ready`` combinationally.
        column, value: Those of the decoder. Their ready follows ``survivor.ready`` combinationally.
        survivor: A survivor a beat, from registers; ``error`` on the last. With *dense* a beat from the first error on has no ``keep``.
        sides: With *dense*: numbers of rows and columns of the matrix that the survivor is of.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        _, self._column, self._value = parameters.inputs
        members = {
            "rows": In(row_signature(parameters)),
            "column": In(stream.Signature(payload(self._column))),
            "value": In(stream.Signature(payload(self._value))),
            "survivor": Out(stream.Signature(payload(parameters.survivor))),
        }
        super().__init__(members | ({"sides": Out(sides_signature(parameters))} if parameters.dense else {}))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.column_intake = column = Intake(self._column)
        m.submodules.value_intake = value = Intake(self._value)
        wiring.connect(m, wiring.flipped(self.column), column.i)
        wiring.connect(m, wiring.flipped(self.value), value.i)
        advance = Signal()
        take = Signal()
        current_valid = Signal()
        current = self._follow_rows(m, take, current_valid)
        m.d.comb += [
            advance.eq(~self.survivor.valid | self.survivor.ready),
            # The beat of the last survivor says whether there was an error: it waits for the last row pointer.
            take.eq(advance & current_valid & column.valid & value.valid & (current.closing | ~current.last)),
            *(signal.eq(take) for signal in (column.take, value.take)),
            *(signal.eq(current.last) for signal in (column.complete, value.complete)),
        ]
        self._give(m, self._compare(m, current, column, value, take), advance, take)
        return m

    def _follow_rows(self, m: Module, take: Signal, current_valid: Signal) -> Any:
        """Hold the row that survivors are being taken of, and see its end and the matrix's one survivor ahead.

        As in :func:`hdl.csr_pointer.row_widths`, and ``miscounted``, there is no row and the row pointers do not end at the number of
        survivors; ``started``, a survivor of the row was taken; ``row_last``, ``last``, the next one is the last of the row, the matrix.
        """
        p, rows = self._parameters, self.rows
        flags = dict.fromkeys(("rowless", "closing", "empty", "miscounted", "started", "row_last", "last"), 1)
        current = registers("current", {"row": p.row_bits, "end": p.count_bits, "error": 3} | flags | shape_widths(p))
        after_next = Signal(p.count_bits, reset_less=True)  # number of the survivor after the next one, plus 1
        fresh = Signal(init=1)  # between matrices
        begin = Signal()
        load = Signal()
        m.d.comb += [
            load.eq(~current_valid | (take & (current.last | (current.row_last & ~current.rowless & ~current.closing)))),
            begin.eq(fresh | (take & current.last)),
            # An end belongs to the row before it; so does, as an error, a row beyond the last survivor.
            rows.ready.eq(load | (~current.closing & (rows.rowless | current.last))),
        ]
        with m.If(begin):
            m.d.sync += [after_next.eq(2), fresh.eq(~(load & rows.valid))]
        with m.Elif(take):
            m.d.sync += after_next.eq(after_next + 1)
        with m.If(take):
            m.d.sync += [
                current.row_last.eq(after_next == current.end),
                current.last.eq(after_next == current.survivors),
                current.started.eq(1),
            ]
        with m.If(load):
            m.d.sync += [current.row_last.eq(rows.single), current.started.eq(0)]
            with m.If(begin):
                m.d.sync += current.last.eq(rows.few)
            m.d.sync += current_valid.eq(rows.valid)
        self._change_row(m, current, load, take & current.row_last & ~current.rowless)
        return current

    def _change_row(self, m: Module, current: Any, load: Signal, row_done: Value) -> None:
        """Take the next row, or find out that the current one was the last and what was wrong with it."""
        rows = self.rows
        with m.If(load):
            m.d.sync += [
                current.row.eq(rows.row),
                current.end.eq(rows.end),
                current.empty.eq(rows.empty),
                current.rowless.eq(rows.rowless | rows.empty),
                current.closing.eq(rows.closing),
                current.miscounted.eq(rows.rowless ^ rows.empty),  # an end with survivors to come, or a row without any
                *(getattr(current, name).eq(getattr(rows, name)) for name in shape_widths(self._parameters)),
            ]
        with m.Elif(row_done):  # the last row is over and survivors are left
            m.d.sync += [current.rowless.eq(1), current.miscounted.eq(1)]
        with m.Elif(rows.valid & rows.ready):
            m.d.sync += current.closing.eq(rows.closing)
            with m.If(~rows.rowless):
                m.d.sync += [current.rowless.eq(1), current.miscounted.eq(1)]
        with m.If(load | ~(current.closing | current.rowless)):  # a row has error 0; so this becomes that of the end which is taken
            m.d.sync += current.error.eq(rows.error)

    def _compare(self, m: Module, current: Any, column: Intake, value: Intake, take: Signal) -> Any:
        """Register a survivor and how its column compares.

        ``row``, ``column``, ``value``, ``last`` as in the output; ``empty``, the matrix has no survivor; ``beyond``, ``unordered``, its
        column is not below the number of columns, not above the one before it in the row; ``error``, of streams and row pointers so far.
        """
        p = self._parameters
        flags = dict.fromkeys(("empty", "last", "beyond", "unordered"), 1)
        staged = registers("staged", {"row": p.row_bits, "column": p.column_bits, "value": p.value_bits, "error": 3} | flags)
        with m.If(take):
            m.d.sync += [
                staged.row.eq(current.row),
                staged.column.eq(column.number),
                staged.value.eq(value.number),
                staged.empty.eq(current.empty),
                staged.last.eq(current.last),
                staged.beyond.eq(column.number >= current.columns),
                staged.unordered.eq(current.started & (column.number <= staged.column)),
                staged.error.eq(_first_error(current, column, value)),
            ]
        if p.dense:
            self._give_sides(m, current, take)
        return staged

    def _give(self, m: Module, staged: Any, advance: Signal, take: Signal) -> None:
        """Register a survivor as output, as zero from the first error on."""
        p, out = self._parameters, self.survivor.payload
        given = registers("given", {"row": p.row_bits, "column": p.column_bits, "value": p.value_bits, "keep": 1, "last": 1, "error": 3})
        m.d.comb += [getattr(out, name).eq(getattr(given, name)) for name in ("keep", "last", "error")]
        staged_valid = Signal()
        error = Signal(3)
        failed = Signal(3)
        zero = Signal()
        m.d.comb += zero.eq((error != 0) | staged.empty)
        with m.If(failed != 0):
            m.d.comb += error.eq(failed)
        with m.Elif((staged.error != 0) | staged.empty):
            m.d.comb += error.eq(staged.error)
        with m.Elif(staged.beyond):
            m.d.comb += error.eq(CsrError.RANGE)
        with m.Elif(staged.unordered):
            m.d.comb += error.eq(CsrError.ORDER)
        with m.If(advance):
            m.d.sync += [
                staged_valid.eq(take),
                self.survivor.valid.eq(staged_valid),
                given.keep.eq(~(zero if p.dense else staged.empty)),
                given.last.eq(staged.last),
                given.error.eq(Mux(staged.last, error, 0)),
            ]
            with m.If(staged_valid):
                m.d.sync += failed.eq(Mux(staged.last, 0, error))
        for name in ("row", "column", "value"):
            m.d.comb += out.data[0][name].eq(getattr(given, name))
            with m.If(advance):
                m.d.sync += getattr(given, name).eq(Mux(zero, 0, getattr(staged, name)))

    def _give_sides(self, m: Module, current: Any, take: Signal) -> None:
        """Let the numbers of rows and columns of a survivor's matrix go with it."""
        widths = {name: shape_widths(self._parameters)[name] for name in ("rows", "columns")}
        staged, given = registers("staged", widths), registers("given", widths)
        for name in widths:
            m.d.comb += getattr(self.sides, name).eq(getattr(given, name))
            with m.If(take):
                m.d.sync += getattr(staged, name).eq(getattr(current, name))
            with m.If(~self.survivor.valid | self.survivor.ready):
                m.d.sync += getattr(given, name).eq(getattr(staged, name))


def _first_error(current: Any, column: Intake, value: Intake) -> Value:
    """The error of the row pointers, else of the column's and then the value's stream."""
    error: Value = Const(CsrError.NONE, 3)
    for intake in (value, column):
        long = current.last & ~intake.missing & (intake.more | current.empty)
        short = intake.missing & ~current.empty
        error = Mux(short, CsrError.SHORT, Mux(long, CsrError.LONG, error))
    # Where there is no row its error holds from the next survivor on, else only for the last one.
    miscounted = Mux(current.rowless, current.miscounted & (current.error == 0), current.last & ~current.row_last)
    known = (current.rowless | current.last) & (current.error != 0)
    return Mux(miscounted, CsrError.COUNT, Mux(known, current.error, error))


class CsrDecoder(wiring.Component):
    """CSR decoder: row pointers run ahead and find the next row that is not empty while the survivors of the current one are taken.

    Rate: one survivor per clock cycle, from row to row and from matrix to matrix, as long as the row pointers keep ahead: one is read per
    clock cycle while the row before is taken, up to the next that ends a row with survivors. So a row takes as many cycles as it has
    survivors, or as there are row pointers from the one that ends it to that next one, whichever is more.
    With ``dense`` a beat of ``lanes`` weights takes as many cycles as it has survivors, at least one.
    Latency: 6 clock cycles from the row pointer that ends a row to its first survivor, 3 from a survivor's column and value; with ``dense``
    2 more, to the beat that the survivor completes. The last survivor waits for the last row pointer, which may be wrong; with ``dense``
    each waits for the next one, which may be of the same beat.
    The ready of all inputs follows that of the output combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: rows, columns and survivors.
        pointer: rows + 1 row pointers. ``last`` with the last of a matrix, on this stream as on the next two.
        column, value: The column and the value of each survivor. A matrix of none has one beat without ``keep`` on each.
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
        m.submodules.finder = finder = RowFinder(self.parameters)
        m.submodules.reader = reader = SurvivorReader(self.parameters)
        wiring.connect(m, finder.rows, reader.rows)
        for name, part in (("shape", finder), ("pointer", finder), ("column", reader), ("value", reader)):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(part, name))
        if not self.parameters.dense:
            wiring.connect(m, reader.survivor, wiring.flipped(self.survivor))
            return m
        m.submodules.dense_rows = dense_rows = DenseRows(self.parameters)
        wiring.connect(m, reader.survivor, dense_rows.survivor)
        wiring.connect(m, reader.sides, dense_rows.sides)
        wiring.connect(m, dense_rows.weight, wiring.flipped(self.weight))
        return m


DECODER = CsrDecoder
