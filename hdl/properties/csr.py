"""The CSR decoder that gives coordinates, behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definition is in :mod:`hdl.properties.csr_model`.
"""

from functools import partial
from typing import Any

from amaranth.hdl import Module, Value

from golden.catalog import CATALOG
from golden.params.csr import CsrParameters
from hdl.axis import AxiDecoder
from hdl.properties.csr_model import CsrModel
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class CsrTruth(Truth):
    """The CSR decoder gives what :class:`CsrModel` owes.

    Reads ``decoder.reader.ready`` and ``decoder.reader.take`` to tell the model of the steps; the invariants read more.
    """

    parameters: CsrParameters
    model: CsrModel

    def __init__(self, design: Any, parameters: CsrParameters, **options: bool) -> None:
        self.model = CsrModel(parameters)
        super().__init__(design, parameters, **options)

    def watch(self, m: Module, internals: Internals) -> None:
        self.connect_streams(m)
        m.d.comb += [self.model.move.eq(internals["decoder.reader.ready"]), self.model.take.eq(internals["decoder.reader.take"])]

    def wants(self) -> dict[str, Value]:
        model = self.model
        knows = model.working & ((model.open & ~model.final) | model.done)
        teller = ~knows & ~model.coming
        shares = {name: knows & ~share.there for name, share in model.shares.items()}
        return {"shape": teller & (model.shapes.level == 0), "pointer": teller & (model.teller.pointers.level == 0)} | shares

    def able(self) -> Value:
        there = [share.there for share in self.model.shares.values()]
        return self.model.can_take | (self.model.coming & there[0] & there[1])

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        """There are none: reachability does without."""


def _truth(p: CsrParameters, **options: bool) -> CsrTruth:
    return CsrTruth(AxiDecoder(p), p, **options)
