"""The mask expander: masks and packed survivors in, dense weights out, however the survivors lie across beats."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Error
from golden.params.bitmap import BitmapParameters
from hdl.expander_network import add, inside, levels, plus, prefix_sums, split, steer, total
from hdl.expander_values import RowState, ValueRow
from hdl.stream import payload


def mask_layout(p: BitmapParameters) -> data.StructLayout:
    """One mask: its bits, those past the matrix 0; whether it is the last, and then its ``top`` lane and the code of its error (else 0);
    whether the matrix has no lane at all.
    """
    return data.StructLayout({"bits": p.lanes, "top": (p.lanes - 1).bit_length(), "empty": 1, "last": 1, "error": 2})


class Stage:
    """Registers that a mask goes through: ``valid``, and ``mask``, see :func:`mask_layout`."""

    def __init__(self, name: str, p: BitmapParameters) -> None:
        self.valid = Signal(name=f"{name}_valid")
        # With a reset, or tools make shift registers of look-up tables from the stages.
        self.mask = Signal(mask_layout(p), name=f"{name}_mask")

    def follow(self, m: Module, valid: Value, mask: Any) -> None:
        """Take what *valid* and *mask* hold."""
        m.d.sync += [self.valid.eq(valid), self.mask.eq(mask)]


class RankedStage(Stage):
    """And whether the mask ``takes`` a row, whether the matrix has one then (``opened``), and how many values of that are ``left``."""

    def __init__(self, name: str, p: BitmapParameters) -> None:
        super().__init__(name, p)
        self.takes = Signal(name=f"{name}_takes")
        self.opened = Signal(name=f"{name}_opened")
        self.left = Signal(p.slots.bit_length() - 1, name=f"{name}_left")


def register(m: Module, name: str, value: Value) -> Value:
    """A register as wide as *value*, which it takes; where that has no bits, so has this."""
    if not len(value):
        return Const(0, 0)
    held = Signal(len(value), name=name, reset_less=True)
    m.d.sync += held.eq(value)
    return held


def numbers(name: str, bits: int, count: int) -> Any:
    """Registers for *count* numbers of *bits*."""
    return Signal(data.ArrayLayout(bits, count), name=name, reset_less=True)


class Expander(wiring.Component):
    """Mask expander: puts packed survivors into the lanes that a mask names, one beat per clock cycle whatever the density.

    Rate: one beat per clock cycle, across beats and matrices, as long as values come as fast as survivors are needed.
    Latency: 7 clock cycles from a mask; 3 from the value beat that completes a row of ``parameters.slots`` values.
    ``ready`` of both inputs follows ``weight.ready`` combinationally; masks should come from registers.

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
        self.block = self.near[-1].child
        self.counted, self.paired, self.summed, self.placed = (Stage(name, p) for name in ("counted", "paired", "summed", "placed"))
        self.ranked, self.aimed = (RankedStage(name, p) for name in ("ranked", "aimed"))
        # What is before them can go on: into the masks' stages, into `placed`, into the output. And a mask, or a row, does go on.
        names = ("step", "middle", "advance", "go", "load")
        self.step, self.middle, self.advance, self.go, self.load = (Signal(name=name) for name in names)
        self.current = numbers("current", p.value_bits, p.slots)  # the row in use
        self.short, self.long = Signal(name="short"), Signal(name="long")  # of the mask in `placed`
        m.d.comb += self.mask.ready.eq(self.step)
        self._consume(m)
        with m.If(self.step):
            self._sum(m)
            self._rank(m)
            self._aim(m)
        with m.If(self.middle):
            self._place(m)
        self._give(m)
        return m

    def _sum(self, m: Module) -> None:
        """Count the survivors before each block of lanes, a block being what the halves of the network hand over: first those of half
        blocks, then of blocks and pairs of blocks, then all.
        """
        p, block, bits = self.parameters, self.block, self.mask.payload.bits
        part = max(block // 2, 1)
        pair = 2 * block
        counts = [register(m, f"half_{lane}", total(bits[lane : lane + part])) for lane in range(0, p.lanes, part)]
        parts = []
        for lane in range(0, p.lanes, pair):
            ends = [end for end in (lane + block, lane + pair) if end - block < p.lanes]
            sums = [add(counts[lane // part : end // part])[: (min(end, p.lanes) - lane).bit_length()] for end in ends]
            parts.append([Const(0, 0), *(register(m, f"sum_{lane}_{end}", one) for one, end in zip(sums, ends, strict=True))])
        self.counted.follow(m, self.mask.valid, self.mask.payload)
        self.paired.follow(m, self.counted.valid, self.counted.mask)
        self.summed.follow(m, self.paired.valid, self.paired.mask)
        # Of the sums before a block only as many bits as tell a slot of the block that it is the first part of.
        *sums, all_of_them = prefix_sums(parts)
        self.earlier = [register(m, f"earlier_{i * block}", one[: self._rank_bits(i)]) for i, one in enumerate(sums)]
        self.survivors = register(m, "survivors", all_of_them[: p.lanes.bit_length()])

    def _rank_bits(self, block: int) -> int:
        """Bits of the rank of block number *block* that the near half of the network asks for."""
        return max(level.rank_bits for level in self.near if block * self.block % level.child == 0)

    def _rank(self, m: Module) -> None:
        """Follow the ranks from mask to mask: which is the first of every block, and does the mask need the next row?"""
        p, summed, last = self.parameters, self.summed, self.summed.mask.last
        bits = p.slots.bit_length()
        left = Signal(bits - 1)  # values of the row in use that are not used yet
        opened = Signal()  # a row of this matrix is in use
        rest = Signal(bits)
        crosses = rest[-1]
        m.d.comb += rest.eq(left - self.survivors)
        with m.If(summed.valid):
            m.d.sync += [left.eq(Mux(last, 0, rest)), opened.eq(~last & (crosses | opened))]
        self.ranked.follow(m, summed.valid, summed.mask)
        # A matrix without survivors has a row nevertheless, without values.
        m.d.sync += [self.ranked.takes.eq(crosses | (last & ~opened)), self.ranked.opened.eq(crosses | opened), self.ranked.left.eq(rest)]
        # The row in use is the lower half of the ring and ends with what is left of it; the next one is the upper half.
        self.ranks = []
        for i, earlier in enumerate(self.earlier):
            rank = (earlier - left)[: self._rank_bits(i)]
            self.ranks.append(register(m, f"rank_{i * self.block}", Cat(rank[: bits - 1], ~rank[bits - 1 :])))
        # Survivors of the blocks that the far half begins with, but for the last ones of each of the near half's.
        starts = self.far[0].starts(p.lanes) if self.far else []
        self.children = {
            start: register(m, f"child_{start}", total(summed.mask.bits[start : start + self.far[0].child]))
            for start in starts
            if (start + self.far[0].child) % self.block and start + self.far[0].child < p.lanes
        }

    def _aim(self, m: Module) -> None:
        """Find out what steers the near half of the network, and count the survivors before each block that the far half begins with."""
        p, ranked, aimed = self.parameters, self.ranked, self.aimed
        aimed.follow(m, ranked.valid, ranked.mask)
        m.d.sync += [aimed.takes.eq(ranked.takes), aimed.opened.eq(ranked.opened), aimed.left.eq(ranked.left)]
        self.near_selects = [numbers(f"select_{level.child}", level.select_bits, level.slots(p.lanes)) for level in self.near]
        for level, selects in zip(self.near, self.near_selects, strict=True):
            ranks = [self.ranks[start // self.block][: level.rank_bits] for start in level.starts(p.lanes)]
            m.d.sync += selects.eq(Cat(Cat(steer(rank, level)) for rank in ranks))
        bits = self.block.bit_length() - 1
        self.firsts = [register(m, f"first_{i * self.block}", rank[:bits]) for i, rank in enumerate(self.ranks)]
        self.before: list[Value] = []
        for start in self.far[0].starts(p.lanes) if self.far else []:
            counts = [self.children[lane] for lane in range(start // self.block * self.block, start, self.far[0].child)]
            most = start % self.block
            self.before.append(register(m, f"before_{start}", add(counts)[: most.bit_length()]))

    def _consume(self, m: Module) -> None:
        """Say which registers move, and take a row where the mask needs one.

        An enable goes to a thousand flip-flops and more, so that there is time for one look-up table before it: what it depends on is
        found out a cycle before, from the next values of the registers.
        """
        aimed, placed, row, weight = self.aimed, self.placed, self.row, self.weight
        supplied = Signal(init=1)  # the mask in `aimed` has the row that it needs, if it does need one
        loads = Signal()  # and that row is not in use yet
        idle = Signal(init=1)  # the row is not there, or not needed
        full = Signal()  # both `placed` and the output hold a beat
        m.d.comb += [
            self.advance.eq(~weight.valid | weight.ready),
            self.middle.eq(~full | weight.ready),
            self.step.eq(~aimed.valid | (supplied & self.middle)),
            self.go.eq(aimed.valid & supplied & self.middle),
            self.load.eq(loads & self.middle),
            row.taken.eq(idle | self.load),
        ]
        ended, draining = self._judge(m)
        valid = Mux(self.step, self.ranked.valid, aimed.valid)
        fresh = Mux(self.step, self.ranked.takes, aimed.takes) & ~ended
        held = Mux(row.taken, row.arrives, row.valid)
        m.d.sync += [
            supplied.eq(~draining & (~fresh | held)),
            loads.eq(valid & ~draining & fresh & held),
            idle.eq(draining | ~held),
            full.eq(Mux(self.middle, self.go, placed.valid) & Mux(self.advance, placed.valid, weight.valid)),
        ]

    def _judge(self, m: Module) -> tuple[Value, Value]:
        """Are values missing for this mask or one before, and is there one too many? Give the next values of *ended* and *draining*: no row
        follows for this matrix, and what is left of its values is dropped.
        """
        p, aimed, row = self.parameters, self.aimed, self.row
        current = RowState("current", p)
        ended = Signal()
        draining = Signal()
        failed = Signal()  # values were missing for a mask of this matrix
        fresh = aimed.takes & ~ended
        with m.If(self.load):
            m.d.sync += self.current.eq(row.values)
            current.follow(m, row.known)
        states = (row.known, current)
        lacks = Mux(fresh, *(aimed.opened & (one.nothing | (one.missing > aimed.left)) for one in states))
        exact = Mux(fresh, *(Mux(aimed.opened, one.missing == aimed.left, one.nothing) & one.last for one in states))
        over, end = Mux(fresh, row.known.over, current.over), Mux(fresh, row.end, ended)
        short = lacks | (aimed.takes & ended) | failed
        with m.If(self.go):
            m.d.sync += failed.eq(short & ~aimed.mask.last)
        with m.If(self.middle):
            m.d.sync += [self.short.eq(short), self.long.eq(~exact)]
        next_ended = Signal()
        next_draining = Signal()
        m.d.comb += next_ended.eq(Mux(self.go, end & ~aimed.mask.last, ended))
        m.d.comb += next_draining.eq(Mux(self.go, aimed.mask.last & ~over, draining & ~(row.valid & row.known.over)))
        m.d.sync += [ended.eq(next_ended), draining.eq(next_draining)]
        return next_ended, next_draining

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
        bits, ranks = self.aimed.mask.bits, self.firsts
        for i, (level, selects) in enumerate(zip(self.far, self.far_selects, strict=True)):
            starts = level.starts(p.lanes)
            counts = self.before if i == 0 else [total(bits[start // level.parent * level.parent : start]) for start in starts]
            ranks = [plus(ranks[start // level.parent], count)[: level.rank_bits] for start, count in zip(starts, counts, strict=True)]
            m.d.sync += selects.eq(Cat(Cat(steer(rank, level)) for rank in ranks))

    def _give(self, m: Module) -> None:
        """The far half of the network, and the output's registers."""
        p, placed, weight = self.parameters, self.placed, self.weight
        slots: list[Value] = list(self.slots)
        for level, selects in zip(self.far, self.far_selects, strict=True):
            slots = split(slots, list(selects), level)
        mask = placed.mask
        failed, more = self.short | mask.error[0], self.long | mask.error[1]
        with m.If(self.advance):
            m.d.sync += [weight.valid.eq(placed.valid), weight.payload.last.eq(mask.last)]
            m.d.sync += weight.payload.keep.eq(inside(mask.top, p.lanes, ~mask.last, mask.empty))
            m.d.sync += weight.payload.error.eq(Mux(mask.last, Cat(failed, more & ~failed), Error.NONE))
        for lane in range(p.lanes):
            # In this form it is the reset input of the lane's flip-flops that clears them, and takes no logic a bit.
            with m.If(self.advance & ~(mask.bits[lane] & ~self.short)):
                m.d.sync += weight.payload.data[lane].eq(0)
            with m.Elif(self.advance):
                m.d.sync += weight.payload.data[lane].eq(slots[lane])
