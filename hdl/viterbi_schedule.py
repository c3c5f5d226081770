"""What a Viterbi decompressor is to give, beat by beat, as far as the shapes alone decide it."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.viterbi import ViterbiParameters
from hdl.stream import SkidBuffer, payload

GROUP = 5  # bits of a number that are compared with 0 at once


def schedule_layout(parameters: ViterbiParameters) -> data.StructLayout:
    """An output beat before its mask bits.

    Members: ``last`` of its matrix; ``empty``, of a matrix without weights; ``fresh``, the first of a block; ``top``, the lane of the
    matrix's last weight, all ones where the beat is not the last.
    """
    return data.StructLayout({"last": 1, "empty": 1, "fresh": 1, "top": (parameters.mask_bits - 1).bit_length()})


def counted_layout(parameters: ViterbiParameters) -> data.StructLayout:
    """A matrix that waits.

    Members: ``low``, ``high`` and ``borrow``: the weights that follow its first beat, less one, where the borrow is still to be taken from
    *high*; ``low_zeros``, ``high_zeros``, whether each five bits of its number of weights are 0, of those in *low* and in *high*.
    """
    low = (8 * parameters.mask_bits - 1).bit_length()
    high = max(parameters.count_bits - low, 0)
    return data.StructLayout({"low": low, "high": high, "borrow": 1, "low_zeros": -(-low // GROUP), "high_zeros": -(-high // GROUP)})


def waiting_layout(parameters: ViterbiParameters) -> data.StructLayout:
    """The matrix that is next.

    Members: ``low``, ``high`` and ``borrow`` as in :func:`counted_layout`; ``small``, whether the bits of its number of weights in *high*
    are 0; whether it is ``empty``, and whether it takes no more than ``one`` beat or, if more than one, no more than ``two``.
    """
    counted = counted_layout(parameters)
    same = {name: counted[name].shape for name in ("low", "high", "borrow")}
    return data.StructLayout(same | {"small": 1, "empty": 1, "one": 1, "two": 1})


class Schedule(wiring.Component):
    """Turns shapes into the beats that they promise, so that nothing which depends on the index has to count.

    Rate: one beat per clock cycle, over the ends of matrices too. Latency: 4 clock cycles from shape to beat.
    No output depends on an input in the same clock cycle: all are registers or functions of registers.

    Members:
        shape: As in :class:`hdl.viterbi.ViterbiDecompressor`.
        beats: ``Out(stream.Signature(schedule_layout(parameters)))``; while a matrix is unfinished there is one in every cycle.
    """

    def __init__(self, parameters: ViterbiParameters) -> None:
        self.parameters = parameters
        beats = stream.Signature(schedule_layout(parameters))
        super().__init__({"shape": In(stream.Signature(payload(parameters.shape))), "beats": Out(beats)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = SkidBuffer(schedule_layout(self.parameters))
        wiring.connect(m, queue.o, wiring.flipped(self.beats))
        beats = queue.i
        counted = Signal()  # a matrix is in `count`
        waiting = Signal()  # and in `then`
        valid = Signal()
        final = Signal(init=1)  # of this matrix's beats, or there is no matrix: the next may start
        # Not final, and not waiting: registers of their own, as what those say goes to many flip-flops.
        more = Signal()
        free = Signal(init=1)
        count = Signal(counted_layout(self.parameters), reset_less=True)
        then = Signal(waiting_layout(self.parameters), reset_less=True)
        m.d.comb += [self.shape.ready.eq(~counted | free | (~more & beats.ready)), beats.valid.eq(valid), beats.payload.last.eq(final)]
        with m.If(self.shape.ready):
            m.d.sync += counted.eq(self.shape.valid)
            self._prepare(m, count)
        with m.If(~waiting | (final & beats.ready)):
            m.d.sync += [waiting.eq(counted), free.eq(~counted)]
            self._find(m, count, then)
        with m.If(beats.ready):
            m.d.sync += valid.eq(more | waiting)
            self._count(m, beats.payload, waiting, then, final, more)
            self._divide(m, beats.payload, final)
        return m

    def _prepare(self, m: Module, counted: Any) -> None:
        """The weights that follow a matrix's first beat, less one, with the borrow out of the low bits still to be paid; and its zeros."""
        count, low_bits = self.shape.payload.data[0], len(counted.low)
        m.d.sync += [
            Cat(counted.low, counted.borrow).eq(count[:low_bits] - (self.parameters.mask_bits + 1)),
            counted.high.eq(count[low_bits:]),
            counted.low_zeros.eq(Cat(~count[i : min(i + GROUP, low_bits)].any() for i in range(0, low_bits, GROUP))),
            counted.high_zeros.eq(Cat(~count[i : i + GROUP].any() for i in range(low_bits, len(count), GROUP))),
        ]

    def _find(self, m: Module, counted: Any, then: Any) -> None:
        """How many beats the matrix has, as far as it matters."""
        small = counted.high_zeros.all()
        m.d.sync += [
            Cat(then.low, then.high, then.borrow).eq(Cat(counted.low, counted.high, counted.borrow)),
            then.small.eq(small),
            then.empty.eq(small & counted.low_zeros.all()),
            then.one.eq(small & counted.borrow),
            then.two.eq(small & ~at_least(counted.low, self.parameters.mask_bits)),
        ]

    def _count(self, m: Module, beat: Any, waiting: Signal, then: Any, final: Signal, more: Signal) -> None:
        """Count the weights that follow this beat, less one.

        A borrow out of the low bits is paid by the high ones two beats later, and *small*, the high ones are 0, is known two more
        beats later: the low bits last for eight. ``above`` is ready for the next borrow; *high* is held inverted, so that it counts up.
        """
        lanes, low_bits = self.parameters.mask_bits, len(then.low)
        low = Signal(low_bits, reset_less=True)
        high = Signal(len(then.high), reset_less=True)
        if not len(then.high):
            unused_borrow = Signal(attrs={"keep": 1})  # for linters: there is nothing to take it from
            m.d.comb += unused_borrow.eq(then.borrow)
        above = Signal(len(then.high) + 1, reset_less=True)
        borrow = Signal(reset_less=True)
        paying = Signal(reset_less=True)
        small = Signal(reset_less=True)
        first = Signal(reset_less=True)  # beat of the matrix
        soon = Signal(reset_less=True)  # the beat after this one is the last
        empty = Signal(reset_less=True)
        less = Signal(low_bits + 1)
        m.d.comb += beat.top.eq(minus(low, -lanes % (1 << low_bits))[: len(beat.top)] | (~final).replicate(len(beat.top)))
        m.d.comb += [less.eq(minus(low, lanes)), beat.empty.eq(empty)]
        m.d.sync += [
            first.eq(final),
            empty.eq(final & then.empty),
            above.eq(high + 1),
            paying.eq(borrow & ~final),
        ]
        with m.If(final):
            m.d.sync += [
                low.eq(then.low),
                high.eq(~then.high),
                borrow.eq(then.borrow),
                small.eq(then.small),
                soon.eq(then.two),
                final.eq(~waiting | then.one),
                more.eq(waiting & ~then.one),
            ]
        with m.Else():
            m.d.sync += [low.eq(less), borrow.eq(less[-1]), small.eq(small | (above[-1] & ~first))]
            m.d.sync += [soon.eq(small & ~at_least(low, 2 * lanes)), final.eq(soon), more.eq(~soon)]
            with m.If(paying):
                m.d.sync += high.eq(above)

    def _divide(self, m: Module, beat: Any, final: Signal) -> None:
        """Count the beats of a block; a matrix begins with one."""
        beats = self.parameters.block_steps // self.parameters.steps
        fresh = Signal(reset_less=True)
        place = Signal(range(max(beats, 2)), reset_less=True)  # of the beat, where it is not fresh
        block_ends = Signal(reset_less=True)
        m.d.comb += beat.fresh.eq(fresh)
        last_but_one = fresh if beats == 2 else ~fresh & (place == beats - 2)
        m.d.sync += [fresh.eq(final | block_ends), block_ends.eq(last_but_one & ~final if beats > 1 else 1)]
        with m.If(fresh):
            m.d.sync += place.eq(1)
        with m.Else():
            m.d.sync += place.eq(place + 1)


def minus(value: Value, constant: int) -> Value:
    """*value* less *constant*, and above it the borrow; without a carry chain, which for so few bits is slower than look-up tables."""
    bits, borrow = [], Const(0, 1)
    for i, bit in enumerate(value):
        bits.append(~(bit ^ borrow) if constant >> i & 1 else bit ^ borrow)
        borrow = ~bit | borrow if constant >> i & 1 else ~bit & borrow
    return Cat(bits, borrow)


def at_least(value: Value, constant: int) -> Value:
    """Whether *value* is *constant* or more, in gates: of a comparison synthesis would make a synchronous reset."""
    result: Value = Const(1, 1)
    for i, bit in enumerate(value):
        result = bit & result if constant >> i & 1 else bit | result
    return result
