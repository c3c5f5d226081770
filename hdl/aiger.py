"""And-inverter graphs in AIGER's binary format, of which the registers start with 0: what a reset makes of their first states.

Source: Biere, Heljanko, Wieringa, "AIGER 1.9 and beyond", 2011. A literal is twice the number of a variable, and 1 more for its opposite.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

RESET_CYCLES = 3


@dataclass(frozen=True)
class Graph:
    """One graph.

    Attributes:
        inputs: How many there are; their variables are the first.
        registers: Of each, whose variables come next, the literal of its next value.
        initial: What they start with, 0 or 1.
        outputs: Literals of all kinds of outputs.
        kinds: How many there are of each kind.
        gates: Of each AND, whose variables come last, the two literals, the greater one first.
    """

    inputs: int
    registers: tuple[int, ...]
    initial: tuple[int, ...]
    outputs: tuple[int, ...]
    kinds: tuple[int, ...]
    gates: tuple[tuple[int, int], ...]

    @classmethod
    def from_bytes(cls, coded: bytes) -> Self:
        """The graph of a file."""
        header, rest = coded.split(b"\n", 1)
        _, inputs, registers, outputs, ands, *others = (int(number) for number in header.split()[1:])
        *lines, rest = rest.split(b"\n", registers)
        following = [line.split() for line in lines]  # the literal, and what it starts with if that is not 0
        initial = tuple(int(line[1]) if len(line) > 1 else 0 for line in following)
        *seen, rest = rest.split(b"\n", outputs + sum(others))
        gates = tuple(_gates(rest, 1 + inputs + registers, ands))
        return cls(inputs, tuple(int(line[0]) for line in following), initial, tuple(map(int, seen)), (outputs, *others), gates)

    def to_bytes(self) -> bytes:
        """The file."""
        sizes = (self.inputs, len(self.registers), self.kinds[0], len(self.gates), *self.kinds[1:])
        header = " ".join(map(str, ("aig", sum(sizes[:2]) + sizes[3], *sizes)))
        starts = (f"{literal} {value}" for literal, value in zip(self.registers, self.initial, strict=True))
        text = "\n".join([header, *starts, *map(str, self.outputs), ""])
        first = 2 * (1 + self.inputs + len(self.registers))
        numbers = (n for place, (left, right) in enumerate(self.gates) for n in (first + 2 * place - left, left - right))
        return text.encode() + b"".join(map(_number, numbers))

    def values(self, inputs: Iterable[int], registers: Iterable[int], made: "Gates") -> list[int]:
        """A literal in *made* for every variable, where *inputs* and *registers* are those given."""
        found = [0, *inputs, *registers]
        for left, right in self.gates:
            found.append(made.both(found[left >> 1] ^ left & 1, found[right >> 1] ^ right & 1))
        return found


class Gates:
    """ANDs that are being made, no two of the same, behind variables that there are already."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._made: dict[tuple[int, int], int] = {}

    def both(self, left: int, right: int) -> int:
        """The literal of *left* AND *right*."""
        left, right = max(left, right), min(left, right)
        if right == 0 or left == right ^ 1:
            return 0
        if right == 1 or left == right:
            return left
        return self._made.setdefault((left, right), 2 * (self._first + len(self._made)))

    def either(self, which: int, one: int, other: int) -> int:
        """The literal of *one* where *which* is true, else *other*."""
        return self.both(self.both(which, one) ^ 1, self.both(which ^ 1, other) ^ 1) ^ 1

    def all(self) -> tuple[tuple[int, int], ...]:
        """Those that were made, in order."""
        return tuple(self._made)


def after_reset(coded: bytes) -> bytes:
    """*coded* with its registers starting with what :data:`RESET_CYCLES` with all inputs at 0 make of zeros."""
    graph = Graph.from_bytes(coded)
    state = [0] * len(graph.registers)
    for _ in range(RESET_CYCLES):
        values = graph.values([0] * graph.inputs, state, Gates(0))
        state = [values[literal >> 1] ^ literal & 1 for literal in graph.registers]
    return replace(graph, initial=tuple(state)).to_bytes()


def after_reset_alike(coded: bytes, names: str, first: str, second: str, reset: str) -> bytes:
    """*coded*, in which two designs are, starting with what a clock cycle of reset makes of any state of the second, and of the same state
    of the first: a register of it starts as that of the second that has one of its names, or where there is none with anything.

    Args:
        coded, names: The graph and its map, of yosys' ``write_aiger -zinit``: so a register without an initial value is a multiplexer which
            in the first cycle gives an input of its own.
        first, second: What the names of the two designs' registers begin with.
        reset: The input that is 0 in reset.
    """
    graph = Graph.from_bytes(coded)
    lines = [line.split(" ", 3) for line in names.splitlines() if line.startswith(("init ", "input "))]
    given = {(bit, name): int(number) for what, number, bit, name in lines if what == "init"}
    low = next(int(number) for what, number, _, name in lines if (what, name) == ("input", reset))
    of_second = {(bit, first + name.removeprefix(second)): number for (bit, name), number in given.items() if name.startswith(second)}
    kept = set(of_second.values())  # what the second starts with stays as it is, whatever other names that has
    same = {number: of_second[key] for key, number in given.items() if key in of_second and number not in kept}
    # Variables: the inputs, those of the cycle before, a register that says that this is over, and the registers.
    before = [2 * (1 + graph.inputs + same.get(number, number)) * (number != low) for number in range(graph.inputs)]
    over, count = 2 * (1 + 2 * graph.inputs), len(graph.registers)
    made = Gates(2 + 2 * graph.inputs + count)
    values = graph.values(before, [0] * count, made)
    starts = [values[literal >> 1] ^ literal & 1 for literal in graph.registers]
    state = [made.either(over, over + 2 * (1 + place), start) for place, start in enumerate(starts)]
    values = graph.values([2 * (1 + place) for place in range(graph.inputs)], state, made)
    following, outputs = ([values[one >> 1] ^ one & 1 for one in those] for those in (graph.registers, graph.outputs))
    return Graph(2 * graph.inputs, (1, *following), (0,) * (1 + count), tuple(outputs), graph.kinds, made.all()).to_bytes()


def is_constant(coded: bytes) -> bool:
    """Whether *coded* has outputs, all of one kind, and all of them are always 0."""
    header, *lines = coded.split(b"\n")
    _, registers, outputs, _, *others = (int(number) for number in header.split()[2:])
    return registers == 0 and outputs > 0 and not any(others) and all(line == b"0" for line in lines[:outputs])


def _gates(coded: bytes, first: int, count: int) -> Iterator[tuple[int, int]]:
    """The two literals of each of *count* gates, of which the variable of the first is *first*.

    They are coded as differences, of 7 bits a byte, the lowest first, with 128 added to all bytes but the last.
    """
    stream = iter(coded)

    def number() -> int:
        value, shift = 0, 0
        while (byte := next(stream)) & 128:
            value, shift = value | (byte & 127) << shift, shift + 7
        return value | byte << shift

    for variable in range(first, first + count):
        left = 2 * variable - number()
        yield left, left - number()


def _number(value: int) -> bytes:
    """*value* as :func:`_gates` reads it."""
    coded = []
    while value > 127:
        coded.append(value & 127 | 128)
        value >>= 7
    return bytes([*coded, value])
