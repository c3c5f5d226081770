"""The codebook look-up behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`CodebookModel` is the definition.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.catalog import CATALOG
from golden.params.codebook import CodebookError, CodebookParameters
from hdl.codebook import CodebookDecoder, found_layout
from hdl.properties.broken import Wrong, blind, broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.codebook_invariants import CodebookInvariants
from hdl.properties.model import Model, Phase
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class CodebookModel(Model):
    """The codebook by its definition: entries make tables; a beat of codes is looked up in the oldest table, then judged and given.

    Members, beside those of every model:
        look: ``In``; the oldest beat of codes is looked up; with the last of its matrix the table is done with.
        step: ``In``; what was looked up is judged and given, or a beat of zeros is made.
        drop: ``In``; what was looked up is dropped, as the matrix is complete.

    Attributes:
        filling, place, long: Of the table that is not complete: its entries, how many, and whether there were more than it can have.
        tables: The complete ones that are still needed.
        seen: The beats that were looked up, a value for each code and whether the code is ``outside`` the table.
        over: The last beat of codes is done with, once there was an error or the matrix is complete.
        first: The error that ended the decoding.
        can_look, can_give: The oldest codes can be looked up; a beat can be made.
    """

    parameters: CodebookParameters

    def __init__(self, parameters: CodebookParameters) -> None:
        p = parameters
        super().__init__(p, shapes=1, held=1, room=1 + 2 * p.skid, hints={"look": 1, "step": 1, "drop": 1}, direct=["table"])
        values = data.ArrayLayout(p.value_bits, p.entries)
        self.filling, self.place, self.long = Signal(values), Signal(p.code_bits + 1), Signal()
        self.tables = Queue(data.StructLayout({"values": values, "count": p.code_bits + 1, "long": 1}), 2)
        beat = {"values": data.ArrayLayout(p.value_bits, p.lanes), "outside": p.lanes, "keep": p.lanes, "last": 1, "long": 1}
        self.seen = Queue(data.StructLayout(beat), 1)
        self.over, self.first, self.can_look, self.can_give = Signal(), Signal(CodebookError), Signal(), Signal()

    def decode(self, m: Module) -> None:
        m.submodules.tables, m.submodules.seen = self.tables, self.seen
        self._fill(m)
        self._look(m)
        beat, there = self.seen.entry0, (self.shapes.level != 0) & (self.seen.level != 0)
        wrong, more = self._judge(beat)
        good, misstep = Signal(), Signal()
        new_wrong, _ = self._judge(self.seen.new)
        m.d.comb += [
            good.eq(~wrong.any()), self.seen.pop.eq(self.step & (self.phase == Phase.READ) | self.drop),
            self.unasked.eq(misstep | self.look & (~self.can_look | self.seen.overflows)),
            *(mine.eq(value) for mine, value in zip(self.data, beat.values, strict=True)),
        ]
        with m.Switch(self.phase):
            with m.Case(Phase.READ):
                # What can be looked up can be given, too.
                soon = (self.shapes.level != 0) & (self.seen.level == 0) & self.can_look & ~new_wrong.any()
                m.d.comb += [self.can_give.eq(there & good | soon), misstep.eq(self.step & ~there | self.drop)]
                m.d.comb += [self.makes.eq(self.step & good), self.error.eq(Mux(more, CodebookError.LONG, CodebookError.NONE))]
                with m.If(self.step):
                    m.d.sync += [self.over.eq(beat.last), self.first.eq(Mux(wrong[1], CodebookError.SHORT, CodebookError.RANGE))]
                    with m.If(wrong[0]):
                        m.d.sync += self.first.eq(CodebookError.LONG)
                    with m.If(good & self.complete):
                        m.d.sync += self.phase.eq(Phase.DROP)
                        m.d.comb += self.ends.eq(beat.last)
                    with m.Elif(~good | beat.last):
                        m.d.sync += self.phase.eq(Phase.PAD)
                        with m.If(good):
                            m.d.sync += self.first.eq(CodebookError.SHORT)
            with m.Case(Phase.PAD):
                m.d.comb += [self.can_give.eq(1), misstep.eq(self.drop), self.makes.eq(self.step), self.error.eq(self.first)]
                m.d.comb += [mine.eq(0) for mine in self.data]
                with m.If(self.step & self.complete):
                    m.d.sync += self.phase.eq(Phase.DROP)
            with m.Case(Phase.DROP):
                m.d.comb += [misstep.eq(self.step | self.drop & (self.over | ~there)), self.ends.eq(self.over)]
                m.d.sync += self.over.eq(self.over | self.drop & beat.last)

    def _fill(self, m: Module) -> None:
        """Take an entry of a table, in a beat that has one; the last beat completes the table."""
        p, beat, new = self.parameters, self.table_beat, self.tables.new
        full = self.place == p.entries
        m.d.comb += [
            self.tables.push.eq(self.table & beat.last), new.count.eq(self.place + (beat.keep[0] & ~full)),
            new.long.eq(self.long | beat.keep[0] & full),
            *(one.eq(Mux(self.place == i, beat.data[0], old)) for i, (one, old) in enumerate(zip(new.values, self.filling, strict=True))),
        ]
        with m.If(self.table):
            m.d.sync += [self.filling.eq(new.values), self.place.eq(Mux(beat.last, 0, new.count)), self.long.eq(new.long & ~beat.last)]

    def _look(self, m: Module) -> None:
        """Look up the oldest beat of codes."""
        codes, table, new = self.streams["code"], self.tables.entry0, self.seen.new
        beat = codes.entry0
        m.d.comb += [
            self.can_look.eq((codes.level != 0) & (self.tables.level != 0)), codes.pop.eq(self.look), self.seen.push.eq(self.look),
            self.tables.pop.eq(self.look & beat.last), new.last.eq(beat.last), new.keep.eq(beat.keep), new.long.eq(table.long),
            new.outside.eq(Cat(code >= table.count for code in beat.data)),
            *(value.eq(Array(table.values)[code]) for value, code in zip(new.values, beat.data, strict=True)),
        ]

    def _judge(self, beat: Any) -> tuple[Value, Value]:
        """Whether its table is too long, a code that the matrix has is missing, or is outside; and whether there is more than it has."""
        needed = Cat(self.left > lane for lane in range(self.parameters.lanes))
        wrong = Cat(beat.long, (needed & ~beat.keep).any(), (needed & beat.outside).any())
        return wrong, (~needed & beat.keep).any() | ~beat.last


class CodebookTruth(Truth):
    """The codebook look-up gives what :class:`CodebookModel` owes.

    Reads ``decoder.codes_move``, ``decoder.beat_taken``, ``decoder.advance``, ``decoder.found``, ``decoder.codes_over`` and
    ``decoder.state`` to tell the model of the steps; the invariants read more.
    """

    parameters: CodebookParameters
    definition = CodebookModel

    def watch(self, m: Module, internals: Internals) -> None:
        model, taken = self.model, internals["decoder.beat_taken"]
        there = data.View(found_layout(self.parameters), internals["decoder.found"]).valid
        pads = (model.phase == Phase.PAD) & internals["decoder.advance"]
        dropped = model.phase == Phase.DROP
        m.d.comb += [
            model.look.eq(internals["decoder.codes_move"]), model.step.eq(~dropped & (taken & there | pads)),
            model.drop.eq(dropped & taken & there),
        ]

    def wants(self) -> dict[str, Value]:
        model, at_work, codes = self.model, self.model.shapes.level != 0, self.model.streams["code"].level != 0
        looks = at_work & (model.seen.level == 0) & ((model.phase == Phase.READ) | (model.phase == Phase.DROP) & ~model.over)
        return {"shape": ~at_work, "table": looks & codes & (model.tables.level == 0), "code": looks & ~codes}

    def able(self) -> Value:
        return self.model.can_give

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        CodebookInvariants(m, self.model, internals).hold()


class Crossed(CodebookDecoder):
    """A decoder that looks up the codes of its lanes in the wrong order."""

    def _look_up(self, m: Module, taken: Value) -> tuple[Any, list[Value]]:
        found, values = super()._look_up(m, taken)
        return found, values[::-1]


TINY = CodebookParameters(name="codebook_broken", code_bits=1, value_bits=1, lanes=2, count_bits=3)
FOUND = partial(blind, CodebookDecoder, "", "_look_up")
WRONG: Wrong = {
    "codes outside the table are looked up": (partial(FOUND, "outside"), "no more shapes are taken"),
    "a table that is too long is no error": (partial(FOUND, "long"), "no more shapes are taken"),
    "lanes are exchanged": (Crossed, "the elements"),
}


def designs() -> list[CodebookParameters]:
    """The smallest of the catalogue, and as small ones with one lane and longer codes, and with skid."""
    return [
        *(p for p in CATALOG.values() if isinstance(p, CodebookParameters) and p.name == "codebook_tiny"),
        replace(TINY, name="codebook_one_lane", code_bits=2, lanes=1),
        replace(TINY, name="codebook_skid", code_bits=2, lanes=4, skid=True),
    ]


def claims() -> list[Claim]:
    """The codebook look-up's claims."""
    made = proof_claims(CodebookTruth, designs(), covered_in=20)
    return made + broken_claims(CodebookTruth, TINY, WRONG, depth=12, overlooked="no more")
