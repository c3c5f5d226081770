"""The mask expander: masks and packed survivors in, dense weights out, however the survivors lie across beats."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Error
from golden.params.bitmap import BitmapParameters
from hdl.expander_network import levels, prefix_sums, reached, split, steer, total
from hdl.expander_values import ValueRow
from hdl.stream import payload


def mask_layout(p: BitmapParameters) -> data.StructLayout:
    """One mask: its bits, those past the matrix 0; whether it is the last, and then its ``top`` lane and the code of its error (else 0);
    whether the matrix has no lane at all.
    """
    return data.StructLayout({"bits": p.lanes, "top": max((p.lanes - 1).bit_length(), 1), "empty": 1, "last": 1, "error": 2})


class Stage:
    """Registers that a mask goes through: ``valid``, and ``mask``, see :func:`mask_layout`."""

    def __init__(self, name: str, p: BitmapParameters) -> None:
        self.valid = Signal(name=f"{name}_valid")
        self.mask = Signal(mask_layout(p), name=f"{name}_mask", reset_less=True)

    def follow(self, m: Module, valid: Value, mask: Any) -> None:
        """Take what *valid* and *mask* hold."""
        m.d.sync += [self.valid.eq(valid), self.mask.eq(mask)]


def numbers(name: str, bits: int, count: int) -> Any:
    """Registers for *count* numbers of *bits*."""
    return Signal(data.ArrayLayout(bits, count), name=name, reset_less=True)


class Expander(wiring.Component):
    """Mask expander: puts packed survivors into the lanes that a mask names, one beat per clock cycle whatever the density.

    Rate: one beat per clock cycle, across beats and matrices, as long as values come as fast as survivors are needed.
    Latency: 6 clock cycles from a mask; 3 from the value beat that completes a row of ``parameters.slots`` values.
    ``ready`` of both inputs follows ``weight.ready`` combinationally.

    Members:
        mask: The masks of a matrix; a matrix without weights has one too.
        value: Survivors' values from lane 0 upward; ``last`` with the last beat of a matrix. A matrix without survivors has one beat
            without ``keep``.
        weight: *lanes* weights for each mask. ``error`` on the last: 1 where the mask's is 1 or a value was missing (from that beat on
            weights are 0), 2 where the mask's is 2 or there was a value too many (what is left is dropped up to its ``last``).
    """

    def __init__(self, parameters: BitmapParameters) -> None:
        self.parameters = p = parameters
        members = {"mask": In(stream.Signature(mask_layout(p))), "value": In(stream.Signature(payload(p.inputs[1])))}
        super().__init__(members | {"weight": Out(stream.Signature(payload(p.output)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        self.row = ValueRow(p)
        self.row.hold(m, self.value)
        # Stages in order. The near half of the network stands between the last of the masks' stages and `placed`, the far half behind it.
        network = levels(p.slots)
        self.near, self.far = network[: (len(network) + 1) // 2], network[(len(network) + 1) // 2 :]
        self.taken, self.counted, self.summed, self.aimed, self.placed = (
            Stage(name, p) for name in ("taken", "counted", "summed", "aimed", "placed")
        )
        step, middle, advance = Signal(), Signal(), Signal()  # the masks' stages, `placed`, the output can take what is before them
        m.d.comb += self.mask.ready.eq(step)
        m.d.comb += [middle.eq(~self.placed.valid | advance), advance.eq(~self.weight.valid | self.weight.ready)]
        with m.If(step):
            self.taken.follow(m, self.mask.valid, self.mask.payload)
            self._sum(m)
            self._aim(m)
        short, long = self._consume(m, step, middle)
        with m.If(middle):
            self._place(m)
        with m.If(advance):
            self._give(m, short, long)
        return m

    def _sum(self, m: Module) -> None:
        """Count the survivors of each block of lanes, then of all blocks before it; a block is what the network's halves hand over."""
        p, block = self.parameters, self.near[-1].child
        starts = self.near[-1].starts(p.lanes)
        self.counts = numbers("counts", block.bit_length(), len(starts))
        self.before = numbers("before", p.lanes.bit_length(), len(starts) + 1)
        self.counted.follow(m, self.taken.valid, self.taken.mask)
        self.summed.follow(m, self.counted.valid, self.counted.mask)
        for count, start in zip(self.counts, starts, strict=True):
            m.d.sync += count.eq(total(self.taken.mask.bits[start : start + block]))
        for before, number in zip(self.before, prefix_sums(list(self.counts)), strict=True):
            m.d.sync += before.eq(number)

    def _aim(self, m: Module) -> None:
        """Follow the ranks from mask to mask: does one need the next row, and what steers the near half of the network?"""
        p, summed, last = self.parameters, self.summed, self.summed.mask.last
        bits = p.slots.bit_length()
        self.take, self.opened, self.left = Signal(), Signal(name="aimed_opened"), Signal(bits - 1, name="aimed_left")
        left = Signal(bits - 1)  # values of the row in use that are not used yet
        opened = Signal()  # a row of this matrix is in use
        rest = Signal(bits)
        m.d.comb += rest.eq(left - self.before[-1])  # its sign says that the mask needs values of the next row
        self.aimed.follow(m, summed.valid, summed.mask)
        # What has no survivor has a row nevertheless, without values.
        m.d.sync += [self.take.eq(rest[-1] | (last & ~opened)), self.opened.eq(rest[-1] | opened), self.left.eq(rest)]
        with m.If(summed.valid):
            m.d.sync += [left.eq(Mux(last, 0, rest)), opened.eq(~last & (rest[-1] | opened))]
        # The row in use is the lower half of the ring and ends with what is left of it; the next one is the upper half.
        ranks = [(before - left + p.slots)[:bits] for before in list(self.before)[:-1]]
        block = self.near[-1].child
        self.near_selects = [numbers(f"select_{level.child}", level.select_bits, level.slots(p.lanes)) for level in self.near]
        for level, selects in zip(self.near, self.near_selects, strict=True):
            m.d.sync += selects.eq(Cat(Cat(steer(ranks[start // block][: level.rank_bits], level)) for start in level.starts(p.lanes)))
        self.ranks = numbers("ranks", block.bit_length() - 1, len(ranks))
        m.d.sync += self.ranks.eq(Cat(rank[: block.bit_length() - 1] for rank in ranks))
        self.inside = numbers("inside", block.bit_length() - 1, len(self.far[0].starts(p.lanes)) if self.far else 0)
        if self.far:
            for count, start in zip(self.inside, self.far[0].starts(p.lanes), strict=True):
                m.d.sync += count.eq(total(summed.mask.bits[start // block * block : start]))

    def _consume(self, m: Module, step: Signal, middle: Signal) -> tuple[Signal, Signal]:
        """Take a row where the mask needs one; tell whether values are missing for this mask or one before, and whether there are too many."""
        p, aimed, row = self.parameters, self.aimed, self.row
        self.current = numbers("current", p.value_bits, p.slots)
        known = Signal.like(row.known, name="current_known")
        ended, draining, failed, go = Signal(), Signal(), Signal(), Signal()
        self.go = go
        ready = Signal()
        fresh = self.take & ~ended
        m.d.comb += [
            ready.eq(aimed.valid & middle & ~draining),
            go.eq(ready & (~fresh | row.valid)),
            row.taken.eq((ready & fresh) | draining),
            step.eq(~aimed.valid | go),
        ]
        with m.If(ready & fresh & row.valid):
            m.d.sync += [self.current.eq(row.values), known.eq(row.known)]
        lacks = [self.opened & (one.nothing | (one.missing > self.left)) for one in (row.known, known)]
        exact = [Mux(self.opened, one.missing == self.left, one.nothing) & one.last for one in (row.known, known)]
        over, end = Mux(fresh, row.known.over, known.over), Mux(fresh, row.known.end, ended)
        lack = Mux(fresh, lacks[0], lacks[1]) | (self.take & ended) | failed
        short, long = Signal(), Signal()
        with m.If(go):
            m.d.sync += [ended.eq(end & ~aimed.mask.last), failed.eq(lack & ~aimed.mask.last), draining.eq(aimed.mask.last & ~over)]
        with m.If(draining & row.valid & row.known.over):
            m.d.sync += draining.eq(0)
        with m.If(middle):
            m.d.sync += [short.eq(lack), long.eq(~Mux(fresh, exact[0], exact[1]))]
        return short, long

    def _place(self, m: Module) -> None:
        """The near half of the network, and what steers the far half."""
        p = self.parameters
        self.placed.follow(m, self.go, self.aimed.mask)
        slots: list[Value] = [*self.current, *self.row.values]
        for level, selects in zip(self.near, self.near_selects, strict=True):
            slots = split(slots, list(selects), level)
        self.slots = numbers("placed_values", p.value_bits, len(slots))
        m.d.sync += self.slots.eq(Cat(slots))
        self.far_selects = [numbers(f"select_{level.child}", level.select_bits, level.slots(p.lanes)) for level in self.far]
        ranks: list[Value] = list(self.ranks)
        bits = self.aimed.mask.bits
        for i, (level, selects) in enumerate(zip(self.far, self.far_selects, strict=True)):
            starts = level.starts(p.lanes)
            counts = list(self.inside) if i == 0 else [total(bits[start // level.parent * level.parent : start]) for start in starts]
            ranks = [(ranks[start // level.parent] + count)[: level.rank_bits] for start, count in zip(starts, counts, strict=True)]
            m.d.sync += selects.eq(Cat(Cat(steer(rank, level)) for rank in ranks))

    def _give(self, m: Module, short: Signal, long: Signal) -> None:
        """The far half of the network, and the output's registers."""
        p, placed, weight = self.parameters, self.placed, self.weight
        slots: list[Value] = list(self.slots)
        for level, selects in zip(self.far, self.far_selects, strict=True):
            slots = split(slots, list(selects), level)
        mask = placed.mask
        m.d.sync += [weight.valid.eq(placed.valid), weight.payload.last.eq(mask.last)]
        m.d.sync += weight.payload.keep.eq(Cat(~mask.last | (~mask.empty & inside) for inside in reached(mask.top, p.lanes)))
        failed, more = short | mask.error[0], long | mask.error[1]
        m.d.sync += weight.payload.error.eq(Mux(mask.last, Cat(failed, more & ~failed), Error.NONE))
        for lane in range(p.lanes):
            with m.If(mask.bits[lane] & ~short):
                m.d.sync += weight.payload.data[lane].eq(slots[lane])
            with m.Else():
                m.d.sync += weight.payload.data[lane].eq(0)
