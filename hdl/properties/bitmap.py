"""The bitmap decoder behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in. For one lane only.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definition is in :mod:`hdl.properties.bitmap_model`.
"""

from functools import partial
from typing import Any

from amaranth.hdl import Const, Module, Value

from golden.catalog import CATALOG
from golden.params.bitmap import BitmapParameters
from hdl.axis import AxiDecoder
from hdl.bitmap import BitmapDecoder, State
from hdl.properties.bitmap_model import BitmapModel
from hdl.properties.broken import broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class BitmapTruth(Truth):
    """The bitmap decoder gives what :class:`BitmapModel` owes.

    Reads ``decoder.state``, ``decoder.masks.i__ready`` and of ``decoder.expander`` ``step`` and ``go`` to tell the model of the steps.
    """

    parameters: BitmapParameters
    model: BitmapModel

    def __init__(self, design: Any, parameters: BitmapParameters, **options: bool) -> None:
        self.model = BitmapModel(parameters)
        super().__init__(design, parameters, **options)

    def watch(self, m: Module, internals: Internals) -> None:
        self.connect_streams(m)
        pads = internals["decoder.state"] == Const.cast(State.PAD)
        m.d.comb += [self.model.pad.eq(pads & internals["decoder.masks.i__ready"]), self.model.step.eq(internals["decoder.expander.go"])]
        m.d.comb += self.model.move.eq(internals["decoder.expander.step"])

    def wants(self) -> dict[str, Value]:
        model = self.model
        empty, at_work = ~model.comes & ~model.masks.full[0], model.shapes.level != 0
        return {
            "shape": empty & ~at_work, "mask": empty & model.wants_mask,
            "value": (model.streams["value"].level == 0) & (model.dropping | model.needs),
        }

    def able(self) -> Value:
        return self.model.can_give | self.model.comes

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        """There are none: reachability does without."""


class Forgetful(BitmapDecoder):
    """A decoder whose expander forgets *what* it finds out of a mask's values."""

    def __init__(self, parameters: BitmapParameters, what: str) -> None:
        super().__init__(parameters)
        self._what = what

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        expander: Any = m.submodules.expander
        sound = expander._judge

        def judge(inner: Module) -> Any:
            found = sound(inner)
            inner.d.sync += getattr(expander, self._what).eq(0)
            return found

        expander._judge = judge
        return m


TINY = BitmapParameters(name="bitmap_broken", lanes=1, value_bits=1, values=1, count_bits=2)
WRONG = {
    "a value that is missing is no error": (partial(Forgetful, TINY, "short"), "first error's code"),
    "values that are left over are no error": (partial(Forgetful, TINY, "long"), "first error's code"),
}


def _truth(p: Any, **options: bool) -> BitmapTruth:
    return BitmapTruth(AxiDecoder(p), p, **options)


def claims() -> list[Claim]:
    """The bitmap decoder's claims."""
    p = CATALOG["bitmap_n1"]
    made = proof_claims(partial(_truth, p), p, covered_in=24, invariants=False)
    return made + broken_claims(BitmapTruth, TINY, WRONG, depth=18, overlooked="taken")
