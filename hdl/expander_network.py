"""The network that moves packed survivors to their lanes: which slots feed which, and what steers them. Combinational functions only.

The survivor of rank r enters in slot ``r mod 2N`` of a ring of two rows of N slots. Every level splits its blocks into two or four
smaller ones, the lanes of each half or quarter, and puts a survivor of rank r into slot ``r mod C`` of the block of C slots that has its
lane. Such a block has at most C survivors, of consecutive ranks, so none is in another's way, and a slot of a block has no more than two
or four candidates in the larger one: those whose number is the same modulo C. Which of them it is follows from the rank of the block's
first survivor alone, truncated to the size of the larger block. After the last level blocks are lanes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Mux, Value

SMALL = 3  # bits that are compared at once


@dataclass(frozen=True)
class Level:
    """One level: blocks of *parent* slots are split into blocks of *child* slots, two or four times smaller."""

    parent: int
    child: int

    @property
    def rank_bits(self) -> int:
        """Bits of a rank that tell the slot of a larger block."""
        return self.parent.bit_length() - 1

    @property
    def select_bits(self) -> int:
        """Bits that number the candidates of a slot."""
        return self.rank_bits - self.child.bit_length() + 1

    def starts(self, lanes: int) -> range:
        """The first lane of each smaller block."""
        return range(0, lanes, self.child)

    def slots(self, lanes: int) -> int:
        """Slots of all smaller blocks."""
        return len(self.starts(lanes)) * self.child


def levels(slots: int) -> list[Level]:
    """The levels from a ring of ``2 * slots``, a power of two, to single lanes. They split by four, the first by two where that is left."""
    found, size = [], 2 * slots
    while size > 1:
        child = size >> (2 if size.bit_length() % 2 else 1)
        found.append(Level(size, child))
        size = child
    return found


def plus(left: Value, right: Value) -> Value:
    """``left + right``; by gates where both are small, for which tools else make a slow chain of carries."""
    bits = max(len(left), len(right))
    if bits > SMALL:
        return left + right
    carry, found = Const(0), []
    for i in range(bits):
        a, b = (side[i] if i < len(side) else Const(0) for side in (left, right))
        found.append(a ^ b ^ carry)
        carry = (a & b) | (carry & (a ^ b))
    return Cat(*found, carry)


def prefix_sums(parts: Sequence[Sequence[Value]]) -> list[Value]:
    """All prefix sums of some numbers, 0 first and the sum of all last, from those of the *parts* that they are cut into."""
    if len(parts) == 1:
        return list(parts[0])
    half = (len(parts) + 1) // 2
    low, high = prefix_sums(parts[:half]), prefix_sums(parts[half:])
    return low + [plus(low[-1], part) for part in high[1:]]


def add(numbers: Sequence[Value]) -> Value:
    """The sum of *numbers*."""
    return prefix_sums([[Const(0), number] for number in numbers])[-1] if numbers else Const(0)


def total(bits: Value) -> Value:
    """How many of *bits* are 1."""
    return add(list(bits))[: len(bits).bit_length()]


def above(number: Value, count: int) -> list[Value]:
    """``number > i`` for each i below *count*, by ANDs and ORs: of comparisons with constants tools make adders."""
    if len(number) > SMALL:
        half = len(number) // 2
        low, high = above(number[:half], 1 << half), above(number[half:], (count >> half) + 1)
        reached = [Const(1), *high]
        return [high[i >> half] | (reached[i >> half] & low[i % (1 << half)]) for i in range(count)]
    found = []
    for constant in range(count):
        result: Value = Const(0)
        for i, bit in enumerate(number):
            result = bit & result if constant >> i & 1 else bit | result
        found.append(result if constant >> len(number) == 0 else Const(0))
    return found


def inside(top: Value, lanes: int, whole: Value, none: Value) -> Value:
    """A bit a lane, 1 up to lane *top*, for all where *whole*, for none where *none*; by groups, so that a bit takes few signals."""
    bits = min(SMALL, len(top))
    more = above(top[bits:], (lanes - 1 >> bits) + 1)
    groups = [(~none & (whole | beyond), ~none & there) for beyond, there in zip(more, [Const(1), *more], strict=False)]
    within = [Const(1), *above(top[:bits], (1 << bits) - 1)]
    return Cat(groups[i >> bits][0] | (groups[i >> bits][1] & within[i % (1 << bits)]) for i in range(lanes))


def steer(rank: Value, level: Level) -> list[Value]:
    """For each slot of a smaller block which candidate it takes; *rank*, ``rank_bits`` wide, is that of the block's first survivor."""
    low, high = rank[: -level.select_bits], rank[-level.select_bits :]
    # In slot i is the first rank, from `rank` on, that is i modulo the block's size: one row further where i is below the first.
    return [Cat(high[0] ^ further, *(bit ^ (high[0] & further) for bit in high[1:])) for further in above(low, level.child)]


def choose(candidates: Sequence[Value], select: Value) -> Value:
    """The one of two or four *candidates* that *select* numbers."""
    if len(candidates) == 1:
        return candidates[0]
    half = len(candidates) // 2
    return Mux(select[-1], choose(candidates[half:], select[:-1]), choose(candidates[:half], select[:-1]))


def split(slots: Sequence[Value], selects: Sequence[Value], level: Level) -> list[Value]:
    """The slots of all smaller blocks, from those of the larger ones and what *selects* each, as :func:`steer` gives it."""
    chosen: list[Value] = []
    for slot, select in enumerate(selects):
        block = slot // level.parent * level.parent
        chosen.append(choose(slots[block + slot % level.child : block + level.parent : level.child], select))
    return chosen
