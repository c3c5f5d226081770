"""The CSR decoder of coordinates: row pointers, columns and values in, a survivor with its row and column out."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrParameters
from hdl.csr_pointer import Intake, PointerEntry, compare, equal, registers
from hdl.stream import payload


def row_widths(p: CsrParameters) -> dict[str, int]:
    """What the pointer side tells the element side of each row that is not empty, and of the end of the matrix, in bits.

    ``row``; ``end``, the number of the survivor after its last; ``ends``, it has one survivor, or there is no row; ``rowless``, there is
    no row but an error, or an end too early; ``closing``, all row pointers are read; ``good``, that is all, and none was wrong; ``error``,
    the first error among them or else COUNT, which holds where survivors are left; ``empty`` and ``few``, the matrix has no survivor, at
    most one; and the shape. The end of a matrix without survivors counts as a row with one.
    """
    flags = dict.fromkeys(("rowless", "closing", "good", "ends", "few", "empty"), 1)
    return {"row": p.row_bits, "end": p.count_bits, "error": 3, "columns": p.column_bits, "survivors": p.count_bits} | flags


def row_signature(p: CsrParameters) -> wiring.Signature:
    """``valid`` and ``ready`` as of a stream, and the members of :func:`row_widths`."""
    return wiring.Signature({"valid": Out(1), "ready": In(1)} | {name: Out(width) for name, width in row_widths(p).items()})


class RowFinder(wiring.Component):
    """The pointer side: reads a row pointer per cycle, checks it, and waits only while a row that it found has not been taken.

    Latency 3 from ``pointer``.

    Members:
        shape, pointer: Those of the decoder. Their ready follows ``rows.ready`` combinationally.
        rows: See :func:`row_widths`; from registers.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        shape = {"rows": parameters.row_bits, "columns": parameters.column_bits, "survivors": parameters.count_bits}
        streams = {"shape": data.StructLayout(shape), "pointer": payload(parameters.inputs[0])}
        members = {name: In(stream.Signature(layout)) for name, layout in streams.items()}
        super().__init__(members | {"rows": Out(row_signature(parameters))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entry = PointerEntry(self._parameters, self.shape.payload.shape(), "columns", "survivors")
        entry.hold(m, self.shape, self.pointer)
        found = registers("found", row_widths(self._parameters))
        ended = Signal()  # nothing more of this matrix counts
        few = Signal(reset_less=True)
        empty = few & ~entry.sides.survivors[0]
        some = entry.above | ~entry.least
        wrong = ~entry.least | (entry.above & (entry.first | empty))
        closing = entry.last | entry.final | wrong
        good = entry.last & entry.final & entry.kept & ~some
        early = entry.last & ~entry.final
        short = early & ~(entry.above & empty)  # SHORT for what is missing after it, else COUNT
        row = entry.above & entry.kept & ~entry.first & ~empty & (entry.last | ~entry.final)
        m.d.comb += [
            entry.read.eq(~self.rows.valid | self.rows.ready),
            *(getattr(self.rows, name).eq(register) for name, register in vars(found).items()),
        ]
        with m.If(entry.read):
            m.d.sync += [
                self.rows.valid.eq(entry.valid & ~ended & (entry.last | entry.final | some)),
                found.ends.eq(entry.single | ~row),
                found.rowless.eq(~row & ~(empty & good)),
                found.closing.eq(closing),
                found.good.eq(good),
                found.empty.eq(empty),
                found.error.eq(entry.error(Cat(Const(1, 2), ~short))),
                *(getattr(found, name).eq(getattr(entry, name)) for name in ("row", "end")),
                *(getattr(found, name).eq(register) for name, register in vars(entry.sides).items()),
                few.eq(~entry.shape.survivors[1:].any()),
                found.few.eq(few),
            ]
            with m.If(entry.valid):
                m.d.sync += ended.eq(~entry.last & (ended | closing))
        return m


class SurvivorReader(wiring.Component):
    """The element side: joins columns and values, counts them off against the rows, checks the columns, and zeroes from the first error on.

    One survivor per cycle. Latency 3 from ``column`` and ``value``, 3 from ``rows``.

    Members:
        rows, column, value: See :func:`row_widths`; those of the decoder. Their ready follows ``survivor.ready`` combinationally.
        survivor: A survivor a beat, from registers; ``error`` on the last.
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
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.column_intake = column = Intake(self._column)
        m.submodules.value_intake = value = Intake(self._value)
        wiring.connect(m, wiring.flipped(self.column), column.i)
        wiring.connect(m, wiring.flipped(self.value), value.i)
        advance = Signal()
        take = Signal()
        current = self._follow_rows(m, advance & column.valid & value.valid, take)
        m.d.comb += [
            advance.eq(~self.survivor.valid | self.survivor.ready),
            *(signal.eq(take) for signal in (column.take, value.take)),
            *(signal.eq(current.last) for signal in (column.complete, value.complete)),
        ]
        self._give(m, self._compare(m, current, column, value, take), advance, take)
        return m

    def _follow_rows(self, m: Module, move: Value, take: Signal) -> Any:
        """Hold the row that survivors are being taken of, and see its end and the matrix's one survivor ahead.

        *move*: there is a survivor, and room for it. As in :func:`row_widths`, and ``started``, a survivor of the row was taken;
        ``row_last``, ``last``, the next one is the last of the row or beyond it, the last of the matrix. The last waits for the last row
        pointer: its beat says whether there was an error.
        """
        p, rows = self._parameters, self.rows
        flags = dict.fromkeys(("rowless", "closing", "empty", "started", "row_last", "last"), 1)
        sides = {"columns": p.column_bits, "survivors": p.count_bits}
        current = registers("current", {"row": p.row_bits, "end": p.count_bits, "error": 3} | flags | sides)
        current_valid = Signal()
        fresh = Signal(init=1)  # between matrices
        load = Signal()
        leave = Mux(current.last, current.closing, current.row_last & ~current.closing)
        # Taken without a new row: the end of this one's matrix, and, as an error, a row beyond the last survivor.
        belongs = ~current.closing & (rows.good | current.last)
        beyond = rows.valid & belongs & ~rows.good
        m.d.comb += [
            take.eq(move & current_valid & (current.closing | ~current.last)),
            load.eq(~current_valid | (move & leave)),
            rows.ready.eq(load | belongs),
        ]
        m.d.sync += fresh.eq((fresh | (take & current.last)) & ~(load & rows.valid))
        at_end, at_last = self._look_ahead(m, current, fresh, take)
        with m.If(load):
            m.d.sync += [current_valid.eq(rows.valid), current.rowless.eq(rows.rowless)]
            m.d.sync += [getattr(current, name).eq(getattr(rows, name)) for name in ("row", "end", "empty", *sides)]
        with m.Elif((take & current.closing & current.row_last) | beyond):
            m.d.sync += current.rowless.eq(1)  # survivors are left when the rows are over, or a row when the survivors are
        with m.If(load | (rows.valid & belongs)):
            m.d.sync += current.closing.eq(rows.closing)
        count = beyond & ~load & ~rows.rowless  # COUNT, which is SHORT and bit 2, comes before what is missing after it
        with m.If(load | ~(current.closing | current.rowless)):
            m.d.sync += current.error.eq(rows.error | Cat(Const(0, 2), count))  # from the end of the rows on it stays
        with m.If(load | take):
            m.d.sync += [current.started.eq(~load), current.row_last.eq(Mux(load, rows.ends, at_end | current.row_last))]
        with m.If(take | fresh):
            m.d.sync += current.last.eq(Mux(fresh | current.last, rows.few, at_last))
        return current

    def _look_ahead(self, m: Module, current: Any, fresh: Signal, take: Signal) -> tuple[Value, Value]:
        """Count survivors: whether the one after the next is the last of its row, of the matrix."""
        after_next = Signal(self._parameters.count_bits, reset_less=True)  # its number, plus 1
        with m.If(fresh | (take & current.last)):
            m.d.sync += after_next.eq(2)
        with m.Elif(take):
            m.d.sync += after_next.eq(after_next + 1)
        return equal(m, "at_end", after_next, current.end), equal(m, "at_last", after_next, current.survivors)

    def _compare(self, m: Module, current: Any, column: Intake, value: Intake, take: Signal) -> Any:
        """Register a survivor and how its column compares.

        ``row``, ``column``, ``value``, ``keep``, ``last`` as in the output; ``beyond``, ``unordered``, its column is not below the number
        of columns, not above the one before it in the row; ``known``, neither counts, because of ``error`` of streams and row pointers, or
        since the matrix has no survivor.
        """
        p = self._parameters
        flags = dict.fromkeys(("keep", "last", "beyond", "unordered", "known"), 1)
        staged = registers("staged", {"row": p.row_bits, "column": p.column_bits, "value": p.value_bits, "error": 3} | flags)
        beyond = compare(m, "range", column.number, current.columns)[1]
        falls = compare(m, "order", staged.column, column.number)[1]
        with m.If(take):
            m.d.sync += [
                staged.row.eq(current.row),
                staged.column.eq(column.number),
                staged.value.eq(value.number),
                staged.keep.eq(~current.empty),
                staged.last.eq(current.last),
                staged.beyond.eq(beyond),
                staged.unordered.eq(current.started & falls),
                staged.error.eq(_first_error(current, column, value)),
                staged.known.eq(_known(current, column, value)),
            ]
        return staged

    def _give(self, m: Module, staged: Any, advance: Signal, take: Signal) -> None:
        """Register a survivor as output, as zero from the first error on."""
        p, out = self._parameters, self.survivor.payload
        given = registers("given", {"row": p.row_bits, "column": p.column_bits, "value": p.value_bits, "keep": 1, "last": 1, "error": 3})
        m.d.comb += [getattr(out, name).eq(getattr(given, name)) for name in ("keep", "last", "error")]
        staged_valid = Signal()
        error = Signal(3)
        first_error = Signal(3, reset_less=True)
        failed = Signal()
        zero = Signal()
        wrong = staged.beyond | staged.unordered
        own = Mux(staged.known, staged.error, Cat(staged.unordered & ~staged.beyond, wrong, wrong))
        m.d.comb += [zero.eq(failed | staged.known | wrong), error.eq(Mux(failed, first_error, own))]
        with m.If(advance):
            m.d.sync += [
                staged_valid.eq(take),
                self.survivor.valid.eq(staged_valid),
                given.keep.eq(staged.keep),
                given.last.eq(staged.last),
                given.error.eq(Mux(staged.last, error, 0)),
            ]
            with m.If(staged_valid):
                m.d.sync += [failed.eq(zero & ~staged.last), first_error.eq(error)]
        for name in ("row", "column", "value"):
            m.d.comb += out.data[0][name].eq(getattr(given, name))
            with m.If(advance):
                m.d.sync += getattr(given, name).eq(Mux(zero, 0, getattr(staged, name)))


def _known(current: Any, column: Intake, value: Intake) -> Value:
    """Whether there is an error of row pointers or streams, or no survivor at all."""
    # The row of the last survivor has error SHORT or COUNT, and COUNT, which has bit 2, does not hold there.
    at_last = column.more | value.more | ~current.row_last | ~current.error[2]
    known: Value = current.empty | current.rowless | column.missing | value.missing | (current.last & at_last)
    return known


def _first_error(current: Any, column: Intake, value: Intake) -> Value:
    """The error of the row pointers, else of the column's and then the value's stream, bit by bit."""
    count = current.last & ~current.row_last  # the row goes on beyond the last survivor
    of_rows = count | current.rowless | (current.last & ~current.error[2])
    long = current.last & column.more
    missing = ~current.empty & (column.missing | (value.missing & ~long))
    more = Mux(current.empty, ~column.missing | ~value.missing, long | (current.last & value.more & ~column.missing))
    return Cat(
        Mux(of_rows, current.error[0] | count, missing),
        Mux(of_rows, current.error[1] & ~count, more),
        of_rows & (current.error[2] | count),
    )


def connect_survivors(m: Module, decoder: Any, p: CsrParameters) -> None:
    """Make the decoder that gives coordinates of its parts."""
    m.submodules.finder = finder = RowFinder(p)
    m.submodules.reader = reader = SurvivorReader(p)
    wiring.connect(m, finder.rows, reader.rows)
    shape = decoder.shape
    m.d.comb += [finder.shape.valid.eq(shape.valid), finder.shape.payload.eq(shape.payload), shape.ready.eq(finder.shape.ready)]
    for name, part in (("pointer", finder), ("column", reader), ("value", reader)):
        wiring.connect(m, wiring.flipped(getattr(decoder, name)), getattr(part, name))
    wiring.connect(m, reader.survivor, wiring.flipped(decoder.survivor))
