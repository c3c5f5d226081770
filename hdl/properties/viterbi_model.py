"""The Viterbi format once more, as hardware that is only meant to be believed: one step after the other, straight from the definition."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Error
from golden.params.viterbi import ViterbiParameters
from hdl.properties.model import Phase
from hdl.properties.queue import Queue
from hdl.stream import payload

SHAPES = 6  # that a decoder may have taken before it completes the first: one at work, five waiting


def owed_layout(parameters: ViterbiParameters) -> data.StructLayout:
    """An output beat that is owed.

    Members: ``xors``, the XOR outputs of its steps; ``zero``, its mask bits are 0 whatever they say; ``left``, the weights still missing
    before this beat, which is 0 only for a matrix without weights; ``error``, the code that the matrix ends in if this is its last beat.
    """
    xors = parameters.mask_bits * parameters.outputs
    return data.StructLayout({"xors": xors, "zero": 1, "left": parameters.count_bits, "error": 2})


class Expected:
    """What an owed beat has to be at a port.

    Attributes:
        mask, keep, last, error: The fields of a beat of the ``mask`` stream.
    """

    def __init__(self, owed: Any, parameters: ViterbiParameters) -> None:
        lanes = parameters.mask_bits
        bits = mask_of(owed.xors, parameters)
        self.mask = Cat((owed.left > i) & ~owed.zero & bits[i] for i in range(lanes))
        self.keep = owed.left != 0
        self.last = owed.left <= lanes
        self.error = Mux(self.last, owed.error, Error.NONE)


def mask_of(xors: Value, parameters: ViterbiParameters) -> Value:
    """The mask bits: *c* XOR outputs are a number, the first its bit 0; the mask bit is 1 when that is below the threshold."""
    if parameters.comparator is None:
        return xors
    numbers = (Cat(xors[first + i] for i in range(parameters.comparator)) for first in range(0, len(xors), parameters.comparator))
    return Cat(number < parameters.threshold for number in numbers)


class Model(wiring.Component):
    """What a decoder owes, derived from nothing but the beats that pass its ports.

    Only when an index beat that was taken is used, and when the zeros are made that complete a matrix, is left to the decoder: *use* and
    *pad* say so. They cannot change what comes out, only when.

    Members:
        shape, count: ``In``; a shape beat is taken, and what it holds.
        index, index_beat: ``In``; an index beat is taken, and what it holds.
        use: ``In``; the next bits of the oldest index beat are used, or it is dropped.
        pad: ``In``; a beat of zeros is made.
        taken: ``In``; an output beat is taken.
        unasked: ``Out``; an index beat was used while no matrix wanted one or there was none, or zeros were made for none.
        phase, begun, left, window, position: ``Out``; of the matrix at work: where it stands, whether anything of its index has been taken,
            the weights still missing, the last ``k + p`` compressed bits, and the steps of the block so far.
        place: ``Out``; how often bits of the oldest index beat have been used: each time as many as a clock cycle takes.

    Attributes:
        shapes: The counts of the matrices not yet complete, that at work first.
        streams: Of the index the beat not yet used; one without data that does not end a share is not kept.
        beats: The output beats that are owed.
    """

    def __init__(self, parameters: ViterbiParameters, room: int) -> None:
        p = self.parameters = parameters
        self.shapes, self.beats = Queue(p.count_bits, SHAPES), Queue(owed_layout(p), room)
        beat = payload(p.inputs[0])
        self.streams = {"index": Queue(beat, 1)}
        inputs = {"shape": 1, "count": p.count_bits, "index": 1, "index_beat": beat, "use": 1, "pad": 1, "taken": 1}
        outputs = {
            "unasked": 1, "phase": Phase, "begun": 1, "left": p.count_bits, "window": p.k + p.p, "position": range(p.block_steps),
            "place": range(p.word_cycles),
        }
        super().__init__({name: In(shape) for name, shape in inputs.items()} | {name: Out(shape) for name, shape in outputs.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.shapes, m.submodules.beats = shapes, beats = self.shapes, self.beats
        m.submodules.index = index = self.streams["index"]
        beat = self.index_beat
        leaves = Signal()  # what is used are the last bits that anyone asks for of the oldest index beat
        m.d.comb += [index.push.eq(self.index & (beat.keep | beat.last)), index.new.eq(beat), index.pop.eq(self.use & leaves)]
        ends = Signal()
        begun, remaining = Signal(), Signal(self.parameters.count_bits)
        m.d.comb += [
            shapes.push.eq(self.shape), shapes.new.eq(self.count), shapes.pop.eq(ends), beats.pop.eq(self.taken),
            self.begun.eq(begun), self.left.eq(Mux(begun, remaining, shapes.entry0)),
        ]
        self._follow(m, ends, leaves, begun, remaining)
        self._decode(m, ends)
        return m

    def _follow(self, m: Module, ends: Signal, leaves: Signal, begun: Signal, remaining: Signal) -> None:
        """Follow a matrix from its first index beat to its end; owe what each beat brings."""
        spent = Signal()
        m.d.comb += [spent.eq((self.place == self.parameters.word_cycles - 1) | ~self.streams["index"].entry0.keep)]
        lanes, new, index = self.parameters.mask_bits, self.beats.new, self.streams["index"]
        keep, last = index.entry0.keep, index.entry0.last
        phase = Signal(Phase)
        complete = Signal()
        place = Signal.like(self.place)
        m.d.comb += self.place.eq(place)
        m.d.comb += [self.phase.eq(phase), complete.eq(self.left <= lanes), new.left.eq(self.left)]
        with m.Switch(phase):
            with m.Case(Phase.READ):
                m.d.comb += self.unasked.eq(self.pad | (self.use & ((self.shapes.level == 0) | index.underflows)))
                m.d.comb += [self.beats.push.eq(self.use), new.zero.eq((self.left == 0) | ~keep), ends.eq(self.use & complete & last)]
                # The beat that completes the matrix has to be the index's last, and a matrix without weights has none.
                wrong = Mux(keep, Mux((self.left == 0) | ~last, Error.LONG, Error.NONE), Mux(self.left == 0, Error.NONE, Error.SHORT))
                m.d.comb += new.error.eq(wrong)
                with m.If(self.use):
                    m.d.sync += [begun.eq(1), remaining.eq(self.left - lanes)]
                    m.d.sync += phase.eq(Mux(complete, Phase.DROP, Mux(last & spent, Phase.PAD, Phase.READ)))
            with m.Case(Phase.PAD):
                m.d.comb += [self.unasked.eq(self.use), self.beats.push.eq(self.pad), ends.eq(self.pad & complete)]
                m.d.comb += [new.zero.eq(1), new.error.eq(Error.SHORT)]
                with m.If(self.pad):
                    m.d.sync += remaining.eq(self.left - lanes)
            with m.Case(Phase.DROP):
                m.d.comb += [self.unasked.eq(self.pad | (self.use & index.underflows)), ends.eq(self.use & last)]
        m.d.comb += leaves.eq(spent | complete | (phase == Phase.DROP))
        with m.If(self.use):
            m.d.sync += place.eq(Mux(leaves, 0, place + 1))
        with m.If(ends):
            m.d.sync += [phase.eq(Phase.READ), begun.eq(0)]

    def _decode(self, m: Module, ends: Signal) -> None:
        """Take a clock cycle's steps one after the other."""
        p, beat = self.parameters, self.streams["index"].entry0
        bits = beat.data[0].word_select(self.place, p.steps * p.p)
        window, position = Signal(p.k + p.p), Signal(range(p.block_steps))
        m.d.comb += [self.window.eq(window), self.position.eq(position)]
        xors = []
        seen: Value = window
        step_of_block: Value = position
        for step in range(p.steps):
            seen = Mux(step_of_block == 0, 0, seen)
            for bit in range(p.p):
                seen = Cat(bits[step * p.p + bit], seen)[: p.k + p.p]
            xors += [(seen & tap).xor() for tap in p.taps]
            step_of_block = Mux(step_of_block == p.block_steps - 1, 0, step_of_block + 1)
        m.d.comb += self.beats.new.xors.eq(Cat(xors))
        with m.If(ends):
            m.d.sync += [window.eq(0), position.eq(0)]
        with m.Elif(self.use & beat.keep):
            m.d.sync += [window.eq(seen), position.eq(step_of_block)]
