"""The bit-plane decoder behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definition is in :mod:`hdl.properties.planes_model`.
"""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Const, Module, Signal, Value

from golden.catalog import CATALOG
from golden.params.planes import PlanesParameters
from hdl.planes import PlanesDecoder
from hdl.planes_patch import PatchReader
from hdl.properties.broken import Wrong, broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.planes_invariants import PlanesInvariants
from hdl.properties.planes_model import PlanesModel
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class PlanesTruth(Truth):
    """The bit-plane decoder gives what :class:`PlanesModel` owes.

    Reads ``decoder.take``, ``decoder.leave`` and ``decoder.patches.again`` to tell the model of the steps; the invariants read more.
    """

    parameters: PlanesParameters
    definition = PlanesModel

    def __init__(self, design: Any, parameters: PlanesParameters, **options: bool) -> None:
        super().__init__(design, parameters, **options)
        self.latency = 3 + parameters.skid  # of a joined beat that has its patches: the schedule's part of the latency is over

    def watch(self, m: Module, internals: Internals) -> None:
        hints = {"step": "decoder.take", "give": "decoder.leave", "mend": "decoder.patches.again"}
        m.d.comb += [getattr(self.model, hint).eq(internals[name]) for hint, name in hints.items()]

    def wants(self) -> dict[str, Value]:
        model, join = self.model, self.model.join
        idle, at_work = model.joined.level == 0, join.shapes.level != 0
        wanted: dict[str, Value] = {"shape": idle & ~at_work}
        for name, one in zip(("mask", "word"), join.joined, strict=True):
            wanted[name] = idle & at_work & ~one.over & ~one.there
        return wanted | {"patch": model.asks & ~model.patches.there}

    def able(self) -> Value:
        return self.model.can_give

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        PlanesInvariants(m, self.model, internals).hold()


class Uncaring(PlanesDecoder):
    """A decoder whose patches change pruned weights too."""

    def _flips(self, mask: Value, patches: PatchReader) -> Value:
        return super()._flips(Const(~0, len(mask)), patches)


class Tolerant(PlanesDecoder):
    """A decoder to which patches that are left over are no error."""

    def _give(self, m: Module, held: Any, more: Value, mended: Signal, advance: Signal) -> None:
        super()._give(m, held, Const(0), mended, advance)


class Hoarding(PlanesDecoder):
    """A decoder that keeps what a matrix leaves of its patches for the next one."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        reader: Any = m.submodules.patches
        sound = reader._take
        reader._take = lambda inner, *known: sound(inner, *known[:4], Const(0), known[5])  # the fifth is whether to drop
        return m


PROVEN = ("planes_tiny", "planes_k0q6_n2_skid")  # entries of the catalogue; of wider ones induction takes too long
BROKEN = PlanesParameters(
    name="planes_broken", value_bits=1, k=1, p=1, q=1, taps=(0b11,), block_steps=2, gap_bits=1, patches=1, count_bits=2
)
WRONG: Wrong = {
    "a wrong tap": (lambda p: PlanesDecoder(replace(p, taps=(0b01,))), "the elements"),
    "a window that survives a block": (lambda p: PlanesDecoder(replace(p, block_steps=4)), "the elements"),
    "patches change pruned weights": (Uncaring, "the elements"),
    "patches that are left over are no error": (Tolerant, "first error's code"),
    "patches that are left over stay": (Hoarding, "a beat is taken only"),
}


def designs() -> list[PlanesParameters]:
    """Small: one lane; two planes, two patches a beat and skid; two steps a beat, no history and a longer count; and :data:`PROVEN`."""
    return [
        replace(BROKEN, name="planes_one_lane"),
        replace(BROKEN, name="planes_two_skid", value_bits=2, q=2, taps=(0b01, 0b11), patches=2, count_bits=3, skid=True),
        PlanesParameters(name="planes_steps", value_bits=2, k=0, p=2, q=2, steps=2, block_steps=4, gap_bits=2, patches=3, count_bits=6),
        *(p for p in CATALOG.values() if isinstance(p, PlanesParameters) and p.name in PROVEN),
    ]


def claims() -> list[Claim]:
    """The bit-plane decoder's claims."""
    return proof_claims(PlanesTruth, designs(), covered_in=24) + broken_claims(PlanesTruth, BROKEN, WRONG, depth=16)
