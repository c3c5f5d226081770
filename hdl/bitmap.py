"""The bitmap decoder: mask bits and packed values of the survivors in, all weights out."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed
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
        shape: One beat starts a matrix: its number of weights; with *exact_masks* no more bits of it count than number the lanes.
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
        (self._trust if self.exact_masks else self._check)(m, shapes.o, masks.i)
        return m

    def _trust(self, m: Module, shape: Any, given: Any) -> None:
        """Pass the masks on as they are, with the last lane that the matrix has in its last beat."""
        p, mask, out = self.parameters, self.mask, given.payload
        busy = Signal()  # with a matrix; masks of the next may come before its shape
        top = Signal(len(out.top))  # weights from this beat on, less one; the last beat tells so many bits of it, and no other is asked
        m.d.comb += [
            given.valid.eq(busy & mask.valid), mask.ready.eq(busy & given.ready),
            shape.ready.eq(~busy | (mask.ready & mask.valid & out.last)),
            out.bits.eq(mask.payload.data[0]), out.last.eq(mask.payload.last), out.empty.eq(~mask.payload.keep), out.top.eq(top),
            out.error.eq(mask.payload.error),
        ]
        if len(top) < p.count_bits:
            unused_count = Signal(p.count_bits - len(top), attrs={"keep": 1})  # for linters
            m.d.comb += unused_count.eq(shape.payload.data[0][len(top) :])
        with m.If(shape.ready):
            m.d.sync += [busy.eq(shape.valid), top.eq(shape.payload.data[0] - 1)]
        with m.Elif(given.valid & given.ready):
            m.d.sync += top.eq(top - p.lanes)

    def _check(self, m: Module, shape: Any, given: Any) -> None:
        """Give the expander exactly the masks of the matrix: count them off, cut the last, make up those that are missing, and drop those
        that are too many.
        """
        p, mask, count, out = self.parameters, self.mask, shape.payload.data[0], given.payload
        # Weights after this beat, less one: its sign, a register's bit and no comparison, says that the beat is the last.
        following = Signal(signed(max(p.count_bits, p.lanes.bit_length()) + 1))
        empty = Signal()
        final = following[-1]
        state = Signal(State)
        start = Signal()  # the matrix is complete, or there is none: the next may start
        m.d.comb += [out.last.eq(final), out.empty.eq(empty), out.top.eq(following + p.lanes), shape.ready.eq(start)]
        m.d.comb += out.bits.eq(mask.payload.data[0] & inside(out.top, p.lanes, ~final, empty | (state == State.PAD)))
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
        with m.If(start):
            m.d.sync += [state.eq(Mux(shape.valid, State.PASS, State.IDLE)), following.eq(count - (p.lanes + 1)), empty.eq(count == 0)]
        with m.Elif(given.valid & given.ready):
            m.d.sync += following.eq(following - p.lanes)


DECODER = BitmapDecoder
