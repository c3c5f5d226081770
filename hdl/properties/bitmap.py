"""The bitmap decoder behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in. For one lane only.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definition is in :mod:`hdl.properties.bitmap_model`.
"""

from functools import partial

from amaranth.hdl import Const, Module, Value

from golden.catalog import CATALOG
from golden.params.bitmap import BitmapParameters
from hdl.bitmap import BitmapDecoder, State
from hdl.properties.bitmap_model import BitmapModel
from hdl.properties.broken import blind, broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class BitmapTruth(Truth):
    """The bitmap decoder gives what :class:`BitmapModel` owes.

    Reads ``decoder.state``, ``decoder.masks.i__ready`` and of ``decoder.expander`` ``step`` and ``go`` to tell the model of the steps.
    """

    parameters: BitmapParameters
    model: BitmapModel
    definition = BitmapModel

    def watch(self, m: Module, internals: Internals) -> None:
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


TINY = BitmapParameters(name="bitmap_broken", lanes=1, value_bits=1, values=1, count_bits=2)
JUDGED = partial(blind, BitmapDecoder, "expander", "_judge")  # what it finds out of a mask's values
WRONG = {
    "a value that is missing is no error": (partial(JUDGED, "short"), "first error's code"),
    "values that are left over are no error": (partial(JUDGED, "long"), "first error's code"),
}


def claims() -> list[Claim]:
    """The bitmap decoder's claims."""
    made = proof_claims(BitmapTruth, [CATALOG["bitmap_n1"]], covered_in=24, invariants=False)
    return made + broken_claims(BitmapTruth, TINY, WRONG, depth=18, overlooked="taken")
