"""How the registers of the CSR decoder of dense rows stand to its model: what makes the proof inductive."""

from typing import Any

from amaranth.hdl import Cat, Const, Mux, Value
from amaranth.lib import data

from golden.params.csr import CsrError
from hdl.csr_pairs import pair_layout
from hdl.properties.csr_dense_model import DenseModel
from hdl.properties.csr_input_invariants import InputInvariants
from hdl.properties.queue import Queue

MATRICES = 6  # that were begun on either side and are not complete on both


class CsrDenseInvariants(InputInvariants):
    """Of the reader, the pairs, and the rows."""

    model: DenseModel
    pointers, elements, shape, sides = "reader", "pairs", ("rows", "columns"), ("rows", "columns")

    @property
    def begun(self) -> Value:
        judge = self.model.judge
        return judge.shapes.full[0] & (judge.number != 0)

    def follows(self, told: Any) -> Value:
        model = self.model
        return (told.begin == model.end) & (told.row == (model.row + model.known)[: self.p.row_bits])

    def _rows(self, name: str) -> Any:
        return self._get(f"dense_rows.{name}")

    @property
    def _low(self) -> int:
        return self.p.lanes.bit_length() - 1

    def hold(self) -> None:
        self.inputs()
        self._found()
        self._shapes()
        self._matrices()
        self._columns()
        self._pairs()
        self._joins()
        self._matrix()
        self._row()
        self._beat()
        self._owed([("output register", self._rows("weight__valid"), self._rows("weight__payload"))])

    def _found(self) -> None:
        """The row that is told next."""
        m, p, told, full = self.m, self.p, self.teller.stages[0], self.teller.full[0]
        self._must(self._find("rows__valid") == (full & (told.real | told.done)), "a row or an end was found")
        with m.If(full & (told.real | told.done)):
            self._same("found", self._find, told, "rows", "columns")
            self._must(self._find("found_closing") == told.done, "an end was found")
            self._must(self._find("found_error") == Mux(told.real, CsrError.NONE, told.error), "the error that was found")
            self._must(self._find("found_few") == (told.rows <= 1), "a matrix of one row was found")
            self._must(self._find("found_narrow") == ((told.rows == 0) | (told.columns <= p.lanes)), "a row of one beat was found")
            self._must(self._find("found_tight") == (told.columns[: self._low] == 0), "the last beat of a row that was found is full")
            self._must(self._find("found_void") == ((told.rows == 0) | (told.columns == 0)), "a matrix without weights was found")
            self._must(told.real | (told.error != CsrError.NONE) | ~self._find("found_some"), "a matrix without rows was found")
        with m.If(full & told.real):
            self._same("found", self._find, told, "end")
            self._must(self._find("found_some") == (told.end > told.begin), "a row with survivors was found")
            one = self._find("found_one") == (told.end == told.begin + 1)
            self._must((told.end == told.begin) | one, "the row that was found has one survivor")
            self._must(self._find("found_short") == (told.done & (told.error != 0)), "after the row that was found another should follow")

    def _shapes(self) -> None:
        """The shapes of which one part has been told and another not, and the survivors of the first."""
        m, judge = self.m, self.model.judge
        shape, waits = judge.shapes.entries
        self._must(self._get("shape_taken") == self.model.had, "the offered shape is taken")
        self._must(~self.model.had.all(), "a shape that is taken twice is gone")
        self._must(Cat(self._read("shape_valid"), self._get("shape_waits")) == judge.shapes.full, "shapes wait")
        with m.If(judge.shapes.full[1]):
            self._must(self._get("shape_waiting") == Cat(waits.columns, waits.survivors), "the shape that waits")
        with m.If(judge.shapes.full[0]):
            self._same("shape", self._read, shape, "columns", "survivors")
            self._must((judge.number < shape.survivors) | ((judge.number == 0) & (shape.survivors == 0)), "survivors are left")
            last = judge.number + 1 >= shape.survivors
            self._must(self._read("shape_last") == last, "the last survivor is next")
            self._must(self._read("shape_empty") == (shape.survivors == 0), "there are no survivors")
            self._must(last | (self._read("after_next") == judge.number + 2), "the survivor after the next")
        with m.Else():
            self._must(judge.number == 0, "no survivor between matrices")

    def _matrices(self) -> None:
        """Both sides have as many matrices that are not complete, each from when it takes the shape: the end of the row pointers, and the
        last survivor, is on its way or used.
        """
        model, teller, judge = self.model, self.teller, self.model.judge
        ends = [full & told.done for told, full in zip(teller.stages, teller.full, strict=True)]
        rows = sum(ends, start=(teller.shapes.level & ~teller.ended) + (model.working & model.done))
        finals = [full & pair.final for pair, full in zip(judge.pairs.entries, judge.pairs.full, strict=True)]
        survivors = sum(finals, start=judge.shapes.full[0] + judge.shapes.full[1] + model.used)
        self._must(rows + model.had[1] + model.dropping == survivors + model.had[0], "as many matrices on both sides")

    def _columns(self) -> None:
        """Both sides know the same columns of each matrix: those of the shapes that either has taken, oldest first."""
        m, model, teller, judge = self.m, self.model, self.teller, self.model.judge
        taken = Queue(self.p.column_bits, MATRICES)
        m.submodules.taken_columns = taken
        m.d.comb += [
            taken.push.eq((model.row_shape | model.pair_shape) & (model.had == 0)), taken.new.eq(model.count.columns),
            taken.pop.eq(model.gone),
        ]
        self._must(~taken.overflows & ~taken.underflows, "no more matrices than either side has place for")
        place: Value = model.dropping
        slots: list[tuple[str, Value, Value, Value]] = [("at hand", model.working, model.matrix.columns, model.done)]
        for what, told, full in zip(("found", "compared"), teller.stages, teller.full, strict=True):
            slots.append((what, full & told.counts, told.columns, told.done))
        slots.append(("read next", (teller.shapes.level != 0) & ~teller.ended, teller.shapes.entry0.columns, Const(1)))
        for what, full, columns, ends in slots:
            self._at(taken, full, place, what, columns)
            place = place + (full & ends)
        self._must(place + (model.had == 2) == taken.level, "the matrices of the row pointers")
        place = model.used
        for name, full, pair in zip(("pair", "behind"), judge.pairs.full, judge.pairs.entries, strict=True):
            self._at(taken, full & self._pair(name).good, place, name, pair.column, below=True)
            place = place + (full & pair.final)
        for full, shape in zip(judge.shapes.full, judge.shapes.entries, strict=True):
            self._at(taken, full, place, "judged", shape.columns)
            place = place + full
        self._must(place + (model.had == 1) == taken.level, "the matrices of the survivors")
        self._must((model.had == 0) | model.offered, "a shape that one side has taken stays")
        for i, mine in enumerate(taken.entries):
            with m.If((model.had != 0) & (taken.level == i + 1)):
                self._must(model.count.columns == mine, "the columns of the shape that is offered")

    def _at(self, taken: Queue, full: Value, place: Value, what: str, column: Value, *, below: bool = False) -> None:
        """What is *full* belongs to the matrix at *place* of those *taken*: *column* is its columns or, with *below*, one of them."""
        for i, mine in enumerate(taken.entries):
            with self.m.If(full & (place == i)):
                self._must((column < mine) if below else (column == mine), f"the columns of what is {what}, of matrix {i}")

    def _pair(self, name: str) -> Any:
        return data.View(pair_layout(self.p), self._read(name))

    def _pairs(self) -> None:
        """The survivors that were judged."""
        m, pairs = self.m, self.model.judge.pairs
        self._must(Cat(self._read("pair__valid"), self._read("behind_valid")) == pairs.full, "survivors were judged")
        with m.If(pairs.full != 0):
            final = Mux(pairs.full[1], pairs.entries[1].final, pairs.entries[0].final)
            self._must(final == ~self.begun, "the survivor that was judged last is its matrix's last, or others follow")
        for i, (name, entry) in enumerate(zip(("pair", "behind"), pairs.entries, strict=True)):
            pair = self._pair(name)
            with m.If(pairs.full[i]):
                self._must((pair.error == entry.error) & (pair.final == entry.final) & (pair.empty == entry.empty), f"the {name}")
                self._must(pair.good == ((entry.error == CsrError.NONE) & ~entry.empty), f"the {name} is good")
                self._must(~entry.empty | entry.final, f"the {name} is the only one where there are none")
                with m.If(pair.good):
                    self._must(Cat(pair.lane, pair.beat, pair.value) == Cat(entry.column, entry.value), f"column and value of the {name}")
                    self._must(pair.origin == (pair.beat == 0), f"the {name} is of the first beat")

    def _place(self, name: str) -> Value:
        pair = self._pair(name)
        return Cat(pair.lane, pair.beat)

    def _joins(self) -> None:
        """How the survivor behind stands to the one before it, and what stays of the one that was judged last."""
        m, pairs, model = self.m, self.model.judge.pairs, self.model
        first, behind, low = self._place("pair"), self._place("behind"), self._low
        for known, before in ((pairs.full[0] & self._pair("pair").good, first), (~pairs.full[0] & self._rows("begun"), model.before)):
            with m.If(known & pairs.full[1]):
                joins = self._pair("behind").good & (behind[low:] == before[low:]) & (behind > before)
                self._must(self._read("joins") == joins, "the survivor behind is of the same beat")
            with m.If(known & ~pairs.full[1]):
                self._must(behind == before, "the survivor that was judged last")

    def _matrix(self) -> None:
        """The matrix at hand."""
        m, p, model, matrix = self.m, self.p, self.model, self.model.matrix
        last = model.row + 1 >= matrix.rows
        self._must(self._rows("row_valid") == (model.working & (model.known | model.done)), "a row is at hand")
        self._must(self._rows("fresh") == ~model.working, "between matrices")
        self._must(self._rows("exhausted") == model.used, "all survivors are used up")
        self._must(self._rows("drain") == model.dropping, "survivors are dropped")
        self._must(model.working | ~(model.known | model.done), "no row is at hand between matrices")
        at_start = Cat(model.row, model.start, model.number, model.started, model.first, model.used) == 0
        self._must((model.working & ~model.dropping) | at_start, "a new matrix")
        self._must(model.done | (model.code == CsrError.NONE), "no error before the end of the row pointers")
        with m.If(model.working):
            self._must(self._rows("after_next") == (model.number + 2)[: p.count_bits], "the survivor after the next of the rows")
            self._must(self._rows("matrix_rows") == matrix.rows, "the rows")
            self._must(self._rows("matrix_high") == matrix.columns >> self._low, "the columns")
            top = Mux(matrix.columns[: self._low] == 0, p.lanes, matrix.columns[: self._low])
            self._must(self._rows("matrix_keep") == Cat(top > lane for lane in range(p.lanes)), "the lanes of the last beat")
            self._must(self._rows("matrix_void") == ((matrix.rows == 0) | (matrix.columns == 0)), "a matrix without weights")
            self._must(self._rows("matrix_narrow") == ((matrix.rows == 0) | (matrix.columns <= p.lanes)), "a row is one beat")
            self._must(self._rows("matrix_tight") == (matrix.columns[: self._low] == 0), "the last beat is full")
            self._must((model.row == 0) | (model.row < matrix.rows), "the row is one of the matrix")
            self._must(self._rows("row_last") == last, "the last row")
            self._must(last | (self._rows("after_row") == model.row + 2), "the row after the next")

    def _row(self) -> None:
        """The row at hand, and the first error."""
        m, model = self.m, self.model
        error = Mux(model.first != CsrError.NONE, model.first, Mux(model.known, CsrError.NONE, model.code))
        with m.If(self._rows("row_valid")):
            self._must(self._rows("row_error") == error, "the first error")
            self._must(self._rows("row_closing") == model.done, "no row follows")
        with m.If(model.working & ~model.known & ~model.done):
            self._must(self._rows("row_error") == model.first, "the first error between rows")
        with m.If(model.working & ~model.known & model.done):
            none = (model.matrix.rows == 0) & ~self._rows("row_some")
            self._must((model.code != CsrError.NONE) | none, "rows end because of an error")
        with m.If(model.working & ~model.known):
            self._must((model.first != 0) | model.done | (model.number == model.end), "the row before is complete")
            self._must((model.start == 0) | model.done, "a row begins")
        with m.If(model.known):
            after = model.done | (model.row + 1 < model.matrix.rows)
            self._must((model.row < model.matrix.rows) & after, "after the last row none follows")
            self._must((model.code == CsrError.NONE) | (model.code == CsrError.SHORT), "of the row's own pointer nothing is wrong")
            ends = model.done & (model.code == CsrError.NONE)
            self._must(~ends | (model.row + 1 == model.matrix.rows), "the rows end with the last")
            self._must(self._rows("row_short") == (model.done & (model.code != 0)), "another row should follow")
            with m.If(model.first == CsrError.NONE):
                some = model.number < model.end
                self._must(model.number <= model.end, "no more than the row's survivors")
                self._must(self._rows("row_end") == model.end, "the end of the row")
                self._must(self._rows("row_some") == some, "survivors are left in the row")
                self._must(~some | (self._rows("row_one") == (model.number + 1 == model.end)), "one survivor is left in the row")

    def _beat(self) -> None:
        """The beat at hand."""
        m, p, model, columns = self.m, self.p, self.model, self.model.matrix.columns
        begun, beat, tight = self._rows("begun"), model.start >> self._low, columns[: self._low] == 0
        bits = len(self._rows("beat"))
        self._must(model.start[: self._low] == 0, "a beat begins with its first lane")
        self._must((model.start == 0) | (model.start < columns), "the beat is in the row")
        with m.If(model.working):
            narrow = (model.matrix.rows == 0) | (model.start + p.lanes >= columns)
            self._must(self._rows("last_beat") == narrow, "the last beat of the row")
            self._must(self._rows("beat") == beat, "the beat")
            self._must(self._rows("beat_after") == (beat + 1)[:bits], "the beat after it")
            self._must(self._rows("beat_ahead") == (beat + 1 + tight)[:bits], "the beat ahead")
        pairs, one = model.judge.pairs, model.judge.pairs.entries[0]
        self._must(model.working | (pairs.full == 0) | (self._rows("beat") == 0), "the first beat is next")
        may = (model.first == CsrError.NONE) & ~model.used & ~model.dropping
        with m.If(pairs.full[0] & self._pair("pair").good & may & (model.known | ~model.done)):
            self._must(self._rows("fits") == model.fits(one, model.started, model.before), "the next survivor fits")
        self._must(~begun | (model.started & model.known), "a beat that has begun")
        self._must(~model.started | (model.known & model.working), "a row that has begun")
        with m.If(begun):
            self._must((model.before >= model.start) & (model.before < model.start + p.lanes), "the survivor before is of the beat")
            self._must(~self._rows("weight__valid"), "the output register is free")
            self._must((model.first == CsrError.NONE) & (model.number < model.end), "more of the beat is to come")
            given = data.View(model.beats.new.shape(), self._rows("weight__payload"))
            self._must(Value.cast(given.data) == Value.cast(model.held), "what was put")
        with m.Else():
            self._must(~model.started | (model.before < model.start), "the survivor before is of an earlier beat")
            self._must(Value.cast(model.held) == 0, "nothing was put")
