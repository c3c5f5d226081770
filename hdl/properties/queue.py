"""A queue as specifications use it: what a design owes, oldest first."""

from itertools import pairwise
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Queue(wiring.Component):
    """Up to *depth* entries; a push shows in the next cycle, and one beside a pop is allowed when full. Whoever uses it checks the bounds.

    Members:
        push, new: ``In``; *new* goes in behind the others.
        pop: ``In``; the oldest leaves.
        level: ``Out``; how many there are.
        entry0, entry1, ...: ``Out``; the oldest and those behind it, below *level*.
    """

    def __init__(self, shape: Any, depth: int) -> None:
        self.depth = depth
        entries = {f"entry{i}": Out(shape) for i in range(depth)}
        super().__init__({"push": In(1), "new": In(shape), "pop": In(1), "level": Out(range(depth + 1))} | entries)

    @property
    def entries(self) -> list[Any]:
        """The entries, oldest first."""
        return [getattr(self, f"entry{i}") for i in range(self.depth)]

    @property
    def overflows(self) -> Any:
        """1 in a cycle that pushes what there is no room for."""
        return self.push & ~self.pop & (self.level == self.depth)

    @property
    def underflows(self) -> Any:
        """1 in a cycle that pops what is not there."""
        return self.pop & (self.level == 0)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entries = self.entries
        m.d.sync += self.level.eq(self.level + self.push - self.pop)
        with m.If(self.pop):
            m.d.sync += [older.eq(newer) for older, newer in pairwise(entries)]
        for i, entry in enumerate(entries):
            with m.If(self.push & (self.level - self.pop == i)):
                m.d.sync += entry.eq(self.new)
        return m
