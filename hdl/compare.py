"""Comparisons of numbers, in the form of which synthesis makes the fewest look-up tables: groups of bits, joined by a carry chain."""

from amaranth.hdl import Cat, Const, Module, Signal, Value

GROUP = 3  # bits that are compared at once: with those of the other number as many as a LUT has inputs


def _groups(a: Value, b: Value) -> list[tuple[Value, Value]]:
    return [(a[start : start + GROUP], b[start : start + GROUP]) for start in range(0, len(a), GROUP)]


def equal(m: Module, name: str, a: Value, b: Value, *, only: Value | None = None, instead: tuple[Value, Value] | None = None) -> Value:
    """Whether *a* and *b*, of the same width, are the same number: groups of three bits, joined by a carry chain.

    With ``==`` the tools build a tree of LUTs that takes twice as many. Of the sum, named after *name*, only the carry is used. What a
    flip-flop needs besides is made in the chain, so that its end can be the flip-flop's input.

    Args:
        only: Nor is it true where this is 0.
        instead: A condition, and what to give where that holds.
    """
    same = Cat(x == y for x, y in _groups(a, b))
    start = Const(1, 1) if only is None else only
    first, second = Cat(start, same), start
    if instead is not None:
        condition, value = instead
        first, second = Cat(first, value), Cat(second, Const(0, len(first) - 1), condition == value)
    total = Signal(len(first) + 1, name=f"{name}_unused_sum")
    m.d.comb += total.eq(first + second)
    return total[-1]


def compare(m: Module, name: str, a: Value, b: Value) -> tuple[Value, Value]:
    """Whether *a* is above *b*, and whether it is at least *b*, of the same width: two chains of the same groups as in :func:`equal`."""
    above = Cat(x > y for x, y in _groups(a, b))
    least = Cat(x >= y for x, y in _groups(a, b))
    carries: list[Value] = []
    for start in (0, 1):  # a chain gives on the carry that it starts with where all groups are the same
        total = Signal(len(above) + 2, name=f"{name}_unused_sum_{start}")
        m.d.comb += total.eq(Cat(Const(start, 1), above) + Cat(Const(start, 1), least))
        carries.append(total[-1])
    return carries[0], carries[1]


def below(m: Module, name: str, a: Value, b: Value) -> Value:
    """Whether *a* is below *b*, of the same width, by the borrow of a difference, called *name*; else tools make a slower tree of LUTs."""
    difference = Signal(len(a) + 1, name=f"{name}_unused_difference")
    m.d.comb += difference.eq(a - b)
    return difference[-1]
