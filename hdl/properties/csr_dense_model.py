"""CSR's dense rows by their definition: row pointers and survivors are judged by themselves, and these put in their places."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrError, CsrParameters
from hdl.properties.csr_model import PointerModel, Share, join_shares
from hdl.properties.queue import Queue
from hdl.stream import payload


class Line(wiring.Component):
    """Two places in a row; what is in the second goes on to the first as soon as that is free.

    Members:
        push, new: ``In``; *new* goes into the second place.
        pop: ``In``; the first place becomes free.
        full: ``Out``; a bit a place, that of the first lowest.
        lost: ``Out``; there is no place for what is pushed.

    Attributes:
        entries: What is in the first and in the second place.
    """

    def __init__(self, shape: Any) -> None:
        self.entries = [Signal(shape, name=f"entry_{i}") for i in range(2)]
        super().__init__(dict.fromkeys(("push", "pop"), In(1)) | {"new": In(shape), "full": Out(2), "lost": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        goes, room = Signal(), Signal()
        m.d.comb += [goes.eq(~self.full[0] | self.pop), room.eq(~self.full[1] | goes), self.lost.eq(self.push & ~room)]
        with m.If(goes):
            m.d.sync += [self.entries[0].eq(self.entries[1]), self.full[0].eq(self.full[1])]
        with m.If(room):
            m.d.sync += [self.entries[1].eq(self.new), self.full[1].eq(self.push)]
        return m


def pair_layout(p: CsrParameters) -> data.StructLayout:
    """A survivor: ``column`` and ``value``; ``error`` of its own; ``final``, the last of its matrix; ``empty``, that has none."""
    return data.StructLayout({"column": p.column_bits, "value": p.value_bits, "error": CsrError, "final": 1, "empty": 1})


class SurvivorModel(wiring.Component):
    """The survivors, as many as the shape says, at least one: each is judged by itself, without its row.

    Members:
        shape, count, column, column_beat, value, value_beat: ``In``; see :class:`hdl.properties.model.Model`.
        take: ``In``; a survivor is judged.
        pop: ``In``; the oldest that was judged is done with.
        unasked: ``Out``; see there.

    Attributes:
        shares, shapes, pairs: The streams, the shapes of the matrices whose survivors are not all judged, and those that are, oldest first.
        number: Survivors of the matrix that were judged.
        can_take: A survivor can be judged.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        p = self.parameters = parameters
        shape = payload(p.shape)["data"].shape.elem_shape
        self.shares = {port.name: Share(port) for port in p.inputs[1:]}
        self.shapes, self.pairs = Line(shape), Line(pair_layout(p))
        self.number, self.can_take = Signal(p.count_bits), Signal()
        flags = dict.fromkeys(("shape", "column", "value", "take", "pop"), In(1)) | {"unasked": Out(1), "count": In(shape)}
        super().__init__(flags | {f"{port.name}_beat": In(payload(port)) for port in p.inputs[1:]})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.shapes, m.submodules.pairs = shapes, pairs = self.shapes, self.pairs
        shape, new, final, empty = shapes.entries[0], pairs.new, Signal(), Signal()
        column, value = join_shares(m, self, final)
        m.d.comb += [
            final.eq(self.number + 1 >= shape.survivors), empty.eq(shape.survivors == 0),
            self.can_take.eq(shapes.full[0] & column.there & value.there & (~pairs.full.all() | self.pop)),
            shapes.push.eq(self.shape), shapes.new.eq(self.count), shapes.pop.eq(self.take & final), pairs.push.eq(self.take),
            pairs.pop.eq(self.pop), new.column.eq(column.number), new.value.eq(value.number), new.final.eq(final), new.empty.eq(empty),
            self.unasked.eq((self.take & ~self.can_take) | shapes.lost | pairs.lost | column.unasked | value.unasked),
        ]
        with m.If(empty):
            m.d.comb += new.error.eq(Mux(column.missing & value.missing, CsrError.NONE, CsrError.LONG))
        with m.Elif(column.missing | (final & column.more)):
            m.d.comb += new.error.eq(Mux(column.missing, CsrError.SHORT, CsrError.LONG))
        with m.Elif(value.missing | (final & value.more)):
            m.d.comb += new.error.eq(Mux(value.missing, CsrError.SHORT, CsrError.LONG))
        with m.Elif(column.number >= shape.columns):
            m.d.comb += new.error.eq(CsrError.RANGE)
        with m.If(self.take):
            m.d.sync += self.number.eq(Mux(final, 0, self.number + 1))
        return m


class DenseModel(wiring.Component):
    """All weights: each survivor is put into the beat that its column is in, and all others are 0.

    Members, beside those of every model:
        offered, row_shape, pair_shape: ``In``; a shape is offered, and the row pointers or the survivors take it. It is taken when both
            have it; until then it must not change.
        move: ``In``; see :class:`hdl.properties.csr_model.PointerModel`; what the oldest row pointer says is told.
        take: ``In``; see :class:`SurvivorModel`.
        put: ``In``; the oldest survivor is put into the beat at hand.
        drop: ``In``; it is done with: after an error, or as its matrix is complete.
        give: ``In``; the beat at hand, after *put*, is made.

    Attributes:
        teller, judge: The models of row pointers and survivors.
        beats: The output beats that are owed.
        working, matrix, row, start, held: Something was told of a matrix; its shape; the row at hand and the column of the first weight of
            the beat at hand, and what was put in it.
        known, end: It was told where the row at hand ends, and where.
        done, code: No row is told any more, and the error of the row pointers.
        number, used, started, before: Survivors that were put; the last was; one of this row was; its column.
        first: The first error up to the end of the row before.
        dropping: The rest of the survivors of a matrix that is complete is dropped.
        can_put: The oldest survivor can be put.
        can_give: The beat at hand can be made, if need be with *put*.
        silent: It is none: a row without columns that is not the last.
        gone: The matrix is done with, and its survivors are.
        had: The sides, row pointers and survivors, that have taken the shape that is offered.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        p = self.parameters = parameters
        self.teller, self.judge = PointerModel(p), SurvivorModel(p)
        self.shares = self.judge.shares
        self.streams = {"pointer": self.teller.pointers} | {name: share.beats for name, share in self.shares.items()}
        self.shapes, self.beats = self.teller.shapes, Queue(payload(p.output), 1 + 2 * p.skid)
        shape = self.shapes.entry0.shape()
        self.matrix, self.had = Signal(shape), Signal(2)
        self.row, self.start, self.held = Signal(p.row_bits), Signal(p.column_bits + 1), Signal(payload(p.output)["data"].shape)
        self.end, self.number, self.before = Signal(p.count_bits), Signal(p.count_bits), Signal(p.column_bits)
        self.code, self.first, self.gone = Signal(CsrError), Signal(CsrError), Signal()
        flags = ("working", "known", "done", "used", "started", "dropping", "can_put", "can_give", "silent")
        self.working, self.known, self.done, self.used, self.started, self.dropping, self.can_put, self.can_give, self.silent = (
            Signal(name=name) for name in flags
        )
        beats = {f"{port.name}_beat": In(payload(port)) for port in p.inputs}
        hints = ("offered", "row_shape", "pair_shape", "move", "take", "put", "drop", "give")
        inputs = dict.fromkeys(("shape", "pointer", "column", "value", "taken", *hints), In(1))
        super().__init__(inputs | beats | {"count": In(shape), "unasked": Out(1)})

    @property
    def wants_shape(self) -> Value:
        """There is room for another shape."""
        return (self.shapes.level == 0) & ~self.judge.shapes.full[1]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.teller, m.submodules.judge, m.submodules.beats = teller, judge, beats = self.teller, self.judge, self.beats
        m.d.comb += [getattr(teller, name).eq(getattr(self, name)) for name in ("count", "pointer", "pointer_beat", "move")]
        names = ("count", "take", "column", "column_beat", "value", "value_beat")
        m.d.comb += [getattr(judge, name).eq(getattr(self, name)) for name in names]
        takes = Cat(self.row_shape, self.pair_shape)
        shape_wrong = (takes.any() & ~self.offered) | (takes & self.had).any() | (self.shape & ~(self.had | takes).all())
        complete, row_ends, wrong = self._give(m)
        lost = self._tell(m, complete, row_ends)
        m.d.comb += [
            teller.shape.eq(self.row_shape), judge.shape.eq(self.pair_shape), judge.pop.eq(self.put | self.drop),
            beats.pop.eq(self.taken), self.unasked.eq(judge.unasked | wrong | shape_wrong | lost),
        ]
        m.d.sync += self.had.eq(Mux(self.shape, 0, self.had | takes))
        return m

    def fits(self, pair: Any, started: Value, before: Value) -> Value:
        """Whether a survivor of the row is of the beat at hand."""
        good = (pair.error == CsrError.NONE) & ~pair.empty & ~(started & (pair.column <= before))
        fits: Value = good & (pair.column >= self.start) & (pair.column < self.start + self.parameters.lanes)
        return fits

    def _give(self, m: Module) -> tuple[Value, Value, Value]:
        """Put and drop survivors and make beats; gives whether the matrix is complete, and the row, and a step is wrong."""
        p, pairs, first = self.parameters, self.judge.pairs, self.first
        one, there = pairs.entries[0], pairs.full[0]
        failed = (first != CsrError.NONE) | (self.working & ~self.known & self.done & (self.code != CsrError.NONE))
        wants, last_beat, last, void = (Signal(name=name) for name in ("wants", "last_beat", "last", "void"))
        complete, wrong = Signal(), Signal()
        m.d.comb += [
            wants.eq(~failed & self.known & (self.number < self.end)),
            self.can_put.eq(wants & ~self.dropping & ~self.used & there & self.fits(one, self.started, self.before)),
            void.eq((self.matrix.rows == 0) | (self.matrix.columns == 0)),
            last_beat.eq((self.matrix.rows == 0) | (self.start + p.lanes >= self.matrix.columns)),
            last.eq(last_beat & (self.row + 1 >= self.matrix.rows)), complete.eq(self.give & last),
        ]
        able, error = zip(*(self._outcome(m, put, wants, last) for put in (0, 1)), strict=True)
        ready = self.working & ~self.dropping & (self.known | self.done)
        m.d.comb += [
            self.can_give.eq(ready & (able[0] | (self.can_put & able[1]))),
            wrong.eq(
                (self.put & (~self.can_put | self.drop)) | (self.give & ~(ready & Mux(self.put, able[1], able[0])))
                | (self.drop & ~(there & (self.dropping | ((failed | complete) & ~self.used))))
            ),
        ]
        code = Mux(self.put, error[1], error[0])
        self._make(m, last, void, code)
        used = self.used | ((self.put | self.drop) & one.final & ~self.dropping)
        m.d.comb += self.gone.eq(Mux(self.dropping, self.drop & one.final, complete & used))
        m.d.sync += [self.used.eq(used & ~complete), self.number.eq(Mux(complete, 0, self.number + self.put))]
        m.d.sync += self.dropping.eq(Mux(self.dropping, ~(self.drop & one.final), complete & ~used))
        with m.If(self.put):
            m.d.sync += [self.started.eq(1), self.before.eq(one.column)]
        with m.If(self.give):
            m.d.sync += self.start.eq(Mux(last_beat, 0, self.start + p.lanes))
            with m.If(last_beat):
                m.d.sync += [self.first.eq(Mux(last, CsrError.NONE, code)), self.row.eq(Mux(last, 0, self.row + 1))]
                m.d.sync += self.started.eq(0)
        return complete, self.give & last_beat, wrong

    def _make(self, m: Module, last: Value, void: Value, code: Value) -> None:
        """Put the oldest survivor into its lane, and make the beat."""
        p, one, new = self.parameters, self.judge.pairs.entries[0], self.beats.new
        held = [Mux(self.put & (one.column == self.start + lane), one.value, mine) for lane, mine in enumerate(self.held)]
        m.d.sync += [mine.eq(Mux(self.give, 0, made)) for mine, made in zip(self.held, held, strict=True)]
        m.d.comb += [
            self.silent.eq(void & ~last), self.beats.push.eq(self.give & ~self.silent), new.last.eq(last),
            new.error.eq(Mux(last, code, CsrError.NONE)),
            new.keep.eq(Cat(~void & (self.start + lane < self.matrix.columns) for lane in range(p.lanes))),
            *(mine.eq(made) for mine, made in zip(new.data, held, strict=True)),
        ]

    def _outcome(self, m: Module, put: int, wants: Value, last: Value) -> tuple[Signal, Signal]:
        """Whether the beat at hand can be made, after *put* of the oldest survivor or without, and the first error if its row ends."""
        able, error, own = Signal(name=f"able_{put}"), Signal(CsrError, name=f"error_{put}"), Signal(CsrError, name=f"own_{put}")
        one, following = self.judge.pairs.entries[0], self.judge.pairs.entries[put]
        there, used = self.judge.pairs.full[put], self.used | (one.final if put else 0)
        started, before = (1, one.column) if put else (self.started, self.before)
        still = wants & (self.number + put < self.end)  # the row has more survivors
        with m.If(self.first != CsrError.NONE):
            m.d.comb += own.eq(self.first)
        with m.Elif(~self.known):
            m.d.comb += own.eq(self.code)
        with m.Elif(still):
            with m.If(used | following.empty):
                m.d.comb += own.eq(CsrError.COUNT)
            with m.Elif(following.error != CsrError.NONE):
                m.d.comb += own.eq(following.error)
            with m.Else():
                m.d.comb += own.eq(CsrError.ORDER)  # in the row's last beat: what is within the row has no place behind the one before
        over = Mux(one.empty, one.error, CsrError.COUNT)  # survivors are left, or there are none at all
        m.d.comb += error.eq(Mux((own == CsrError.NONE) & last & ~used, over, own))
        waits = (still & ~used) | (last & ~used & (not put))
        m.d.comb += able.eq(~(still & ~used & self.fits(following, started, before)) & (~waits | there))
        return able, error

    def _tell(self, m: Module, complete: Value, row_ends: Value) -> Value:
        """What the oldest row pointer says is of the next row or, if the matrix is complete, begins one; 1 if it has no place."""
        told = self.teller.stages[0]
        real, done = self.move & self.teller.full[0] & told.real, self.move & self.teller.full[0] & told.done
        working, known, done_before = self.working & ~complete, self.known & ~row_ends, self.done & ~complete
        m.d.sync += [self.working.eq(working | real | done), self.known.eq(known | real), self.done.eq(done_before | done)]
        with m.If(real):
            m.d.sync += self.end.eq(told.end)
        with m.If(done):
            m.d.sync += self.code.eq(told.error)
        with m.Elif(complete):
            m.d.sync += self.code.eq(CsrError.NONE)
        with m.If(~working):
            m.d.sync += [getattr(self.matrix, name).eq(getattr(told, name)) for name in ("rows", "columns", "survivors")]
        return (real | done) & (known | done_before)
