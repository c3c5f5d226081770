"""Viterbi decompressors that are broken on purpose, each in one way that the specification has to notice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from golden.params.viterbi import ViterbiParameters
from hdl.axis import AxiDecoder
from hdl.properties.claims import Tamper
from hdl.viterbi import ViterbiDecompressor

P = PARAMETERS = ViterbiParameters(
    name="viterbi_broken", k=2, q=2, taps=(0b101, 0b111, 0b011, 0b110), comparator=2, threshold=1, block_steps=2, count_bits=3,
)


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


class Remembers(ViterbiDecompressor):
    """A decoder whose window survives the end of a matrix."""

    def _decode(self, m: Module, joined: Any, valid: Signal, advance: Signal) -> Value:
        altered, begins = Signal.like(joined), Signal()
        with m.If(advance & joined.valid):
            m.d.sync += begins.eq(joined.due.last)
        m.d.comb += [altered.eq(joined), altered.due.fresh.eq(joined.due.fresh & ~begins)]
        return super()._decode(m, altered, valid, advance)


class Waits(AxiDecoder):
    """A decoder that offers a beat only to a consumer that is ready."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.m_axis_mask_tvalid.eq(self.decoder.mask.valid & self.m_axis_mask_tready)
        return m


class Hangs(AxiDecoder):
    """A decoder that never takes the last beat of an index."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += [
            self.decoder.index.valid.eq(self.s_axis_index_tvalid & ~self.s_axis_index_tlast),
            self.s_axis_index_tready.eq(self.decoder.index.ready & ~self.s_axis_index_tlast),
        ]
        return m


def _early_last(m: Module, beat: Any, _: Any) -> None:
    m.d.comb += beat.last.eq(1)


def _no_code(m: Module, beat: Any, _: Any) -> None:
    m.d.comb += beat.error.eq(0)


def _dirty_zeros(m: Module, beat: Any, sound: Any) -> None:
    m.d.comb += beat.some.eq(Mux(sound.some.any(), sound.some, ~0))


def _uncut(m: Module, beat: Any, _: Any) -> None:
    m.d.comb += beat.within.eq(~0)


def _kept(m: Module, beat: Any, _: Any) -> None:
    m.d.comb += beat.keep.eq(1)


def _withdraws(m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += outer.m_axis_mask_tvalid.eq(inner.m_axis_mask_tvalid & ~outer.s_axis_shape_tvalid)


def _changes(m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += outer.m_axis_mask_tlast.eq(inner.m_axis_mask_tlast & outer.m_axis_mask_tready)


def _unreset(m: Module, _: Any, inner: Any) -> None:
    m.d.comb += inner.aresetn.eq(1)


# What is broken: the design, and part of the message of the property that has to notice.
WRONG: dict[str, tuple[Callable[[], AxiDecoder], str]] = {
    "a wrong tap": (lambda: AxiDecoder(P, ViterbiDecompressor(replace(P, taps=(0b111, *P.taps[1:])))), "mask bits"),
    "a threshold one too high": (lambda: AxiDecoder(P, ViterbiDecompressor(replace(P, threshold=P.threshold + 1))), "mask bits"),
    "a window that survives a block": (lambda: AxiDecoder(P, ViterbiDecompressor(replace(P, block_steps=2 * P.block_steps))), "mask bits"),
    "a window that survives a matrix": (lambda: AxiDecoder(P, Remembers(P)), "mask bits"),
    "mask bits past the last weight": (lambda: AxiDecoder(P, Altered(P, _uncut)), "mask bits"),
    "zeros that are not zero": (lambda: AxiDecoder(P, Altered(P, _dirty_zeros)), "mask bits"),
    "tlast too early": (lambda: AxiDecoder(P, Altered(P, _early_last)), "tlast"),
    "no error code": (lambda: AxiDecoder(P, Altered(P, _no_code)), "first error's code"),
    "a beat kept in a matrix without weights": (lambda: AxiDecoder(P, Altered(P, _kept)), "kept unless"),
    "a last beat of zeros that never comes": (lambda: AxiDecoder(P, Loses(P)), "owed"),
    "tvalid waits for tready": (lambda: Waits(P), "offered within the latency"),
    "the last index beat is never taken": (lambda: Hangs(P), "something moves"),
}
UNRULY: dict[str, tuple[Tamper, str]] = {
    "tvalid drops when a shape is offered": (_withdraws, "offered until it is taken"),
    "tlast changes in a stall": (_changes, "does not change until it is taken"),
    "reset does not reach the decoder": (_unreset, "during reset"),
}
