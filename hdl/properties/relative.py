"""The relative-index decoder behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`RelativeModel` is the definition, most of it in
:mod:`hdl.properties.pairs`. The lanes of a beat of values are kept from lane 0 upward: that is assumed of the input.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from amaranth.hdl import Assume, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.catalog import CATALOG
from golden.params.pairs import GROUP
from golden.params.relative import RelativeError, RelativeParameters
from hdl.properties.broken import Wrong, broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.model import Phase
from hdl.properties.pair_invariants import PairInvariants
from hdl.properties.pairs import PairModel, PairTruth
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals
from hdl.relative import RelativeDecoder
from hdl.rlc_core import Control, Hand
from hdl.rlc_words import Word


class RelativeModel(PairModel):
    """Relative index by its definition: the oldest beats of gaps and of values are a word.

    Members, beside those of every model of pairs:
        join: ``In``; a word is made of the oldest beats; where one stream has ended before the other, of the other's alone.

    Attributes:
        ended: The streams that have ended, gap and value, while the other one goes on.
        can_join: There is what a word is made of.
    """

    parameters: RelativeParameters
    wrong = RelativeError.SHORT

    def __init__(self, parameters: RelativeParameters) -> None:
        p = parameters
        super().__init__(p, held=1, hints={"join": 1})
        # One stream ends with it and the other goes on: it is open, and words up to the other's last are its tail.
        flags = {"good": 1, "bad": 1, "last": 1, "open": 1, "tail": 1}
        word = {"gaps": p.inputs[0].fields[0].bits, "values": data.ArrayLayout(p.value_bits, p.pairs_per_word), "keep": p.pairs_per_word}
        self.words = Queue(data.StructLayout(word | flags), 2 + (p.pairs_per_word > GROUP))
        self.ended, self.can_join = Signal(2), Signal()

    def pairs(self, word: Any) -> list[tuple[Value, Value]]:
        p = self.parameters
        return [(word.gaps[at : at + p.gap_bits], value) for at, value in zip(p.gap_positions, word.values, strict=True)]

    def there(self, word: Any) -> list[Value]:
        return list(word.keep)

    def good(self, word: Any) -> Value:
        good: Value = word.good
        return good

    def bad(self, word: Any) -> Value:
        bad: Value = word.bad
        return bad

    def closed(self, word: Any) -> Value:
        """Always: zeros after the last pair have none."""
        return Const(1)

    def take(self, m: Module) -> Value:
        """Put two beats together. It is an error if only one of them ends its stream or has data, or the values of one in the midst are
        not all there; after that what is left of the longer stream is of no use.
        """
        m.submodules.words = self.words
        (gap, value), ended = (queue.entry0 for queue in self.streams.values()), self.ended
        word, lasts, lacking = self.words.new, Signal(2), Signal()
        m.d.comb += [
            self.can_join.eq(Cat(ended[i] | (queue.level != 0) for i, queue in enumerate(self.streams.values())).all()),
            self.words.push.eq(self.join), lasts.eq(ended | Cat(gap.last, value.last)),
            lacking.eq((gap.last != value.last) | (gap.keep != value.keep[0]) | ~gap.last & ~value.keep.all()),
            word.gaps.eq(gap.data[0]), word.values.eq(value.data), word.keep.eq(value.keep), word.tail.eq(ended.any()),
            word.last.eq(lasts.all()), word.open.eq(lasts.any() & ~lasts.all()),
            word.bad.eq(~word.tail & lacking), word.good.eq(~word.tail & ~lacking),
            *(queue.pop.eq(self.join & ~ended[i]) for i, queue in enumerate(self.streams.values())),
        ]
        with m.If(self.join):
            m.d.sync += ended.eq(Mux(word.last, 0, lasts))
        return self.join & (~self.can_join | self.words.overflows)


class _Gaps(NamedTuple):
    """As much of a word as its pairs are read from."""

    gaps: Value
    values: Any


class RelativeInvariants(PairInvariants):
    """Beside what all decoders of pairs have, the two streams' held beats, and what follows where one has ended before the other."""

    p: RelativeParameters

    def hold(self) -> None:
        super().hold()
        self._ends()
        for i, name in enumerate(("gap", "value")):
            self._must(self._get(f"{name}_over") == self.model.ended[i], f"{name} is over")
            self._held(name, self.model.streams[name])
        self._contents(*(self.model.streams[name] for name in ("gap", "value")))

    def _ends(self) -> None:
        """Words up to the end of both streams follow the one with which the first of them ends, and no other."""
        words, ended = self.model.words, self.model.ended
        before: list[Value] = [self.model.phase == Phase.DROP, *(entry.open for entry in words.entries)]
        self._must(~ended.all(), "one stream at most has ended")
        for i, entry in enumerate(words.entries):
            with self.m.If(words.level > i):
                self._must(~entry.tail | before[i], f"what follows an end, {i} before it")
                self._must(entry.tail | ~before[i] | (i == 0), f"what follows no end, {i} before it")
                self._must(~entry.open | (entry.bad | entry.tail) & ~entry.last, f"an error is open, {i} before it")
                self._must(~entry.tail | entry.open | entry.last, f"a tail goes on to its last, {i} before it")
                self._must(~entry.good | entry.last | entry.keep.all(), f"all pairs are there, {i} before them")
                self._must(entry.tail | _packed(entry.keep), f"the lanes that are kept, {i} before them")
        for i, end in enumerate(before):
            with self.m.If(words.level == i):
                self._must((ended.any() == end) if i else ~ended.any() | end, f"whether a stream has ended, {i} before it")

    def _held(self, name: str, queue: Queue) -> None:
        """The beat of a stream that waits for the other's."""
        beat = queue.entries[0]
        self._must(self._get(f"{name}_valid") == queue.level, f"a beat of {name} is held")
        with self.m.If(queue.level != 0):
            self._must(self._get(f"{name}_keep") == beat.keep, f"what is kept of {name}")
            self._must(self._get(f"{name}_last") == beat.last, f"the last of {name}")
            self._must(beat.keep[0] | beat.last, f"there is something in a beat of {name}")
            self._must(_packed(beat.keep), f"the lanes of {name} that are kept")

    def _contents(self, gap: Queue, value: Queue) -> None:
        """What the held beats hold: values, and gaps added up within groups."""
        with self.m.If(value.level != 0):
            for i, one in enumerate(value.entries[0].data):
                self._must(self._get(f"held_value_{i}") == one, f"value {i}")
        word = _Gaps(gap.entries[0].data[0], value.entries[0].data)
        with self.m.If(gap.level != 0):
            for i, place in enumerate(self._places(word, group=GROUP)):
                self._must(self._get(f"summed_place_{i}") == place, f"place {i} of the gaps")

    def _known(self, word: Any) -> Value:
        return ~word.tail

    def _follows(self, ahead: int) -> Value:
        words = self.model.words
        closed = ~self.model.ended.any()
        return closed if ahead == words.depth else Mux(words.level == ahead, closed, ~words.entries[ahead].tail)

    def _stages(self) -> list[str]:
        return super()._stages()[:-1]


def _packed(keep: Value) -> Value:
    """Whether the lanes that are kept are the lowest."""
    return Cat(~above | below for below, above in pairwise(keep)).all()


class RelativeTruth(PairTruth):
    """The relative-index decoder gives what :class:`RelativeModel` owes; reads also ``decoder.both``."""

    parameters: RelativeParameters
    model: RelativeModel
    definition = RelativeModel

    def __init__(self, design: Any, parameters: RelativeParameters, **options: bool) -> None:
        super().__init__(design, parameters, **options)
        self.latency -= 1  # it is counted from the word, which is made a cycle after the later of the two beats is taken

    def watch(self, m: Module, internals: Internals) -> None:
        super().watch(m, internals)
        m.d.comb += self.model.join.eq(internals["decoder.advance"] & internals["decoder.leave"] & internals["decoder.both"])
        m.d.comb += Assume(_packed(self.model.value_beat.keep), "lanes are kept from lane 0 upward")

    def wants(self) -> dict[str, Value]:
        model, at_work = self.model, self.model.shapes.level != 0
        more = at_work & (model.words.level == 0)
        wanted = {name: more & ~model.ended[i] & (queue.level == 0) for i, (name, queue) in enumerate(model.streams.items())}
        return {"shape": ~at_work} | wanted

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        RelativeInvariants(m, self.model, internals).hold()


class Deaf(RelativeDecoder):
    """A decoder to which it is no error that one stream ends before the other."""

    def _words(self, m: Module, step: Value) -> Word:
        word = super()._words(m, step)
        return replace(word, good=word.good | word.bad, bad=Const(0))


class Generous(RelativeDecoder):
    """A decoder that takes a matrix to be complete in whatever lane its last pair ends."""

    def _exact(self, c: Control, hand: Hand) -> Value:
        return Const(1)


TINY = RelativeParameters(name="relative_broken", gap_bits=1, value_bits=1, pairs_per_word=2, lanes=2, count_bits=3)
WRONG: Wrong = {
    "the ends of the two streams are not compared": (Deaf, "a step only where it can be"),
    "pairs past the count are not looked at": (Generous, "first error's code"),
    "gaps are wider than said": (lambda p: RelativeDecoder(replace(p, gap_bits=2)), "a step only where it can be"),
}


def designs() -> list[RelativeParameters]:
    """Two of the catalogue, and small ones with one lane, with more than four pairs and skid, and in the other order."""
    return [
        *(p for p in CATALOG.values() if isinstance(p, RelativeParameters) and p.name in ("relative_tiny", "relative_g8_n1")),
        replace(TINY, name="relative_one_lane", pairs_per_word=1, lanes=1, value_bits=2),
        replace(TINY, name="relative_five_skid", pairs_per_word=5, skid=True),
        replace(TINY, name="relative_high", order="high", gap_bits=4),
    ]


def claims() -> list[Claim]:
    """The relative-index decoder's claims."""
    made = proof_claims(RelativeTruth, designs(), covered_in=20)
    return made + broken_claims(RelativeTruth, TINY, WRONG, depth=16)
