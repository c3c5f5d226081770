"""The coordinate decoder behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definition is in :mod:`hdl.properties.coo_model`.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from amaranth.hdl import Const, Module, Value

from golden.catalog import CATALOG
from golden.params.coo import CooParameters
from hdl.coo import CooDecoder
from hdl.properties.broken import blind, broken_claims, proof_claims, wrong_claims
from hdl.properties.claims import Claim
from hdl.properties.coo_dense_invariants import DenseInvariants
from hdl.properties.coo_invariants import CooInvariants
from hdl.properties.coo_model import CooModel, DenseModel
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class CooTruth(Truth):
    """The coordinate decoder gives what :class:`CooModel` owes, or with *dense* :class:`DenseModel`.

    Reads ``decoder.checker.take`` and of ``decoder.beats`` ``put``, ``give`` and ``advance`` to tell the model of the steps; the
    invariants read more.
    """

    parameters: CooParameters

    @staticmethod
    def definition(p: CooParameters) -> Any:
        return DenseModel(p) if p.dense else CooModel(p, 2 + 2 * p.skid)

    def watch(self, m: Module, internals: Internals) -> None:
        model = self.model
        m.d.comb += model.step.eq(internals["decoder.checker.take"])
        if self.parameters.dense:
            put, give, advance = (internals[f"decoder.beats.{name}"] for name in ("put", "give", "advance"))
            m.d.comb += [model.put.eq(put), model.give.eq(give & advance)]

    def wants(self) -> dict[str, Value]:
        judge = self.model.judge if self.parameters.dense else self.model
        at_work = judge.shapes.level != 0
        return {"shape": ~at_work, "entry": at_work & ~judge.over & (judge.streams["entry"].level == 0)}

    def works(self) -> Value:
        """With *dense* survivors that are missing are counted off, one a cycle; between two transfers no more than the shape says."""
        return self.model.step & self.model.judge.over if self.parameters.dense else Const(0)

    def able(self) -> Value:
        able: Value = self.model.can_give
        return able

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        (DenseInvariants if self.parameters.dense else CooInvariants)(m, self.model, internals).hold()


TINY = CooParameters(name="coo_broken", dense=False, lanes=1, value_bits=1, count_bits=2)
DENSE = CooParameters(name="coo_dense_broken", lanes=2, value_bits=1, count_bits=3)
ENTRY, SURVIVOR = partial(blind, CooDecoder, "checker", "_compare"), partial(blind, CooDecoder, "beats", "_prepare")
WRONG = {
    "positions that do not increase are no error": (partial(ENTRY, "unordered"), "first error's code"),
    "positions past the end are no error": (partial(ENTRY, "beyond"), "first error's code"),
    "what is too much is no error": (partial(ENTRY, "long"), "first error's code"),
}
WRONG_DENSE = {
    "each survivor begins a beat": (partial(SURVIVOR, "same"), "a step only where it can be"),
    "one beat follows the last survivor, whatever the count": (partial(SURVIVOR, "left"), "a step only where it can be"),
    "a matrix without weights has one": (partial(SURVIVOR, "none"), "what is kept"),
    "all matrices end in the first lane": (partial(SURVIVOR, "top"), "what is kept"),
}


def designs() -> list[CooParameters]:
    """The catalogue but for the widest that gives weights, and small ones with skid and with two lanes."""
    return [
        *(p for p in CATALOG.values() if isinstance(p, CooParameters) and p.name != "coo_dense8"),
        replace(TINY, name="coo_survivors_skid", value_bits=2, count_bits=3, skid=True),
        replace(DENSE, name="coo_dense_lanes"),
    ]


def claims() -> list[Claim]:
    """The coordinate decoder's claims."""
    made = proof_claims(CooTruth, designs(), covered_in=20)
    return made + broken_claims(CooTruth, TINY, WRONG, depth=12) + wrong_claims(CooTruth, DENSE, WRONG_DENSE, depth=14)
