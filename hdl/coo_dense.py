"""The dense side of the coordinate decoder: survivors in order in, beats of weights out."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.coo import CooParameters
from hdl.csr_pointer import registers
from hdl.expander_network import inside
from hdl.stream import payload


class FlatBeats(wiring.Component):
    """Puts each survivor into its lane of the beat at hand, which goes out when a survivor of a later beat comes, or the last was put.

    A beat takes as many cycles as it has survivors, at least one; no idle cycle between matrices. How many beats lie between two survivors
    is worked out ahead, so that the loop only counts down.
    Latency 3 from the survivor of a later beat, 4 from the last. All outputs come from registers, but ``survivor.ready``, which follows
    ``weight.ready`` combinationally.

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
        apart_valid = Signal()
        put = Signal()
        next_valid = Signal()
        m.d.comb += self.survivor.ready.eq(~apart_valid | ~next_valid | put)
        apart = self._subtract(m, apart_valid)
        coming = self._prepare(m, apart, apart_valid, next_valid, put)
        self._step(m, coming, next_valid, put)
        return m

    def _subtract(self, m: Module, valid: Signal) -> Any:
        """Register a survivor, ``skip``, the beats from the one before it to it, and ``rest``, those after it."""
        p, given = self.parameters, self.survivor.payload
        low = p.lanes.bit_length() - 1
        beat = given.position[low:]
        apart = registers("apart", self._told | {"skip": len(beat), "rest": len(beat)})
        before = Signal(len(beat))
        here = Mux(given.keep, beat, before)
        with m.If(self.survivor.ready):
            m.d.sync += valid.eq(self.survivor.valid)
            m.d.sync += [getattr(apart, name).eq(given[name]) for name in ("keep", "last", "none", "error", "value")]
            m.d.sync += [apart.skip.eq(here - before), apart.rest.eq(Mux(given.none, 0, given.furthest[low:] - here))]
            if low:
                m.d.sync += [apart.lane.eq(given.position[:low]), apart.top.eq(given.furthest[:low])]
            with m.If(self.survivor.valid):
                m.d.sync += before.eq(Mux(given.last, 0, here))
        return apart

    def _prepare(self, m: Module, apart: Any, apart_valid: Signal, valid: Signal, put: Signal) -> Any:
        """Register what the loop needs: ``same``, of the beat at hand; ``far``, beats to skip, less 2; ``left``, those after it, less 1."""
        p = self.parameters
        told = {name: bits for name, bits in self._told.items() if name != "lane"}
        bits = len(apart.skip) + 1
        coming = registers("coming", told | {"same": 1, "left": bits, "hits": p.lanes})
        coming.far = Signal(signed(bits), name="coming_far", reset_less=True)
        lane = apart.lane if p.lanes > 1 else 0
        with m.If(~valid | put):
            m.d.sync += [valid.eq(apart_valid), *(getattr(coming, name).eq(getattr(apart, name)) for name in told)]
            m.d.sync += [
                coming.same.eq(apart.skip == 0),
                coming.far.eq(apart.skip - 2),
                coming.left.eq(apart.rest - 1),
                coming.hits.eq(Cat(apart.keep & (lane == i) for i in range(p.lanes))),
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
        advance = Signal()
        m.d.comb += [
            advance.eq(~self.weight.valid | self.weight.ready),
            give.eq(closing | (valid & ~coming.same)),
            put.eq(advance & valid & Mux(closing, last & coming.same, coming.same | coming.far[-1])),
            out.eq(given),
        ]
        with m.If(advance):
            kept = inside(end.top, p.lanes, ~last, last & end.none)
            m.d.sync += [self.weight.valid.eq(give), given.data.eq(held), given.keep.eq(kept), given.last.eq(last)]
            m.d.sync += given.error.eq(end.error & last.replicate(3))
            for lane in range(p.lanes):
                with m.If(put & coming.hits[lane]):
                    m.d.sync += held[lane].eq(coming.value)
                with m.Elif(give):
                    m.d.sync += held[lane].eq(0)
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
