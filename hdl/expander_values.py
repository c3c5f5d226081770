"""Packed values gathered into the rows that the mask expander takes."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.params.bitmap import BitmapParameters


def row_layout(p: BitmapParameters) -> data.StructLayout:
    """What is known of a row: how many slots are without a value (``missing``, modulo the row's size), whether all are (``nothing``),
    whether no later row can have values for this matrix (``end``), whether all of the stream was taken (``over``), and whether its `last`
    came with its last value (``last``).
    """
    return data.StructLayout({"missing": p.slots.bit_length() - 1, "nothing": 1, "end": 1, "over": 1, "last": 1})


class ValueRow:
    """A row of values, one for each slot of half a ring, held in registers until it is taken.

    Members:
        valid: There is one.
        taken: It is not needed any longer, or there is none; it is for the user to say.
        arrives: With the value beat that is offered a row is complete.
        values: One a slot.
        known: See :func:`row_layout`.
    """

    def __init__(self, p: BitmapParameters) -> None:
        self.parameters = p
        self.valid = Signal(name="row_valid")
        self.taken = Signal(name="row_taken")
        self.arrives = Signal(name="row_arrives")
        self.values = Signal(data.ArrayLayout(p.value_bits, p.slots), name="row_values", reset_less=True)
        self.known = Signal(row_layout(p), name="row_known", reset_less=True)

    def hold(self, m: Module, value: Any) -> None:
        """Gather the beats of *value* into rows as soon as there is room; skip those without data that are not the last."""
        p, beat, known = self.parameters, value.payload, self.known
        beats = p.slots // p.values
        filled: Any = Signal(range(beats)) if beats > 1 else Const(0, 0)  # beats in the row so far
        some = beat.keep[0]
        end = beat.last | ~beat.keep[-1]
        m.d.comb += [value.ready.eq(self.taken), self.arrives.eq(value.valid & (beat.last | (some & (end | (filled == beats - 1)))))]
        with m.If(value.ready):
            m.d.sync += self.valid.eq(self.arrives)
            m.d.sync += [known.end.eq(end), known.over.eq(beat.last), known.last.eq(beat.last & (some | (filled == 0)))]
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
