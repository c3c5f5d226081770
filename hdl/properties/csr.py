"""The CSR decoder, of coordinates and of dense rows, behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; the definitions are in :mod:`hdl.properties.csr_model` and
:mod:`hdl.properties.csr_dense_model`.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from amaranth.hdl import Assume, Cat, Module, Value

from golden.catalog import CATALOG
from golden.params.csr import CsrParameters
from golden.params.group import GroupParameters
from hdl.axis import AxiDecoder
from hdl.csr import CsrDecoder
from hdl.properties.broken import blind, broken_claims, proof_claims, wrong_claims
from hdl.properties.claims import Claim, Tampered
from hdl.properties.csr_dense_invariants import CsrDenseInvariants
from hdl.properties.csr_dense_model import DenseModel
from hdl.properties.csr_invariants import CsrInvariants
from hdl.properties.csr_model import CsrModel
from hdl.properties.spec import Internals
from hdl.properties.stream import channels, source_rules
from hdl.properties.truth import Truth


class CsrTruth(Truth):
    """The CSR decoder gives what :class:`CsrModel` owes.

    Reads ``decoder.reader.ready`` and ``decoder.reader.take`` to tell the model of the steps; the invariants read more.
    """

    parameters: CsrParameters
    model: CsrModel
    definition = CsrModel

    def watch(self, m: Module, internals: Internals) -> None:
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
        CsrInvariants(m, self.model, internals).hold()


class CsrDenseTruth(Truth):
    """The CSR decoder of dense rows gives what :class:`DenseModel` owes. The source of the shapes has to keep the stream rules.

    Reads of the decoder ``shape_taken``, ``shape_waits``, ``reader.shape__ready``, ``reader.entry_read``, ``pairs.shape__ready``,
    ``pairs.take``, and of ``dense_rows`` ``put``, ``step``, ``complete`` and ``pop`` to tell the model of the steps.
    """

    parameters: CsrParameters
    model: DenseModel
    definition = DenseModel

    def watch(self, m: Module, internals: Internals) -> None:
        source_rules(m, Assume, channels(self.design)["s_axis_shape"])
        model, offered = self.model, self.design.s_axis_shape_tvalid
        taken, waits = internals["decoder.shape_taken"], internals["decoder.shape_waits"]
        put, step, complete, pop = (internals[f"decoder.dense_rows.{name}"] for name in ("put", "step", "complete", "pop"))
        m.d.comb += [
            model.offered.eq(offered), model.row_shape.eq(offered & ~taken[0] & internals["decoder.reader.shape__ready"]),
            model.pair_shape.eq(offered & ~taken[1] & (~waits | internals["decoder.pairs.shape__ready"])),
            model.move.eq(internals["decoder.reader.entry_read"]), model.take.eq(internals["decoder.pairs.take"]),
            model.put.eq(put & step), model.drop.eq(pop & ~(put & step)), model.give.eq(step & complete),
        ]

    def wants(self) -> dict[str, Value]:
        model = self.model
        shares = {name: model.judge.shapes.full[0] & ~share.there for name, share in model.shares.items()}
        rows, survivors = model.shapes.level != 0, model.judge.shapes.full.any()
        return {"shape": ~rows & ~survivors, "pointer": rows & (model.teller.pointers.level == 0)} | shares

    def works(self) -> Value:
        """Survivors that are missing are counted off, and rows without columns, one a cycle."""
        model = self.model
        return (model.take & Cat(share.over for share in model.shares.values()).all()) | (model.give & model.silent)

    def able(self) -> Value:
        return self.model.can_give & ~self.model.silent

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        CsrDenseInvariants(m, self.model, internals).hold()


TINY = CsrParameters(name="csr_broken", row_bits=2, column_bits=1, value_bits=1, count_bits=2)
DENSE = CsrParameters(name="csr_dense_broken", row_bits=2, column_bits=2, value_bits=1, count_bits=2, dense=True, lanes=2)
ROW, SURVIVOR = partial(blind, CsrDecoder, "reader", "_follow_rows"), partial(blind, CsrDecoder, "reader", "_compare")
WRONG = {
    "columns that do not increase are no error": (partial(SURVIVOR, "unordered"), "the elements are those of the definition"),
    "columns past the end are no error": (partial(SURVIVOR, "beyond"), "first error's code"),
    "a wrong row pointer is no error": (partial(ROW, "error"), "first error's code"),
    "survivors that no row has are no error": (partial(ROW, "over"), "first error's code"),
}
WRONG_DENSE = {
    "what is wrong in a row is no error": (partial(blind, CsrDecoder, "dense_rows", "_judge", 0), "first error's code"),
    "survivors that are left over are no error": (partial(blind, CsrDecoder, "dense_rows", "_judge", 1), "first error's code"),
    "a matrix without survivors has one": (partial(blind, CsrDecoder, "pairs", "_follow_shape", 1), "first error's code"),
}


def designs() -> list[CsrParameters]:
    """The catalogue's that read one row pointer and one pair a beat, and those inside its decoders of groups; the smallest first."""
    inside = [replace(p.of, name=f"csr_in_{p.name}") for p in CATALOG.values() if isinstance(p, GroupParameters)]
    chosen = [p for p in (*CATALOG.values(), *inside) if isinstance(p, CsrParameters) and p.pointers == p.pairs == 1]
    return sorted(chosen, key=lambda p: p.count_bits)


def _truth(design: Any, p: CsrParameters, **options: bool) -> Truth:
    return (CsrDenseTruth if p.dense else CsrTruth)(design, p, **options)


def _beside_pointer(m: Module, outer: Any, inner: Any) -> None:
    """Columns are taken only beside a row pointer, be it the next matrix's."""
    there = outer.s_axis_pointer_tvalid
    m.d.comb += inner.s_axis_column_tvalid.eq(outer.s_axis_column_tvalid & there)
    m.d.comb += outer.s_axis_column_tready.eq(inner.s_axis_column_tready & there)


def _hanging() -> Truth:
    return CsrDenseTruth(Tampered(AxiDecoder(DENSE), _beside_pointer), DENSE, invariants=False)


def claims() -> list[Claim]:
    """The CSR decoder's claims."""
    made = proof_claims(_truth, designs(), covered_in=20)
    made.append(Claim("a column is taken only beside a row pointer", f"{DENSE.name}_ports", _hanging, "bmc", 16, rejects="something moves"))
    return made + broken_claims(_truth, TINY, WRONG, depth=14) + wrong_claims(_truth, DENSE, WRONG_DENSE, depth=16)
