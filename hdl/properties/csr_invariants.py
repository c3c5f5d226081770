"""How the registers of the CSR decoder of coordinates stand to its model: what makes the proof inductive."""

from typing import Any

from amaranth.hdl import Cat, Mux, Value

from golden.params.csr import CsrError
from hdl.properties.csr_input_invariants import InputInvariants
from hdl.properties.csr_model import CsrModel
from hdl.properties.invariants import Slot


class CsrInvariants(InputInvariants):
    """Of the finder, the reader, and the survivors on their way out."""

    model: CsrModel

    pointers, elements, shape, sides = "finder", "reader", ("rows", "columns", "survivors"), ("columns", "survivors")

    @property
    def begun(self) -> Value:
        return self.model.working & (self.model.number != 0)

    def follows(self, told: Any) -> Value:
        return self.model.extra | (told.begin == self.model.row.end)

    def hold(self) -> None:
        self.inputs()
        self._found()
        self._matrix()
        self._row()
        self._errors()
        self._owed(self._slots())

    def _found(self) -> None:
        """What the element side is told next."""
        m, told, full, compared = self.m, self.teller.stages[0], self.teller.full[0], self.teller.stages[1]
        with m.If(self.teller.full[1] & compared.counts):
            self._must(self._find("many") == compared.survivors[1:].any(), "there are several survivors")
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
        self._must(~failed | (code != 0), "what has failed has an error")
        with m.If(full):
            self._must(last == ~self.begun, "the last survivor")
            self._must(keep | (last & known & ~failed), "what is no survivor is the last")
            self._must(~keep | (zero == (error != 0)), "what is wrong is zero")
            self._must(~(known & keep) | (self._read("staged_error") != 0), "what is known to be wrong has an error")
        with m.If(self.begun):
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
