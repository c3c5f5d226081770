"""The bitmap decoder: mask bits and packed values of the survivors in, all weights out."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In

from golden.params.base import Error
from golden.params.bitmap import BitmapParameters
from hdl.expander import Expander
from hdl.expander_network import inside
from hdl.stream import SkidBuffer, decoder_members, payload


class State(enum.Enum, shape=2):  # type: ignore[call-arg]
    """What the mask side does: wait for a shape, pass masks on, give empty ones after the stream's end, drop what is left of it."""

    IDLE = 0
    PASS = 1
    PAD = 2
    DRAIN = 3


class BitmapDecoder(wiring.Component):
    """Bitmap decoder: *lanes* mask bits in and *lanes* weights out per clock cycle, whatever the density.

    Rate: one beat per clock cycle, without an idle cycle between matrices, as long as values come as fast as survivors are needed.
    Latency: 8 clock cycles from shape and mask beat, where the values wait already.
    ``value.ready`` follows ``weight.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: its number of weights.
        mask: *lanes* mask bits a beat; ``last`` with the last beat of a matrix, which in a matrix of no weights is without ``keep``.
            Bits past the last weight are not looked at. With *exact_masks* they are as many as the matrix needs, whatever comes in before
            them, bits past the last weight are 0, and the last has an ``error`` too, which goes to that of the weights.
        value: Values of the survivors, *values* a beat, ``keep`` set from lane 0 upward; ``last`` with the last beat of a matrix, which in
            a matrix without survivors is without ``keep``.
        weight: *lanes* weights a beat. ``error`` on the last beat: 1 a stream ended early (the weights of that beat and all after it
            are 0), 2 a stream went on too long. What is left of the streams is dropped up to their ``last``.

    Source: NVDLA's compressed weights; what is ours is said in docs/bitmap.md.
    """

    def __init__(self, parameters: BitmapParameters, *, exact_masks: bool = False) -> None:
        self.parameters = parameters
        self.exact_masks = exact_masks
        members = decoder_members(parameters)
        if exact_masks:
            members["mask"] = In(stream.Signature(payload(replace(parameters.inputs[0], user_bits=2))))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.expander = expander = Expander(self.parameters)
        wiring.connect(m, wiring.flipped(self.value), expander.value)
        wiring.connect(m, wiring.flipped(self.weight), expander.weight)
        m.submodules.shapes = shapes = SkidBuffer(self.shape.payload.shape())
        wiring.connect(m, wiring.flipped(self.shape), shapes.i)
        # The expander's ready goes to many flip-flops and comes late; the control is not to wait for it.
        m.submodules.masks = masks = SkidBuffer(expander.mask.payload.shape())
        wiring.connect(m, masks.o, expander.mask)
        self._pass(m, shapes.o, masks.i)
        return m

    def _pass(self, m: Module, shape: Any, given: Any) -> None:
        """Give the expander exactly the masks of the matrix, cut to its length."""
        p, count, out = self.parameters, shape.payload.data[0], given.payload
        # Weights after this beat, less one: its sign, a register's bit and no comparison, says that the beat is the last.
        following = Signal(signed(max(p.count_bits, p.lanes.bit_length()) + 1))
        empty = ~self.mask.payload.keep if self.exact_masks else Signal(name="empty")
        start = Signal()  # the matrix is complete, or there is none: the next may start
        m.d.comb += [out.last.eq(following[-1]), out.empty.eq(empty), out.top.eq(following + p.lanes), shape.ready.eq(start)]
        goes_on = (self._trust if self.exact_masks else self._check)(m, shape.valid, given, start)
        with m.If(start):
            m.d.sync += [goes_on, following.eq(count - (p.lanes + 1)), *([] if self.exact_masks else [empty.eq(count == 0)])]
        with m.Elif(given.valid & given.ready):
            m.d.sync += following.eq(following - p.lanes)

    def _trust(self, m: Module, more: Value, given: Any, start: Signal) -> Any:
        """Pass masks on as they are, and say when the next matrix may *start*. Gives what is done then; *more*: there is one."""
        mask, out = self.mask, given.payload
        busy = Signal()  # with a matrix; masks of the next may come before its shape
        m.d.comb += [
            given.valid.eq(busy & mask.valid), mask.ready.eq(busy & given.ready), out.bits.eq(mask.payload.data[0]),
            out.error.eq(mask.payload.error), start.eq(~busy | (mask.valid & given.ready & mask.payload.last)),
        ]
        return busy.eq(more)

    def _check(self, m: Module, more: Value, given: Any, start: Signal) -> Any:
        """The same, but count the masks off, cut the last, make up those that are missing, and drop those that are too many."""
        mask, out, final, empty = self.mask, given.payload, given.payload.last, given.payload.empty
        state = Signal(State)
        m.d.comb += out.bits.eq(mask.payload.data[0] & inside(out.top, self.parameters.lanes, ~final, empty | (state == State.PAD)))
        with m.Switch(state):
            with m.Case(State.IDLE):
                m.d.comb += start.eq(1)
            with m.Case(State.PASS):
                m.d.comb += mask.ready.eq(given.ready)
                m.d.comb += [given.valid.eq(mask.valid & (mask.payload.keep | empty & mask.payload.last))]
                m.d.comb += out.error.eq(Mux(~mask.payload.last | empty & mask.payload.keep, Error.LONG, Error.NONE))
                with m.If(mask.valid & given.ready):
                    m.d.comb += start.eq(given.valid & final & mask.payload.last)
                    with m.If(mask.payload.last):
                        m.d.sync += state.eq(State.PAD)
                    with m.Elif(final & given.valid):
                        m.d.sync += state.eq(State.DRAIN)
            with m.Case(State.PAD):
                m.d.comb += [given.valid.eq(1), out.error.eq(Error.SHORT), start.eq(given.ready & final)]
            with m.Case(State.DRAIN):
                m.d.comb += [mask.ready.eq(1), start.eq(mask.valid & mask.payload.last)]
        return state.eq(Mux(more, State.PASS, State.IDLE))


DECODER = BitmapDecoder
