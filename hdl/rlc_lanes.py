"""The lanes of a decoder of (run, level) pairs: levels in, beats out, in which the zeros are what no level touched."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.params.pairs import PairParameters


def choose(number: Value, values: list[Value]) -> Value:
    """The value of that *number*, by a tree of two-way choices: four values and a number of two bits are one 6-input LUT a bit."""
    if len(values) == 1:
        return values[0]
    half = 1 << len(number) - 1
    below = choose(number[:-1], values[:half])
    return Mux(number[-1], choose(number[:-1], values[half:]), below) if len(values) > half else below


def encode(flags: list[Value], first: int) -> Value:
    """The number of the flag that is set, counted from *first*; 0 where none is. At most one may be set."""
    bits = (first + len(flags) - 1).bit_length()
    return Cat(reduce(or_, [flag for i, flag in enumerate(flags, first) if i >> bit & 1], Const(0)) for bit in range(bits))


class RlcLanes(wiring.Component):
    """Puts the levels of a word into the lanes of the beat that goes out, and of the one after it.

    Takes one order and gives one beat a clock cycle; latency 2: the first stage finds the level for each lane, the second moves data.
    A lane of the output gets a level of this word, or what earlier words left for it (*rest*), which is 0 where they left nothing.

    Members:
        advance: Both stages move on; everything below is taken only then.
        keep: One bit a lane: it is one of the matrix's elements; else it is 0.
        level, lane: Of each pair of the word.
        here, next: For each pair, whether its level is in the beat at hand, or in the one after it. If the beat at hand does not go out,
            *next* levels are kept for the beat that does.
        give: The beat at hand goes out: what is left over for later beats are the *next* levels alone.
        clear: Nothing is left over: a matrix ends.
        data: One level a lane, from registers.
    """

    def __init__(self, parameters: PairParameters) -> None:
        self.parameters = p = parameters
        pairs = p.pairs_per_word
        members: dict[str, Any] = {"advance": In(1), "keep": In(p.lanes), "data": Out(p.level_bits).array(p.lanes)}
        members |= {"level": In(p.level_bits).array(pairs), "here": In(1).array(pairs)}
        if p.lanes > 1:  # else a beat is one element: none is ever left over
            members |= {"lane": In(p.lane_bits).array(pairs), "next": In(1).array(pairs), "clear": In(1), "give": In(1)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.parameters
        levels = [Signal(p.level_bits, name=f"chosen_level_{i}", reset_less=True) for i in range(p.pairs_per_word)]
        with m.If(self.advance):
            m.d.sync += [mine.eq(level) for mine, level in zip(levels, self.level, strict=True)]
        if p.lanes == 1:
            self._output(m, 0, levels, Const(0, p.level_bits))
            return m
        clear, give = Signal(name="chosen_clear"), Signal(name="chosen_give")
        with m.If(self.advance):
            m.d.sync += [clear.eq(self.clear), give.eq(self.give)]
        for lane in range(p.lanes):
            self._output(m, lane, levels, self._rest(m, lane, levels, clear, give))
        return m

    def _hits(self, flags: Any, lane: int) -> list[Value]:
        """For each pair whether its level is in this lane, of those whose flag is set."""
        if self.parameters.lanes == 1:
            return list(flags)
        return [flag & (own == lane) for flag, own in zip(flags, self.lane, strict=True)]

    def _rest(self, m: Module, lane: int, levels: list[Signal], clear: Signal, give: Signal) -> Value:
        """What earlier words left for the lane."""
        hits = self._hits(self.next, lane)
        number = encode(hits, 0)
        load = Signal(name=f"load_{lane}")
        select = Signal(len(number), name=f"load_select_{lane}", reset_less=True)
        rest = Signal(self.parameters.level_bits, name=f"rest_{lane}", reset_less=True)
        with m.If(self.advance):
            m.d.sync += [load.eq(Cat(hits).any()), select.eq(number)]
        # A level that goes out in the next beat is put aside without harm: it is chosen from the word, and then cleared.
        with m.If(self.advance & (clear | give & ~load)):
            m.d.sync += rest.eq(0)
        with m.Elif(self.advance & load):
            m.d.sync += rest.eq(choose(select, levels))
        return rest

    def _output(self, m: Module, lane: int, levels: list[Signal], rest: Value) -> None:
        """The lane of the beat that goes out."""
        number = encode(self._hits(self.here, lane), 1)
        keep = Signal(name=f"chosen_keep_{lane}")
        select = Signal(len(number), name=f"select_{lane}", reset_less=True)
        data = Signal(self.parameters.level_bits, name=f"data_{lane}", reset_less=True)
        m.d.comb += self.data[lane].eq(data)
        with m.If(self.advance):
            m.d.sync += [keep.eq(self.keep[lane]), select.eq(number)]
        with m.If(self.advance & ~keep):
            m.d.sync += data.eq(0)
        with m.Elif(self.advance):
            m.d.sync += data.eq(choose(select, [rest, *levels]))
