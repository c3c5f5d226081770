"""What both kinds of CSR decoder read row pointers with."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data

from golden.params.csr import CsrError, CsrParameters
from hdl.compare import compare, equal
from hdl.intake import registers


class PointerEntry:
    """A row pointer and how it compares, in registers: what both kinds of decoder decide from.

    Latency 2 from ``pointer``, one row pointer per cycle. A matrix's row pointers end with ``last``, whatever their number.

    Members:
        read: Let go of the entry, and read the next row pointer if there is one; for the user to drive.
        valid: There is an entry.
        end: The row pointer.
        row: Number of the row that it ends, where it is not the ``first`` of its matrix.
        final: By its number it should be the last, or there is one too many already.
        kept, last: As in its beat; ``kept`` also where there is one too many.
        ends: It is the last, and none too many; with several pointers a beat, nor too few.
        early, late: As it ends the matrix, rows are missing, or there are row pointers too many, in its beat.
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
        self.first, self.final, self._keep, self.last, self._past, self.above, self.least, self.single = (
            Signal(name=f"entry_{name}", reset_less=True) for name in ("first", "final", "kept", "last", "past", "above", "least", "single")
        )
        # One too many is known at once where none is left out.
        self.kept, self.ends, self.early, self.late = self._keep, self.last, self.last & ~self.final, Const(0, 1)
        if p.pointers > 1:
            self.ends = Signal(name="entry_ends", reset_less=True)
            self.kept, self.early, self.late = self._keep | self._past, self.last & ~self._past & ~self.ends, self.last & self._past
        self.shape = Signal(shape, name="shape", reset_less=True)
        self.sides = registers("entry", {name: len(self.shape[name]) for name in sides})

    def hold(self, m: Module, shape_in: Any, pointer: Any) -> None:
        """Take row pointers of *pointer* for the matrices of *shape_in*; the ready of both follows ``read`` combinationally.

        *pointer* is the decoder's stream, with several pointers a beat what :class:`hdl.csr_skip.PointerSkipper` makes of it.
        """
        p, incoming, shape = self._parameters, pointer.payload, self.shape
        several = p.pointers > 1
        beat = registers("beat", {"number": p.count_bits, "keep": 1, "last": 1})
        beat_valid = Signal()
        shape_valid = Signal()
        # With several pointers a beat they come with their numbers.
        index = Signal(len(incoming.index) if several else p.row_bits, reset_less=True)
        upmost = Signal(len(index), reset_less=True)  # index of the last in its beat
        row = Signal(p.row_bits, reset_less=True)  # of the row that the next pointer ends
        before = Signal(p.count_bits, reset_less=True)
        after_before = Signal(p.count_bits, reset_less=True)
        first = Signal(reset_less=True)
        places = {"index": index, "final": upmost, "row": row, "first": first}
        step = Signal()
        number = beat.number
        above, least = compare(m, "pointer", number, before)
        if several:
            final = index[p.row_bits :].any() | compare(m, "final", index[: p.row_bits], shape.rows)[1]
            over, reached = compare(m, "upmost", upmost[: p.row_bits], shape.rows)
            past = upmost[p.row_bits :].any() | over
            ends = beat.last & beat.keep & reached & ~past
        else:
            final = equal(m, "final", index, shape.rows)
        single = equal(m, "single", number, after_before)
        m.d.comb += [
            step.eq(self.read & (shape_valid & beat_valid)),
            pointer.ready.eq(~beat_valid | (self.read & shape_valid)),
            shape_in.ready.eq(~shape_valid | (self.read & (beat_valid & beat.last))),
        ]
        placed = [register.eq(incoming[name]) for name, register in places.items()] if several else []
        with m.If(pointer.ready):
            m.d.sync += [
                beat_valid.eq(pointer.valid & (incoming.keep | incoming.last)),
                beat.number.eq(incoming.number if several else incoming.data[0]),
                beat.keep.eq(incoming.keep),
                beat.last.eq(incoming.last),
                *placed,
            ]
        with m.If(shape_in.ready):
            m.d.sync += shape_valid.eq(shape_in.valid)
            m.d.sync += [] if several else index.eq(0)
            m.d.sync += [before.eq(0), after_before.eq(1), *([] if several else [first.eq(1)]), shape.eq(shape_in.payload)]
        with m.Elif(step):
            m.d.sync += [] if several else index.eq(index + 1)
            m.d.sync += [before.eq(number), after_before.eq(number + 1), *([] if several else [first.eq(0)])]
        if not several:
            with m.If(step):
                m.d.sync += row.eq(index)
        with m.If(self.read):
            m.d.sync += [
                self.valid.eq(step),
                self.row.eq(row),
                self.end.eq(number),
                self.first.eq(first),
                self.final.eq(final),
                self._keep.eq(beat.keep),
                self.last.eq(beat.last),
                *([self._past.eq(past), self.ends.eq(ends)] if several else []),
                self.above.eq(above),
                self.least.eq(least),
                self.single.eq(single),
                *(register.eq(shape[name]) for name, register in vars(self.sides).items()),
            ]

    def error(self, otherwise: Value) -> Value:
        """What is wrong with the row pointer itself, in the order in which that counts; where nothing is, *otherwise*."""
        own = (
            (~self.kept, CsrError.SHORT), (self.final & ~self.ends, CsrError.LONG), (self.first & self.above, CsrError.FIRST),
            (~self.least, CsrError.DECREASE),
        )
        bits = []
        for number, bit in enumerate(otherwise):
            for condition, code in reversed(own):
                bit = condition | bit if code >> number & 1 else ~condition & bit  # no Mux, of which tools make a reset
            bits.append(bit)
        return Cat(bits)
