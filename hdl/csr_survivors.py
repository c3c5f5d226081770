"""The CSR decoder of coordinates: row pointers, columns and values in, a survivor with its row and column out."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrParameters
from hdl.compare import compare, equal
from hdl.csr_pointer import PointerEntry
from hdl.csr_skip import PointerSkipper
from hdl.intake import Intake, registers
from hdl.stream import payload


def row_widths(p: CsrParameters) -> dict[str, int]:
    """What the pointer side tells the element side, in bits.

    ``real``: there is a row; ``row``, its number; ``end``, the number of the survivor after its last; ``single``, it has one survivor.
    ``done``: no row of the matrix follows; with it ``error``, the first of the row pointers. Of the matrix ``columns`` and ``survivors``;
    ``keep``, it has one; ``many``, it has more: that is 0 where there is neither a row nor ``done``.
    """
    flags = dict.fromkeys(("real", "done", "single", "many", "keep"), 1)
    return {"row": p.row_bits, "end": p.count_bits, "error": 3, "columns": p.column_bits, "survivors": p.count_bits} | flags


class RowFinder(wiring.Component):
    """The pointer side: reads a row pointer per cycle, checks it, and waits only while a row that it found has not been taken.

    The end of a matrix is told with its last row where the same row pointer says both, else by itself. Latency 3 from ``pointer``, 4 with
    several pointers.

    Members:
        shape, pointer: Those of the decoder. Their ready follows ``ready`` combinationally.
        rows: See :func:`row_widths`; from registers.
        ready: What ``rows`` says, if anything, is used up: the row if there is one, and that all are read.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        shape = {"rows": parameters.row_bits, "columns": parameters.column_bits, "survivors": parameters.count_bits}
        streams = {"shape": data.StructLayout(shape), "pointer": payload(parameters.inputs[0])}
        members = {name: In(stream.Signature(layout)) for name, layout in streams.items()}
        rows = wiring.Signature({name: Out(width) for name, width in row_widths(parameters).items()})
        super().__init__(members | {"rows": Out(rows), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entry = PointerEntry(self._parameters, self.shape.payload.shape(), "columns", "survivors")
        pointer: Any = self.pointer
        if self._parameters.pointers > 1:
            m.submodules.skipper = skipper = PointerSkipper(self._parameters)
            wiring.connect(m, wiring.flipped(self.pointer), skipper.i)
            pointer = skipper.o
        entry.hold(m, self.shape, pointer)
        found = registers("found", row_widths(self._parameters))
        found.real, found.done, found.many = Signal(name="found_real"), Signal(name="found_done"), Signal(name="found_many")
        m.d.comb += [getattr(self.rows, name).eq(register) for name, register in vars(found).items()]
        ended = Signal()  # nothing more of this matrix counts
        many = Signal(reset_less=True)
        counts = Signal()
        m.d.comb += [entry.read.eq(self.ready), counts.eq(entry.valid & ~ended)]
        row = entry.above & entry.kept & ~entry.first & (entry.ends | ~entry.final)
        closing = entry.last | entry.final | ~entry.least | (entry.first & entry.above)
        with m.If(entry.read):
            m.d.sync += [
                many.eq(entry.shape.survivors[1:].any()),
                found.real.eq(counts & row),
                found.done.eq(counts & closing),
                found.error.eq(entry.error(Cat(entry.early, entry.late, Const(0, 1)))),  # SHORT, LONG for what comes after it
                found.many.eq(many & counts & (entry.last | entry.final | ~entry.least | entry.above)),
                found.keep.eq(many | entry.sides.survivors[0]),
                *(getattr(found, name).eq(getattr(entry, name)) for name in ("row", "end", "single")),
                *(getattr(found, name).eq(register) for name, register in vars(entry.sides).items()),
            ]
            with m.If(entry.valid):
                m.d.sync += ended.eq(~entry.last & (ended | closing))
        return m


class SurvivorReader(wiring.Component):
    """The element side: joins columns and values, counts them off against the rows, checks the columns, and zeroes from the first error on.

    One survivor per cycle. Latency 3 from ``column`` and ``value``, 3 from ``rows``.

    Members:
        rows, ready: See :class:`RowFinder`; ``ready`` follows ``survivor.ready`` combinationally.
        column, value: Those of the decoder. So does their ready.
        survivor: A survivor a beat, from registers; ``error`` on the last.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        _, self._column, self._value = parameters.inputs
        members = {
            "rows": In(wiring.Signature({name: Out(width) for name, width in row_widths(parameters).items()})),
            "ready": Out(1),
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
        """Hold the row that survivors are being taken of, and by counting them see its end and the matrix's one survivor ahead.

        *move*: there is a survivor, and room for it. As in :func:`row_widths`, and ``started``, a survivor of the row was taken;
        ``row_last``, ``last``, the next one is the last of the row or beyond it, the last of the matrix; ``over``, there is no row for it.
        The last waits for the last row pointer, whose beat says whether there was an error. ``last`` and ``done`` stay between matrices.
        """
        p, rows = self._parameters, self.rows
        sides = {"row": p.row_bits, "end": p.count_bits, "columns": p.column_bits, "survivors": p.count_bits}
        flags = dict.fromkeys(("keep", "started", "row_last", "over"), 1)
        current = registers("current", sides | {"error": 3} | flags)
        current.last, current.done = Signal(name="current_last", init=1), Signal(name="current_done", init=1)
        current_valid = Signal()
        after_next = Signal(p.count_bits, reset_less=True)  # number of the survivor after the next one, plus 1
        load = Signal()
        beyond = current.last & ~current.done & rows.real  # a row beyond the last survivor is dropped, and an error
        leaves = Mux(current.last, current.done, current.row_last & ~current.done)
        spare = ~current_valid | ~(rows.real | rows.done) | (~current.done & Mux(rows.real, current.last, rows.done))
        m.d.comb += [
            take.eq(move & current_valid & (~current.last | current.done)),
            load.eq(~current_valid | (move & leaves)),
            self.ready.eq(spare | (move & leaves)),
        ]
        begin = current.last & current.done & rows.many & (~current_valid | move)  # another matrix, of two survivors or more
        with m.If(current.last):
            m.d.sync += after_next.eq(2)
        with m.Elif(take):
            m.d.sync += after_next.eq(after_next + 1)
        with m.If(load):
            m.d.sync += [getattr(current, name).eq(getattr(rows, name)) for name in ("keep", *sides)]
        with m.If(load | ~current.done):
            m.d.sync += current.error.eq(rows.error)
        m.d.sync += [
            current_valid.eq(~load | rows.real | rows.done),
            current.done.eq(Mux(load, rows.done | (current.done & ~rows.real), current.done | (rows.done & (current.last | ~rows.real)))),
            current.started.eq(~load & (take | current.started)),
            current.over.eq(Mux(load, ~rows.real, current.over | (take & current.row_last & current.done))),
        ]
        with m.If(load | take):
            m.d.sync += current.row_last.eq(equal(m, "at_end", after_next, current.end, instead=(load, rows.single)))
        with m.If(beyond & current_valid):
            m.d.sync += current.row_last.eq(0)
        with m.If(begin | (take & ~current.last)):
            m.d.sync += current.last.eq(equal(m, "at_last", after_next, current.survivors, only=~begin))
        return current

    def _compare(self, m: Module, current: Any, column: Intake, value: Intake, take: Signal) -> Any:
        """Register a survivor and how its column compares.

        ``row``, ``column``, ``value``, ``keep``, ``last`` as in the output; ``beyond``, ``unordered``, its column is not below the number
        of columns, not above the one before it in the row; ``known``, neither counts, because of ``error`` of streams and row pointers, or
        since the matrix has no survivor.
        """
        p = self._parameters
        flags = dict.fromkeys(("keep", "last", "beyond", "unordered", "known"), 1)
        staged = registers("staged", {"row": p.row_bits, "column": p.column_bits, "value": p.value_bits, "error": 3} | flags)
        known, error = _first_error(m, current, column, value)
        beyond = compare(m, "range", column.number, current.columns)[1]
        falls = compare(m, "order", staged.column, column.number)[1]
        with m.If(take):
            m.d.sync += [
                staged.row.eq(current.row),
                staged.column.eq(column.number),
                staged.value.eq(value.number),
                staged.keep.eq(current.keep),
                staged.last.eq(current.last),
                staged.beyond.eq(beyond),
                staged.unordered.eq(current.started & falls),
                staged.error.eq(error),
                staged.known.eq(known),
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


def _first_error(m: Module, current: Any, column: Intake, value: Intake) -> tuple[Value, Value]:
    """Whether row pointers or streams are wrong or there is no survivor at all; and the error of row pointers, else of the column's and
    then the value's stream.
    """
    complete = current.row_last & current.done  # the row is the last, and so is its survivor
    empty = ~current.keep
    wrong = current.error.any()
    count = Signal()
    of_rows = Signal()
    m.d.comb += [
        count.eq(Mux(current.over, ~(wrong | empty), current.last & (empty | ~complete))),
        of_rows.eq(count | ((current.over | current.last) & wrong)),
    ]
    long = current.last & column.more
    missing = ~empty & (column.missing | (value.missing & ~long))
    more = Mux(empty, ~column.missing | ~value.missing, long | (current.last & value.more & ~column.missing))
    known = empty | of_rows | column.missing | value.missing | (current.last & (column.more | value.more))
    return known, Cat(
        Mux(of_rows, count | current.error[0], missing),
        Mux(of_rows, ~count & current.error[1], more),
        of_rows & (count | current.error[2]),
    )


def connect_survivors(m: Module, decoder: Any, p: CsrParameters) -> None:
    """Make the decoder that gives coordinates of its parts."""
    m.submodules.finder = finder = RowFinder(p)
    m.submodules.reader = reader = SurvivorReader(p)
    wiring.connect(m, finder.rows, reader.rows)
    m.d.comb += finder.ready.eq(reader.ready)
    shape = decoder.shape
    m.d.comb += [finder.shape.valid.eq(shape.valid), finder.shape.payload.eq(shape.payload), shape.ready.eq(finder.shape.ready)]
    for name, part in (("pointer", finder), ("column", reader), ("value", reader)):
        wiring.connect(m, wiring.flipped(getattr(decoder, name)), getattr(part, name))
    wiring.connect(m, reader.survivor, wiring.flipped(decoder.survivor))
