"""The patch side of the bit-plane decoder: says for each output beat which bits are to be flipped, and when there are no more."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.planes import PlanesParameters
from hdl.intake import registers
from hdl.stream import payload


class PatchReader(wiring.Component):
    """Reads patches up to the last of an output beat: each names a bit to flip and how many beats further on the next patch is.

    Rate: one beat of patches per clock cycle, as far as they are of one output beat. Latency 1 from ``patch``.

    Members:
        patch: Patches; its ready follows ``advance`` combinationally.
        there: There is an output beat, of which patches are asked.
        last: It is its matrix's last. What is left of the patches after it is dropped up to their ``last``.
        advance: It may leave; it does where it is also ``there`` and ``done``.
        lanes, planes: For each patch of this beat that is at hand, one bit a lane and one a plane, 1 for that of the patch. Where there is
            none no plane is named.
        done: After these patches the beat needs no more.
        again: These patches are now to be kept in the beat, which needs more.
        more: The patches go on after these; of use where the beat is done.
    """

    def __init__(self, parameters: PlanesParameters) -> None:
        self.parameters = p = parameters
        flags = {"there": In(1), "last": In(1), "advance": In(1), "done": Out(1), "again": Out(1), "more": Out(1)}
        hits = {"lanes": Out(p.lanes).array(p.patches), "planes": Out(p.value_bits).array(p.patches)}
        super().__init__({"patch": In(stream.Signature(payload(p.inputs[2])))} | flags | hits)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        # Patches that are held: which are still to be used; whether they are the share's last; whether a beat is done with them; of each
        # whether the next is of the same beat, or of the next beat; and what they say, one after the other.
        flags = {"pending": p.patches, "final": 1, "settling": 1, "near": p.patches, "following": p.patches}
        held = registers("held", flags | {"gaps": p.patches * p.gap_bits, "lanes": p.patches * p.lanes, "planes": p.patches * p.value_bits})
        valid = Signal()
        asked = Signal(init=1)  # the next patch is of this beat
        ended = Signal()  # the matrix has no more
        # Worked out a cycle before, as they go to many places: held patches that are of this beat, and whether it needs no more.
        live = Signal(p.patches)
        done = Signal()
        rest = Signal(p.patches)
        finish = Signal()
        use = Signal()
        leave = Signal()
        drop = Signal()
        m.d.comb += [
            rest.eq(held.pending & ~live),
            finish.eq(asked & valid & held.final & ~rest.any()),
            self.done.eq(done),
            self.again.eq(self.there & asked & valid & ~done),
            self.more.eq(~ended & ~finish),
            leave.eq(self.there & self.done & self.advance),
            use.eq(asked & valid & (leave | self.again)),
            drop.eq(leave & self.last & self.more),
        ]
        for i in range(p.patches):
            m.d.comb += self.lanes[i].eq(held.lanes.word_select(i, p.lanes))
            m.d.comb += self.planes[i].eq(held.planes.word_select(i, p.value_bits) & live[i].replicate(p.value_bits))
        over = ended | finish
        with m.If(leave):
            m.d.sync += ended.eq(over & ~self.last)
        then = registers("then", {"asked": 1, "valid": 1, "settling": 1, "pending": p.patches, "near": p.patches})
        m.d.comb += then.asked.eq(Mux(leave, self.last | (~over & self._wait(m, held, live, leave, asked)), asked))
        self._take(m, held, valid, use, rest, drop, then)
        m.d.sync += [valid.eq(then.valid), asked.eq(then.asked), done.eq(~then.asked | (then.valid & then.settling))]
        m.d.sync += [getattr(held, name).eq(getattr(then, name)) for name in ("settling", "pending", "near")]
        reached = [then.pending[i] & (~then.pending[:i] | then.near[:i]).all() for i in range(p.patches)]
        m.d.sync += live.eq(Cat(reached) & (then.asked & then.valid).replicate(p.patches))
        return m

    def _wait(self, m: Module, held: Any, live: Signal, leave: Signal, asked: Signal) -> Value:
        """Count the beats up to that of the next patch; whether it is that after this one."""
        p = self.parameters
        left = Signal(p.gap_bits, reset_less=True)
        # Of the patches that are used only the last can have a gap.
        gap = reduce(or_, [held.gaps.word_select(i, p.gap_bits) & live[i].replicate(p.gap_bits) for i in range(p.patches)])
        with m.If(leave):
            m.d.sync += left.eq(Mux(asked, gap, left) - 1)
        return Mux(asked, (live & held.following).any(), left == 1)

    def _take(self, m: Module, held: Any, valid: Signal, use: Signal, rest: Signal, drop: Signal, then: Any) -> None:
        """Hold the next beat of patches, each taken apart; after a *drop* nothing, up to the end of the share."""
        p, beat = self.parameters, self.patch.payload
        draining = Signal()
        dropping = Signal()
        lane_end, plane_end = p.lane_bits, p.lane_bits + p.plane_bits
        gaps = [patch[plane_end:] for patch in beat.data]
        m.d.comb += [
            dropping.eq(draining | (drop & ~(valid & held.final))),
            self.patch.ready.eq(~valid | (use & ~rest.any())),
            then.valid.eq(valid & ~drop),
            then.pending.eq(Mux(use, rest, held.pending)),
            then.near.eq(held.near),
            then.settling.eq(Mux(use, held.final | (rest & ~held.near).any(), held.settling)),
        ]
        m.d.sync += draining.eq(dropping & ~(self.patch.valid & self.patch.ready & beat.last))
        with m.If(self.patch.ready):
            m.d.comb += [
                then.valid.eq(self.patch.valid & (beat.keep.any() | beat.last) & ~dropping),
                then.pending.eq(beat.keep),
                then.near.eq(Cat(gap == 0 for gap in gaps)),
                then.settling.eq(beat.last | Cat(keep & gap.any() for keep, gap in zip(beat.keep, gaps, strict=True)).any()),
            ]
            m.d.sync += [
                held.final.eq(beat.last),
                held.following.eq(Cat(gap == 1 for gap in gaps)),
                held.gaps.eq(Cat(gaps)),
                held.lanes.eq(Cat(patch[:lane_end] == lane for patch in beat.data for lane in range(p.lanes))),
                held.planes.eq(Cat(patch[lane_end:plane_end] == plane for patch in beat.data for plane in range(p.value_bits))),
            ]
