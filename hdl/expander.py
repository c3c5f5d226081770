"""The mask expander: masks and packed survivors in, dense weights out, however the survivors lie across beats."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Error
from golden.params.bitmap import BitmapParameters
from hdl.expander_network import add, edge, edge_bits, inside, levels, plus, prefix_sums, split, steer, total
from hdl.expander_values import RowState, ValueRow
from hdl.stream import payload

GROUP = 16  # lanes, and slots, that share an enable


def mask_layout(p: BitmapParameters) -> data.StructLayout:
    """One mask: its bits; whether it is the last, and then its ``top`` lane and the code of its error (else 0); whether the matrix has no
    lane at all.
    """
    return data.StructLayout({"bits": p.lanes, "top": (p.lanes - 1).bit_length(), "empty": 1, "last": 1, "error": 2})


def given_layout(p: BitmapParameters) -> data.StructLayout:
    """A mask whose bits are those of the stream, past the matrix too; ``none`` of them is to count."""
    return data.StructLayout({**{name: field.shape for name, field in mask_layout(p)}, "none": 1})


def uncut_layout(p: BitmapParameters) -> data.StructLayout:
    """A mask whose bits are those of the stream: which of them count say its ``edges``, see :func:`hdl.expander_network.edge`."""
    return data.StructLayout({**{name: field.shape for name, field in mask_layout(p)}, "edges": edge_bits(p.lanes)})


class Stage:
    """Registers that a mask goes through: ``valid``, and ``mask``, see :func:`mask_layout`, or some of its members."""

    def __init__(self, name: str, layout: data.StructLayout) -> None:
        self.valid = Signal(name=f"{name}_valid")
        # With a reset, or tools make shift registers of look-up tables from the stages.
        self.mask = Signal(layout, name=f"{name}_mask")

    def follow(self, m: Module, valid: Value, mask: Any) -> None:
        """Take what *valid* and *mask* hold, but for the bits."""
        m.d.sync += [self.valid.eq(valid), *(self.mask[name].eq(mask[name]) for name, _ in self.mask.shape() if name != "bits")]


class RankedStage(Stage):
    """And whether the mask ``takes`` a row, whether the matrix has one then (``opened``), and how many values of that are ``left``."""

    def __init__(self, name: str, p: BitmapParameters) -> None:
        super().__init__(name, mask_layout(p))
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
    Latency: 8 clock cycles from a mask; 3 from the value beat that completes a row of ``parameters.slots`` values.
    ``mask.ready`` comes from a register, ``value.ready`` follows ``weight.ready`` combinationally.

    Members:
        mask: The masks of a matrix, see :func:`given_layout`; a matrix without weights has one too.
        value: Survivors' values from lane 0 upward; ``last`` with the last beat of a matrix. A matrix without survivors has one beat
            without ``keep``.
        weight: *lanes* weights for each mask. ``error`` on the last: 1 where the mask's is 1 or a value was missing (from that beat on
            weights are 0), 2 where the mask's is 2 or there was a value too many (what is left is dropped up to its ``last``).
    """

    def __init__(self, parameters: BitmapParameters) -> None:
        self.parameters = p = parameters
        members = {"mask": In(stream.Signature(given_layout(p))), "value": In(stream.Signature(payload(p.inputs[1])))}
        super().__init__(members | {"weight": Out(stream.Signature(payload(p.output)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        self.row = ValueRow(p)
        # Stages in order. The near half of the network stands between the last of the masks' stages and `placed`, the far half behind it.
        network = levels(p.slots)
        self.near, self.far = network[: (len(network) + 1) // 2], network[(len(network) + 1) // 2 :]
        self.block = self.near[-1].child
        self.counted, self.paired, self.summed = (Stage(name, mask_layout(p)) for name in ("counted", "paired", "summed"))
        self.placed = Stage("placed", data.StructLayout({"bits": p.lanes, "last": 1, "error": 2}))
        self.ranked, self.aimed = (RankedStage(name, p) for name in ("ranked", "aimed"))
        # What is before them can go on: into the masks' stages, into `placed`, into the output, into `current`: one for each group of
        # lanes or slots. And a mask does go on.
        groups = max(p.lanes // GROUP, 1)
        names = ("step", "middle", "advance", "load")
        self.steps, self.middles, self.advances, self.loads = ([Signal(name=f"{name}_{i}") for i in range(groups)] for name in names)
        self.go = Signal(name="go")
        self.moves: list[tuple[list[Signal], Any, Any]] = []  # wide registers: enables, register, next value
        self.current = numbers("current", p.value_bits, p.slots)  # the row in use
        self.short, self.long = Signal(name="short"), Signal(name="long")  # of the mask in `placed`
        self._consume(m)
        self.row.hold(m, self.value, self.takens)
        self._take(m)
        with m.If(self.steps[0]):
            self._sum(m)
            self._rank(m)
            self._aim(m)
        with m.If(self.middles[0]):
            self._place(m)
        self._give(m)
        for enables, wide, value in self.moves:
            part = -(-len(Value.cast(wide)) // len(enables))
            for i, enable in enumerate(enables):
                with m.If(enable):
                    m.d.sync += Value.cast(wide)[i * part : (i + 1) * part].eq(Value.cast(value)[i * part : (i + 1) * part])
        return m

    def _take(self, m: Module) -> None:
        """Take masks into `uncut`, the first of the stages; one that comes while they do not move waits in *spare*."""
        mask, step = self.mask, self.steps[0]
        self.uncut = Signal(uncut_layout(self.parameters), name="uncut", reset_less=True)
        self.uncut_valid = Signal(name="uncut_valid")
        spare = Signal.like(self.uncut, name="spare", reset_less=True)
        waits = Signal(name="spare_valid")
        given = mask.payload
        edges = edge(given.top, self.parameters.lanes, ~given.last, given.none)
        arrives = Cat(*(given[name] for name, _ in mask_layout(self.parameters)), edges)
        m.d.comb += mask.ready.eq(~waits)
        m.d.sync += waits.eq(~step & (waits | mask.valid))
        with m.If(step):
            m.d.sync += self.uncut_valid.eq(waits | mask.valid)
        with m.If(~waits):
            m.d.sync += spare.eq(arrives)  # of use or not: so the enable of a wide register is a register
        self.moves.append((self.steps, self.uncut, Mux(waits, spare, arrives)))

    def _sum(self, m: Module) -> None:
        """Count the survivors before each block of lanes, a block being what the halves of the network hand over: first those of half
        blocks, then of blocks and pairs of blocks, then all.
        """
        p, block = self.parameters, self.block
        bits = self.uncut.bits & inside(self.uncut.edges, p.lanes)
        part = max(block // 2, 1)
        pair = 2 * block
        counts = [register(m, f"half_{lane}", total(bits[lane : lane + part])) for lane in range(0, p.lanes, part)]
        parts = []
        for lane in range(0, p.lanes, pair):
            ends = [end for end in (lane + block, lane + pair) if end - block < p.lanes]
            sums = [add(counts[lane // part : end // part])[: (min(end, p.lanes) - lane).bit_length()] for end in ends]
            parts.append([Const(0, 0), *(register(m, f"sum_{lane}_{end}", one) for one, end in zip(sums, ends, strict=True))])
        self.counted.follow(m, self.uncut_valid, self.uncut)
        self.paired.follow(m, self.counted.valid, self.counted.mask)
        self.summed.follow(m, self.paired.valid, self.paired.mask)
        before: Value = bits
        for stage in (self.counted, self.paired, self.summed, self.ranked, self.aimed):
            self.moves.append((self.steps, stage.mask.bits, before))
            before = stage.mask.bits
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
            self.moves.append((self.steps, selects, Cat(Cat(steer(rank, level)) for rank in ranks)))
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
        self.takens = []
        for i, (step, middle, advance, load) in enumerate(zip(self.steps, self.middles, self.advances, self.loads, strict=True)):
            # Every group has registers of its own, and each follows from itself, so that no tool takes them for one.
            given = Signal(name=f"given_{i}") if i else weight.valid  # the output holds a beat
            full = Signal(name=f"full_{i}")  # both `placed` and the output do
            taken = Signal(name=f"taken_{i}")
            self.takens.append(taken)
            m.d.comb += [
                advance.eq(~given | weight.ready),
                middle.eq(~full | weight.ready),
                step.eq(~aimed.valid | (supplied & middle)),
                load.eq(loads & middle),
                taken.eq(idle | load),
            ]
            gives, waits = placed.valid | (given & ~weight.ready), (aimed.valid & supplied) | (full & ~weight.ready)
            m.d.sync += [given.eq(gives), full.eq(gives & waits)]
        step, taken = self.steps[0], self.takens[0]
        m.d.comb += self.go.eq(aimed.valid & supplied & self.middles[0])
        ended, draining = self._judge(m)
        valid = Mux(step, self.ranked.valid, aimed.valid)
        fresh = Mux(step, self.ranked.takes, aimed.takes) & ~ended
        held = Mux(taken, row.arrives, row.valid)
        m.d.sync += [supplied.eq(~draining & (~fresh | held)), loads.eq(valid & ~draining & fresh & held), idle.eq(draining | ~held)]

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
        self.moves.append((self.loads, self.current, row.values))
        with m.If(self.loads[0]):
            current.follow(m, row.known)
        states = (row.known, current)
        lacks = Mux(fresh, *(aimed.opened & (one.nothing | (one.missing > aimed.left)) for one in states))
        exact = Mux(fresh, *(Mux(aimed.opened, one.missing == aimed.left, one.nothing) & one.last for one in states))
        over, end = Mux(fresh, row.known.over, current.over), Mux(fresh, row.end, ended)
        short = lacks | (aimed.takes & ended) | failed
        with m.If(self.go):
            m.d.sync += failed.eq(short & ~aimed.mask.last)
        with m.If(self.middles[0]):
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
        self.moves += [(self.middles, self.slots, Cat(slots)), (self.middles, self.placed.mask.bits, self.aimed.mask.bits)]
        mask = self.aimed.mask
        self.edges = Signal(edge_bits(p.lanes), name="edges", reset_less=True)
        m.d.sync += self.edges.eq(edge(mask.top, p.lanes, ~mask.last, mask.empty))
        self.far_selects = [numbers(f"select_{level.child}", level.select_bits, level.slots(p.lanes)) for level in self.far]
        bits, ranks = self.aimed.mask.bits, self.firsts
        for i, (level, selects) in enumerate(zip(self.far, self.far_selects, strict=True)):
            starts = level.starts(p.lanes)
            counts = self.before if i == 0 else [total(bits[start // level.parent * level.parent : start]) for start in starts]
            ranks = [plus(ranks[start // level.parent], count)[: level.rank_bits] for start, count in zip(starts, counts, strict=True)]
            self.moves.append((self.middles, selects, Cat(Cat(steer(rank, level)) for rank in ranks)))

    def _give(self, m: Module) -> None:
        """The far half of the network, and the output's registers."""
        p, placed, weight = self.parameters, self.placed, self.weight
        slots: list[Value] = list(self.slots)
        for level, selects in zip(self.far, self.far_selects, strict=True):
            slots = split(slots, list(selects), level)
        mask = placed.mask
        failed, more = self.short | mask.error[0], self.long | mask.error[1]
        with m.If(self.advances[0]):
            m.d.sync += [weight.payload.last.eq(mask.last), weight.payload.keep.eq(inside(self.edges, p.lanes))]
            m.d.sync += weight.payload.error.eq(Mux(mask.last, Cat(failed, more & ~failed), Error.NONE))
        for lane in range(p.lanes):
            # In this form it is the reset input of the lane's flip-flops that clears them, and takes no logic a bit.
            advance = self.advances[lane * len(self.advances) // p.lanes]
            with m.If(advance & ~(mask.bits[lane] & ~self.short)):
                m.d.sync += weight.payload.data[lane].eq(0)
            with m.Elif(advance):
                m.d.sync += weight.payload.data[lane].eq(slots[lane])
