"""What both kinds of CSR decoder are made of: row pointers and how they compare, the register that streams come in through, comparisons."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Port
from golden.params.csr import CsrError, CsrParameters
from hdl.stream import payload


def registers(prefix: str, widths: Mapping[str, int]) -> Any:
    """Registers named PREFIX_NAME, as attributes; without reset, since a flag beside them says whether they hold something."""
    return SimpleNamespace(**{name: Signal(width, name=f"{prefix}_{name}", reset_less=True) for name, width in widths.items()})


class Intake(wiring.Component):
    """One register that holds the next number of an encoded stream, and knows where a matrix ends in it.

    Beats without data are skipped. Where the stream ends before the matrix is complete, ``missing`` stays up in place of every further
    number; what it has left when the matrix is complete is dropped up to its ``last``. Latency 1, one number per cycle.

    Members:
        i: The stream. Its ready follows ``take`` combinationally.
        valid: There is a number, or one is missing.
        missing: No number: the stream has ended.
        more: The number's beat has no ``last``.
        number: The number.
        take: Take it; only while ``valid``.
        complete: The matrix needs no further number after this one.
    """

    def __init__(self, port: Port) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(payload(port))),
                "valid": Out(1),
                "missing": Out(1),
                "more": Out(1),
                "number": Out(port.fields[0].bits),
                "take": In(1),
                "complete": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        drain = Signal()  # drop what comes, up to its last
        dropped = Signal()
        beat = self.i.payload
        held = registers("held", {"kept": 1, "last": 1, "number": len(self.number)})
        # A last beat that is taken too early stays, as the mark that the next number is missing.
        m.d.comb += [
            self.i.ready.eq(~self.valid | (self.take & (self.more | self.complete))),
            dropped.eq(drain | (self.take & self.more & self.complete)),
            self.missing.eq(~held.kept),
            self.more.eq(~held.last),
            self.number.eq(held.number),
        ]
        m.d.sync += drain.eq(dropped & ~(self.i.valid & beat.last))  # what is dropped is taken
        with m.If(self.i.ready):
            m.d.sync += [
                self.valid.eq(self.i.valid & (beat.keep | beat.last) & ~dropped),
                held.kept.eq(beat.keep),
                held.last.eq(beat.last),
                held.number.eq(beat.data[0]),
            ]
        with m.If(self.take & held.last & ~self.complete):
            m.d.sync += held.kept.eq(0)
        return m


GROUP = 3  # bits that are compared at once: with those of the other number as many as a LUT has inputs


def _groups(a: Value, b: Value) -> list[tuple[Value, Value]]:
    return [(a[start : start + GROUP], b[start : start + GROUP]) for start in range(0, len(a), GROUP)]


def equal(m: Module, name: str, a: Value, b: Value) -> Value:
    """Whether *a* and *b*, of the same width, are the same number: groups of three bits, joined by a carry chain.

    With ``==`` the tools build a tree of LUTs that takes twice as many. Of the sum, named after *name*, only the carry is used.
    """
    same = Cat(x == y for x, y in _groups(a, b))
    total = Signal(len(same) + 1, name=f"{name}_unused_sum")
    m.d.comb += total.eq(same + 1)
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


class PointerEntry:
    """A row pointer and how it compares, in registers: what both kinds of decoder decide from.

    Latency 2 from ``pointer``, one row pointer per cycle. A matrix's row pointers end with ``last``, whatever their number.

    Members:
        read: Let go of the entry, and read the next row pointer if there is one; for the user to drive.
        valid: There is an entry.
        end: The row pointer.
        row: Number of the row that it ends, where it is not the ``first`` of its matrix.
        final: By its number it should be the last.
        kept, last: As in its beat.
        above, least, single: It is above, at least, 1 above the one before it, or 0 where it is the first.
        shape: Of the matrix that the next row pointer is of; its fields are those of the stream.
        sides: Of the entry's matrix those fields of the shape that are asked for.
    """

    def __init__(self, p: CsrParameters, shape: data.StructLayout, *sides: str) -> None:
        self._parameters = p
        self.read = Signal(name="entry_read")
        self.valid = Signal(name="entry_valid")
        self.end = Signal(p.count_bits, name="entry_end", reset_less=True)
        self.row = Signal(p.row_bits, name="entry_row", reset_less=True)
        self.first, self.final, self.kept, self.last, self.above, self.least, self.single = (
            Signal(name=f"entry_{name}", reset_less=True) for name in ("first", "final", "kept", "last", "above", "least", "single")
        )
        self.shape = Signal(shape, name="shape", reset_less=True)
        self.sides = registers("entry", {name: len(self.shape[name]) for name in sides})

    def hold(self, m: Module, shape_in: Any, pointer: Any) -> None:
        """Take row pointers of *pointer* for the matrices of *shape_in*; the ready of both follows ``read`` combinationally."""
        p, incoming = self._parameters, pointer.payload
        beat = registers("beat", {"number": p.count_bits, "keep": 1, "last": 1})
        beat_valid = Signal()
        shape = self.shape
        shape_valid = Signal()
        index = Signal(p.row_bits, reset_less=True)
        row = Signal(p.row_bits, reset_less=True)  # of the row that the next pointer ends
        before = Signal(p.count_bits, reset_less=True)
        after_before = Signal(p.count_bits, reset_less=True)
        first = Signal(reset_less=True)
        step = Signal()
        number = beat.number
        above, least = compare(m, "pointer", number, before)
        final = equal(m, "final", index, shape.rows)
        single = equal(m, "single", number, after_before)
        m.d.comb += [
            step.eq(self.read & (shape_valid & beat_valid)),
            pointer.ready.eq(~beat_valid | (self.read & shape_valid)),
            shape_in.ready.eq(~shape_valid | (self.read & (beat_valid & beat.last))),
        ]
        with m.If(pointer.ready):
            m.d.sync += [
                beat_valid.eq(pointer.valid & (incoming.keep | incoming.last)),
                beat.number.eq(incoming.data[0]),
                beat.keep.eq(incoming.keep),
                beat.last.eq(incoming.last),
            ]
        with m.If(shape_in.ready):
            m.d.sync += [shape_valid.eq(shape_in.valid), index.eq(0), before.eq(0), after_before.eq(1), first.eq(1)]
            m.d.sync += shape.eq(shape_in.payload)
        with m.Elif(step):
            m.d.sync += [index.eq(index + 1), before.eq(number), after_before.eq(number + 1), first.eq(0)]
        with m.If(step):
            m.d.sync += row.eq(index)
        with m.If(self.read):
            m.d.sync += [
                self.valid.eq(step),
                self.row.eq(row),
                self.end.eq(number),
                self.first.eq(first),
                self.final.eq(final),
                self.kept.eq(beat.keep),
                self.last.eq(beat.last),
                self.above.eq(above),
                self.least.eq(least),
                self.single.eq(single),
                *(register.eq(shape[name]) for name, register in vars(self.sides).items()),
            ]

    def error(self, otherwise: Value) -> Value:
        """What is wrong with the row pointer itself, in the order in which that counts; where nothing is, *otherwise*."""
        own = (
            (~self.kept, CsrError.SHORT), (self.final & ~self.last, CsrError.LONG), (self.first & self.above, CsrError.FIRST),
            (~self.least, CsrError.DECREASE),
        )
        bits = []
        for number, bit in enumerate(otherwise):
            for condition, code in reversed(own):
                bit = Mux(condition, code >> number & 1, bit)
            bits.append(bit)
        return Cat(bits)
