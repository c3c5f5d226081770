"""The look-up unit behind its AXI4-Stream ports: equal to its definition, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definition is in :mod:`hdl.properties.lookup_model`.
"""

from typing import Any

from amaranth.hdl import Module, Value

from golden.params.lookup import LookUpParameters
from hdl.properties.lookup_model import LookUpModel
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class LookUpTruth(Truth):
    """The look-up unit gives what :class:`LookUpModel` owes.

    Reads ``decoder.matrix.reader.ready``, ``decoder.matrix.reader.take``, ``decoder.matrix.survivor__valid`` and its ready,
    ``decoder.requests.take`` and ``decoder.ask`` to tell the model of the steps.
    """

    parameters: LookUpParameters
    model: LookUpModel

    def __init__(self, design: Any, parameters: LookUpParameters, **options: bool) -> None:
        self.model = LookUpModel(parameters)
        super().__init__(design, parameters, **options)

    def watch(self, m: Module, internals: Internals) -> None:
        self.connect_streams(m)
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
        return self.model.loaded & ((self.model.asked.level != 0) | self.model.can_judge)
