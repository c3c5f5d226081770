"""The RLC unpacker behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`RlcModel` is the definition.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value, signed

from golden.catalog import CATALOG
from golden.params.pairs import GROUP
from golden.params.rlc import RlcError, RlcParameters
from hdl.axis import AxiDecoder
from hdl.properties.broken import broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.model import Model, Phase
from hdl.properties.rlc_invariants import RlcInvariants
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth
from hdl.rlc import RlcUnpacker
from hdl.rlc_core import Control, Hand


class RlcModel(Model):
    """RLC by its definition: the oldest word is read pair after pair, and its elements follow those that earlier words left over.

    The phase is PAD where words that are done with gave all elements of the matrix and the code went on: the last beat is still to be made.

    Members, beside those of every model:
        give: ``In``; a beat is made of the elements left over, those of the oldest word, and zeros where the code ends.
        leave: ``In``; the oldest word is done with; what it has not given is left over.

    Attributes:
        have, over: How many elements are left over, and these.
        used: Elements of the oldest word that beats have taken, and zeros after it.
        can_give: A beat can be made.
    """

    parameters: RlcParameters

    def __init__(self, parameters: RlcParameters) -> None:
        p = parameters
        held = 3 + (p.pairs_per_word > GROUP)
        super().__init__(p, shapes=2, held=held, room=2 + 2 * p.skid, hints={"give": 1, "leave": 1})
        self.most = p.pairs_per_word << p.run_bits  # elements of a word
        wide = signed(max(p.count_bits, (self.most + p.lanes).bit_length()) + 3)
        self.have, self.used = Signal(p.lane_bits), Signal(wide)
        self.over = Array(Signal(p.level_bits, name=f"over_{lane}") for lane in range(p.lanes))
        self.can_give, self.missing, self.rest = Signal(), Signal(wide), Signal(wide)

    def pairs(self, word: Any) -> list[tuple[Value, Value]]:
        """The (run, level) pairs of a beat of the code."""
        p, bits = self.parameters, word.data[0]
        starts = zip(p.run_positions, p.level_positions, strict=True)
        return [(bits[run : run + p.run_bits], bits[level : level + p.level_bits]) for run, level in starts]

    def bad(self, word: Any) -> Value:
        """Whether the marker of a word is not what its ``tlast`` is."""
        at = self.parameters.marker_position
        return Const(0) if at is None else word.keep & (word.data[0][at] != word.last)

    def decode(self, m: Module) -> None:
        word, queue = self.streams["code"].entry0, self.streams["code"]
        lanes, there = self.parameters.lanes, (self.shapes.level != 0) & (queue.level != 0)
        complete, code = self._judge(m, word)
        terminal, ended = Signal(), Signal()
        m.d.comb += [terminal.eq(word.last | self.bad(word)), ended.eq(self.give & self.complete)]
        elements = self._elements(m, word)
        m.d.comb += self.missing.eq(self.left - self.have + self.used)
        remains = Signal.like(self.rest)  # elements that are left over if the word leaves now
        m.d.comb += remains.eq(self.rest - Mux(self.give, lanes, 0))
        with m.Switch(self.phase):
            with m.Case(Phase.READ):
                m.d.comb += [self.can_give.eq(there & ((self.rest >= lanes) | terminal)), self.error.eq(code)]
                bad_leave = ~there | (~ended & (terminal | (remains >= lanes)))
                m.d.comb += self.unasked.eq((self.give & ~self.can_give) | (self.leave & bad_leave) | (ended & ~self.leave))
                with m.If(self.leave & ~ended & complete & word.keep):
                    m.d.sync += self.phase.eq(Phase.PAD)
            with m.Case(Phase.PAD):
                m.d.comb += [self.can_give.eq(there), self.error.eq(RlcError.LONG)]
                m.d.comb += self.unasked.eq((self.give != self.leave) | (self.give & ~there))
            with m.Case(Phase.DROP):
                m.d.comb += self.unasked.eq(self.give | (self.leave & ~there))
        m.d.comb += [queue.pop.eq(self.leave), self.makes.eq(self.give)]
        m.d.comb += [mine.eq(made) for mine, made in zip(self.data, elements, strict=False)]
        self._go_on(m, elements, remains, ended)
        with m.If(ended | (self.phase == Phase.DROP)):
            m.d.comb += self.ends.eq(self.leave & word.last)
            m.d.sync += self.phase.eq(Phase.DROP)

    def _judge(self, m: Module, word: Any) -> tuple[Value, Value]:
        """Whether the word's pairs reach the count, and the code of the matrix if it ends with this word."""
        found: Value = Const(0)
        fits: Value = Const(1)
        for number, (run, level) in enumerate(self.pairs(word)):
            inside, after = Signal(name=f"inside_{number}"), Signal.like(self.missing, name=f"found_{number}")
            m.d.comb += [inside.eq(found + run + 1 <= self.missing), after.eq(Mux(inside, found + run + 1, self.missing))]
            fits = fits & (inside | ((found == self.missing) & (run == 0) & (level == 0)))
            found = after
        code = Signal(RlcError)
        with m.If(self.bad(word)):
            m.d.comb += code.eq(RlcError.MARKER)
        with m.Elif(~word.keep):
            m.d.comb += code.eq(Mux(self.missing == 0, RlcError.NONE, RlcError.SHORT))
        with m.Elif(found == self.missing):
            m.d.comb += code.eq(Mux(fits & word.last & (self.missing != 0), RlcError.NONE, RlcError.LONG))
        with m.Else():
            m.d.comb += code.eq(RlcError.SHORT)
        return (found == self.missing) & ~self.bad(word), code

    def _elements(self, m: Module, word: Any) -> list[Value]:
        """What is left over, what the word still has, then zeros: the elements of this beat and of what can be left over after it."""
        p = self.parameters
        good = word.keep & ~self.bad(word) & (self.phase == Phase.READ)
        line = [Signal(p.level_bits, name=f"element_{at}") for at in range(self.most)]
        end: Value = Const(0)
        for run, level in self.pairs(word):
            for at, element in enumerate(line):
                with m.If(good & (end + run == at)):
                    m.d.comb += element.eq(level)
            end = end + run + 1
        m.d.comb += self.rest.eq(self.have + Mux(good, end, 0) - self.used)
        made = []
        for lane in range(2 * p.lanes):
            chosen = Signal(p.level_bits, name=f"made_{lane}")
            for at, element in enumerate(line):
                with m.If(lane - self.have + self.used == at):
                    m.d.comb += chosen.eq(element)
            if lane < p.lanes:
                with m.If(lane < self.have):
                    m.d.comb += chosen.eq(self.over[lane])
            made.append(chosen)
        return made

    def _go_on(self, m: Module, elements: list[Value], remains: Signal, ended: Value) -> None:
        """Keep what is left over when the word leaves, and count what it gave while it stays."""
        lanes = self.parameters.lanes
        with m.If(ended | (self.phase == Phase.DROP)):
            m.d.sync += [self.have.eq(0), self.used.eq(0), *(mine.eq(0) for mine in self.over)]
        with m.Elif(self.leave):
            m.d.sync += [self.have.eq(remains), self.used.eq(0)]
            for lane, mine in enumerate(self.over):
                m.d.sync += mine.eq(Mux(lane < remains, Mux(self.give, elements[lane + lanes], elements[lane]), 0))
        with m.Elif(self.give):
            m.d.sync += [self.have.eq(0), self.used.eq(self.used + lanes - self.have), *(mine.eq(0) for mine in self.over)]


class RlcTruth(Truth):
    """The RLC unpacker gives what :class:`RlcModel` owes.

    Reads ``decoder.advance``, ``decoder.give``, ``decoder.leave`` and ``decoder.word_valid`` to tell the model of the steps; the
    invariants read more.
    """

    parameters: RlcParameters

    def __init__(self, design: Any, parameters: RlcParameters, **options: bool) -> None:
        self.model = RlcModel(parameters)
        super().__init__(design, parameters, **options)

    def watch(self, m: Module, internals: Internals) -> None:
        self.connect_streams(m)
        advance, give, leave, full = (internals[f"decoder.{name}"] for name in ("advance", "give", "leave", "word_valid"))
        m.d.comb += [self.model.give.eq(advance & give), self.model.leave.eq(advance & leave & full)]

    def wants(self) -> dict[str, Value]:
        at_work = self.model.shapes.level != 0
        return {"shape": ~at_work, "code": at_work & (self.model.streams["code"].level == 0)}

    def able(self) -> Value:
        return self.model.can_give

    def codes(self) -> list[Any]:
        return [code for code in super().codes() if code != RlcError.MARKER or self.parameters.marker]

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        RlcInvariants(m, self.model, internals).hold()


class Deaf(RlcUnpacker):
    """An unpacker that finds no error."""

    def _error(self, m: Module, c: Control, hand: Hand, reach: Value) -> Value:
        return super()._error(m, c, hand, reach) & 0


class Lax(RlcUnpacker):
    """An unpacker that does not look at the pairs after the last element."""

    def _error(self, m: Module, c: Control, hand: Hand, reach: Value) -> Value:
        hand.word = replace(hand.word, rest_zero=[Const(1) for _ in hand.word.rest_zero])
        return super()._error(m, c, hand, reach)


TINY = RlcParameters(name="rlc_broken", run_bits=1, level_bits=1, pairs_per_word=2, word_bits=5, lanes=2, count_bits=3)
WRONG: dict[str, tuple[Callable[[], RlcUnpacker], str]] = {
    "errors are not told": (partial(Deaf, TINY), "first error's code"),
    "pairs past the count are not looked at": (partial(Lax, TINY), "first error's code"),
    "a word is read from the wrong end": (lambda: RlcUnpacker(replace(TINY, order="lsb")), "a step only where it can be"),
}


def designs() -> list[RlcParameters]:
    """The smallest of the catalogue, and as small ones with one lane, without marker, with skid, and with levels of several bits."""
    return [
        *(p for p in CATALOG.values() if isinstance(p, RlcParameters) and p.name == "rlc_tiny"),
        replace(TINY, name="rlc_one_lane", lanes=1, order="lsb"),
        replace(TINY, name="rlc_unmarked_skid", marker=False, skid=True),
        replace(TINY, name="rlc_wide", lanes=4, run_bits=2, level_bits=2, pairs_per_word=3, word_bits=16, count_bits=4),
    ]


def _truth(p: Any, **options: bool) -> RlcTruth:
    return RlcTruth(AxiDecoder(p), p, **options)


def claims() -> list[Claim]:
    """The RLC unpacker's claims."""
    made = [claim for p in designs() for claim in proof_claims(partial(_truth, p), p, covered_in=20)]
    return made + broken_claims(RlcTruth, TINY, WRONG, depth=16)
