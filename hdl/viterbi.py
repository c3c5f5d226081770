"""The Viterbi decompressor: compressed index bits in, mask bits out, a fixed number of each every clock cycle."""

from functools import reduce
from operator import xor
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, enum, wiring

from golden.params.base import Error
from golden.params.viterbi import ViterbiParameters
from hdl.stream import SkidBuffer, decoder_members

GROUP = 16  # mask bits that share a comparison where the last beat is cut to length


class State(enum.Enum, shape=2):  # type: ignore[call-arg]
    """What the control does: wait for a shape, decode index beats, pad with zeros after a short index, drop what is too much."""

    IDLE = 0
    DECODE = 1
    PAD = 2
    DRAIN = 3


def xor_outputs(history: Value, bits: Value, parameters: ViterbiParameters) -> Value:
    """The XOR outputs of all steps of a beat, ``steps * q * c`` bits, in the order of the weights.

    Args:
        history: The last k compressed bits before this beat, the newest in bit 0.
        bits: ``steps * p`` new bits, the oldest in bit 0, as they come in the beat.
    """
    k, p = parameters.k, parameters.p
    # Oldest first: the window of a step is the slice that ends with the step's last bit, read backwards.
    line = Cat(history[::-1], bits)
    newest = [k + (step + 1) * p - 1 for step in range(parameters.steps)]
    return Cat(reduce(xor, [line[end - i] for i in range(k + p) if tap >> i & 1]) for end in newest for tap in parameters.taps)


def compare(xors: Value, parameters: ViterbiParameters) -> Value:
    """The mask bits that the comparators make of the XOR outputs."""
    if parameters.comparator is None:
        return xors
    c = parameters.comparator
    return Cat(xors[i : i + c] < parameters.threshold for i in range(0, len(xors), c))


def cut(top: Value, whole: Value, lanes: int) -> Value:
    """*lanes* bits, bit i 1 when *whole* or ``i <= top``; by groups, so that a bit depends on three signals, not on all of *top*."""
    low = GROUP.bit_length() - 1
    last = (lanes - 1) // GROUP
    below = [whole | (top[low:] > group) for group in range(last)] + [whole]
    here = [top[low:] == group for group in range(last + 1)]
    within = [Const(1)] + [top[:low] >= lane for lane in range(1, min(GROUP, lanes))]
    return Cat(below[i // GROUP] | (here[i // GROUP] & within[i % GROUP]) for i in range(lanes))


class ViterbiDecompressor(wiring.Component):
    """Viterbi decompressor: *k* flip-flops, *q* mask bits for every *p* compressed bits, *n* steps per clock cycle.

    Rate: one beat, ``n * q`` mask bits, per clock cycle, without an idle cycle between blocks or matrices.
    Latency: 1 clock cycle, 2 with ``pipeline``.
    ``index.ready`` follows ``mask.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: its number of weights.
        index: ``n * p`` compressed bits a beat; ``last`` with the last beat of a matrix. A matrix of no weights has one beat
            without ``keep``.
        mask: ``n * q`` mask bits a beat, bits past the last weight 0. ``error`` on the last beat: 1 the index ended early
            (mask bits from there on are 0), 2 it went on too long (what follows is dropped up to its ``last``).

    Source: Lee et al., ICLR 2018; the order of bits and the blocks are ours (docs/viterbi.md).
    """

    def __init__(self, parameters: ViterbiParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.parameters.mask_bits
        # What an output beat has to be, beside its mask bits; `top` is the lane of the matrix's last weight in its last beat.
        layout = data.StructLayout(
            {"valid": 1, "zero": 1, "keep": 1, "last": 1, "error": 2, "top": max((lanes - 1).bit_length(), 1)}
        )
        beat = Signal(layout)
        start = Signal()  # the matrix is complete, or there is none: the next may start
        advance = Signal()  # the output side can take a beat
        self._control(m, beat, start, advance)
        xors = self._decode(m, start, advance)
        self._give(m, beat, xors, advance)
        return m

    def _control(self, m: Module, beat: Any, start: Signal, advance: Signal) -> None:
        """Take shapes and index beats, count, and say in *beat* what this cycle gives."""
        p, index = self.parameters, self.index
        m.submodules.shapes = shapes = SkidBuffer(self.shape.payload.shape())
        wiring.connect(m, wiring.flipped(self.shape), shapes.i)
        count = shapes.o.payload.data[0]

        # Weights after this beat, less one: its sign, a register's bit and no comparison, says that the beat is the last.
        following = Signal(signed(max(p.count_bits, p.mask_bits.bit_length()) + 1))
        empty = Signal()
        final = following[-1]
        state = Signal(State)
        m.d.comb += [beat.keep.eq(~empty), beat.last.eq(final), beat.top.eq(following + p.mask_bits)]

        with m.Switch(state):
            with m.Case(State.IDLE):
                m.d.comb += start.eq(1)
            with m.Case(State.DECODE):
                m.d.comb += [index.ready.eq(advance), beat.zero.eq(empty)]
                with m.If(index.valid & advance & index.payload.keep):
                    m.d.comb += [beat.valid.eq(1), start.eq(final & index.payload.last)]
                    with m.If(final & (empty | ~index.payload.last)):
                        m.d.comb += beat.error.eq(Error.LONG)
                    with m.If(final):
                        m.d.sync += state.eq(State.DRAIN)
                    with m.Elif(index.payload.last):
                        m.d.sync += state.eq(State.PAD)
                with m.Elif(index.valid & advance & index.payload.last):
                    m.d.comb += [beat.valid.eq(empty), start.eq(empty)]
                    m.d.sync += state.eq(State.PAD)
            with m.Case(State.PAD):
                m.d.comb += [beat.valid.eq(1), beat.zero.eq(1), beat.error.eq(Mux(final, Error.SHORT, 0)), start.eq(advance & final)]
            with m.Case(State.DRAIN):
                m.d.comb += [index.ready.eq(1), start.eq(index.valid & index.payload.last)]

        m.d.comb += shapes.o.ready.eq(start)
        with m.If(start):
            m.d.sync += [
                state.eq(Mux(shapes.o.valid, State.DECODE, State.IDLE)),
                following.eq(count - (p.mask_bits + 1)),
                empty.eq(count == 0),
            ]
        with m.Elif(beat.valid & advance):
            m.d.sync += following.eq(following - p.mask_bits)

    def _decode(self, m: Module, start: Signal, advance: Signal) -> Value:
        """Keep the last k compressed bits, forget them at the end of block and matrix; the XOR outputs of the beat."""
        p = self.parameters
        history = Signal(p.k)
        beats = Signal(range(max(p.block_steps // p.steps, 2)))  # of this block, so far
        bits = self.index.payload.data[0]
        # Outside DECODE this takes in what is not meant for it; `start` clears it before the next matrix.
        with m.If(self.index.valid & self.index.payload.keep & advance):
            m.d.sync += [history.eq(Cat(bits[::-1], history)), beats.eq(beats + 1)]
            with m.If(beats == p.block_steps // p.steps - 1):
                m.d.sync += [history.eq(0), beats.eq(0)]
        with m.If(start):
            m.d.sync += [history.eq(0), beats.eq(0)]
        unused_window = Signal(p.k + len(bits), attrs={"keep": 1})  # for linters, where no tap reads some bit; synthesis drops it
        # A signal, or every use of a slice would write out all trees again; without a name, or equal outputs would leave dead bits of it.
        xors = Signal(p.mask_bits * p.outputs, name="")
        m.d.comb += [unused_window.eq(Cat(history, bits)), xors.eq(xor_outputs(history, bits, p))]
        return xors

    def _give(self, m: Module, beat: Any, xors: Value, advance: Signal) -> None:
        """Register the XOR outputs if asked for, compare, cut the last beat to length, and register the result."""
        p, mask = self.parameters, self.mask
        m.d.comb += advance.eq(~mask.valid | mask.ready)
        if p.pipeline:
            staged, staged_xors = Signal.like(beat, name="staged"), Signal(len(xors), name="staged_xors")
            with m.If(advance):
                m.d.sync += [staged.eq(beat), staged_xors.eq(xors)]
            beat, xors = staged, staged_xors
        with m.If(advance):
            kept = compare(xors, p) & cut(beat.top, ~beat.last, p.mask_bits)
            m.d.sync += [
                mask.valid.eq(beat.valid),
                mask.payload.data[0].eq(Mux(beat.zero, 0, kept)),
                mask.payload.keep.eq(beat.keep),
                mask.payload.last.eq(beat.last),
                mask.payload.error.eq(beat.error),
            ]


DECODER = ViterbiDecompressor
