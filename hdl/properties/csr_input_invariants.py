"""How the registers that both CSR decoders have stand to their models: row pointers on their way, and the intakes."""

from abc import abstractmethod
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.params.csr import CsrError, CsrParameters
from hdl.properties.csr_model import Share
from hdl.properties.invariants import Invariants
from hdl.properties.spec import Internals


def pointer_error(first: Value, above: Value, least: Value, final: Value, kept: Value, last: Value) -> Value:
    """What is wrong with a row pointer, or that no other follows it where one should."""
    own = Mux(first & above, CsrError.FIRST, Mux(~least, CsrError.DECREASE, Mux(last & ~final, CsrError.SHORT, CsrError.NONE)))
    return Mux(~kept, CsrError.SHORT, Mux(final & ~last, CsrError.LONG, own))


class InputInvariants(Invariants):
    """Of row pointers, up to where rows are told, and of columns and values, up to where they are judged.

    Attributes:
        pointers, elements: The parts that read them.
        shape, sides: What the first knows of the shape of the matrix, and what goes on with each row pointer.
    """

    p: CsrParameters
    pointers: str
    elements: str
    shape: tuple[str, ...]
    sides: tuple[str, ...]

    def __init__(self, m: Module, model: Any, internals: Internals) -> None:
        super().__init__(m, model, internals)
        self.teller = model.teller

    @property
    @abstractmethod
    def begun(self) -> Value:
        """A survivor of the matrix was judged, and there are others."""

    @abstractmethod
    def follows(self, told: Any) -> Value:
        """Whether what is *told* begins where the row at hand ends, as far as that matters."""

    def _find(self, name: str) -> Any:
        return self._get(f"{self.pointers}.{name}")

    def _read(self, name: str) -> Any:
        return self._get(f"{self.elements}.{name}")

    def _same(self, prefix: str, register: Any, told: Any, *names: str) -> None:
        """The registers PREFIX_NAME hold what *told* says."""
        for name in names:
            self._must(register(f"{prefix}_{name}") == Value.cast(getattr(told, name)), f"{name} of what is {prefix}")

    def inputs(self) -> None:
        """Assert them."""
        self._pointer()
        self._entry()
        self._stages()
        self._sequence()
        for name, share in self.model.shares.items():
            self._share(name, share)

    def _pointer(self) -> None:
        """The row pointer that waits, and the shape of its matrix."""
        m, teller = self.m, self.teller
        shape, pointer, here = teller.shapes.entry0, teller.pointers.entry0, teller.shapes.level != 0
        self._must(self._find("shape_valid") == here, "a shape is held")
        self._must(self._find("beat_valid") == (teller.pointers.level != 0), "a row pointer is held")
        with m.If(teller.pointers.level != 0):
            self._must(Cat(*(self._find(f"beat_{name}") for name in ("number", "keep", "last"))) == Value.cast(pointer), "the row pointer")
            self._must(pointer.keep | pointer.last, "there is something in a row pointer's beat")
        with m.If(here):
            self._must(self._find("shape") == Cat(*(getattr(shape, name) for name in self.shape)), "the shape")
        with m.If(here & ~teller.ended):
            self._must(self._find("index") == teller.index, "the row pointers that were read")
            self._must(teller.index <= shape.rows, "no more row pointers than rows count")
            self._must(self._find("first") == (teller.index == 0), "the first row pointer")
            self._must((teller.index == 0) | (self._find("row") == teller.index - 1), "the row")
            self._must(self._find("before") == teller.before, "the row pointer before")
            self._must(self._find("after_before") == (teller.before + 1)[: self.p.count_bits], "one more than the row pointer before")
        with m.Elif(~here):
            self._must((teller.index == 0) & (teller.before == 0) & ~teller.ended, "nothing was read between matrices")
        with m.If(teller.index == 0):
            self._must(teller.ended | (teller.before == 0), "the first row pointer is compared with 0")

    def _entry(self) -> None:
        """The row pointer that was compared."""
        m, teller, told, full = self.m, self.teller, self.teller.stages[1], self.teller.full[1]
        first, above, least, final, kept, last = (
            self._find(f"entry_{name}") for name in ("first", "above", "least", "final", "kept", "last")
        )
        self._must(self._find("entry_valid") == full, "a row pointer was compared")
        self._must(self._find("ended") == Mux(full, ~told.counts, teller.ended), "the row pointers have ended")
        with m.If(full):
            self._must(~last | ((teller.index == 0) & ~teller.ended), "what follows the last is another matrix's")
            self._must(last | (teller.shapes.level != 0), "what follows is the same matrix's")
            self._must(teller.ended == (~last & (~told.counts | told.done)), "what follows the end does not count")
            self._must(kept | last, "there is something in a compared row pointer")
        with m.If(full & told.counts):
            self._same("entry", self._find, told, "end", "first", *self.sides)
            right = kept & ~first & (last | ~final) & least
            self._must((right & (above | self.p.dense)) == told.real, "the row pointer ends a row")
            self._must((last | final | ~least | (first & above)) == told.done, "the row pointer is an end")
            self._must(above == (told.end > told.begin), "the row pointer is above the one before")
            self._must(least == (told.end >= told.begin), "the row pointer is not below the one before")
            self._must(~told.done | (pointer_error(first, above, least, final, kept, last) == told.error), "the row pointer's error")
            with m.If(told.real):
                self._same("entry", self._find, told, "row")
                self._must(~above | (self._find("entry_single") == (told.end == told.begin + 1)), "the row has one survivor")

    def _sides(self, of: Any) -> Value:
        """Of the shape of a matrix, as it is told, what goes on with each row pointer."""
        return Cat(*(getattr(of, name) for name in self.sides))

    def _stages(self) -> None:
        """What a row pointer says, by itself."""
        m, teller = self.m, self.teller
        for told, full in zip(teller.stages, teller.full, strict=True):
            with m.If(full):
                self._must(told.counts | ~(told.real | told.done), "what does not count says nothing")
                above = (told.end >= told.begin) if self.p.dense else (told.end > told.begin)
                self._must(~told.real | above, "a row ends above the one before")
                self._must(told.real | told.done | ~told.counts | (told.end == told.begin), "an empty row ends with the one before")
                self._must(~told.real | (told.row < told.rows), "a row is one of the matrix")
                self._must(~told.real | told.done | (told.row + 1 < told.rows), "after the last row none follows")
                ends = told.done & (told.error == CsrError.NONE)
                wrong = (told.error != CsrError.NONE) & (told.error != CsrError.SHORT)
                self._must(~(told.real & wrong), "what is wrong with a row pointer ends no row")
                self._must(~ends | ((told.row + 1)[: self.p.row_bits] == told.rows), "the row pointers end with the last row")
                self._must(~ends | told.real | told.first | ~Const(self.p.dense, 1), "each row is told")
                self._must(~told.first | (told.row == (1 << self.p.row_bits) - 1), "the first row pointer ends no row")
                self._must(~told.first | ~told.real & (told.begin == 0), "no row ends with the first row pointer")

    def _sequence(self) -> None:
        """Row pointers follow one another, from those that are told to the one that is read next."""
        m, model, teller = self.m, self.model, self.teller
        at_work = model.working & ~model.done
        oldest, newer = teller.stages
        shape, judged = teller.shapes.entry0, Signal.like(oldest)
        m.d.comb += [
            judged.begin.eq(teller.before), self._sides(judged).eq(self._sides(shape)),
            judged.first.eq(teller.index == 0), judged.counts.eq(~teller.ended), judged.row.eq(teller.index - 1),
        ]
        ahead: list[tuple[Value, Any]] = []  # what was judged before, the newest first
        for told, full, what in (
            (oldest, teller.full[0], "found"), (newer, teller.full[1], "compared"), (judged, Const(1), "read next"),
        ):
            follows, none = told.counts & ~told.first, Const(1)
            for there, before in ahead:
                with m.If(full & none & there):
                    self._must(follows == (before.counts & ~before.done), f"what is {what} is the same matrix's")
                    with m.If(follows):
                        self._must(told.begin == before.end, f"what is {what} follows that before it")
                        self._must(told.row == (before.row + 1)[: self.p.row_bits], f"the row of what is {what} follows")
                        self._must(self._sides(told) == self._sides(before), f"the shape of what is {what}")
                none = none & ~there
            with m.If(full & none):
                self._must(follows | ~at_work, f"what is {what} is of the matrix at hand")
                with m.If(follows & at_work):
                    self._must(self.follows(told), f"what is {what} follows the row at hand")
                    self._must(self._sides(told) == self._sides(model.matrix), f"the shape at hand is that of what is {what}")
                with m.If(follows & ~at_work):
                    self._must(told.begin == 0, f"what is {what} follows empty rows")
                    self._must((told.row == 0) | ~Const(self.p.dense, 1), f"what is {what} follows no row")
            ahead.insert(0, (full, told))

    def _share(self, name: str, share: Share) -> None:
        """What an intake holds."""
        m, beats, beat = self.m, share.beats, share.beats.entry0
        full, kept, last = (self._read(f"{name}_intake.{register}") for register in ("valid", "held_kept", "held_last"))
        self._must(full == share.there, f"a {name} is held or missing")
        self._must(self._read(f"{name}_intake.drain") == share.dropping, f"what is left of {name} is dropped")
        self._must(~share.dropping | ~share.there, f"nothing of {name} is held while it is dropped")
        self._must(~share.over | (beats.level == 0), f"nothing of {name} waits behind its last")
        self._must(~share.over | self.begun, f"{name} is over only in a matrix")
        with m.If(share.over):
            self._must(~kept & last, f"a {name} is missing")
        with m.Elif(beats.level != 0):
            self._must((kept == beat.keep) & (last == beat.last), f"what is kept of {name}")
            self._must(kept | last, f"there is something in a beat of {name}")
            self._must(self._read(f"{name}_intake.held_number") == Value.cast(beat.data), f"the {name}")
