"""How the registers of the coordinate decoder that gives all weights stand to its model: what makes the proof inductive."""

from functools import partial
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.params.coo import CooParameters
from hdl.coo import survivor_layout
from hdl.properties.coo_invariants import CooInvariants
from hdl.properties.invariants import Invariants, each
from hdl.properties.spec import Internals


class DenseInvariants(Invariants):
    """The invariants of one decoder.

    Attributes:
        opens, bases: For each of the survivors that are not put, and for that behind them: whether survivors of its matrix are before it;
            the beat that the one before it is in, or 0.
        beats: The beats that the survivors themselves are in; those that are not good are in that of the one before.
    """

    p: CooParameters

    def __init__(self, m: Module, model: Any, internals: Internals) -> None:
        super().__init__(m, model, internals)
        self.checker = CooInvariants(m, model.judge, internals)
        self.low = self.p.lanes.bit_length() - 1
        beat_bits = self.p.count_bits - self.low
        self.at_hand = model.start >> self.low
        self.opens: list[Value] = [model.open]
        self.bases: list[Value] = [Mux(model.ending, 0, self.at_hand)[:beat_bits]]
        self.beats: list[Value] = []
        for i, one in enumerate(model.found.entries):
            beat, base = Signal(beat_bits, name=f"beat_{i}"), Signal(beat_bits, name=f"base_{i}")
            m.d.comb += [beat.eq(Mux(one.good, one.position >> self.low, self.bases[i])), base.eq(Mux(one.last, 0, beat))]
            self.beats.append(beat)
            self.bases.append(base)
            self.opens.append(~one.last)

    def hold(self) -> None:
        self.checker.checked()
        self._survivors()
        self._slots()
        self._at_hand()
        self._owed([("output register", self._get("beats.weight__valid"), self._get("beats.weight__payload"))])

    def _final(self, count: Value) -> Value:
        """The last beat of a matrix of *count* weights."""
        return Mux(count == 0, 0, (count - 1)[: self.p.count_bits] >> self.low)

    def _survivors(self) -> None:
        """The positions of the survivors that are not put are in their matrices, and in order."""
        m, model, found, judge = self.m, self.model, self.model.found, self.model.judge
        for i, one in enumerate(found.entries):
            with m.If(found.level > i):
                self._must(self.beats[i] <= self._final(one.count), f"a survivor is in its matrix, {i} before it")
                self._must(self.beats[i] >= self.bases[i], f"survivors are in order, {i} before it")
                self._must(~one.good | (one.position < one.count), f"a good survivor has a place, {i} before it")
        for i, (opened, base) in enumerate(zip(self.opens, self.bases, strict=True)):
            with m.If(found.level == i):
                self._must(opened == self.checker.begun, f"the matrix of the next survivor has begun, {i} before it")
                with m.If(self.checker.begun):
                    self._must(base <= self._final(model.shapes.entry0.count), f"survivors are put in their matrix, {i} before the next")
                    before = judge.before >> self.low
                    self._must((judge.first != 0) | (base == before), f"the beat of the entry before, {i} before the next")

    def _slots(self) -> None:
        """The stages hold the survivors that are not put."""
        get, found, p = self._get, self.model.found, self.p
        told = {"keep": 1, "last": 1, "none": 1, "error": 3, "value": p.value_bits, "lane": self.low, "top": self.low}
        distances = dict.fromkeys(("skip", "rest"), p.count_bits - self.low)
        layout = data.StructLayout({name: bits for name, bits in told.items() if bits} | distances)
        front, spare = (data.View(layout, get(f"beats.apart.{name}")) for name in ("front", "spare"))
        given = data.View(survivor_layout(p), get("checker.survivor__payload"))
        valid, spare_valid, given_valid = get("beats.apart.o__valid"), get("beats.apart.spare_valid"), get("checker.survivor__valid")
        self._must(valid | ~spare_valid, "the buffer is filled in order")
        each(self.m, found, [
            ("survivor to put", get("beats.valid"), self._coming),
            ("survivor whose beat is known", valid, partial(self._apart, front)),
            ("survivor behind it", spare_valid, partial(self._apart, spare)),
            ("checked survivor", given_valid, partial(self._given, given)),
            ("staged survivor", self.checker.staged[0], self._staged),
        ])
        ahead = get("beats.valid") + valid + spare_valid
        for i in range(len(self.bases)):
            with self.m.If(ahead == i):
                self._must(get("beats.before") == self.bases[i], f"the beat of the survivor before, {i} before it")
            with self.m.If((ahead + given_valid == i) & self.opens[i]):
                self._must(given.position >> self.low == self.bases[i], f"the position of the survivor before, {i} before it")
                # What was staged is given again and again until another one comes.
                again = ~self.checker.staged[0] & (self.model.judge.first != 0) & get("checker.staged_first")
                self._must(~again | (self.bases[i] == 0), f"a first survivor that is wrong is nowhere, {i} before it")
        with self.m.If(get("checker.active")):
            for waits, shape in ((self.checker.reads, self.model.shapes.entry0), (~self.checker.reads, self.model.shapes.entry1)):
                with self.m.If(waits):
                    self._matrix(get("checker.matrix_furthest"), get("checker.matrix_none"), shape.count, "matrix")

    def _matrix(self, furthest: Value, none: Value, count: Value, what: str) -> None:
        self._must(furthest == (count - 1)[: len(furthest)], f"the last weight of the {what}")
        self._must(none == (count == 0), f"there are no weights in the {what}")

    def _end(self, register: Any, one: Any, what: str) -> None:
        self._must((register.last == one.last) & (register.error == one.error), f"the end of the {what}")
        self._must(~one.good | (register.value == one.value), f"the value of the {what}")

    def _staged(self, i: int, what: str) -> None:
        one, (_, zero, entry) = self.model.found.entries[i], self.checker.staged
        last = self._get("checker.staged_last")
        self._must((one.good == ~zero) & (entry == Cat(one.position, one.value)), f"the {what}")
        self._must((last == one.last) & (Mux(last, self._get("checker.error"), 0) == one.error), f"the end of the {what}")
        self._must(self._get("checker.staged_first") == ~self.opens[i], f"the {what} is the first")
        self._matrix(self._get("checker.staged_furthest"), self._get("checker.staged_none"), one.count, what)

    def _given(self, given: Any, i: int, what: str) -> None:
        one = self.model.found.entries[i]
        self._must((given.keep == one.good) & (given.position >> self.low == self.beats[i]), f"the beat of the {what}")
        self._must(~one.good | (given.position == one.position), f"the position of the {what}")
        self._end(given, one, what)
        self._matrix(given.furthest, given.none, one.count, what)

    def _apart(self, apart: Any, i: int, what: str) -> None:
        one = self.model.found.entries[i]
        self._must((apart.keep == one.good) & (apart.skip == self.beats[i] - self.bases[i]), f"the beats before the {what}")
        self._must(apart.rest == (self._final(one.count) - self.beats[i])[: len(apart.rest)], f"the beats behind the {what}")
        self._must(apart.none == (one.count == 0), f"there are no weights in the matrix of the {what}")
        self._end(apart, one, what)
        if self.low:
            self._must(~one.good | (apart.lane == one.position[: self.low]), f"the lane of the {what}")
            self._must(apart.top == (one.count - 1)[: self.low], f"the last lane of the {what}")

    def _coming(self, i: int, what: str) -> None:
        if i:
            return  # it is always the oldest
        one = self.model.found.entry0

        def get(name: str) -> Any:
            return self._get(f"beats.coming_{name}")

        ahead = self.beats[0] - self.bases[0]
        self._must(get("same") == (ahead == 0), f"the beat of the {what}")
        self._must((ahead == 0) | (get("far") == ahead - 2), f"the beats before the {what}")
        self._must(get("left") == (self._final(one.count) - self.beats[0] - 1)[: len(get("left"))], f"the beats behind the {what}")
        hits = Cat(one.good & (one.position[: self.low] == lane) for lane in range(self.p.lanes))
        self._must(get("hits") == hits, f"the lane of the {what}")
        self._must((get("last") == one.last) & (get("error") == one.error), f"the end of the {what}")
        self._must(~one.good | (get("value") == one.value), f"the value of the {what}")
        self._must(get("none") == (one.count == 0), f"there are no weights in the matrix of the {what}")
        if self.low:
            self._must(get("top") == (one.count - 1)[: self.low], f"the last lane of the {what}")

    def _at_hand(self) -> None:
        """The beat at hand, and the end of its matrix."""
        m, model = self.m, self.model
        self._must(self._get("beats.held") == Value.cast(model.held), "what was put")
        self._must(self._get("beats.closing") == model.ending, "the last survivor was put")
        self._must(~model.open | ~model.ending, "others are to come or not")
        self._must(model.start[: self.low] == 0 if self.low else Const(1), "the beat at hand is a whole one")
        waits = self._get("beats.valid")
        self._must(model.open | model.ending | waits | (model.start == 0), "nothing is at hand between matrices")
        self._must(~model.start[-1], "the beat at hand is no later than one can be")
        self._must(waits | (self._get("beats.coming_hits") == 0), "no lane is hit without a survivor")
        with m.If(model.ending):
            final, left = self._final(model.count_at_hand), self._get("beats.end_left")
            self._must(self.at_hand <= final, "the beat at hand is in its matrix")
            self._must(left == (final - self.at_hand - 1)[: len(left)], "the beats that follow")
            self._must(self._get("beats.end_error") == model.code, "the error")
            self._must(self._get("beats.end_none") == (model.count_at_hand == 0), "the matrix has no weights")
            if self.low:
                self._must(self._get("beats.end_top") == (model.count_at_hand - 1)[: self.low], "the last lane")
