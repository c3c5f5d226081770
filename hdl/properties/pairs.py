"""Decoders of (run, level) pairs behind their AXI4-Stream ports: what the proofs of RLC and relative index share.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`PairModel` is the definition.
"""

from abc import abstractmethod
from typing import Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value, signed

from golden.params.base import Error
from golden.params.pairs import PairParameters
from hdl.properties.model import Model, Phase
from hdl.properties.pair_invariants import PairInvariants
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth


class PairModel(Model):
    """Pairs by their definition: the oldest word is read pair after pair, and its elements follow those that earlier words left over.

    The phase is PAD where words that are done with gave all elements of the matrix and the code went on: the last beat is still to be made.
    A format says how a word is read: :meth:`pairs`, :meth:`there`, :meth:`good`, :meth:`bad`, :meth:`closed`; ``last`` ends the code.

    Args:
        held: Beats of each encoded stream that the decoder may have taken before it is done with the first.
        hints: Hints of the format, beside those below.

    Members, beside those of every model:
        give: ``In``; a beat is made of the elements left over, those of the oldest word, and zeros where the code ends.
        leave: ``In``; the oldest word is done with; what it has not given is left over.

    Attributes:
        words: The words not yet done with, oldest first.
        have, over: How many elements are left over, and these.
        used: Elements of the oldest word that beats have taken, and zeros after it.
        can_give: A beat can be made.
    """

    parameters: PairParameters
    wrong: int  # the error that a bad word is
    words: Queue

    def __init__(self, parameters: PairParameters, *, held: int, hints: dict[str, int] | None = None) -> None:
        p = parameters
        super().__init__(p, shapes=2, held=held, room=2 + 2 * p.skid, hints={"give": 1, "leave": 1} | (hints or {}))
        most = p.pairs_per_word << p.run_bits  # elements of a word
        wide = signed(max(p.count_bits, (most + p.lanes).bit_length()) + 3)
        self.have, self.used = Signal(p.lane_bits), Signal(wide)
        self.over = Array(Signal(p.level_bits, name=f"over_{lane}") for lane in range(p.lanes))
        self.can_give, self.missing, self.rest = Signal(), Signal(wide), Signal(wide)

    @abstractmethod
    def pairs(self, word: Any) -> list[tuple[Value, Value]]:
        """The (run, level) pairs of a word, those that are not there too."""

    @abstractmethod
    def there(self, word: Any) -> list[Value]:
        """Which pairs of a good word there are; they are missing only at its end."""

    @abstractmethod
    def good(self, word: Any) -> Value:
        """Whether a word gives elements, were it only that it has none: it has data, and no error."""

    @abstractmethod
    def bad(self, word: Any) -> Value:
        """Whether a word is an error whatever the matrix is."""

    @abstractmethod
    def closed(self, word: Any) -> Value:
        """Whether all elements after the word, the last of its code, are zeros."""

    def take(self, m: Module) -> Value:
        """Make words of the beats taken; 1 where a hint asks for one that cannot be made. None is asked for where each beat is a word."""
        return Const(0)

    def decode(self, m: Module) -> None:
        queue, word = self.words, self.words.entry0
        lanes, there = self.parameters.lanes, (self.shapes.level != 0) & (queue.level != 0)
        complete, code = self._judge(m, word)
        terminal, ended, wrong = Signal(), Signal(), Signal()
        m.d.comb += [self.unasked.eq(wrong | self.take(m)), terminal.eq(word.last | self.bad(word)), ended.eq(self.give & self.complete)]
        elements = self._elements(m, word)
        m.d.comb += self.missing.eq(self.left - self.have + self.used)
        remains = Signal.like(self.rest)  # elements that are left over if the word leaves now
        m.d.comb += remains.eq(self.rest - Mux(self.give, lanes, 0))
        with m.Switch(self.phase):
            with m.Case(Phase.READ):
                m.d.comb += [self.can_give.eq(there & ((self.rest >= lanes) | terminal)), self.error.eq(code)]
                bad_leave = ~there | (~ended & (terminal | (remains >= lanes)))
                m.d.comb += wrong.eq((self.give & ~self.can_give) | (self.leave & bad_leave) | (ended & ~self.leave))
                with m.If(self.leave & ~ended & complete & self.good(word)):
                    m.d.sync += self.phase.eq(Phase.PAD)
            with m.Case(Phase.PAD):
                m.d.comb += [self.can_give.eq(there), self.error.eq(Error.LONG)]
                m.d.comb += wrong.eq((self.give != self.leave) | (self.give & ~there))
            with m.Case(Phase.DROP):
                m.d.comb += wrong.eq(self.give | (self.leave & ~there))
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
        there = self.there(word)
        for number, (run, level) in enumerate(self.pairs(word)):
            inside, after = Signal(name=f"inside_{number}"), Signal.like(self.missing, name=f"found_{number}")
            m.d.comb += [inside.eq(found + run + 1 <= self.missing), after.eq(Mux(inside, found + run + 1, self.missing))]
            # Where a word says which of its pairs there are, none may stand past the count; else unused ones are (0, 0).
            unused = Const(0) if self.parameters.some_missing else (found == self.missing) & (run == 0) & (level == 0)
            fits = fits & (~there[number] | inside | unused)
            found = Mux(there[number], after, found)
        code = Signal(2)
        incomplete = Mux(self.closed(word), Error.NONE, Error.SHORT)
        with m.If(self.bad(word)):
            m.d.comb += code.eq(self.wrong)
        with m.Elif(~self.good(word)):
            m.d.comb += code.eq(Mux(self.missing == 0, Error.NONE, incomplete))
        with m.Elif(found == self.missing):
            m.d.comb += code.eq(Mux(fits & word.last & ((self.missing != 0) | ~there[0]), Error.NONE, Error.LONG))
        with m.Else():
            m.d.comb += code.eq(incomplete)
        return (found == self.missing) & ~self.bad(word), code

    def _elements(self, m: Module, word: Any) -> list[Value]:
        """What is left over, what the word still has, then zeros: the elements of this beat and of what can be left over after it."""
        p = self.parameters
        good = self.good(word) & (self.phase == Phase.READ)
        end: Value = Const(0)
        found = []  # of each pair whether it counts, the place of its level in the word, and this
        for there, (run, level) in zip(self.there(word), self.pairs(word), strict=True):
            found.append((good & there, end + run, level))
            end = Mux(there, end + run + 1, end)
        m.d.comb += self.rest.eq(self.have + Mux(good, end, 0) - self.used)
        made = []
        for lane in range(2 * p.lanes):
            chosen, place = Signal(p.level_bits, name=f"made_{lane}"), Signal.like(self.rest, name=f"place_{lane}")
            m.d.comb += place.eq(lane - self.have + self.used)
            for counts, at, level in found:
                with m.If(counts & (at == place)):
                    m.d.comb += chosen.eq(level)
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


class PairTruth(Truth):
    """A decoder of pairs gives what its :class:`PairModel` owes.

    Reads ``decoder.advance``, ``decoder.give``, ``decoder.leave`` and ``decoder.word_valid`` to tell the model of the steps; the
    invariants read more.
    """

    model: PairModel
    parameters: PairParameters

    def watch(self, m: Module, internals: Internals) -> None:
        advance, give, leave, full = (internals[f"decoder.{name}"] for name in ("advance", "give", "leave", "word_valid"))
        m.d.comb += [self.model.give.eq(advance & give), self.model.leave.eq(advance & leave & full)]

    def able(self) -> Value:
        return self.model.can_give

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        PairInvariants(m, self.model, internals).hold()
