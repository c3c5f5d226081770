"""The sparse view of a decoder: what it gives as dense beats, as position and value of each weight that is not 0."""

from itertools import pairwise
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from golden.params.sparse import SparseParameters
from hdl.axis import decoder
from hdl.stream import decoder_members


class SparseView(wiring.Component):
    """A decoder of weights whose zeros are skipped: position and value of each other weight, one per clock cycle.

    Rate: one survivor per clock cycle, where the decoder gives its beats in time; a beat without one takes a cycle too. No idle cycle
    between matrices.
    Latency: 3 clock cycles from a dense beat to its first survivor, where another one follows in the next cycle: a survivor is held back
    until it is known whether it is the matrix's last.
    ``ready`` of all inputs follows ``survivor.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Of a decoder whose rows start new beats the lanes that are kept are the lowest ones of a beat.

    Members:
        shape and encoded streams: Those of the decoder.
        survivor: Position in the matrix, row-major, and value. ``error`` on the last beat: the decoder's. A matrix without survivors has
            one beat without ``keep``.
    """

    def __init__(self, parameters: SparseParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dense = dense = decoder(self.parameters.of)
        for port in (self.parameters.shape, *self.parameters.inputs):
            wiring.connect(m, wiring.flipped(getattr(self, port.name)), getattr(dense, port.name))
        found = Signal()  # a survivor in this cycle
        end = Signal()  # the matrix has no more after it
        survivor = Signal(self.survivor.payload.data[0].shape())
        error = Signal(self.parameters.output.user_bits)
        advance = Signal()
        m.d.comb += advance.eq(~self.survivor.valid | self.survivor.ready)
        self._scan(m, dense.weight, advance, found, end, survivor, error)
        self._give(m, advance, found, end, survivor, error)
        return m

    def _scan(self, m: Module, weight: Any, advance: Signal, found: Signal, end: Signal, survivor: Any, error: Signal) -> None:
        """Hold a dense beat and give its survivors one by one, the lowest lane first."""
        lanes = self.parameters.of.output.lanes
        beat = weight.payload
        kept: Any = lanes  # of a beat that is not the last
        if self.parameters.of.rows_apart:
            highest = Cat(one & ~above for one, above in pairwise([*beat.keep, Const(0)]))
            kept = _chosen(highest, [Const(lane + 1, range(lanes + 1)) for lane in range(lanes)])
        values = Signal(data.ArrayLayout(len(survivor.value), lanes), reset_less=True)
        base, next_base = Signal.like(survivor.position, reset_less=True, name="base"), Signal.like(survivor.position, name="next_base")
        left = Signal(lanes)  # survivors of the held beat that are still to be given
        few = Signal(init=1)  # there is at most one of them
        last = Signal()  # the held beat is its matrix's last
        lowest = Cat(left[lane] & ~left[:lane].any() for lane in range(lanes))
        rest = left & ~lowest
        coming = Cat(beat.keep[lane] & beat.data[lane].any() for lane in range(lanes)) & weight.valid.replicate(lanes)
        m.d.comb += [
            weight.ready.eq(advance & few),
            found.eq(left.any()),
            end.eq(last & few),
            survivor.value.eq(_chosen(lowest, list(values))),
            survivor.position.eq(base + _chosen(lowest, [Const(lane, range(lanes)) for lane in range(lanes)])),
        ]
        following = Signal(lanes)
        m.d.comb += following.eq(Mux(few, coming, rest))
        with m.If(advance):
            m.d.sync += [left.eq(following), few.eq(~_two(following))]
            with m.If(few):
                m.d.sync += [last.eq(weight.valid & beat.last), values.eq(beat.data), base.eq(next_base), error.eq(beat.error)]
                with m.If(weight.valid):
                    m.d.sync += next_base.eq(Mux(beat.last, 0, next_base + kept))

    def _give(self, m: Module, advance: Signal, found: Signal, end: Signal, survivor: Any, error: Signal) -> None:
        """Hold a survivor back until the next one or the matrix's end; then give it, with what is told on a matrix's last beat."""
        output = self.survivor.payload
        held = Signal.like(survivor, reset_less=True, name="held")
        there = Signal()  # something is held
        some = Signal()  # and it is a survivor; a matrix without any has a beat without data
        final = Signal()  # and it is its matrix's last
        code = Signal.like(error, reset_less=True, name="code")
        closed = Signal()  # the matrix ends with what is held
        m.d.comb += closed.eq(end & ~found & there & ~final)
        with m.If(advance):
            m.d.sync += [
                self.survivor.valid.eq(there & (final | found | end)),
                output.data[0].eq(Mux(some, held, 0)),
                output.keep.eq(some),
                output.last.eq(final | closed),
                output.error.eq(Mux(final, code, Mux(closed, error, 0))),
            ]
            with m.If((found | end) & ~closed):
                m.d.sync += [there.eq(1), some.eq(found), final.eq(end), held.eq(survivor), code.eq(error)]
            with m.Elif(final | closed):
                m.d.sync += [there.eq(0), final.eq(0)]


def _chosen(which: Value, values: list[Any]) -> Value:
    """That of *values* whose bit of *which* is 1; at most one is."""
    total: Value = Const(0)
    for bit, value in zip(which, values, strict=True):
        total = total | (Value.cast(value) & bit.replicate(len(Value.cast(value))))
    return total


def _two(bits: Value) -> Value:
    """Whether at least two of *bits* are 1."""
    if len(bits) == 1:
        return Const(0)
    low, high = bits[: len(bits) // 2], bits[len(bits) // 2 :]
    return _two(low) | _two(high) | (low.any() & high.any())


DECODER = SparseView
