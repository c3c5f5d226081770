"""The CSR decoder of dense rows: the end of every row and the survivors in, rows of weights out."""

from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrError, CsrParameters
from hdl.compare import equal
from hdl.csr_pairs import PairReader
from hdl.csr_rows import RowReader
from hdl.intake import registers
from hdl.stream import payload


class DenseRows(wiring.Component):
    """Puts each survivor into its lane of its beat, and gives the beats in between as zeros.

    A survivor that fits into no beat of its row keeps its place until the row is over: only then it is an error. A beat takes as many
    cycles as it has survivors, at least one. Latency 2 from ``rows``, 1 from ``pair``. How several survivors are put at once is said in
    :class:`hdl.csr_wide_rows.WideDenseRows`, which has its own of the methods that look at ``pair``.

    Members:
        rows: See :class:`hdl.csr_rows.RowReader`; its ready follows ``weight.ready`` combinationally.
        pair, behind_valid, behind: See :class:`hdl.csr_pairs.PairReader`; so does the ready of ``pair``.
        weight: ``lanes`` weights a beat, from registers; each row starts a new beat. ``error`` is the first of rows and survivors.
    """

    def __init__(self, p: CsrParameters, rows: wiring.Signature, pair: Any, behind: Any) -> None:
        self._parameters = p
        self._lane_bits = p.lanes.bit_length() - 1
        members = {"rows": In(rows), "pair": In(pair), "behind_valid": In(1), "behind": In(behind)}
        super().__init__(members | {"weight": Out(stream.Signature(payload(p.output)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self._parameters
        row = registers("row", self._row_widths() | {"error": 3} | dict.fromkeys(("last", "short", "closing"), 1))
        sides = {"rows": p.row_bits, "high": p.column_bits - self._lane_bits, "keep": p.lanes}
        matrix = registers("matrix", sides | dict.fromkeys(("void", "narrow", "tight"), 1))
        names = ("row_valid", "last_beat", "begun", "exhausted", "drain", "advance", "step", "put", "complete", "row_done", "done", "pop")
        s = SimpleNamespace(**{name: Signal(name=name) for name in (*names, "begin", "load")})
        self._step(m, s, row)
        wrong, known, at_end = self._judge(s, row)
        self._follow_rows(m, s, row, matrix, wrong, known)
        self._fit(m, s, *self._follow_beats(m, s, matrix))
        self._write(m, s, row, matrix)
        self._put(m, s)
        with m.If(s.step):
            error = Mux(wrong, known, at_end)
            m.d.sync += self.weight.payload.error.eq(Mux(row.last & s.last_beat, error, 0))
        return m

    def _row_widths(self) -> dict[str, int]:
        """Registers of the row at work in which its end is followed; those that a row of the reader has too are taken from there."""
        return {"end": self._parameters.count_bits, "one": 1, "some": 1}

    def _step(self, m: Module, s: Any, row: Any) -> None:
        """What happens in a clock cycle.

        ``put``: the next survivor fits; ``step``: the beat in the making gets what there is; ``complete``: with that it is complete;
        ``row_done``, ``done``: so is its row, its matrix; ``pop``: the pair is used up; ``exhausted``: so are all of the matrix; ``drain``:
        those that are left are dropped; ``begun``: the beat has survivors already; ``load``: the next row comes; ``begin``: it is the first
        of its matrix.
        """
        self.fits = Signal(name="fits", reset_less=True)  # the next survivor is of the beat in the making
        fresh = Signal(init=1)  # between matrices
        seen = self._look(s, row, row.error.any())
        m.d.comb += [
            s.advance.eq(~self.weight.valid | self.weight.ready),
            s.put.eq(seen.put),
            s.step.eq(s.advance & s.row_valid & ~s.drain & ~seen.lacks & ~seen.unknown),
            s.complete.eq(~(s.put & seen.more)),
            s.row_done.eq(s.step & s.complete & s.last_beat),
            s.done.eq(s.row_done & row.last),
            s.pop.eq(self.pair.valid & seen.pop),
            s.begin.eq(fresh | s.done),
            s.load.eq(~s.row_valid | (s.row_done & (row.last | ~row.closing))),
            self.pair.ready.eq(s.pop),
            self.rows.ready.eq(s.load),
        ]
        m.d.sync += [fresh.eq(s.begin & ~self.rows.valid), *seen.after]

    def _look(self, s: Any, row: Any, failed: Value) -> Any:
        """What survivors mean for the step: ``put``, ``pop``; ``more``: with *put* the beat is not complete; ``lacks``, ``unknown``: what
        has to be known is not; ``after``: what is remembered.
        """
        pair, behind, wants = self.pair.payload, self.behind, row.some & ~failed
        drop = s.drain | (~s.exhausted & s.row_valid & failed)
        return SimpleNamespace(
            put=wants & ~s.exhausted & self.pair.valid & pair.good & self.fits,
            more=~row.one & (s.last_beat | (~pair.final & behind.joins)),
            # Whether the one after it is of the same beat.
            unknown=s.put & ~row.one & ~pair.final & ~s.last_beat & ~self.behind_valid,
            # The last beat says whether there was an error: it waits until it is seen whether survivors are left.
            lacks=~s.exhausted & ~self.pair.valid & (wants | (row.last & s.last_beat)),
            pop=drop | (~s.exhausted & s.step & (s.put | (s.complete & s.last_beat & row.last))),
            after=[
                s.exhausted.eq(~s.done & (s.exhausted | (s.pop & pair.final & ~s.drain))),
                s.drain.eq(Mux(s.drain, ~(s.pop & pair.final), s.done & ~s.exhausted & ~pair.final)),
            ],
        )

    def _judge(self, s: Any, row: Any) -> tuple[Value, Value, Value]:
        """Whether there is an error up to the end of the row, and the first; where there is none and the matrix ends, that of its end."""
        pair = self.pair.payload
        reason = Mux(s.exhausted | pair.empty, CsrError.COUNT, Mux(pair.good, CsrError.ORDER, pair.error))
        known = Mux(row.error.any(), row.error, Mux(row.some & ~s.put, reason, CsrError.NONE))
        return known.any(), known, Mux(s.exhausted | (s.put & pair.final), CsrError.NONE, Mux(pair.empty, pair.error, CsrError.COUNT))

    def _count(self, m: Module, s: Any, row: Any) -> tuple[Value, list[Any], list[Any]]:
        """When survivors are counted: what is set as a matrix begins, and by each count."""
        self._counted = Signal(name="counted")
        after_next = Signal(self._parameters.count_bits, reset_less=True)  # number of the survivor after the next one, plus 1
        m.d.comb += self._counted.eq(s.put & s.step)
        self._at_end = equal(m, "at_end", after_next, row.end)
        return self._counted, [after_next.eq(2)], [after_next.eq(after_next + 1)]

    def _follow_end(self, m: Module, s: Any, row: Any) -> None:
        """See the end of a row a survivor ahead."""
        with m.If(self._counted):
            m.d.sync += [row.some.eq(~row.one), row.one.eq(self._at_end)]

    def _follow_rows(self, m: Module, s: Any, row: Any, matrix: Any, wrong: Value, known: Value) -> None:
        """Take the next row, or where the row pointers have ended make one up; see the matrix's end a row ahead."""
        p, rows = self._parameters, self.rows
        after_row = Signal(p.row_bits, reset_less=True)  # rows that were begun, plus 1
        counts, at_first, at_each = self._count(m, s, row)
        last_row = equal(m, "last_row", after_row, matrix.rows)
        with m.If(s.begin):
            m.d.sync += [*at_first, after_row.eq(2)]
        with m.Else():
            with m.If(counts):
                m.d.sync += at_each
            with m.If(s.row_done):
                m.d.sync += after_row.eq(after_row + 1)
        self._follow_end(m, s, row)
        with m.If(s.row_done):
            m.d.sync += row.last.eq(last_row)
            m.d.sync += row.error.eq(Mux(~wrong & row.short, CsrError.SHORT, known))
        with m.If(s.load):
            m.d.sync += s.row_valid.eq(rows.valid)
            taken = [name for name in vars(row) if name in rows.signature.members and name != "error"]
            m.d.sync += [getattr(row, name).eq(getattr(rows, name)) for name in taken]
            with m.If(s.begin | (rows.valid & ~Mux(s.row_done, wrong, row.error.any()))):
                m.d.sync += row.error.eq(rows.error)
        with m.If(s.load & s.begin):
            low = rows.columns[: self._lane_bits]
            m.d.sync += [
                row.last.eq(rows.few),
                matrix.rows.eq(rows.rows),
                matrix.high.eq(rows.columns[self._lane_bits :]),
                matrix.keep.eq(Cat(rows.tight | (low > lane if lane + 1 < p.lanes else 0) for lane in range(p.lanes))),
                *(getattr(matrix, name).eq(getattr(rows, name)) for name in ("void", "narrow", "tight")),
            ]

    def _follow_beats(self, m: Module, s: Any, matrix: Any) -> tuple[Signal, Signal]:
        """Follow the beats of a row: the number of the one in the making, and of the next."""
        rows = self.rows
        beat, after, ahead = (Signal(len(matrix.high), name=name, reset_less=True) for name in ("beat", "beat_after", "beat_ahead"))
        row_ends = equal(m, "row_ends", ahead, matrix.high)
        with m.If(s.begin | s.row_done):
            tight = Mux(s.begin, rows.tight, matrix.tight)
            m.d.sync += [beat.eq(0), after.eq(1), ahead[:2].eq(Cat(~tight, tight)), ahead[2:].eq(0)]
            m.d.sync += s.last_beat.eq(Mux(s.begin, rows.narrow, matrix.narrow))
        with m.Elif(s.step & s.complete):
            # One more where the last beat is full, so that the last beat is the one whose number is the columns' upper bits.
            m.d.sync += [ahead.eq(ahead + 1), s.last_beat.eq(row_ends)]
            m.d.sync += [beat.eq(after), after.eq(after + 1)]
        return beat, after

    def _fit(self, m: Module, s: Any, beat: Signal, after: Signal) -> None:
        """See a cycle ahead whether the next survivor is of the beat that is then in the making."""
        pair, behind = self.pair.payload, self.behind
        behind_fits, pair_fits = equal(m, "behind_fits", behind.beat, after), equal(m, "pair_fits", pair.beat, after)
        late_fits = equal(m, "late_fits", behind.beat, beat)
        comes = s.pop | ~self.pair.valid  # the one behind is the next
        with m.If(s.step & ~s.complete if self._parameters.lanes > 1 else Const(0)):  # a beat of one lane has no second survivor
            m.d.sync += self.fits.eq(behind.joins)
        with m.Elif(s.row_done):
            m.d.sync += self.fits.eq(Mux(comes, behind.origin, pair.origin))
        with m.Elif(s.step):
            m.d.sync += self.fits.eq(Mux(comes, behind_fits, pair_fits))
        with m.Elif(comes):
            m.d.sync += self.fits.eq(Mux(s.begun, behind.joins, late_fits))

    def _write(self, m: Module, s: Any, row: Any, matrix: Any) -> None:
        """Collect a beat in the output register itself: it is not valid before it is complete."""
        out = self.weight.payload
        with m.If(s.advance):
            m.d.sync += self.weight.valid.eq(s.step & s.complete & (~matrix.void | row.last))
        with m.If(s.step):
            m.d.sync += [s.begun.eq(~s.complete), out.last.eq(row.last & s.last_beat)]
            m.d.sync += out.keep.eq(Mux(matrix.void, 0, Mux(s.last_beat, matrix.keep, -1)))

    def _put(self, m: Module, s: Any) -> None:
        """Put the survivor into its lane; in a beat that has none yet the others are 0."""
        pair, out = self.pair.payload, self.weight.payload
        with m.If(s.step):
            for lane in range(self._parameters.lanes):
                with m.If(s.put & (pair.lane == lane)):
                    m.d.sync += out.data[lane].eq(pair.value)
                with m.Elif(~s.begun):
                    m.d.sync += out.data[lane].eq(0)


def connect_dense(m: Module, decoder: Any, p: CsrParameters, of_pairs: type[PairReader], of_rows: type[DenseRows]) -> None:
    """Make the decoder that gives dense rows of its parts: the reader of row pointers, *of_pairs* and *of_rows*."""
    m.submodules.reader = reader = RowReader(p)
    m.submodules.pairs = pairs = of_pairs(p)
    m.submodules.dense_rows = dense_rows = of_rows(p, reader.rows.signature, pairs.pair.signature, pairs.behind.shape())
    wiring.connect(m, reader.rows, dense_rows.rows)
    wiring.connect(m, pairs.pair, dense_rows.pair)
    wiring.connect(m, dense_rows.weight, wiring.flipped(decoder.weight))
    for name, part in (("pointer", reader), ("column", pairs), ("value", pairs)):
        wiring.connect(m, wiring.flipped(getattr(decoder, name)), getattr(part, name))
    # Each side takes the shape as soon as it can. The pointer side is a matrix ahead at most, so a shape waits for the other in a register.
    shape, given, taken = decoder.shape, decoder.shape.payload.data[0], Signal(2, name="shape_taken")
    waits, waiting = Signal(name="shape_waits"), Signal.like(pairs.shape.payload, name="shape_waiting", reset_less=True)
    readies = (reader.shape.ready, ~waits | pairs.shape.ready)
    m.d.comb += [
        dense_rows.behind_valid.eq(pairs.behind_valid),
        dense_rows.behind.eq(pairs.behind),
        reader.shape.valid.eq(shape.valid & ~taken[0]),
        *(reader.shape.payload[name].eq(given[name]) for name in ("rows", "columns")),
        pairs.shape.valid.eq(waits),
        pairs.shape.payload.eq(waiting),
        shape.ready.eq(Cat(taken[i] | ready for i, ready in enumerate(readies)).all()),
    ]
    m.d.sync += [taken[i].eq(shape.valid & ~shape.ready & (taken[i] | ready)) for i, ready in enumerate(readies)]
    with m.If(readies[1]):
        m.d.sync += [waits.eq(shape.valid & ~taken[1]), *(waiting[name].eq(given[name]) for name in ("columns", "survivors"))]
