"""Rows of weights out of survivors: the last part of the CSR decoder where it is asked for dense rows."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrParameters
from hdl.csr_pointer import registers
from hdl.stream import payload


def sides_signature(parameters: CsrParameters) -> wiring.Signature:
    """Numbers of rows and columns of the matrix that a survivor is of."""
    return wiring.Signature({"rows": Out(parameters.row_bits), "columns": Out(parameters.column_bits)})


class DenseRows(wiring.Component):
    """Puts each survivor into its lane of its beat, and gives the beats in between as zeros.

    A beat takes as many cycles as it has survivors, at least one. Latency 2 to the beat that a survivor completes, where the next survivor,
    which shows that the beat is complete, is not late.

    Members:
        survivor: Survivors in row-major order; those without ``keep`` are dropped. Its ready follows ``weight.ready`` combinationally.
        sides: Of the matrix that ``survivor`` is of.
        weight: ``lanes`` weights a beat, from registers; each row starts a new beat. ``error`` is that of the last survivor.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        self._lane_bits = parameters.lanes.bit_length() - 1
        super().__init__(
            {
                "survivor": In(stream.Signature(payload(parameters.survivor))),
                "sides": In(sides_signature(parameters)),
                "weight": Out(stream.Signature(payload(parameters.output))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, weight = self._parameters, self.weight
        head_widths = {"row": p.row_bits, "column": p.column_bits, "value": p.value_bits, "keep": 1, "last": 1, "error": 3}
        head = registers("head", head_widths)  # the survivor that is next
        place = registers("place", {"row": p.row_bits, "beat": p.column_bits - self._lane_bits})  # of the beat in the making
        advance = Signal()
        step = Signal()
        match = Signal()
        put = Signal()
        complete = Signal()
        last = Signal()
        done = Signal()
        head_valid, more = self._hold_head(m, head, put, done)
        in_row = self._follow_beats(m, place, last, complete, done)
        m.d.comb += [
            advance.eq(~weight.valid | weight.ready),
            match.eq(head.keep & (head.row == place.row) & (head.column[self._lane_bits :] == place.beat)),
            # Whether a survivor is the last of its beat is seen from the next one; the last beat waits for the error.
            step.eq(advance & head_valid & (~match | head.last | self.survivor.valid)),
            put.eq(step & match),
            complete.eq(step & ~(match & more) & (~last | head.last)),
            done.eq(complete & last),
        ]
        self._write(m, head, in_row, step, match, complete)
        with m.If(advance):
            m.d.sync += weight.valid.eq(complete)
        with m.If(step):
            m.d.sync += [weight.payload.last.eq(last), weight.payload.error.eq(Mux(last, head.error, 0))]
        return m

    def _hold_head(self, m: Module, head: Any, put: Signal, done: Signal) -> tuple[Signal, Value]:
        """Hold a survivor until it is *put* into its beat; and see whether the one behind it goes into the same.

        The last one stays, without ``keep``, until the matrix is *done*: only zeros follow.
        """
        survivor, bits = self.survivor, self._lane_bits
        behind, coordinates = survivor.payload, survivor.payload.data[0]
        head_valid = Signal()
        same = (coordinates.row == head.row) & (coordinates.column[bits:] == head.column[bits:])
        m.d.comb += survivor.ready.eq(~head_valid | (put & ~head.last) | done)
        with m.If(survivor.ready):
            m.d.sync += [
                head_valid.eq(survivor.valid & (behind.keep | behind.last)),
                head.row.eq(coordinates.row),
                head.column.eq(coordinates.column),
                head.value.eq(coordinates.value),
                *(getattr(head, name).eq(getattr(behind, name)) for name in ("keep", "last", "error")),
            ]
        with m.Elif(put):
            m.d.sync += head.keep.eq(0)
        return head_valid, ~head.last & behind.keep & same

    def _follow_beats(self, m: Module, place: Any, last: Signal, complete: Signal, done: Signal) -> Value:
        """Move *place* on with every *complete* beat, and see the *last* of the matrix. Gives a bit a lane: it is within the row."""
        sides, bits = self.sides, self._lane_bits
        # Where the matrix's last weight is, or that it has none.
        end = registers("end", {"row": len(sides.rows), "column": len(sides.columns), "empty": 1})
        fresh = Signal(init=1)  # the next survivor is the first of a matrix
        row_last = Signal()
        m.d.comb += [
            row_last.eq(place.beat == end.column[bits:]),
            last.eq((row_last & (place.row == end.row)) | end.empty),
        ]
        with m.If(complete):
            m.d.sync += place.beat.eq(place.beat + 1)
            with m.If(row_last):
                m.d.sync += [place.beat.eq(0), place.row.eq(place.row + 1)]
        m.d.sync += fresh.eq((fresh | done) & ~(self.survivor.valid & self.survivor.ready))
        with m.If(fresh | done):
            m.d.sync += [
                place.row.eq(0),
                place.beat.eq(0),
                end.row.eq(sides.rows - 1),
                end.column.eq(sides.columns - 1),
                end.empty.eq((sides.rows == 0) | (sides.columns == 0)),
            ]
        # The first lane always is, and a comparison with 0 would be a linter's warning.
        within = (end.column[:bits] >= lane if lane else Const(1) for lane in range(self._parameters.lanes))
        return Cat(~end.empty & (~row_last | lane) for lane in within)

    def _write(self, m: Module, head: Any, in_row: Value, step: Signal, match: Signal, complete: Signal) -> None:
        """Collect a beat in the output register itself: it is not valid before it is complete."""
        out = self.weight.payload
        begun = Signal()  # the beat in the register still lacks survivors
        with m.If(step):
            m.d.sync += [begun.eq(~complete), out.keep.eq(in_row)]
            for lane in range(self._parameters.lanes):
                with m.If(match & (head.column[: self._lane_bits] == lane)):
                    m.d.sync += out.data[lane].eq(head.value)
                with m.Elif(~begun):
                    m.d.sync += out.data[lane].eq(0)
