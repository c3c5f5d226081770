"""The bit-plane decoder: mask bits, a fixed number of input bits a beat and a few patches in, all weights out."""

from functools import reduce
from operator import xor
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from golden.params.planes import PlanesParameters
from hdl.expander_network import inside
from hdl.intake import Intake, registers
from hdl.planes_patch import PatchReader
from hdl.stream import SkidBuffer, decoder_members, payload
from hdl.viterbi import xor_outputs
from hdl.viterbi_schedule import Schedule


def beat_widths(parameters: PlanesParameters) -> dict[str, int]:
    """What goes with a beat to the output, in bits.

    ``mask``, 0 past the matrix and where a stream has ended; ``kept``, the lanes of the matrix; ``last`` of its matrix; ``short``, a stream
    has ended; ``long``, one of the last beat goes on.
    """
    return {"mask": parameters.lanes, "kept": parameters.lanes, "last": 1, "short": 1, "long": 1}


def beat_layout(parameters: PlanesParameters) -> data.StructLayout:
    """A beat before it is expanded: also its ``word``, and ``history``, for each plane the last k input bits before it."""
    window = {"word": parameters.word_bits, "history": parameters.value_bits * parameters.plane.k}
    return data.StructLayout(beat_widths(parameters) | window)


class PlanesDecoder(wiring.Component):
    """Bit-plane decoder: a decompressor of *k* flip-flops and *q* XOR trees for each bit of a value, *n* steps per clock cycle.

    No survivor has to be moved to its place: at a survivor the trees give its value, and elsewhere the mask hides what they give.

    Rate: one beat, ``n * q`` weights, per clock cycle, without an idle cycle between blocks or matrices, as long as none has patches in
    more than one beat of the patch stream; with more a beat takes a cycle for each of those.
    Latency: 8 clock cycles from the shape, 4 from mask and word, 2 from a patch.
    ``patch.ready`` follows ``weight.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: its number of weights.
        mask: ``n * q`` mask bits a beat; ``last`` with the last beat of a matrix, which in a matrix of no weights is without ``keep``.
            Bits past the last weight are not looked at.
        word: The input bits of ``n`` steps, step after step, in a step plane after plane; ``last`` as with the mask.
        patch: See docs/planes.md; ``last`` with the last beat of a matrix, which in a matrix without patches is without ``keep``.
        weight: ``n * q`` weights a beat. ``error`` on the last beat: 1 the mask or the words ended early (weights from there on are 0),
            2 a stream went on too long. What is left of the streams is dropped up to their ``last``.

    Sources: Kwon et al., CVPR 2020, and Park et al., ICLR 2022; what is ours is said in docs/planes.md.
    """

    def __init__(self, parameters: PlanesParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        advance = Signal()
        leave = Signal()
        free = Signal()
        held = registers("held", beat_widths(p))
        held_valid = Signal()
        joined = self._join(m)
        beat = joined.payload
        m.submodules.patches = patches = PatchReader(p)
        wiring.connect(m, wiring.flipped(self.patch), patches.patch)
        values = Signal(p.lanes * p.value_bits, reset_less=True)
        mended = Signal(len(values))
        m.d.comb += [
            advance.eq(~self.weight.valid | self.weight.ready),
            patches.there.eq(held_valid),
            patches.last.eq(held.last),
            patches.advance.eq(advance),
            leave.eq(held_valid & patches.done & advance),
            free.eq(~held_valid | leave),
            joined.ready.eq(free),
            mended.eq(values ^ self._flips(held.mask, patches)),
        ]
        expanded = self._expand(m, beat)
        with m.If(free):
            m.d.sync += [held_valid.eq(joined.valid), *(getattr(held, name).eq(beat[name]) for name in beat_widths(p))]
        with m.If(free | patches.again):
            m.d.sync += values.eq(Mux(free, expanded, mended))
        with m.If(advance):
            m.d.sync += self.weight.valid.eq(leave)
        self._give(m, held, patches.more, mended, advance)
        return m

    def _join(self, m: Module) -> Any:
        """Give each beat that is due its mask and its word; the mask cut to the matrix, and none from where either stream has ended."""
        p = self.parameters
        m.submodules.schedule = schedule = Schedule(p.plane)
        m.submodules.mask_intake = mask = Intake(p.inputs[0])
        m.submodules.word_intake = word = Intake(p.inputs[1])
        # The streams' ready, and the schedule, are not to wait for the output's.
        m.submodules.beats = beats = SkidBuffer(beat_layout(p))
        wiring.connect(m, wiring.flipped(self.shape), schedule.shape)
        wiring.connect(m, wiring.flipped(self.mask), mask.i)
        wiring.connect(m, wiring.flipped(self.word), word.i)
        beat = beats.i.payload
        take = Signal()
        due_valid, due = self._lanes(m, schedule.beats, take)
        history = Signal(len(beat.history), reset_less=True)  # the last k input bits of each plane, the newest in bit 0
        m.d.comb += [
            beats.i.valid.eq(due_valid & mask.valid & word.valid),
            take.eq(beats.i.valid & beats.i.ready),
            *(intake.take.eq(take) for intake in (mask, word)),
            *(intake.complete.eq(due.last) for intake in (mask, word)),
            beat.kept.eq(due.kept),
            beat.short.eq(~due.empty & (mask.missing | word.missing)),
            beat.mask.eq(mask.number & due.kept & ~beat.short.replicate(p.lanes)),
            beat.last.eq(due.last),
            beat.long.eq(Cat(~intake.missing & (intake.more | due.empty) for intake in (mask, word)).any()),
            beat.word.eq(word.number),
            beat.history.eq(history & ~due.fresh.replicate(len(history))),
        ]
        with m.If(take):
            m.d.sync += history.eq(Cat(Cat(bits[::-1], before)[: len(before)] for before, bits in self._inputs(beat)))
        return beats.o

    def _lanes(self, m: Module, beats: Any, take: Signal) -> tuple[Signal, Any]:
        """Register a beat that is due, with the lanes of the matrix in it."""
        valid = Signal()
        due = registers("due", {"last": 1, "empty": 1, "fresh": 1, "kept": self.parameters.lanes})
        beat = beats.payload
        m.d.comb += beats.ready.eq(~valid | take)
        with m.If(beats.ready):
            m.d.sync += [valid.eq(beats.valid), *(getattr(due, name).eq(beat[name]) for name in ("last", "empty", "fresh"))]
            m.d.sync += due.kept.eq(inside(beat.top, self.parameters.lanes, ~beat.last, beat.empty))
        return valid, due

    def _inputs(self, beat: Any) -> list[tuple[Value, Value]]:
        """For each plane the last k input bits before the beat, and the bits that it brings, the oldest first."""
        p, k = self.parameters, self.parameters.plane.k
        words = [[beat.word.word_select(step * p.value_bits + plane, p.p) for step in range(p.steps)] for plane in range(p.value_bits)]
        return [(beat.history.word_select(plane, k), Cat(word)) for plane, word in enumerate(words)]

    def _expand(self, m: Module, beat: Any) -> Value:
        """The survivors' values as the input bits alone give them, lane after lane; 0 at pruned weights."""
        p = self.parameters
        unused_window = Signal(len(beat.history) + p.word_bits, attrs={"keep": 1})  # for linters, where no tap reads some bit
        # Signals, or every use of a slice would write out all trees again; without names, or equal outputs would leave dead bits.
        planes = [Signal(p.lanes, name="") for _ in range(p.value_bits)]
        m.d.comb += unused_window.eq(Cat(beat.history, beat.word))
        m.d.comb += [plane.eq(xor_outputs(*window, p.plane)) for plane, window in zip(planes, self._inputs(beat), strict=True)]
        return Cat(plane[lane] & beat.mask[lane] for lane in range(p.lanes) for plane in planes)

    def _flips(self, mask: Value, patches: PatchReader) -> Value:
        """The bits of survivors that the patches at hand flip, lane after lane."""
        p = self.parameters
        hits = list(zip(patches.lanes, patches.planes, strict=True))
        return Cat(
            mask[lane] & reduce(xor, [lanes[lane] & planes[plane] for lanes, planes in hits])
            for lane in range(p.lanes) for plane in range(p.value_bits)
        )  # fmt: skip

    def _give(self, m: Module, held: Any, more: Value, mended: Signal, advance: Signal) -> None:
        """Register the mended beat as output."""
        given = Signal(payload(self.parameters.output), reset_less=True)
        m.d.comb += self.weight.payload.eq(given)
        error = Cat(held.short, ~held.short & (held.long | more)) & held.last.replicate(2)  # SHORT is bit 0, LONG bit 1
        with m.If(advance):
            m.d.sync += [
                given.data.eq(mended), given.keep.eq(held.kept), given.last.eq(held.last), given.error.eq(error),
            ]  # fmt: skip


DECODER = PlanesDecoder
