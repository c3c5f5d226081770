"""How the registers of the look-up unit stand to its model: what makes the proof inductive."""

from functools import partial
from itertools import pairwise
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.params.lookup import LookUpError, LookUpParameters
from hdl.lookup_requests import request_layout, shape_layout
from hdl.properties.csr_invariants import CsrInvariants
from hdl.properties.invariants import Invariants, each, skid_slots
from hdl.properties.lookup_model import LookUpModel
from hdl.properties.lookup_search_invariants import SearchInvariants, key_of
from hdl.properties.spec import Internals


class Inside(Internals):
    """The internals of the CSR decoder inside, under the names that they have where it stands alone."""

    def __init__(self, internals: Internals) -> None:
        self._outer = internals

    def __getitem__(self, name: str) -> Any:
        return self._outer[name.replace("decoder.", "decoder.matrix.", 1)]


class LookUpInvariants(Invariants):
    """Of the requests, of survivors in their order, and of answers; see also :class:`CsrInvariants` and :class:`SearchInvariants`."""

    p: LookUpParameters
    model: LookUpModel

    def __init__(self, m: Module, model: LookUpModel, internals: Internals, search: SearchInvariants) -> None:
        super().__init__(m, model, internals)
        self.search = search

    def _of(self, part: str, name: str) -> Any:
        return self._get(f"{part}.{name}")

    def hold(self) -> None:
        self.inputs()
        self._asked()
        self._rows()
        self._sorted()
        self.search.hold()
        self._answers()

    def inputs(self) -> None:
        """Assert those of how the matrix and the requests are read."""
        CsrInvariants(self.m, self.model.matrix, Inside(self._internals)).hold()
        self._intake()
        self._shapes()
        self._count()
        self._both()

    def _intake(self) -> None:
        """What the requests' intake holds."""
        model, share = self.model, self.model.requests
        beats, beat = share.beats, share.beats.entry0
        full, kept, last, drain, number = (
            self._get(f"requests.intake.{name}") for name in ("valid", "held_kept", "held_last", "drain", "held_number")
        )
        self._must(full == share.there, "a request is held or missing")
        self._must(drain == share.dropping, "what is left of the requests is dropped")
        self._must(~share.dropping | ~share.there, "no request is held while they are dropped")
        self._must(~share.over | ((beats.level == 0) & (model.number != 0)), "the requests are over only in a matrix")
        with self.m.If(share.over):
            self._must(~kept & last, "a request is missing")
        with self.m.Elif(beats.level != 0):
            self._must((kept == beat.keep) & (last == beat.last) & (kept | last), "what is kept of the requests")
            self._must(number == key_of(beat.data[0]), "the request that is held")

    def _shapes(self) -> None:
        """The requests that are counted off, and the shape that waits."""
        model, get = self.model, partial(self._of, "requests")
        waiting = data.View(shape_layout(self.p), get("waiting"))
        valid, rows, columns, empty = (get(f"matrix_{name}") for name in ("valid", "rows", "columns", "empty"))

        def at_work(i: int, _: str) -> None:
            shape = model.shapes.entries[i]
            self._must((rows == shape.rows) & (columns == shape.columns), "the matrix whose requests are read")
            self._must(empty == (shape.requests == 0), "it has no requests")
            self._must(get("following") == shape.requests - 2 - model.number, "requests that follow")
            self._must((model.number == 0) | (model.number < shape.requests), "requests are left")

        def next_one(i: int, _: str) -> None:
            shape = model.shapes.entries[i]
            self._must(Value.cast(waiting) == Cat(shape.rows, shape.columns, shape.requests), "the shape that waits")

        each(self.m, model.shapes, [("requests' matrix", valid, at_work), ("requests' next", get("waiting_valid"), next_one)])
        self._must(valid == model.settled, "a matrix whose requests are read was taken before")
        self._must(valid | (model.number == 0), "no request of a matrix that has not begun was judged")

    def _asked(self) -> None:
        """The request that was judged, and what came before it."""
        model, asked = self.model, self.model.asked
        told, request = data.View(request_layout(self.p), self._get("requests.asked")), asked.entry0
        self._must(self._get("requests.asked__valid") == asked.level, "a request was judged")
        with self.m.If(asked.level != 0):
            one, other = (Cat(each.keep, each.last, Value.cast(each.error)) for each in (told, request))
            self._must(one == other, "how it was judged")
            right = request.keep & (request.error == LookUpError.NONE)
            self._must(~right | (told.key == key_of(request.place)), "the request that was judged")
        none = model.first == LookUpError.NONE
        self._must(self._get("loaded") == model.loaded, "the matrix is loaded")
        self._must(self._get("error") == Value.cast(model.first), "the first error")
        self._must(model.loaded | none, "no error is known before the matrix is loaded")
        self._must(self._get("place") == Mux(none, model.stored, 0), "the survivors that can be found")

    @property
    def _ends(self) -> tuple[Value, Value]:
        """Of the survivors that wait, the first two at most, which is the last of its matrix."""
        beats = self.model.matrix.beats
        return (beats.level != 0) & beats.entry0.last, (beats.level == 2) & beats.entry1.last

    def _count(self) -> None:
        """Survivors that are stored or wait are those that were judged, and no more than there is room for."""
        model, matrix, (one, other) = self.model, self.model.matrix, self._ends
        stored, beats, most = Mux(model.loaded, 0, model.stored), self.model.matrix.beats, (1 << self.p.survivor_bits) - 2
        for i, (entry, before) in enumerate(((beats.entry0, stored), (beats.entry1, Mux(one, 0, stored + 1)))):
            with self.m.If(beats.level > i):
                self._must(entry.keep | entry.last, f"waiting survivor {i} is one, or tells that there is none")
                self._must((before == 0) | entry.keep, f"waiting survivor {i} is one behind others")
                self._must(before <= most, f"there is room for waiting survivor {i}")
        newest = Mux(other, 0, Mux(one, beats.level - 1, stored + beats.level))
        self._must(newest == Mux(matrix.working, matrix.number, 0), "the survivors that were judged are stored or wait")

    def _both(self) -> None:
        """The matrices whose requests are still to be answered are those that are loaded, or whose last row pointer or survivor is not."""
        model, matrix, teller = self.model, self.model.matrix, self.model.matrix.teller
        told = [full & told.done for told, full in zip(teller.stages, teller.full, strict=True)]
        read = (teller.shapes.level != 0) & ~teller.ended
        of_matrix = sum([*self._ends, matrix.working & matrix.done, *told, read], start=model.loaded)
        of_requests = model.shapes.level + ((model.asked.level != 0) & model.asked.entry0.last)
        self._must(of_matrix == of_requests, "as many matrices are loaded as requests are read for")

    def _rows(self) -> None:
        """Rows that are not at hand yet come after that at hand, in their order."""
        matrix, teller = self.model.matrix, self.model.matrix.teller
        same: Value = matrix.working & ~matrix.done
        before = matrix.row.row
        chain: list[Any] = [(told.counts & ~told.first, full, told.row) for told, full in zip(teller.stages, teller.full, strict=True)]
        chain.append((~teller.ended & (teller.index != 0), Const(1), (teller.index - 1)[: self.p.row_bits]))
        for i, (follows, full, row) in enumerate(chain):
            same = same & (~full | follows)
            self._must(~(same & full) | (row > before), f"row {i} on its way comes after that at hand")
        for i, j in ((0, 1), (0, 2), (1, 2)):
            between = Cat(~full | follows for follows, full, _ in chain[i + 1 : j + 1]).all()
            real = chain[i][0] & chain[i][1] & chain[j][1]
            self._must(~(real & between) | (chain[j][2] > chain[i][2]), f"row {j} on its way comes after row {i}")

    def _sorted(self) -> None:
        """Survivors increase, unless the matrix ends in an error."""
        m, model, matrix, (one, other) = self.m, self.model, self.model.matrix, self._ends
        first, second = matrix.beats.entry0, matrix.beats.entry1
        level, good = matrix.beats.level, matrix.first == LookUpError.NONE
        keys = [Signal(self.p.row_bits + self.p.column_bits, name=f"sorted_{name}") for name in ("table", "first", "second")]
        m.d.comb += [key.eq(key_of(entry.data[0])) for key, entry in zip(keys[1:], (first, second), strict=True)]
        for i, row in enumerate(model.table):
            with m.If(model.stored == i + 1):
                m.d.comb += keys[0].eq(key_of(row))
        right = Signal()  # the matrix of the first that waits, else that at hand, has no error
        m.d.comb += right.eq(Mux(one, first.error == 0, Mux(other, second.error == 0, good)))
        with m.If(Mux(model.loaded, model.first == LookUpError.NONE, right)):
            for i, (row, after) in enumerate(pairwise(model.table)):
                self._must((model.stored <= i + 1) | (key_of(row) < key_of(after)), f"survivor {i + 1} is sorted")
        with m.If(~model.loaded & right & (level != 0)):
            self._must((model.stored == 0) | ~first.keep | (keys[0] < keys[1]), "the next survivor is sorted")
        with m.If(right & (level == 2) & ~one):
            self._must(keys[1] < keys[2], "the survivor after the next is sorted")
        newest, row, column = Signal.like(keys[0]), matrix.row.row, matrix.before
        m.d.comb += newest.eq(Mux(level == 2, keys[2], Mux(level == 1, keys[1], keys[0])))
        newest_row = newest[self.p.column_bits :]
        with m.If(matrix.working & (matrix.number != 0) & good):
            with m.If(matrix.open & matrix.started):
                self._must(newest == Cat(column, row), "the newest survivor is that before the next in the row")
            with m.Elif(matrix.open):
                self._must(newest_row < row, "the newest survivor is of a row before")
            with m.Else():
                self._must(newest_row <= row, "the newest survivor is of the row that was at hand")

    def _answers(self) -> None:
        """What is owed is at the output, or has a place, and what has no answer there yet is being searched."""
        m, model, get = self.m, self.model, partial(self._of, "answers")
        beats = model.beats
        weight = ("weight register", get("weight__valid"), get("weight__payload"))
        ahead: Value = Const(0)
        for name, full, register in [*(skid_slots(m, self._internals, "skid") if self.p.skid else []), weight]:
            for i in range(1 + 2 * self.p.skid):
                with m.If(full & (ahead == i)):
                    self._must(register == Value.cast(beats.entries[i]), f"the {name}, {i} before it")
            ahead = ahead + full
        bits = self.p.places.bit_length()
        reserved, filled, given = (get(name) for name in ("reserved", "filled", "given"))
        taken, answered = (reserved - given)[:bits], (filled - given)[:bits]
        self._must((taken <= self.p.places) & (answered <= taken), "places are taken and filled in order")
        self._must(beats.level == ahead + taken, "as many answers as are owed")
        entries = Array(Value.cast(entry) for entry in beats.entries)
        width = len(beats.new.data.as_value())
        for place in range(self.p.places):
            offset = (place - given)[: bits - 1]
            entry = Signal(len(Value.cast(beats.new)), name=f"owed_in_{place}")
            m.d.comb += entry.eq(entries[ahead + offset])
            self._must((offset >= taken) | (get(f"endings[{place}]") == entry[width:]), f"the ending in place {place}")
            self._must((offset >= answered) | (get(f"values[{place}]") == entry[:width]), f"the value in place {place}")
        position = ahead + answered
        for (name, _), answer in reversed([*zip(self.search.stages, self.search.answers, strict=True)]):
            searches = self.search.get(f"{name}_search")
            self._must(~searches | (entries[position][:width] == answer), f"the answer that is searched at {name}")
            position = position + searches
        self._must(position == ahead + taken, "each place without an answer has a search")
