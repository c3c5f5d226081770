"""The Viterbi decompressor behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven, by induction and so without bound, for the parameter sets of :func:`designs`: the stream rules of the output; for any
sequence of shape and index beats, malformed ones included, under every pattern of stalls and resets, exactly the beats of
:class:`hdl.properties.viterbi_model.Model` in its order, mask bits, ``tkeep``, ``tlast`` and ``tuser``; none later than the latency
that the parameters state; never more than ``latency + 1`` cycles without any transfer while the output accepts and the input that is
wanted offers (the shape where no matrix is at work, else the index; none while zeros complete a matrix): so it never hangs.
The design starts from any state and is put right by reset alone. The covers are bounded, as covers are.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from amaranth.hdl import Assert, Const, Cover, Module, Mux, ResetSignal, Signal, Value

from golden.catalog import CATALOG
from golden.params.base import Error
from golden.params.viterbi import ViterbiParameters
from hdl.axis import AxiDecoder
from hdl.properties.claims import Claim, Tamper, Tampered
from hdl.properties.spec import Internals, Spec
from hdl.properties.stream import StreamRules, channels, port_rules
from hdl.properties.viterbi_broken import PARAMETERS, UNRULY, WRONG
from hdl.properties.viterbi_invariants import invariants
from hdl.properties.viterbi_model import Expected, Model, Phase


class ViterbiTruth(Spec):
    """The decoder gives what the model owes, all of it, nothing else, and in time.

    Reads ``decoder.padding`` and ``decoder.stalled`` to tell the model when zeros are made; the invariants read more.
    """

    def __init__(self, design: Any, parameters: ViterbiParameters, *, invariants: bool = True, legal_inputs: bool = False) -> None:
        self.parameters = parameters
        super().__init__(design, invariants=invariants, legal_inputs=legal_inputs)

    def specify(self, m: Module, internals: Internals) -> None:
        p, design = self.parameters, self.design
        port_rules(m, self)
        m.submodules.model = model = Model(p, room=4 + p.pipeline + 2 * p.skid)
        streams = channels(design)
        shape, index, mask = streams["s_axis_shape"], streams["s_axis_index"], streams["m_axis_mask"]
        pads = internals["decoder.padding"] & ~internals["decoder.stalled"]
        m.d.comb += [
            model.shape.eq(shape.transfer), model.count.eq(design.s_axis_shape_tdata), model.index.eq(index.transfer),
            model.bits.eq(design.s_axis_index_tdata), model.keep.eq(design.s_axis_index_tkeep[0]), model.last.eq(design.s_axis_index_tlast),
            model.pad.eq(pads), model.taken.eq(mask.transfer),
        ]
        with m.If(~ResetSignal()):
            self._truth(m, model, mask.valid)
            # A matrix needs its shape, then its index; zeros need nothing but room.
            wanted = Mux(model.phase == Phase.PAD, 1, Mux(model.shapes.level == 0, shape.valid, index.valid))
            self._progress(m, model, wanted & mask.ready, mask.valid, shape.transfer | index.transfer | mask.transfer)
            if self.invariants:
                invariants(m, model, internals, p)
        self._covers(m, mask.transfer)

    def _truth(self, m: Module, model: Model, valid: Value) -> None:
        """What comes out is the oldest beat owed."""
        design, expected = self.design, Expected(model.beats.entry0, self.parameters)
        bytes_ = self.parameters.output.beat_bytes
        m.d.comb += [
            Assert(~model.unasked, "an index beat is taken only for a matrix that wants one"),
            Assert(~model.shapes.overflows, "no more shapes are taken than can wait"),
            Assert(~model.beats.overflows, "no more is owed than the registers hold"),
        ]
        with m.If(valid):
            m.d.comb += [
                Assert(model.beats.level != 0, "nothing comes out that is not owed"),
                Assert(design.m_axis_mask_tdata == expected.mask, "the mask bits are those of the definition, 0 past the last weight"),
                Assert(design.m_axis_mask_tkeep == expected.keep.replicate(bytes_), "a beat is kept unless the matrix has no weights"),
                Assert(design.m_axis_mask_tlast == expected.last, "tlast stands on the beat that completes the count, and on no other"),
                Assert(design.m_axis_mask_tuser == expected.error, "the first error's code stands on the last beat, and 0 on all others"),
            ]

    def _progress(self, m: Module, model: Model, offered: Value, valid: Value, transfer: Value) -> None:
        """Nothing owed is late, and nothing hangs."""
        latency = self.parameters.latency
        late, idle = Signal(range(latency + 2)), Signal(range(latency + 3))
        m.d.sync += [
            late.eq(Mux((model.beats.level != 0) & ~valid, late + (late <= latency), 0)),
            idle.eq(Mux(offered & ~transfer, idle + (idle <= latency + 1), 0)),
        ]
        m.d.comb += [
            Assert(late < latency, "what is owed is offered within the latency"),
            Assert(idle <= latency + 1, "something moves while the input that is wanted offers and the output accepts"),
        ]

    def _covers(self, m: Module, taken: Value) -> None:
        """The telling cases; *good* completes a matrix without error, with a survivor, and in several beats where one can have them."""
        p, design = self.parameters, self.design
        last, error = design.m_axis_mask_tlast, design.m_axis_mask_tuser
        first, previous, after_last = Signal(init=1), Signal(2), Signal()
        several, survivor = Signal(), Signal()
        m.d.sync += after_last.eq(taken & last)
        with m.If(taken):
            m.d.sync += [several.eq(~last), survivor.eq(~last & (survivor | design.m_axis_mask_tdata.any()))]
            with m.If(last):
                m.d.sync += [previous.eq(error), first.eq(0)]
        long_enough = several if p.mask_bits < (1 << p.count_bits) - 1 else Const(1)
        taken = taken & ~ResetSignal()
        good = taken & last & (error == Error.NONE) & long_enough & (survivor | design.m_axis_mask_tdata.any())
        m.d.comb += [
            Cover(good & (previous == Error.SHORT), "a good matrix right after one whose index ended early"),
            Cover(good & (previous == Error.LONG), "a good matrix right after one whose index went on too long"),
            Cover(good & ~first & (previous == Error.NONE), "two good matrices, one after the other"),
            Cover(taken & after_last, "a matrix begins in the cycle after another's last beat"),
            Cover(taken & last & ~design.m_axis_mask_tkeep[0], "a matrix without weights"),
        ]


def designs() -> list[ViterbiParameters]:
    """Small decoders, each feature alone and together, counts below and above a beat, blocks of one beat and more; and the catalogue."""
    plain = ViterbiParameters(name="viterbi_plain", k=2, q=3, taps=(0b101, 0b111, 0b011), block_steps=3, count_bits=4)
    compared = ViterbiParameters(
        name="viterbi_compared", k=3, p=2, q=2, taps=(0b10101, 0b01111, 0b11011, 0b10011), comparator=2, threshold=3,
        block_steps=2, count_bits=3,
    )
    small = [
        plain, compared,
        ViterbiParameters(
            name="viterbi_wide", k=3, p=2, q=5, taps=(0b10101, 0b01111, 0b11011, 0b10011, 0b11100), block_steps=8, steps=4,
            count_bits=6, pipeline=True,
        ),
        replace(plain, name="viterbi_pipeline", pipeline=True),
        replace(plain, name="viterbi_skid", skid=True),
        replace(compared, name="viterbi_pipeline_skid", pipeline=True, skid=True, steps=2, block_steps=4),
        replace(plain, name="viterbi_inverted", comparator=1, block_steps=1),
        replace(plain, name="viterbi_beat_above_count", steps=4, block_steps=4, count_bits=2),
    ]
    return small + [p for p in CATALOG.values() if isinstance(p, ViterbiParameters)]


def _truth(p: ViterbiParameters, *, legal_inputs: bool = False) -> Spec:
    return ViterbiTruth(AxiDecoder(p), p, legal_inputs=legal_inputs)


def _truth_of_wrong(design: Callable[[], AxiDecoder]) -> Spec:
    return ViterbiTruth(design(), PARAMETERS, invariants=False)


def _rules_of_unruly(tamper: Tamper) -> Spec:
    return StreamRules(Tampered(AxiDecoder(PARAMETERS), tamper))


def claims() -> list[Claim]:
    """The Viterbi decompressor's claims."""
    made = []
    for p in designs():
        made += [
            Claim("truth", p.name, partial(_truth, p), "prove", p.latency + 1),
            Claim("truth", p.name, partial(_truth, p, legal_inputs=True), "cover", 24),
        ]
    made += [Claim(what, PARAMETERS.name, partial(_truth_of_wrong, one), "bmc", 16, rejects=seen) for what, (one, seen) in WRONG.items()]
    made += [Claim(what, PARAMETERS.name, partial(_rules_of_unruly, one), "bmc", 10, rejects=seen) for what, (one, seen) in UNRULY.items()]
    return made
