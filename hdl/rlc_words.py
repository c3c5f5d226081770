"""The words of the RLC unpacker: cut into pairs, and for each level the place where it goes, one stage after the other."""

from dataclasses import dataclass, replace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.params.rlc import GROUP, RlcParameters


@dataclass(frozen=True)
class Word:
    """A word on its way through the stages.

    Attributes:
        valid: There is a word, or a beat without data that ends the code.
        good: There is a word and its pairs count; not where its marker is wrong.
        bad: There is a word and its marker is wrong.
        last: There is a word or a beat without data, and it is the last of the code.
        levels: The level of each pair.
        rest_zero: For each pair but the last, whether all pairs after it are (0, 0).
        places: Of each level the number of elements before it, counted from where the stage says; in the last stage also of the word's end.
    """

    valid: Value
    good: Value
    bad: Value
    last: Value
    levels: list[Value]
    rest_zero: list[Value]
    places: list[Value]

    def registers(self, stage: str) -> "Word":
        """Registers for such a word, whose names begin with *stage*; flags are 0 after reset."""
        flags = [Signal(name=f"{stage}_{flag}") for flag in ("valid", "good", "bad", "last")]
        lists = {"level": self.levels, "rest_zero": self.rest_zero, "place": self.places}
        return Word(
            *flags, *([Signal(len(v), name=f"{stage}_{name}_{i}", reset_less=True) for i, v in enumerate(vs)] for name, vs in lists.items())
        )

    def follow(self, word: "Word") -> list[Any]:
        """Statements by which these registers take over *word*; without its places where these have none."""
        flags = [self.valid.eq(word.valid), self.good.eq(word.good), self.bad.eq(word.bad), self.last.eq(word.last)]
        lists = [(self.levels, word.levels), (self.rest_zero, word.rest_zero), (self.places, word.places[: len(self.places)])]
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


def read(m: Module, code: Any, parameters: RlcParameters) -> Word:
    """The word that *code* offers, its places counted within each group of :data:`GROUP` pairs."""
    p = parameters
    bits, data = code.payload.data[0], code.payload.keep & code.valid
    runs = [bits[at : at + p.run_bits] for at in p.run_positions]
    levels = [bits[at : at + p.level_bits] for at in p.level_positions]
    zero = [(run == 0) & (level == 0) for run, level in zip(runs, levels, strict=True)]
    right = Const(1) if p.marker_position is None else bits[p.marker_position] == code.payload.last
    if p.spare_positions:
        unused_spare = Signal(len(p.spare_positions), attrs={"keep": 1})  # for the reader and for linters; synthesis drops it
        m.d.comb += unused_spare.eq(Cat(bits[at] for at in p.spare_positions))
    return Word(
        valid=code.valid & (code.payload.keep | code.payload.last),
        good=data & right,
        bad=data & ~right,
        last=code.valid & code.payload.last,
        levels=levels,
        rest_zero=[Cat(zero[i + 1 :]).all() for i in range(p.pairs_per_word - 1)],
        places=[place for start in range(0, len(runs), GROUP) for place in running_places(runs[start : start + GROUP])],
    )


def join_groups(word: Word, parameters: RlcParameters) -> Word:
    """*word* with its places counted from its start."""
    groups = [word.places[start : start + GROUP] for start in range(0, len(word.places), GROUP)]
    ends = running_places([group[-1] for group in groups])
    places = list(groups[0])
    for before, group, end in zip(ends, groups[1:], ends[1:], strict=False):
        places += [*(sum_and_one(before, place) for place in group[:-1]), end]
    return replace(word, places=[place[: ((i + 1 << parameters.run_bits) - 1).bit_length()] for i, place in enumerate(places)])


def place(m: Module, word: Word, step: Value, parameters: RlcParameters) -> Word:
    """*word* with its places, and its end, counted from the start of the beat in which it starts."""
    p = parameters
    fill = Signal(p.lane_bits)  # elements of that beat that earlier words gave
    # As wide as the largest place is: of level i in the word, or the end.
    largest = [(i + 1 << p.run_bits) - 1 + p.lanes - 1 for i in range(p.pairs_per_word)]
    places = [(fill + at)[: most.bit_length()] for at, most in zip(word.places, largest, strict=True)]
    end = sum_and_one(fill, word.places[-1])[: (largest[-1] + 1).bit_length()]
    with m.If(step & word.valid):
        m.d.sync += fill.eq(Mux(word.last, 0, end[: p.lane_bits]))
    return replace(word, places=[*places, end])


def placed_words(m: Module, code: Any, step: Value, parameters: RlcParameters) -> Word:
    """The words of *code* in registers, placed by :func:`place`; they move on in the cycles in which *step* is 1."""
    word = read(m, code, parameters).registered(m, step, "summed")
    if parameters.pairs_per_word > GROUP:
        word = join_groups(word, parameters).registered(m, step, "joined")
    return place(m, word, step, parameters).registered(m, step, "placed")
