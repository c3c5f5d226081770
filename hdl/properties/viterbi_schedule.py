"""How the registers of a Viterbi decompressor's schedule stand to its model.

The beats that are due are walked in order, from the one next to be joined by an index beat to the matrices that wait, and with them the
weights that are left before each and its place in the block. Registers read: all of ``decoder.schedule`` and its ``queue``.
"""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Array, Assert, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.params.viterbi import ViterbiParameters
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals
from hdl.viterbi_schedule import counted_layout, schedule_layout, waiting_layout


@dataclass
class Walk:
    """Where the walk is: the matrix, the weights left of it, its place in the block, and whether that place is known."""

    matrix: Value
    left: Value
    place: Value
    known: Value

    def step(self, m: Module, valid: Value, shapes: Queue, p: ViterbiParameters) -> None:
        """Go past a beat that is due, if it is *valid*; *shapes* are the counts of the matrices, that at work first."""
        counts = counts_of(shapes)
        last = self.left <= p.mask_bits
        matrix, left, place, known = Signal(3), Signal(p.count_bits), Signal(range(p.block_steps)), Signal()
        wraps = self.place == p.block_steps - p.steps
        m.d.comb += [
            matrix.eq(self.matrix + (valid & last)),
            left.eq(Mux(valid, Mux(last, counts[matrix], self.left - p.mask_bits), self.left)),
            place.eq(Mux(valid, Mux(last | wraps, 0, self.place + p.steps), self.place)),
            known.eq(self.known | (valid & last)),
        ]
        self.matrix, self.left, self.place, self.known = matrix, left, place, known


def counts_of(shapes: Queue) -> Array:
    """The weights of each matrix, that at work first; 0 where there is none."""
    return Array([*shapes.entries, *[Const(0)] * 3])


def schedule(m: Module, shapes: Queue, walk: Walk, at_work: Value, internals: Internals, p: ViterbiParameters) -> Any:
    """Assert in *m* what holds of the schedule's registers; gives the beat that is due next.

    Args:
        shapes: The counts of the matrices, that at work first.
        walk: Where that beat is.
        at_work: Its matrix has begun.
    """
    counts = counts_of(shapes)
    queue = "decoder.schedule.queue."
    front_valid, spare_valid = internals[f"{queue}o__valid"], internals[f"{queue}spare_valid"]
    valid, waiting = internals["decoder.schedule.valid"], internals["decoder.schedule.waiting"]
    front = data.View(schedule_layout(p), internals[f"{queue}front"])
    spare = data.View(schedule_layout(p), internals[f"{queue}spare"])
    m.d.comb += [
        Assert(front_valid | ~spare_valid, "invariant: beats that are due wait in order"),
        Assert(front_valid | ~at_work, "invariant: a beat of the matrix at work is due"),
        Assert(~spare_valid | front.last | valid | spare.last, "invariant: beats of a matrix follow each other"),
        Assert(~front_valid | front.last | spare_valid | valid, "invariant: the next beat follows"),
        Assert(~spare_valid | spare.last | valid, "invariant: the beat after that follows"),
    ]
    for name, there, beat in (("front", front_valid, front), ("spare", spare_valid, spare)):
        with m.If(there):
            m.d.comb += [
                Assert(shapes.level > walk.matrix, f"invariant: the {name} beat is of a matrix"),
                Assert(beat.last == (walk.left <= p.mask_bits), f"invariant: last in the {name} beat"),
                Assert(beat.empty == (walk.left == 0), f"invariant: empty in the {name} beat"),
                Assert(~walk.known | (beat.fresh == (walk.place == 0)), f"invariant: fresh in the {name} beat"),
                Assert(beat.empty | (beat.top == _top(walk.left, p)), f"invariant: top in the {name} beat"),
            ]
        walk.step(m, there, shapes, p)
    counted, final = internals["decoder.schedule.counted"], internals["decoder.schedule.final"]
    m.d.comb += [
        Assert(valid | final, "invariant: without a matrix the next may start"),
        Assert(internals["decoder.schedule.more"] == ~final, "invariant: more beats follow but the last"),
        Assert(internals["decoder.schedule.free"] == ~waiting, "invariant: there is room where none waits"),
        Assert(shapes.level == walk.matrix + valid + waiting + counted, "invariant: as many shapes wait"),
    ]
    with m.If(valid):
        _now(m, walk, internals, p)
    with m.If(waiting):
        _then(m, counts[walk.matrix + valid], internals, p)
    with m.If(counted):
        _counted(m, counts[walk.matrix + valid + waiting], internals, p)
    return front


def _now(m: Module, walk: Walk, internals: Internals, p: ViterbiParameters) -> None:
    """The matrix whose beats are counted."""
    low, high, above, borrow, paying, small, first, soon, final, empty, fresh, place, ends = (
        internals[f"decoder.schedule.{name}"]
        for name in ("low", "high", "above", "borrow", "paying", "small", "first", "soon", "final", "empty", "fresh", "place", "block_ends")
    )
    lanes, size = p.mask_bits, 1 << len(low)
    following = Signal(max(p.count_bits, len(low)) + 1)
    m.d.comb += following.eq(walk.left - (lanes + 1))
    m.d.comb += [
        Assert(final == (walk.left <= lanes), "invariant: the last beat"),
        Assert(empty == (walk.left == 0), "invariant: the matrix without weights"),
        Assert(low == following[: len(low)], "invariant: the low bits of the count"),
    ]
    with m.If(walk.known):
        m.d.comb += [
            Assert(fresh == (walk.place == 0), "invariant: the first beat of a block"),
            Assert(fresh | (place * p.steps == walk.place), "invariant: the place in the block"),
            Assert(ends == (walk.place == p.block_steps - p.steps), "invariant: the last beat of a block"),
        ]
    with m.If(~final):
        true_high = following[len(low) : p.count_bits] if p.count_bits > len(low) else Const(0)
        ready = above == high + 1
        m.d.comb += [
            Assert(soon == (walk.left <= 2 * lanes), "invariant: the last beat but one"),
            Assert((~high)[: len(high)] == true_high + borrow + paying, "invariant: the high bits of the count"),
            Assert(~borrow | (low >= size - lanes - 1), "invariant: a borrow has just been made"),
            Assert(
                ~paying | ((low >= size - 2 * lanes - 1) & (low < size - lanes) & ~first & ~borrow),
                "invariant: a borrow is about to be paid",
            ),
            Assert(
                first | ready | ((above == high) & (low >= size - 3 * lanes - 1) & (low < size - 2 * lanes) & ~borrow & ~paying),
                "invariant: the high bits less one",
            ),
            Assert(~small | ((true_high == 0) & ~borrow & ~paying), "invariant: small"),
            Assert(small | (true_high != 0) | (low >= size - 4 * lanes - 1), "invariant: small in time"),
            Assert(small | (true_high != 0) | borrow | ~first, "invariant: small from the first beat on"),
            Assert(small | (true_high != 0) | borrow | paying | ~ready | (low >= size - 4 * lanes - 1), "invariant: small soon"),
        ]


def _top(left: Value, p: ViterbiParameters) -> Value:
    """The lane of the last weight in a beat before which *left* weights are missing, all ones where that is in none of its lanes."""
    bits = (p.mask_bits - 1).bit_length()
    return Mux(left <= p.mask_bits, (left - 1)[:bits], (1 << bits) - 1)


def _waits(waiting: Any, count: Value, p: ViterbiParameters, where: str) -> list[Assert]:
    """What both registers have in which a matrix can wait."""
    low_bits = len(waiting.low)
    return [
        Assert(Cat(waiting.low, waiting.borrow).as_signed() == count[:low_bits] - (p.mask_bits + 1), f"invariant: the low bits {where}"),
        Assert(waiting.high == count[low_bits:], f"invariant: the high bits {where}"),
    ]


def _then(m: Module, count: Value, internals: Internals, p: ViterbiParameters) -> None:
    """The matrix that is next."""
    then = data.View(waiting_layout(p), internals["decoder.schedule.then"])
    low_bits, lanes = len(then.low), p.mask_bits
    m.d.comb += [
        *_waits(then, count, p, "that are next"),
        Assert(then.small == (count[low_bits:] == 0), "invariant: whether the high bits that are next are 0"),
        Assert(then.empty == (count == 0), "invariant: whether the next matrix has no weights"),
        Assert(then.one == (count <= lanes), "invariant: whether the next matrix has one beat"),
        Assert(then.one | (then.two == (count <= 2 * lanes)), "invariant: whether the next matrix has two beats"),
    ]


def _counted(m: Module, count: Value, internals: Internals, p: ViterbiParameters) -> None:
    """The matrix that waits behind the next."""
    counted = data.View(counted_layout(p), internals["decoder.schedule.count"])
    low_bits = len(counted.low)
    m.d.comb += [
        *_waits(counted, count, p, "that wait"),
        Assert(counted.low_zeros.all() == (count[:low_bits] == 0), "invariant: whether the low bits that wait are 0"),
        Assert(counted.high_zeros.all() == (count[low_bits:] == 0), "invariant: whether the high bits that wait are 0"),
    ]
