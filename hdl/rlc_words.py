"""Words of (run, level) pairs, and for each level the place where it goes, one stage after the other."""

from dataclasses import dataclass, replace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.params.pairs import GROUP, PairParameters


@dataclass(frozen=True)
class Word:
    """A word on its way through the stages.

    Attributes:
        valid: There is a word, or a beat without data that ends the code.
        good: There is a word and its pairs count, none of them if it is bad; from :func:`place` on one bit for each pair, where some may
            be missing.
        bad: There is a word and it is an error.
        last: There is a word or a beat without data, and it is the last of the code.
        levels: The level of each pair.
        rest_zero: For each pair but the last, whether all pairs after it are (0, 0); none where that makes no difference.
        there: For each pair, whether there is one, up to :func:`place`. Pairs are missing only at the end, and none if the list is empty.
        closed: One flag, whether all elements after the word are zeros, where that is not so of every last word.
        places: Of each level the number of elements before it, counted from where the stage says; in the last stage also of the word's end.
    """

    valid: Value
    good: Value
    bad: Value
    last: Value
    levels: list[Value]
    rest_zero: list[Value]
    there: list[Value]
    closed: list[Value]
    places: list[Value]

    def has(self, pair: int) -> Value:
        """Whether the pair of that number counts."""
        return self.good[pair] if len(self.good) > 1 else self.good

    def registers(self, stage: str) -> "Word":
        """Registers for such a word, whose names begin with *stage*; flags are 0 after reset."""
        widths = {"valid": 1, "good": len(self.good), "bad": 1, "last": 1}
        flags = [Signal(width, name=f"{stage}_{flag}") for flag, width in widths.items()]
        lists = {"level": self.levels, "rest_zero": self.rest_zero, "there": self.there, "closed": self.closed, "place": self.places}
        return Word(
            *flags, *([Signal(len(v), name=f"{stage}_{name}_{i}", reset_less=True) for i, v in enumerate(vs)] for name, vs in lists.items())
        )

    def follow(self, word: "Word") -> list[Any]:
        """Statements by which these registers take over *word*; without its places where these have none."""
        flags = [self.valid.eq(word.valid), self.good.eq(word.good), self.bad.eq(word.bad), self.last.eq(word.last)]
        lists = [(self.levels, word.levels), (self.rest_zero, word.rest_zero), (self.there, word.there)]
        lists += [(self.closed, word.closed), (self.places, word.places[: len(self.places)])]
        return flags + [mine.eq(other) for ours, others in lists for mine, other in zip(ours, others, strict=True)]

    def registered(self, m: Module, enable: Value, stage: str) -> "Word":
        """The same word one clock cycle of *enable* later, in :meth:`registers`."""
        registers = self.registers(stage)
        with m.If(enable):
            m.d.sync += registers.follow(self)
        return registers


def sum_and_one(a: Value, b: Value) -> Value:
    """``a + b + 1``, one bit wider than the wider of the two; as a difference, so that the 1 is the carry into one adder."""
    bits = max(len(a), len(b)) + 1
    return (a - Cat(~b, Const(-1, bits - len(b))))[:bits]


def running_places(runs: list[Value]) -> list[Value]:
    """For each pair how many elements stand before its level, by a tree of logarithmic depth; of groups of pairs as of single ones."""
    if len(runs) == 1:
        return runs
    half = 1 << (len(runs) - 1).bit_length() - 1
    low, high = running_places(runs[:half]), running_places(runs[half:])
    return low + [sum_and_one(low[-1], place) for place in high]


def places_in_groups(runs: list[Value]) -> list[Value]:
    """The places of levels, counted within each group of :data:`GROUP` pairs: what one clock cycle is enough for."""
    return [place for start in range(0, len(runs), GROUP) for place in running_places(runs[start : start + GROUP])]


def last_of(there: list[Value], places: list[Value]) -> Value:
    """The place of the last pair that is *there*, where pairs are missing only at the end; that of the first one if there is none."""
    if len(places) == 1:
        return places[0]
    half = 1 << (len(places) - 1).bit_length() - 1
    return Mux(there[half], last_of(there[half:], places[half:]), last_of(there[:half], places[:half]))


def join_groups(word: Word, parameters: PairParameters) -> Word:
    """*word* with its places counted from its start."""
    groups = [word.places[start : start + GROUP] for start in range(0, len(word.places), GROUP)]
    ends = running_places([group[-1] for group in groups])
    places = list(groups[0])
    for before, group, end in zip(ends, groups[1:], ends[1:], strict=False):
        places += [*(sum_and_one(before, place) for place in group[:-1]), end]
    return replace(word, places=[place[: ((i + 1 << parameters.run_bits) - 1).bit_length()] for i, place in enumerate(places)])


def place(m: Module, word: Word, step: Value, parameters: PairParameters) -> Word:
    """*word* with its places, and its end, counted from the start of the beat in which it starts.

    The end of a word in which pairs are missing is that of the last one there is. It must be the last word, or an error.
    """
    p = parameters
    fill = Signal(p.lane_bits)  # elements of that beat that earlier words gave
    # As wide as the largest place is: of level i in the word, or the end.
    largest = [(i + 1 << p.run_bits) - 1 + p.lanes - 1 for i in range(p.pairs_per_word)]
    places = [(fill + at)[: most.bit_length()] for at, most in zip(word.places, largest, strict=True)]
    end = sum_and_one(fill, word.places[-1])[: (largest[-1] + 1).bit_length()]
    with m.If(step & word.valid):
        m.d.sync += fill.eq(Mux(word.last, 0, end[: p.lane_bits]))
    if word.there:
        end = sum_and_one(fill, last_of(word.there, word.places))[: len(end)]
        word = replace(word, good=Cat(word.good & there for there in word.there), there=[])
    return replace(word, places=[*places, end])


def placed(m: Module, word: Word, step: Value, parameters: PairParameters) -> Word:
    """*word*, which has its places within groups, in registers that have them from :func:`place`; they move on when *step* is 1."""
    if parameters.pairs_per_word > GROUP:
        word = join_groups(word, parameters).registered(m, step, "joined")
    return place(m, word, step, parameters).registered(m, step, "placed")
