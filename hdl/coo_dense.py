"""The dense side of the coordinate decoder: survivors in order in, beats of weights out."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.coo import CooParameters
from hdl.expander_network import inside
from hdl.intake import registers
from hdl.stream import SkidBuffer, payload


class FlatBeats(wiring.Component):
    """Puts each survivor into its lane of the beat at hand, which goes out when a survivor of a later beat comes, or the last was put.

    A beat takes as many cycles as it has survivors, at least one; no idle cycle between matrices. How many beats lie between two survivors
    is worked out ahead, so that the loop only counts down.
    Latency 3 from the survivor of a later beat, 4 from the last. No output depends on an input in the same clock cycle.

    Members:
        survivor: See :func:`hdl.coo.survivor_layout`.
        weight: That of the decoder.
    """

    def __init__(self, parameters: CooParameters, survivor: data.StructLayout) -> None:
        self.parameters = parameters
        super().__init__({"survivor": In(stream.Signature(survivor)), "weight": Out(stream.Signature(payload(parameters.output)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        lane_bits = p.lanes.bit_length() - 1
        told = {"keep": 1, "last": 1, "none": 1, "error": 3, "value": p.value_bits, "lane": lane_bits, "top": lane_bits}
        self._told = {name: bits for name, bits in told.items() if bits}
        beat_bits = p.count_bits - lane_bits
        # A survivor with the beats from the one before it to it, and those after it. What comes before is not to wait for the loop.
        m.submodules.apart = apart = SkidBuffer(data.StructLayout(self._told | {"skip": beat_bits, "rest": beat_bits}))
        self._subtract(m, apart.i)
        valid = Signal()
        put = Signal()
        m.d.comb += apart.o.ready.eq(~valid | put)
        self._step(m, self._prepare(m, apart.o, valid), valid, put)
        return m

    def _subtract(self, m: Module, apart: Any) -> None:
        """How far a survivor is from the one before it, and from the end."""
        p, given, out = self.parameters, self.survivor.payload, apart.payload
        low = p.lanes.bit_length() - 1
        beat = given.position[low:]
        before = Signal(len(beat))
        m.d.comb += [
            self.survivor.ready.eq(apart.ready),
            apart.valid.eq(self.survivor.valid),
            *(out[name].eq(given[name]) for name in ("keep", "last", "none", "error", "value")),
            out.skip.eq(beat - before),
            out.rest.eq(Mux(given.none, 0, given.furthest[low:] - beat)),
        ]
        if low:
            m.d.comb += [out.lane.eq(given.position[:low]), out.top.eq(given.furthest[:low])]
        with m.If(self.survivor.valid & apart.ready):
            m.d.sync += before.eq(Mux(given.last, 0, beat))

    def _prepare(self, m: Module, given: Any, valid: Signal) -> Any:
        """Register what the loop needs: ``same``, of the beat at hand; ``far``, beats to skip, less 2; ``left``, those after it, less 1;
        ``hits``, its lane."""
        p, apart = self.parameters, given.payload
        told = {name: bits for name, bits in self._told.items() if name != "lane"}
        bits = len(apart.skip) + 1
        coming = registers("coming", told | {"same": 1, "left": bits})
        coming.hits = Signal(p.lanes, name="coming_hits")
        coming.far = Signal(signed(bits), name="coming_far", reset_less=True)
        lane = apart.lane if p.lanes > 1 else 0
        with m.If(given.ready):
            m.d.sync += [valid.eq(given.valid), *(getattr(coming, name).eq(apart[name]) for name in told)]
            m.d.sync += [
                coming.same.eq(apart.skip == 0),
                coming.far.eq(apart.skip - 2),
                coming.left.eq(apart.rest - 1),
                coming.hits.eq(Cat(given.valid & apart.keep & (lane == i) for i in range(p.lanes))),
            ]
        return coming

    def _step(self, m: Module, coming: Any, valid: Signal, put: Signal) -> None:
        """Put the survivor in its lane, or give the beat at hand, or both: then the survivor begins the next one."""
        p, out = self.parameters, self.weight.payload
        held = Signal(data.ArrayLayout(p.value_bits, p.lanes))
        given = Signal(out.shape(), reset_less=True)
        closing = Signal()  # the matrix has no more survivors
        end = registers("end", {"left": len(coming.left), "top": len(coming.top) if p.lanes > 1 else 0, "none": 1, "error": 3})
        last = end.left[-1] & closing
        give = Signal()
        fits = Signal()  # the survivor, where there is one, goes into the beat at hand, or begins the next
        advance = Signal()
        m.d.comb += [
            advance.eq(~self.weight.valid | self.weight.ready),
            give.eq(closing | (valid & ~coming.same)),
            fits.eq(Mux(closing, end.left[-1] & coming.same, coming.same | coming.far[-1])),
            put.eq(advance & valid & fits),
            out.eq(given),
        ]
        with m.If(advance):
            kept = inside(end.top, p.lanes, ~last, last & end.none)
            m.d.sync += [self.weight.valid.eq(give), given.data.eq(held), given.keep.eq(kept), given.last.eq(last)]
            m.d.sync += given.error.eq(end.error & last.replicate(3))
            for lane in range(p.lanes):
                # Gates and no condition: the enable of so many registers is not to wait for more than *advance*.
                hit, stays = (bit.replicate(p.value_bits) for bit in (fits & coming.hits[lane], ~give))
                m.d.sync += held[lane].eq((coming.value & hit) | (held[lane] & stays & ~hit))
            with m.If(closing):
                m.d.sync += end.left.eq(end.left - 1)
            with m.Elif(valid & ~coming.same & ~put):
                m.d.sync += coming.far.eq(coming.far - 1)
        with m.If(put & coming.last):
            m.d.sync += [closing.eq(1), *(getattr(end, name).eq(getattr(coming, name)) for name in ("left", "none", "error"))]
            if p.lanes > 1:
                m.d.sync += end.top.eq(coming.top)
        with m.Elif(advance & last):
            m.d.sync += closing.eq(0)
