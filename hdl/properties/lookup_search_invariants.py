"""How the steps of the look-up unit's search stand to the table that each item on its way to them met."""

from typing import Any

from amaranth.hdl import Array, Assert, Cat, Module, Mux, Signal, Value

from golden.params.lookup import LookUpError, LookUpParameters
from hdl.properties.lookup_model import LookUpModel
from hdl.properties.spec import Internals


def key_of(survivor: Any) -> Value:
    """What survivors are sorted by."""
    return Cat(survivor.column, survivor.row)


class SearchInvariants:
    """Beside each item goes the table as it was behind it, and the answer to it, if it is a search.

    Args:
        small: Words of the largest memory that is taken for one made of logic.

    Attributes:
        stages: Of each register of items, the first one first: its name, and how many bits of the place are decided there.
        tables, counts, numbers, answers: What goes beside the item there: the table, how many survivors that has, how many of them are
            searched, which are all or none, and the answer.
    """

    def __init__(self, m: Module, model: LookUpModel, internals: Internals, small: int) -> None:
        self.m, self.model, self._internals, self._small = m, model, internals, small
        self.p: LookUpParameters = model.parameters
        names = [("step_0", 0)]
        for depth in range(1, self.p.survivor_bits):
            names += [(f"step_{depth}_read", depth), (f"step_{depth}", depth)]
        self.stages = names
        survivor = model.table[0].shape()
        behind = [[Signal(survivor, name=f"behind_{name}_{j}") for j in range(len(model.table))] for name, _ in names[1:]]
        self.tables = [model.table, *behind]
        self.counts = [Signal(self.p.survivor_bits, name=f"count_behind_{name}") for name, _ in names]
        self.numbers = [Signal(self.p.survivor_bits, name=f"number_behind_{name}") for name, _ in names]
        self.answers = [Signal(self.p.value_bits, name=f"answer_to_{name}") for name, _ in names]

    def get(self, name: str) -> Any:
        """The register *name* of the search."""
        return self._internals[f"decoder.search.{name}"]

    def _must(self, condition: Value, what: str) -> None:
        self.m.d.comb += Assert(condition, f"invariant: {what}")

    def follow(self) -> None:
        """Let the tables go along; to be called outside of any condition."""
        m, model = self.m, self.model
        new = model.store & model.matrix.beats.entry0.keep
        request, none = model.asked.entry0, LookUpError.NONE
        searched = request.keep & (request.error == none) & (model.first == none)
        m.d.sync += [
            self.counts[0].eq(model.stored + new), self.numbers[0].eq(Mux(searched, model.stored, 0)),
            self.answers[0].eq(model.beats.new.data[0]),
        ]
        for i in range(1, len(self.stages)):
            for each in (self.counts, self.numbers, self.answers):
                m.d.sync += each[i].eq(each[i - 1])
            m.d.sync += [mine.eq(before) for mine, before in zip(self.tables[i], self.tables[i - 1], strict=True)]

    def hold(self) -> None:
        """Assert them all."""
        for i, (name, depth) in enumerate(self.stages):
            self._order(i, name)
            self._item(i, name, depth)
        for depth in range(self.p.survivor_bits):
            self._memory(depth)

    def _order(self, i: int, name: str) -> None:
        """An item adds to the table behind the one before it, or begins another, or leaves it as it is."""
        table, count = self.tables[i], self.counts[i]
        load, search, path, rest = (self.get(f"{name}_{what}") for what in ("load", "search", "path", "rest"))
        place, value, key = Cat(rest, path), self.get(f"{name}_value"), self.get(f"{name}_key")
        self._must(~(load & search), f"what is in {name} is one or the other")
        with self.m.If(load):
            self._must(count == place + 1, f"the number of what is stored in {name}")
            self._must(Array(Cat(row.value, key_of(row)) for row in table)[place] == Cat(value, key), f"what is stored in {name}")
        if i + 1 < len(self.stages):
            kept = Mux(load, place, count)
            self._must(kept <= self.counts[i + 1], f"what was stored before {name}")
            for number, (mine, before) in enumerate(zip(table, self.tables[i + 1], strict=True)):
                self._must((number >= kept) | (Value.cast(mine) == Value.cast(before)), f"survivor {number} stays behind {name}")

    def _item(self, i: int, name: str, depth: int) -> None:
        """What a search has found so far, and what it still has to."""
        m, table, answer, bits = self.m, self.tables[i], self.answers[i], self.p.survivor_bits
        search, edge, path, rest, key, value = (self.get(f"{name}_{what}") for what in ("search", "edge", "path", "rest", "key", "value"))
        number, least, found = self.numbers[i], Signal(bits, name=f"{name}_least"), Signal.like(answer)
        below = [(number > j) & (key_of(row) <= key) for j, row in enumerate(table)]
        m.d.comb += least.eq(sum(below[1:], start=below[0]))
        for j, row in enumerate(table):
            with m.If((number > j) & (key_of(row) == key)):
                m.d.comb += found.eq(row.value)
        with m.If(search):
            self._must(number <= self.counts[i], f"as many are searched at {name} as there are")
            self._must(answer == found, f"the answer to {name}")
            self._must(rest == number[: bits - depth], f"the number to search at {name}")
            self._must(path == least[bits - depth :], f"the place so far at {name}")
            self._must(edge == (number[bits - depth :] == path), f"the edge at {name}")
            self._must(value == Mux(least[: bits - depth] == 0, answer, 0), f"the value so far at {name}")
            for j, (one, other) in enumerate(zip(table, list(table)[1:], strict=False)):
                self._must((number <= j + 1) | (key_of(one) < key_of(other)), f"survivor {j + 1} at {name} is sorted")

    def _memory(self, depth: int) -> None:
        """A word holds the last survivor of its half, if that was stored, and what a search has read is that of its place."""
        if depth == 0:
            written, words = 1, [self.get("node_0")]
        else:
            written = 2 * depth - (1 << depth > self._small)  # the stage behind that in which it is written
            words = [self.get(f"memory_{depth}[{path}]") for path in range(1 << depth)]
        half = self.p.survivor_bits - depth - 1
        last = [(path << half + 1) + (1 << half) - 1 for path in range(len(words))]
        if written < len(self.stages):
            for word, number in zip(words, last, strict=True):
                met = self._word(self.tables[written][number])
                self._must((number >= self.counts[written]) | (word == met), f"survivor {number} is in memory {depth}")
        if depth:
            self._read(depth, last)

    def _read(self, depth: int, last: list[int]) -> None:
        """What a search has read in memory *depth*."""
        i, big = 2 * depth, 1 << depth > self._small
        read = self.get(f"memory_{depth}.memory_{depth}_read__data")
        nodes = [(i - 1, read), (i, self.get(f"node_{depth}"))] if big else [(i, read)]
        for at, node in nodes:
            name = self.stages[at][0]
            for path, number in enumerate(last):
                here = self.get(f"{name}_search") & (self.get(f"{name}_path") == path) & (number < self.numbers[at])
                self._must(~here | (node == self._word(self.tables[at][number])), f"the node at {name}, on path {path}")

    @staticmethod
    def _word(survivor: Any) -> Value:
        return Cat(survivor.value, key_of(survivor))
