"""The Viterbi decompressor behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`hdl.properties.viterbi_model.Model` is the definition.
"""

from dataclasses import replace
from typing import cast

from amaranth.hdl import Cat, Module, Value

from golden.catalog import CATALOG
from golden.params.viterbi import ViterbiParameters
from golden.params.viterbi_weight import ViterbiWeightParameters
from hdl.properties.broken import broken_claims, proof_claims, wrong_claims
from hdl.properties.claims import Claim
from hdl.properties.model import Phase
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth
from hdl.properties.viterbi_broken import PARAMETERS, WORDS, WRONG, WRONG_OF_WORDS
from hdl.properties.viterbi_invariants import invariants
from hdl.properties.viterbi_model import Expected, Model


class ViterbiTruth(Truth):
    """The decoder gives what the model owes.

    Reads registers of ``decoder`` to tell the model when an index beat is used and when zeros are made; the invariants read more.
    """

    parameters: ViterbiParameters

    @staticmethod
    def definition(p: ViterbiParameters) -> Model:
        return Model(p, room=4 + p.pipeline + 2 * p.skid)

    def watch(self, m: Module, internals: Internals) -> None:
        stalled, padding, dropping, there = (internals[f"decoder.{name}"] for name in ("stalled", "padding", "dropping", "there"))
        due = internals["decoder.schedule.queue.o__valid"]
        m.d.comb += [self.model.use.eq(~stalled & there & (dropping | (due & ~padding))), self.model.pad.eq(~stalled & padding)]

    def wants(self) -> dict[str, Value]:
        """A matrix needs its shape, then its index; zeros need nothing but room."""
        reads, at_work = self.model.phase != Phase.PAD, self.model.shapes.level != 0
        return {"shape": reads & ~at_work, "index": reads & at_work & (self.model.streams["index"].level == 0)}

    def expected(self) -> Value:
        beat = Expected(self.model.beats.entry0, self.parameters)
        return Cat(beat.mask, beat.keep, beat.last, beat.error)

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        invariants(m, self.model, internals, self.parameters)


PROVEN = ("viterbi_k3q4", "viterbi_k4p2q6c2", "viterbi_k8q16")  # entries of the catalogue; of others induction takes too long


def designs() -> list[ViterbiParameters]:
    """Small decoders, each feature alone and together, counts below and above a beat, blocks of one beat and more; :data:`PROVEN`; and that
    inside the smallest Viterbi weight decompressor.
    """
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
        replace(plain, name="viterbi_words", word_bits=3),
        replace(compared, name="viterbi_words_skid", steps=2, block_steps=4, word_bits=8, skid=True, count_bits=5),
    ]
    inside = replace(cast(ViterbiWeightParameters, CATALOG["viterbi_weight_k3q4"]).mask, name="viterbi_of_weights")
    return [*small, *(p for p in CATALOG.values() if type(p) is ViterbiParameters and p.name in PROVEN), inside]


def claims() -> list[Claim]:
    """The Viterbi decompressor's claims."""
    made = proof_claims(ViterbiTruth, designs(), covered_in=24)
    made += broken_claims(ViterbiTruth, PARAMETERS, WRONG, depth=16, overlooked="no more beats of index are taken")
    return made + wrong_claims(ViterbiTruth, WORDS, WRONG_OF_WORDS, depth=16)
