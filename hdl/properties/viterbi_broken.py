"""Viterbi decompressors that are broken on purpose, each in one way that the specification has to notice."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from golden.params.viterbi import ViterbiParameters
from hdl.properties.broken import Wrong
from hdl.properties.claims import Tamper
from hdl.viterbi import ViterbiDecompressor

PARAMETERS = ViterbiParameters(
    name="viterbi_broken", k=2, q=2, taps=(0b101, 0b111, 0b011, 0b110), comparator=2, threshold=1, block_steps=2, count_bits=3,
)
WORDS = replace(PARAMETERS, name="viterbi_words_broken", word_bits=2)


class Altered(ViterbiDecompressor):
    """A decoder whose output beats are changed, by *change*, between control and output register."""

    def __init__(self, parameters: ViterbiParameters, change: Tamper) -> None:
        self._change = change
        super().__init__(parameters)

    def _give(self, m: Module, valid: Signal, beat: Any, xors: Value, advance: Signal) -> None:
        altered = Signal.like(beat)
        m.d.comb += altered.eq(beat)
        self._change(m, altered, beat)
        super()._give(m, valid, altered, xors, advance)


class Loses(ViterbiDecompressor):
    """A decoder that gives no last beat of zeros."""

    def _give(self, m: Module, valid: Signal, beat: Any, xors: Value, advance: Signal) -> None:
        super()._give(m, valid & ~(beat.last & ~beat.some.any()), beat, xors, advance)


class Repeats(ViterbiDecompressor):
    """A decoder that uses the first bits of a word again and again."""

    def _turn(self, m: Module, held: Any, used: Value) -> Value:
        spent = super()._turn(m, held, used)
        with m.If(used):
            m.d.sync += held.bits.eq(held.bits)
        return spent


class Remembers(ViterbiDecompressor):
    """A decoder whose window survives the end of a matrix."""

    def _decode(self, m: Module, joined: Any, valid: Signal, advance: Signal) -> Value:
        altered, begins = Signal.like(joined), Signal()
        with m.If(advance & joined.valid):
            m.d.sync += begins.eq(joined.due.last)
        m.d.comb += [altered.eq(joined), altered.due.fresh.eq(joined.due.fresh & ~begins)]
        return super()._decode(m, altered, valid, advance)


def _dirty_zeros(m: Module, beat: Any, sound: Any) -> None:
    m.d.comb += beat.some.eq(Mux(sound.some.any(), sound.some, ~0))


def _uncut(m: Module, beat: Any, _: Any) -> None:
    m.d.comb += beat.within.eq(~0)


# What is broken: the design, and part of the message of the property that has to notice.
WRONG: Wrong = {
    "a wrong tap": (lambda p: ViterbiDecompressor(replace(p, taps=(0b111, *p.taps[1:]))), "the elements"),
    "a threshold one too high": (lambda p: ViterbiDecompressor(replace(p, threshold=p.threshold + 1)), "the elements"),
    "a window that survives a block": (lambda p: ViterbiDecompressor(replace(p, block_steps=2 * p.block_steps)), "the elements"),
    "a window that survives a matrix": (Remembers, "the elements"),
    "mask bits past the last weight": (lambda p: Altered(p, _uncut), "the elements"),
    "zeros that are not zero": (lambda p: Altered(p, _dirty_zeros), "the elements"),
}
WRONG_OF_WORDS: Wrong = {"the first bits of a word are used again": (Repeats, "the elements")}
