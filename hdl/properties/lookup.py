"""The look-up unit behind its AXI4-Stream ports: equal to its definition, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definition is in :mod:`hdl.properties.lookup_model`.
"""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Module, ResetSignal, Signal, Value

from golden.catalog import CATALOG
from golden.params.lookup import SMALL, LookUpParameters
from hdl.axis import AxiDecoder
from hdl.lookup import LookUpDecoder
from hdl.properties.broken import Wrong, blind, broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.lookup_invariants import LookUpInvariants
from hdl.properties.lookup_model import LookUpModel
from hdl.properties.lookup_search_invariants import SearchInvariants
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class LookUpTruth(Truth):
    """The look-up unit gives what :class:`LookUpModel` owes.

    Reads ``decoder.matrix.reader.ready``, ``decoder.matrix.reader.take``, ``decoder.matrix.survivor__valid`` and its ready,
    ``decoder.requests.take`` and ``decoder.ask`` to tell the model of the steps; the invariants read more.

    Args:
        small: Words of the largest memory of the design that is taken for one made of logic.
        helped: Assert also the invariants of how the matrix and the requests are read, so that a search for what is wrong elsewhere ends.
    """

    parameters: LookUpParameters
    definition = LookUpModel

    def __init__(self, design: Any, parameters: LookUpParameters, *, small: int = SMALL, helped: bool = False, **options: bool) -> None:
        self._small, self._helped = small, helped
        super().__init__(design, parameters, **options)

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        LookUpInvariants(m, self.model, internals, self._search).hold()

    def watch(self, m: Module, internals: Internals) -> None:
        if self.invariants or self._helped:
            self._search = SearchInvariants(m, self.model, internals, self._small)
            self._search.follow()
        with m.If(~ResetSignal()):
            if self._helped:
                LookUpInvariants(m, self.model, internals, self._search).inputs()
        model = self.model
        names = ("reader.ready", "reader.take", "survivor__valid", "survivor__ready")
        ready, take, valid, survivor_ready = (internals[f"decoder.matrix.{name}"] for name in names)
        m.d.comb += [
            model.move.eq(ready), model.take.eq(take), model.store.eq(valid & survivor_ready),
            model.judge.eq(internals["decoder.requests.take"]), model.ask.eq(internals["decoder.ask"]),
        ]

    def wants(self) -> dict[str, Value]:
        """While survivors are stored, what the next one needs; then requests."""
        model, matrix = self.model, self.model.matrix
        lacks = ~model.loaded & (matrix.beats.level == 0)
        knows = matrix.working & ((matrix.open & ~matrix.final) | matrix.done)
        teller = lacks & ~knows & ~matrix.coming
        return {
            "shape": teller & (matrix.shapes.level == 0), "pointer": teller & (matrix.teller.pointers.level == 0),
            **{name: lacks & knows & ~share.there for name, share in matrix.shares.items()},
            "request": model.loaded & (model.asked.level == 0) & ~model.requests.there,
        }

    def works(self) -> Value:
        """Survivors are stored, and those that are missing counted off, as are missing requests: one a cycle."""
        return self.model.take | self.model.store | self.model.ask

    def able(self) -> Value:
        return self.model.loaded & ((self.model.asked.level != 0) | (self.model.settled & self.model.can_judge))


class Blocks(LookUpDecoder):
    """A decoder whose memories are all taken for blocks but that of one word."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.submodules.search.small = 1
        return m


class Trusting(LookUpDecoder):
    """A decoder that does not see that the matrix is wrong."""

    def _order(self, m: Module, survivor: Any, asked: Any, item: Any, answers: Any) -> None:
        super()._order(m, _without(m, survivor, slice(None)), asked, item, answers)


class Boundless(LookUpDecoder):
    """A decoder that looks up requests beyond the matrix."""

    def _order(self, m: Module, survivor: Any, asked: Any, item: Any, answers: Any) -> None:
        super()._order(m, survivor, _without(m, asked, 3), item, answers)


def _without(m: Module, stream: Any, bit: int | slice) -> Any:
    """The *stream* without that of its error."""
    seen = Signal(stream.payload.shape(), name="seen")
    m.d.comb += [seen.eq(stream.payload), Value.cast(seen.error)[bit].eq(0)]
    return SimpleNamespace(valid=stream.valid, ready=stream.ready, payload=seen)


TINY = LookUpParameters(name="lookup_broken", row_bits=1, column_bits=2, value_bits=1, survivor_bits=2, count_bits=2)
SEARCH = partial(blind, LookUpDecoder, "search", "_compare")
WRONG: Wrong = {
    "what is found is lost": (partial(SEARCH, 1), "the elements are those of the definition"),
    "the second half is never searched": (partial(SEARCH, 0), "the elements are those of the definition"),
    "a wrong matrix is searched": (Trusting, "first error's code"),
    "requests beyond the matrix are no error": (Boundless, "first error's code"),
}


def designs() -> list[LookUpParameters]:
    """The smallest of the catalogue, and one of seven survivors with skid."""
    tiny = [p for p in CATALOG.values() if isinstance(p, LookUpParameters) and p.name == "lookup_tiny"]
    return [*tiny, replace(TINY, name="lookup_skid", row_bits=2, survivor_bits=3, skid=True)]


def _blocks(p: LookUpParameters) -> AxiDecoder:
    return AxiDecoder(p, Blocks(p))


def claims() -> list[Claim]:
    """The look-up unit's claims."""
    made = proof_claims(LookUpTruth, designs(), covered_in=24)
    blocks = replace(TINY, name="lookup_blocks", row_bits=2)
    made += proof_claims(partial(LookUpTruth, small=1), [blocks], covered_in=24, made_by=_blocks)
    alone, helped = (broken_claims(truth, TINY, WRONG, depth=20) for truth in (LookUpTruth, partial(LookUpTruth, helped=True)))
    # Where the decoder is not shown what the model is, nothing holds of how it reads.
    return made + [one if "overlooked" in one.what else other for one, other in zip(alone, helped, strict=True)]
