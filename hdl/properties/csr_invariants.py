"""How the registers of the CSR decoder of coordinates stand to its model: what makes the proof inductive."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.params.csr import CsrError, CsrParameters
from hdl.properties.csr_model import CsrModel, Share
from hdl.properties.invariants import Invariants, Slot
from hdl.properties.spec import Internals


def pointer_error(first: Value, above: Value, least: Value, final: Value, kept: Value, last: Value) -> Value:
    """What is wrong with a row pointer, or that no other follows it where one should."""
    own = Mux(first & above, CsrError.FIRST, Mux(~least, CsrError.DECREASE, Mux(last & ~final, CsrError.SHORT, CsrError.NONE)))
    return Mux(~kept, CsrError.SHORT, Mux(final & ~last, CsrError.LONG, own))


class CsrInvariants(Invariants):
    """Of the finder, the reader, and the survivors on their way out."""

    p: CsrParameters
    model: CsrModel

    def __init__(self, m: Module, model: CsrModel, internals: Internals) -> None:
        super().__init__(m, model, internals)
        self.teller = model.teller

    def _find(self, name: str) -> Any:
        return self._get(f"finder.{name}")

    def _read(self, name: str) -> Any:
        return self._get(f"reader.{name}")

    def _same(self, prefix: str, register: Any, told: Any, *names: str) -> None:
        """The registers PREFIX_NAME hold what *told* says."""
        for name in names:
            self._must(register(f"{prefix}_{name}") == Value.cast(getattr(told, name)), f"{name} of what is {prefix}")

    def hold(self) -> None:
        self._pointer()
        self._entry()
        self._found()
        self._sequence()
        for name, share in self.model.shares.items():
            self._share(name, share)
        self._matrix()
        self._row()
        self._errors()
        self._owed(self._slots())

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
            self._must(self._find("shape") == Value.cast(shape), "the shape")
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
            self._same("entry", self._find, told, "end", "first", "columns", "survivors")
            self._must(self._find("many") == told.survivors[1:].any(), "there are several survivors")
            self._must((above & kept & ~first & (last | ~final)) == told.real, "the row pointer ends a row with survivors")
            self._must((last | final | ~least | (first & above)) == told.done, "the row pointer is an end")
            self._must(~above | least, "what is above is at least the same")
            self._must(above == (told.end > told.begin), "the row pointer is above the one before")
            self._must(~told.done | (pointer_error(first, above, least, final, kept, last) == told.error), "the row pointer's error")
            with m.If(told.real):
                self._same("entry", self._find, told, "row")
                self._must(self._find("entry_single") == (told.end == told.begin + 1), "the row has one survivor")

    def _found(self) -> None:
        """What the element side is told next."""
        m, told, full = self.m, self.teller.stages[0], self.teller.full[0]
        self._must(self._find("found_real") == (full & told.real), "a row was found")
        self._must(self._find("found_done") == (full & told.done), "an end was found")
        some, several = full & (told.real | told.done), told.survivors[1:].any()
        self._must(self._find("found_many") == (some & several), "a matrix of several survivors was found")
        with m.If(some):
            self._same("found", self._find, told, "columns", "survivors")
            self._must(self._find("found_keep") == (told.survivors != 0), "a matrix with survivors was found")
        with m.If(full & told.real):
            self._same("found", self._find, told, "row", "end")
            self._must(self._find("found_single") == (told.end == told.begin + 1), "the row that was found has one survivor")
        with m.If(full & told.done):
            self._same("found", self._find, told, "error")

    def _sequence(self) -> None:
        """Row pointers follow one another, from those that are told to the one that is read next."""
        m, model, teller = self.m, self.model, self.teller
        at_work = model.working & ~model.done
        oldest, newer = teller.stages
        shape, judged = teller.shapes.entry0, Signal.like(oldest)
        m.d.comb += [
            judged.begin.eq(teller.before), judged.columns.eq(shape.columns), judged.survivors.eq(shape.survivors),
            judged.first.eq(teller.index == 0), judged.counts.eq(~teller.ended),
        ]
        for told, full in zip(teller.stages, teller.full, strict=True):
            with m.If(full):
                self._must(told.counts | ~(told.real | told.done), "what does not count says nothing")
                self._must(~told.real | (told.end > told.begin), "a row with survivors ends above the one before")
                self._must(told.real | told.done | ~told.counts | (told.end == told.begin), "an empty row ends with the one before")
                self._must(~told.first | ~told.real & (told.begin == 0), "no row ends with the first row pointer")
        ahead: list[tuple[Value, Any]] = []  # what was judged before, the newest first
        for told, full, what in (
            (oldest, teller.full[0], "found"), (newer, teller.full[1], "compared"), (judged, Const(1), "read next"),
        ):
            follows, none = told.counts & ~told.first, ~Const(0, 1)
            for there, before in ahead:
                with m.If(full & none & there):
                    self._must(follows == (before.counts & ~before.done), f"what is {what} is the same matrix's")
                    with m.If(follows):
                        self._must(told.begin == before.end, f"what is {what} follows that before it")
                        one, other = (Cat(each.columns, each.survivors) for each in (told, before))
                        self._must(one == other, f"the shape of what is {what}")
                none = none & ~there
            with m.If(full & none):
                self._must(follows | ~at_work, f"what is {what} is of the matrix at hand")
                with m.If(follows & at_work):
                    self._must(model.extra | (told.begin == model.row.end), f"what is {what} follows the row at hand")
                    at_hand = Cat(model.matrix.columns, model.matrix.survivors)
                    self._must(Cat(told.columns, told.survivors) == at_hand, f"the shape at hand is that of what is {what}")
                with m.If(follows & ~at_work):
                    self._must(told.begin == 0, f"what is {what} follows empty rows")
            ahead.insert(0, (full, told))

    def _share(self, name: str, share: Share) -> None:
        """What an intake holds."""
        m, beats, beat = self.m, share.beats, share.beats.entry0
        full, kept, last = (self._read(f"{name}_intake.{register}") for register in ("valid", "held_kept", "held_last"))
        self._must(full == share.there, f"a {name} is held or missing")
        self._must(self._read(f"{name}_intake.drain") == share.dropping, f"what is left of {name} is dropped")
        self._must(~share.dropping | ~share.there, f"nothing of {name} is held while it is dropped")
        self._must(~share.over | (beats.level == 0), f"nothing of {name} waits behind its last")
        self._must(~share.over | (self.model.working & (self.model.number != 0)), f"{name} is over only in a matrix")
        with m.If(share.over):
            self._must(~kept & last, f"a {name} is missing")
        with m.Elif(beats.level != 0):
            self._must((kept == beat.keep) & (last == beat.last), f"what is kept of {name}")
            self._must(kept | last, f"there is something in a beat of {name}")
            self._must(self._read(f"{name}_intake.held_number") == Value.cast(beat.data), f"the {name}")

    def _matrix(self) -> None:
        """The matrix at hand, and its survivors that were judged."""
        m, model = self.m, self.model
        self._must(self._read("current_valid") == (model.working & (model.open | model.done)), "there is a row, or the rows are over")
        self._must(self._read("current_done") == (~model.working | model.done), "all rows are told")
        self._must(self._read("current_last") == (~model.working | model.final), "the last survivor is next")
        self._must(model.working | ~(model.open | model.done | model.extra), "no row is at hand between matrices")
        self._must((model.working & model.done) | (model.code == CsrError.NONE), "no error before the end of the row pointers")
        with m.If(model.working):
            number, survivors = model.number, model.matrix.survivors
            self._must((number < survivors) | ((number == 0) & (survivors == 0)), "survivors are left")
            self._must(model.final | (self._read("after_next") == number + 2), "the survivor after the next")
            with m.If(model.open | model.done):
                self._same("current", self._read, model.matrix, "columns", "survivors")
                self._must(self._read("current_keep") == (survivors != 0), "there are survivors")
        with m.If(model.done):
            self._must(self._read("current_error") == model.code, "the error of the row pointers")

    def _row(self) -> None:
        """The row at hand."""
        m, model = self.m, self.model
        self._must(~model.extra | (model.open & model.final), "a row beyond the last survivor")
        with m.If(model.working & ~model.open & ~model.done):
            self._must(model.number == model.row.end, "the row before is complete")
        with m.If(model.working & ~model.open & model.done):
            self._must(self._read("current_over"), "the rows are over")
        with m.If(model.open):
            self._same("current", self._read, model.row, "row", "end")
            self._must(model.number < model.row.end, "survivors of the row are left")
            self._must(~self._read("current_over"), "the rows are not over")
            self._must(self._read("current_row_last") == ((model.number + 1 == model.row.end) & ~model.extra), "the row's last survivor")
            self._must(self._read("current_started") == model.started, "the row has begun")
            compares = model.started & (model.first == CsrError.NONE)
            self._must(~compares | (self._read("staged_column") == model.before), "the column before")

    def _errors(self) -> None:
        """The survivor that is compared, and the first error."""
        m, model = self.m, self.model
        full, keep, last, known = (self._read(f"staged_{name}") for name in ("valid", "keep", "last", "known"))
        failed, code, error, zero = (self._read(name) for name in ("failed", "first_error", "error", "zero"))
        begun = model.working & (model.number != 0)
        self._must(~failed | (code != 0), "what has failed has an error")
        with m.If(full):
            self._must(last == ~begun, "the last survivor")
            self._must(keep | (last & known & ~failed), "what is no survivor is the last")
            self._must(~keep | (zero == (error != 0)), "what is wrong is zero")
            self._must(~(known & keep) | (self._read("staged_error") != 0), "what is known to be wrong has an error")
        with m.If(begun):
            self._must(model.first == Mux(full, error, Mux(failed, code, 0)), "the first error")
        with m.Else():
            self._must(model.first == CsrError.NONE, "nothing is known of a matrix that has not begun")
            self._must(full | ~failed, "there is no error between matrices")

    def _slots(self) -> list[Slot]:
        zero, last = self._read("zero"), self._read("staged_last")
        entry = Mux(zero, 0, Cat(*(self._read(f"staged_{name}") for name in ("row", "column", "value"))))
        staged = Cat(entry, self._read("staged_keep"), last, Mux(last, self._read("error"), 0))
        return [
            ("survivor register", self._read("survivor__valid"), self._read("survivor__payload")),
            ("staged survivor", self._read("staged_valid"), staged),
        ]
