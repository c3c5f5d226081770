"""The element side of the dense CSR decoder: columns and values in, survivors that know where their beat is out."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrError, CsrParameters
from hdl.compare import compare, equal
from hdl.intake import Intake, registers
from hdl.stream import payload


def pair_layout(p: CsrParameters) -> data.StructLayout:
    """A survivor on its way to its beat.

    ``beat`` and ``lane``: of its column; ``value``; ``origin``: its beat is number 0; ``good``: nothing is wrong with it; ``error``: what
    is; ``empty``: there is none, for the matrix has no survivors, and ``error`` says whether its streams have; ``final``: it is the last.
    """
    lane_bits = p.lanes.bit_length() - 1
    widths: dict[str, Any] = {"beat": p.column_bits - lane_bits, "lane": lane_bits, "value": p.value_bits, "error": 3}
    return data.StructLayout(widths | dict.fromkeys(("origin", "good", "empty", "final"), 1))


def behind_layout(p: CsrParameters) -> data.StructLayout:
    """What is known of the survivor behind the next: ``beat``, ``origin`` as in a pair, and

    ``joins``: it is of the same beat as the next survivor and on a later lane, so that in the same row it joins it.
    """
    return data.StructLayout({"beat": p.column_bits - p.lanes.bit_length() + 1, "origin": 1, "joins": 1})


class PairReader(wiring.Component):
    """Joins columns and values, counts them off against the shape, and judges each: one survivor per cycle.

    A matrix has as many pairs as its shape has survivors, at least one, whatever comes in. Latency 2 to ``behind``, 3 to ``pair``.
    Several survivors a beat are read by :class:`hdl.csr_wide_pairs.WidePairReader`, which joins and counts them in the same way.

    Members:
        shape: Numbers of columns and survivors.
        column, value: Those of the decoder. The ready of all three follows ``pair.ready`` combinationally.
        pair: The next survivor, see :func:`pair_layout`; from registers.
        behind_valid, behind: Of the survivor after it, see :func:`behind_layout`; from registers.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        sides = data.StructLayout({"columns": parameters.column_bits, "survivors": parameters.count_bits})
        members: dict[str, Any] = {port.name: In(stream.Signature(payload(port))) for port in parameters.inputs[1:]}
        pair, behind = self._layouts(parameters)
        members |= {"shape": In(stream.Signature(sides)), "pair": Out(stream.Signature(pair))}
        super().__init__(members | {"behind_valid": Out(1), "behind": Out(behind)})

    def _layouts(self, p: CsrParameters) -> tuple[data.StructLayout, data.StructLayout]:
        """Of ``pair`` and of ``behind``."""
        return pair_layout(p), behind_layout(p)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self._parameters
        column, value = self._take_in(m)
        pair, behind = (Signal(pair_layout(p), name=name, reset_less=True) for name in ("pair", "behind"))
        behind_valid = Signal()
        room = Signal()  # of the two registers one is free, or becomes so
        take = Signal()
        m.d.comb += room.eq(~behind_valid | ~self.pair.valid | self.pair.ready)
        last, empty, columns = self._follow_shape(m, room & column.valid & value.valid, take)
        for intake in (column, value):
            m.d.comb += [intake.take.eq(take), intake.complete.eq(last)]
        with m.If(~self.pair.valid | self.pair.ready):
            m.d.sync += [pair.eq(behind), self.pair.valid.eq(behind_valid)]
        with m.If(room):
            m.d.sync += behind_valid.eq(take)
        joins = Signal(reset_less=True)
        judged = self._judge(m, column, value, last, empty, columns)
        same = equal(m, "same_beat", judged.beat, behind.beat)
        with m.If(take):
            m.d.sync += [behind.eq(judged), joins.eq(judged.good & same & (judged.lane > behind.lane if len(behind.lane) else 0))]
        m.d.comb += [
            self.pair.payload.eq(pair),
            self.behind_valid.eq(behind_valid),
            self.behind.beat.eq(behind.beat),
            self.behind.origin.eq(behind.origin),
            self.behind.joins.eq(joins),
        ]
        return m

    def _take_in(self, m: Module) -> tuple[Intake, Intake]:
        """The registers that columns and values come in through."""
        p = self._parameters
        m.submodules.column_intake = column = Intake(p.inputs[1])
        m.submodules.value_intake = value = Intake(p.inputs[2])
        wiring.connect(m, wiring.flipped(self.column), column.i)
        wiring.connect(m, wiring.flipped(self.value), value.i)
        return column, value

    def _follow_shape(self, m: Module, able: Value, take: Signal) -> tuple[Signal, Signal, Signal]:
        """Count survivors: whether the next is the matrix's last, whether the matrix has none, and the number of columns.

        With several ``pairs`` beats of them are counted, by the number of the last survivor.
        """
        p, given = self._parameters, self.shape.payload
        low = p.pairs.bit_length() - 1
        shape = registers("shape", {"columns": p.column_bits, "survivors": p.count_bits, "last": 1, "empty": 1})
        shape_valid = Signal()
        after_next = Signal(p.count_bits - low, reset_less=True)  # number of the survivor after the next one, plus 1; of the beat
        several, numbers, start = given.survivors[1:].any(), given.survivors, 2
        if low:
            several, numbers, start = given.survivors > p.pairs, given.survivors - 1, 1
            self._last_lane = shape.survivors[:low]
        at_last = equal(m, "at_last", after_next, shape.survivors[low:])
        m.d.comb += [take.eq(able & shape_valid), self.shape.ready.eq(~shape_valid | (able & shape.last))]
        with m.If(self.shape.ready):
            m.d.sync += [shape_valid.eq(self.shape.valid), after_next.eq(start), shape.last.eq(~several)]
            m.d.sync += [shape.columns.eq(given.columns), shape.survivors.eq(numbers)]
            m.d.sync += shape.empty.eq(~given.survivors.any() if low else ~several & ~given.survivors[0])
        with m.Elif(take):
            m.d.sync += [after_next.eq(after_next + 1), shape.last.eq(at_last)]
        return shape.last, shape.empty, shape.columns

    def _judge(self, m: Module, column: Intake, value: Intake, last: Value, empty: Value, columns: Value) -> Any:
        """The pair of a column and a value."""
        p = self._parameters
        pair = Signal(pair_layout(p), name="judged")
        lane_bits = len(pair.lane)
        _, beyond = compare(m, "range", column.number, columns)
        wrong = [(i.missing & ~empty, last & ~i.missing & (i.more | empty)) for i in (column, value)]
        codes: Value = Mux(beyond & ~empty, CsrError.RANGE, CsrError.NONE)
        for short, long in reversed(wrong):
            codes = Mux(short, CsrError.SHORT, Mux(long, CsrError.LONG, codes))
        m.d.comb += [
            pair.beat.eq(column.number[lane_bits:]),
            pair.lane.eq(column.number[:lane_bits]),
            pair.value.eq(value.number),
            pair.error.eq(codes),
            pair.good.eq(~empty & (codes == 0)),
            pair.origin.eq(~column.number[lane_bits:].any()),
            pair.empty.eq(empty),
            pair.final.eq(last),
        ]
        return pair
