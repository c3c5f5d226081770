"""Packed values gathered into the rows that the mask expander takes."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.params.bitmap import BitmapParameters


class RowState:
    """What is known of a row.

    Members:
        missing: How many slots are without a value, modulo the row's size.
        nothing: All are.
        over: All of the stream was taken.
        last: The stream's `last` came with the row's last value.
    """

    def __init__(self, name: str, p: BitmapParameters) -> None:
        self.missing = Signal(p.slots.bit_length() - 1, name=f"{name}_missing", reset_less=True)
        self.nothing = Signal(name=f"{name}_nothing", reset_less=True)
        self.over = Signal(name=f"{name}_over", reset_less=True)
        self.last = Signal(name=f"{name}_last", reset_less=True)

    def follow(self, m: Module, row: "RowState") -> None:
        """Take what is known of *row*."""
        m.d.sync += [self.missing.eq(row.missing), self.nothing.eq(row.nothing), self.over.eq(row.over), self.last.eq(row.last)]


class ValueRow:
    """A row of values, one for each slot of half a ring, held in registers until it is taken.

    Members:
        valid: There is one.
        taken: It is not needed any longer, or there is none; it is for the user to say.
        arrives: With the value beat that is offered a row is complete.
        values: One a slot.
        known: See :class:`RowState`.
        end: No later row can have values for this matrix.
    """

    def __init__(self, p: BitmapParameters) -> None:
        self.parameters = p
        self.valid = Signal(name="row_valid")
        self.taken = Signal(name="row_taken")
        self.arrives = Signal(name="row_arrives")
        self.values = Signal(data.ArrayLayout(p.value_bits, p.slots), name="row_values", reset_less=True)
        self.known = RowState("row", p)
        self.end = Signal(name="row_end", reset_less=True)

    def hold(self, m: Module, value: Any) -> None:
        """Gather the beats of *value* into rows as soon as there is room; skip those without data that are not the last."""
        p, beat, known = self.parameters, value.payload, self.known
        beats = p.slots // p.values
        filled: Any = Signal(range(beats), name="filled") if beats > 1 else Const(0, 0)  # beats in the row so far
        some = beat.keep[0]
        end = beat.last | ~beat.keep[-1]
        m.d.comb += [value.ready.eq(self.taken), self.arrives.eq(value.valid & (beat.last | (some & (end | (filled == beats - 1)))))]
        with m.If(value.ready):
            m.d.sync += self.valid.eq(self.arrives)
            m.d.sync += [self.end.eq(end), known.over.eq(beat.last), known.last.eq(beat.last & (some | (filled == 0)))]
            if beats > 1:
                with m.If(value.valid & (some | beat.last)):
                    m.d.sync += filled.eq(Mux(end, 0, filled + 1))
            with m.If(value.valid & some):
                m.d.sync += known.missing.eq(Cat(ones(~beat.keep[::-1]), ~filled))
            with m.If(value.valid & (some | (filled == 0))):
                m.d.sync += known.nothing.eq(~some)
            for group in range(beats):
                with m.If(filled == group):
                    for lane in range(p.values):
                        m.d.sync += self.values[group * p.values + lane].eq(beat.data[lane])


def ones(bits: Value) -> Value:
    """How many of *bits*, a power of two of them, are 1, modulo that number; those that are 1 stand before the others."""
    if len(bits) == 1:
        return Const(0, 0)
    half = len(bits) // 2
    many = bits[half - 1]
    return Cat(ones(Mux(many, bits[half:], bits[:half])), many)
