"""The requests of the look-up unit: counted off against the shape, compared with its rows and columns, and given with what is wrong."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Field, Port
from golden.params.lookup import LookUpParameters
from hdl.compare import compare
from hdl.intake import Intake, registers
from hdl.stream import payload


def shape_layout(p: LookUpParameters) -> data.StructLayout:
    """What of a shape matters to requests."""
    return data.StructLayout({"rows": p.row_bits, "columns": p.column_bits, "requests": p.count_bits})


def request_layout(p: LookUpParameters) -> data.StructLayout:
    """A request: ``key``, its column and above that its row; ``keep``, it is one, and not the sign that its matrix has none; ``last``;
    ``error``, of :class:`golden.params.lookup.LookUpError`.
    """
    return data.StructLayout({"key": p.column_bits + p.row_bits, "keep": 1, "last": 1, "error": 4})


class RequestReader(wiring.Component):
    """As many requests as the shape says, at least one, whatever comes in: one per cycle, from matrix to matrix. Latency 2.

    Members:
        shape: See :func:`shape_layout`; one more than the one at work is taken.
        request: That of the decoder. The ready of both follows ``asked.ready`` combinationally.
        asked: See :func:`request_layout`; from registers.
    """

    def __init__(self, parameters: LookUpParameters) -> None:
        self._parameters = p = parameters
        members = {"shape": In(stream.Signature(shape_layout(p))), "request": In(stream.Signature(payload(p.inputs[-1])))}
        super().__init__(members | {"asked": Out(stream.Signature(request_layout(p)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self._parameters
        m.submodules.intake = intake = Intake(Port("request", (Field("key", p.column_bits + p.row_bits),)))
        beat = self.request.payload
        m.d.comb += [
            intake.i.valid.eq(self.request.valid),
            intake.i.payload.data[0].eq(Cat(beat.data[0].column, beat.data[0].row)),
            intake.i.payload.keep.eq(beat.keep),
            intake.i.payload.last.eq(beat.last),
            self.request.ready.eq(intake.i.ready),
        ]
        advance = Signal()
        take = Signal()
        matrix = self._count(m, take)
        m.d.comb += [
            advance.eq(~self.asked.valid | self.asked.ready),
            take.eq(advance & matrix.valid & intake.valid),
            intake.take.eq(take),
            intake.complete.eq(matrix.final),
        ]
        asked = Signal(request_layout(p), name="asked", reset_less=True)
        m.d.comb += self.asked.payload.eq(asked)
        with m.If(advance):
            m.d.sync += self.asked.valid.eq(take)
        short = intake.missing & ~matrix.empty
        long = matrix.final & ~intake.missing & (intake.more | matrix.empty)
        column, row = intake.number[: p.column_bits], intake.number[p.column_bits :]
        beyond = compare(m, "column", column, matrix.columns)[1] | compare(m, "row", row, matrix.rows)[1]
        with m.If(advance):
            m.d.sync += [
                asked.key.eq(intake.number),
                asked.keep.eq(~matrix.empty),
                asked.last.eq(matrix.final),
                asked.error.eq(Cat(short, long, Const(0, 1), beyond & ~(matrix.empty | short | long))),
            ]
        return m

    def _count(self, m: Module, take: Signal) -> Any:
        """Hold the shape of the matrix at work, if there is one (``valid``), and the next one; ``final``: the next request is the last;
        ``empty``: it is none, for there is none."""
        p = self._parameters
        waiting = Signal(shape_layout(p), reset_less=True)
        waiting_valid = Signal()
        start = Signal()
        matrix = registers("matrix", {"rows": p.row_bits, "columns": p.column_bits, "empty": 1})
        matrix.valid = valid = Signal(name="matrix_valid")
        following = Signal(signed(p.count_bits + 1), reset_less=True)  # requests after the next one, less 1
        matrix.final = following[-1]
        m.d.comb += [start.eq(~valid | (take & matrix.final)), self.shape.ready.eq(~waiting_valid | start)]
        with m.If(self.shape.ready):
            m.d.sync += [waiting_valid.eq(self.shape.valid), waiting.eq(self.shape.payload)]
        with m.If(start):
            m.d.sync += [
                valid.eq(waiting_valid),
                matrix.rows.eq(waiting.rows),
                matrix.columns.eq(waiting.columns),
                matrix.empty.eq(waiting.requests == 0),
                following.eq(waiting.requests - 2),
            ]
        with m.Elif(take):
            m.d.sync += following.eq(following - 1)
        return matrix
