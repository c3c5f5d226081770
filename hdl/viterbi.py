"""The Viterbi decompressor: compressed index bits in, mask bits out, a fixed number of each every clock cycle."""

from functools import reduce
from itertools import pairwise
from operator import xor
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from golden.params.viterbi import ViterbiParameters
from hdl.stream import decoder_members, payload
from hdl.viterbi_schedule import Schedule, at_least, schedule_layout

GROUP = 16  # lanes that share a comparison where the last beat is cut to length


def beat_layout(parameters: ViterbiParameters) -> data.StructLayout:
    """What an output beat is, beside its mask bits, while it is on its way.

    Members: ``keep``, ``last`` and ``error`` of the beat; and which lanes hold weights, see :func:`kept_lanes`: ``some[i]``, a lane of
    group ``i`` of 16 lanes; the last of them, a lane past the last group; ``within``, the lanes of the last group that has some.
    """
    groups = -(-parameters.mask_bits // GROUP)
    return data.StructLayout({"keep": 1, "last": 1, "error": 2, "some": groups + 1, "within": min(GROUP, parameters.mask_bits)})


def kept_lanes(beat: Any, parameters: ViterbiParameters) -> Value:
    """One bit a lane, 1 where it holds a weight: where the next group has some, or where it is within the last group that has some."""
    return Cat(beat.some[i // GROUP] & (beat.some[i // GROUP + 1] | beat.within[i % GROUP]) for i in range(parameters.mask_bits))


def held_layout(parameters: ViterbiParameters) -> data.StructLayout:
    """An index beat that is held: those of its ``bits`` that are still to be used, its ``keep``, and whether the index ``ends`` with it."""
    return data.StructLayout({"bits": parameters.index_bits, "keep": 1, "ends": 1})


def joined_layout(parameters: ViterbiParameters) -> data.StructLayout:
    """A beat that is due, joined by its index beat.

    Members: ``due``, see :func:`hdl.viterbi_schedule.schedule_layout`; ``zero``, no lane holds a weight, whatever the ``bits`` of the index
    beat; ``short``, ``long``: the error that the matrix ends in, if it ends here.
    """
    bits = parameters.steps * parameters.p
    return data.StructLayout({"valid": 1, "due": schedule_layout(parameters), "zero": 1, "short": 1, "long": 1, "bits": bits})


def neighbours(line: Value) -> Value:
    """The sum of each bit of *line* and the next, one bit fewer."""
    return line[:-1] ^ line[1:]


def xor_outputs(history: Value, bits: Value, parameters: ViterbiParameters, sums: Value | None = None) -> Value:
    """The XOR outputs of all steps of a beat, ``steps * q * c`` bits, in the order of the weights.

    Args:
        history: The last k compressed bits before this beat, the newest in bit 0.
        bits: ``steps * p`` new bits, the oldest in bit 0, as they come in the beat.
        sums: Where they are at hand, the :func:`neighbours` of all these bits, the oldest in bit 0.
    """
    k, p = parameters.k, parameters.p
    # Oldest first: the window of a step is the slice that ends with the step's last bit, read backwards.
    line = Cat(history[::-1], bits)
    pairs = [older ^ newer for older, newer in pairwise(line)] if sums is None else sums
    newest = [k + (step + 1) * p - 1 for step in range(parameters.steps)]
    taps = [terms(tap) for tap in parameters.taps]
    return Cat(reduce(xor, [pairs[end - term[-1]] if term[1:] else line[end - term[0]] for term in tap]) for end in newest for tap in taps)


def terms(tap: int) -> list[list[int]]:
    """The places of the 1 bits of *tap*, neighbours two by two: taps and steps share the sums of neighbours."""
    made: list[list[int]] = []
    for place in range(tap.bit_length()):
        if tap >> place & 1:
            if made and made[-1] == [place - 1]:
                made[-1].append(place)
            else:
                made.append([place])
    return made


def compare(xors: Value, parameters: ViterbiParameters) -> Value:
    """The mask bits that the comparators make of the XOR outputs."""
    if parameters.comparator is None:
        return xors
    c = parameters.comparator
    return Cat(xors[i : i + c] < parameters.threshold for i in range(0, len(xors), c))


class ViterbiDecompressor(wiring.Component):
    """Viterbi decompressor: *k* flip-flops, *q* mask bits for every *p* compressed bits, *n* steps per clock cycle.

    Rate: one beat, ``n * q`` mask bits, per clock cycle, without an idle cycle between blocks or matrices.
    Latency: 7 clock cycles from shape and index beat, 8 with ``pipeline``; 3 less where the shape has been there before.
    No output depends on an input in the same clock cycle: all are registers or functions of registers. One index beat can be taken before
    the shape of its matrix.

    Members:
        shape: One beat starts a matrix: its number of weights.
        index: ``n * p`` compressed bits a beat, or *word_bits*, of which each cycle uses ``n * p``; what is left of the last beat after
            the matrix is not looked at. ``last`` with the last beat of a matrix. A matrix of no weights has one beat
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
        p = self.parameters
        m.submodules.schedule = schedule = Schedule(p)
        wiring.connect(m, wiring.flipped(self.shape), schedule.shape)
        # The output side can take a beat: from a register that holds an inverse bit, as the output's own go to so many flip-flops.
        advance = Signal()
        idle = Signal(init=1)
        m.d.comb += advance.eq(idle | self.mask.ready)
        joined = self._join(m, schedule.beats, advance)
        valid, beat = self._cut(m, joined, advance)
        xors = self._decode(m, joined, valid, advance)
        self._give(m, valid, beat, xors, idle)
        return m

    def _join(self, m: Module, due: Any, advance: Signal) -> Any:
        """Give each beat that is due its index beat, or zeros where the index has ended.

        A stall of the output is known here one clock cycle late: what is made in that cycle waits in *spare*.
        """
        index = self.index
        layout = joined_layout(self.parameters)
        new = Signal(layout)
        joined = Signal(layout)
        spare = Signal(layout, reset_less=True)
        held: Any = Signal(held_layout(self.parameters), reset_less=True)
        stalled = Signal()
        there = Signal()  # an index beat is held, one that says something
        padding = Signal()  # there is no more index for this matrix
        dropping = Signal()  # there is no more matrix for this index
        last, empty = due.payload.last, due.payload.empty
        used, ends = ~stalled & (dropping | (due.valid & ~padding)), held.ends
        if self.parameters.word_cycles > 1:  # the bits, which move by themselves, are a register of their own
            parts = Signal(self.parameters.index_bits, name="held_bits", reset_less=True), Signal(2, name="held_flags", reset_less=True)
            held = data.View(held_layout(self.parameters), Cat(*parts))
            spent = self._turn(m, held, used)
            used, ends = ~stalled & (dropping | (due.valid & ~padding & (spent | last))), held.ends & spent
        none = padding | ~held.keep
        m.d.comb += [
            index.ready.eq(~there | used),
            due.ready.eq(~stalled & (padding | (there & ~dropping))),
            new.valid.eq(padding | (due.valid & there & ~dropping)),
            new.due.eq(due.payload),
            new.zero.eq(none | empty),
            new.short.eq(padding | (none & ~empty)),
            new.long.eq(~none & (empty | ~held.ends)),
            new.bits.eq(held.bits[: len(new.bits)]),
        ]
        with m.If(advance):
            m.d.sync += joined.eq(Mux(stalled, spare, new))
        m.d.sync += stalled.eq(~advance)
        with m.If(index.ready):
            m.d.sync += there.eq(index.valid & (index.payload.keep | index.payload.last))
            m.d.sync += held.eq(Cat(index.payload.data[0], index.payload.keep, index.payload.last))
        with m.If(~stalled):
            m.d.sync += [
                spare.eq(new),
                padding.eq(~last & (padding | (due.valid & there & ~dropping & ends))),
                dropping.eq(Mux(dropping, ~(there & held.ends), due.valid & there & ~padding & held.keep & ~held.ends & last)),
            ]
        return joined

    def _turn(self, m: Module, held: Any, used: Value) -> Value:
        """Move what is left of the *held* index beat down each time that some is *used*; a register says whether these are its last bits.

        A beat that is taken overrules this.
        """
        cycles, bits = self.parameters.word_cycles, self.parameters.steps * self.parameters.p
        place = Signal(range(cycles), reset_less=True)
        spent = Signal(reset_less=True)
        with m.If(self.index.ready):
            m.d.sync += [place.eq(0), spent.eq(~self.index.payload.keep)]
        with m.Elif(used):
            m.d.sync += [place.eq(place + 1), spent.eq(place == cycles - 2), held.bits.eq(held.bits[bits:])]
        return spent

    def _cut(self, m: Module, joined: Any, advance: Signal) -> Any:
        """Whether there is a beat, and the registered beat with the lanes that hold weights."""
        valid = Signal()
        beat = Signal(beat_layout(self.parameters), reset_less=True)
        due, zero = joined.due, joined.zero
        low = GROUP.bit_length() - 1
        high, within = due.top[low:], due.top[:low]
        with m.If(advance):
            m.d.sync += [
                valid.eq(joined.valid),
                beat.keep.eq(~due.empty),
                beat.last.eq(due.last),
                beat.error.eq(Cat(due.last & joined.short, due.last & joined.long)),
                beat.some.eq(Cat(~zero & at_least(high, group) for group in range(len(beat.some) - 1))),
                beat.some[-1].eq(~zero & ~due.last),
                beat.within.eq(Cat(at_least(within, lane) for lane in range(len(beat.within)))),
            ]
        return valid, beat

    def _decode(self, m: Module, joined: Any, valid: Signal, advance: Signal) -> Value:
        """Keep the last k compressed bits, forget them at the end of block and matrix; the XOR outputs of the registered beat."""
        p = self.parameters
        history = Signal(p.k, reset_less=True)
        bits = Signal(p.steps * p.p, reset_less=True)
        sums = Signal(p.k + len(bits) - 1, reset_less=True)  # of neighbours, or few bits would each go to many XOR trees
        # Gates and no condition: a synchronous reset would have to wait for *advance*.
        line, kept = Cat(history[::-1], bits), ~joined.due.fresh.replicate(p.k)
        before = Mux(valid, line[-p.k :], line[: p.k]) & kept
        sums_before = Mux(valid, sums[len(sums) - p.k + 1 :], sums[: p.k - 1]) & kept[1:]
        with m.If(advance):
            m.d.sync += [bits.eq(joined.bits), history.eq(before[::-1])]
            m.d.sync += sums.eq(Cat(sums_before, neighbours(Cat(before[-1], joined.bits))))
        # For linters, where no tap reads some bit; synthesis drops it.
        unused_window = Signal(len(line) + len(sums), attrs={"keep": 1})
        # A signal, or every use of a slice would write out all trees again; without a name, or equal outputs would leave dead bits of it.
        xors = Signal(p.mask_bits * p.outputs, name="")
        m.d.comb += [unused_window.eq(Cat(history, bits, sums)), xors.eq(xor_outputs(history, bits, p, sums))]
        return xors

    def _give(self, m: Module, valid: Signal, beat: Any, xors: Value, idle: Signal) -> None:
        """Register the XOR outputs if asked for, compare, cut the last beat to length, and register the result."""
        p, mask = self.parameters, self.mask
        given_valid = Signal()
        advance = Signal()
        m.d.comb += advance.eq(~given_valid | mask.ready)
        if p.pipeline:
            staged_valid = Signal()
            staged = Signal.like(beat, name="staged", reset_less=True)
            staged_xors = Signal(len(xors), reset_less=True)
            with m.If(advance):
                m.d.sync += [staged_valid.eq(valid), staged.eq(beat), staged_xors.eq(xors)]
            valid, beat, xors = staged_valid, staged, staged_xors
        given = Signal(payload(p.output), reset_less=True)
        with m.If(advance):
            m.d.sync += [
                given_valid.eq(valid), idle.eq(~valid),
                given.data[0].eq(compare(xors, p) & kept_lanes(beat, p)),
                given.keep.eq(beat.keep),
                given.last.eq(beat.last),
                given.error.eq(beat.error),
            ]
        m.d.comb += [mask.valid.eq(given_valid), mask.payload.eq(given)]


DECODER = ViterbiDecompressor
