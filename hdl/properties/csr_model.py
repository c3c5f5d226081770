"""CSR's survivors by their definition: row pointers are judged one after the other, and so are survivors, with the rows that were told."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Port
from golden.params.csr import CsrError, CsrParameters
from hdl.properties.queue import Queue
from hdl.stream import payload

STAGES = 2  # of the decoder that what a row pointer says passes through, to where survivors wait for it


class Share(wiring.Component):
    """The beats of one encoded stream, one matrix after the other, of which each survivor uses one.

    Members:
        push, beat: ``In``; a beat is taken. Those without data that do not end a share are not kept, nor is what is dropped.
        use: ``In``; the next beat is used or, where there are no more, missing.
        complete: ``In``; with *use*: the matrix needs no more, and what follows is dropped up to the last.
        there: ``Out``; the next beat is held, or known to be missing.
        missing: ``Out``; the share has no more data.
        more: ``Out``; the beat is not the last of its share.
        over, dropping: ``Out``; the last beat of the share was used; what follows is dropped.
        unasked: ``Out``; a beat is taken of the next share.

    Attributes:
        beats: The beat that is held.
    """

    def __init__(self, port: Port) -> None:
        self.beats = Queue(payload(port), 1)
        flags = dict.fromkeys(("push", "use", "complete"), In(1)) | dict.fromkeys(("there", "missing", "more", "unasked"), Out(1))
        super().__init__(flags | {"over": Out(1), "dropping": Out(1), "beat": In(payload(port)), "number": Out(port.fields[0].bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.beats = beats = self.beats
        ended, drops = Signal(), Signal()
        m.d.comb += [
            self.there.eq(self.over | (beats.level != 0)), self.missing.eq(self.over | ~beats.entry0.keep),
            self.more.eq(~self.over & ~beats.entry0.last), self.number.eq(beats.entry0.data[0]),
            ended.eq(self.over | beats.entry0.last), drops.eq(self.dropping | (self.use & self.complete & ~ended)),
            beats.push.eq(self.push & ~drops & (self.beat.keep | self.beat.last)), beats.new.eq(self.beat),
            beats.pop.eq(self.use & ~self.over), self.unasked.eq(self.push & ~drops & self.over & ~(self.use & self.complete)),
        ]
        m.d.sync += self.dropping.eq(drops & ~(self.push & self.beat.last))
        with m.If(self.use):
            m.d.sync += self.over.eq(ended & ~self.complete)
        return m


def join_shares(m: Module, model: Any, final: Value) -> tuple[Share, Share]:
    """Join the shares of *model*, columns and values, to its ports: each survivor that it takes uses a beat of both, the *final* one the
    last. Gives them.
    """
    for name, share in model.shares.items():
        m.submodules[f"share_{name}"] = share
        m.d.comb += [share.push.eq(getattr(model, name)), share.beat.eq(getattr(model, f"{name}_beat"))]
        m.d.comb += [share.use.eq(model.take), share.complete.eq(final)]
    column, value = model.shares.values()
    return column, value


def told_layout(p: CsrParameters) -> data.StructLayout:
    """What a row pointer says.

    ``real``: it ends a row that is not empty or, with ``dense``, any row, number ``row``, whose last survivor is that before number
    ``end``; ``done``: no row follows in the matrix, with the first ``error`` of the row pointers; ``rows``, ``columns`` and ``survivors``
    of the matrix. What the proof needs beside: ``first``, of its matrix; ``counts``, the row pointers before it were no end; ``begin``, the
    one before.
    """
    flags = dict.fromkeys(("real", "done", "first", "counts"), 1)
    counts = dict.fromkeys(("end", "begin", "survivors"), p.count_bits)
    return data.StructLayout(flags | counts | {"row": p.row_bits, "rows": p.row_bits, "columns": p.column_bits, "error": CsrError})


class PointerModel(wiring.Component):
    """Row pointers, each judged as it leaves the register that it waits in; then what it says goes through the decoder's stages.

    Members:
        shape, count, pointer, pointer_beat: ``In``; see :class:`hdl.properties.model.Model`.
        move: ``In``; the stages go on, and if there are a row pointer and the shape of its matrix it is judged.
        full: ``Out``; a bit a stage, that of the last lowest: it has something.

    Attributes:
        shapes, pointers: The shape of the matrix whose row pointers are read, and the next of these.
        new, stages: What the next row pointer says, and those before it; the oldest first.
        index, before, ended: Row pointers of the matrix that were judged, the last of them, and whether the end was told.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        p = self.parameters = parameters
        shape, told = payload(p.shape)["data"].shape.elem_shape, told_layout(p)
        self.shapes, self.pointers = Queue(shape, 1), Queue(payload(p.inputs[0]), 1)
        self.new, self.stages = Signal(told), [Signal(told, name=f"stage_{i}") for i in range(STAGES)]
        self.index, self.before, self.ended = Signal(p.row_bits), Signal(p.count_bits), Signal()
        flags = dict.fromkeys(("shape", "pointer", "move"), In(1))
        super().__init__(flags | {"count": In(shape), "pointer_beat": In(payload(p.inputs[0])), "full": Out(STAGES)})

    @property
    def there(self) -> Value:
        """A row pointer can be judged."""
        return (self.shapes.level != 0) & (self.pointers.level != 0)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.shapes, m.submodules.pointers = shapes, pointers = self.shapes, self.pointers
        step, pointer, beat = Signal(), pointers.entry0, self.pointer_beat
        m.d.comb += [
            shapes.push.eq(self.shape), shapes.new.eq(self.count), shapes.pop.eq(step & pointer.last),
            pointers.push.eq(self.pointer & (beat.keep | beat.last)), pointers.new.eq(beat), pointers.pop.eq(step),
            step.eq(self.move & self.there),
        ]
        self._judge(m, pointer, shapes.entry0)
        with m.If(self.move):
            m.d.sync += self.full.eq(Cat(self.full[1:], step))
            m.d.sync += [older.eq(newer) for older, newer in zip(self.stages, [*self.stages[1:], self.new], strict=True)]
        with m.If(step):
            m.d.sync += [self.index.eq(self.index + 1), self.before.eq(pointer.data[0]), self.ended.eq(self.ended | self.new.done)]
            with m.If(pointer.last):
                m.d.sync += [self.index.eq(0), self.before.eq(0), self.ended.eq(0)]
        return m

    def _judge(self, m: Module, pointer: Any, shape: Any) -> None:
        new, end, final, first = self.new, pointer.data[0], self.index == shape.rows, self.index == 0
        m.d.comb += [
            *(getattr(new, name).eq(getattr(shape, name)) for name in ("rows", "columns", "survivors")),
            new.row.eq(self.index - 1), new.end.eq(end),
            new.first.eq(first & ~self.ended), new.counts.eq(~self.ended), new.begin.eq(self.before),
        ]
        with m.If(~self.ended):
            m.d.comb += new.done.eq(1)  # unless it says otherwise
            with m.If(~pointer.keep):
                m.d.comb += new.error.eq(CsrError.SHORT)
            with m.Elif(final & ~pointer.last):
                m.d.comb += new.error.eq(CsrError.LONG)
            with m.Elif(first & (end != 0)):
                m.d.comb += new.error.eq(CsrError.FIRST)
            with m.Elif(end < self.before):
                m.d.comb += new.error.eq(CsrError.DECREASE)
            with m.Else():
                m.d.comb += [
                    new.real.eq(~first if self.parameters.dense else end > self.before), new.done.eq(pointer.last),
                    new.error.eq(Mux(final, CsrError.NONE, CsrError.SHORT)),
                ]


class CsrModel(wiring.Component):
    """The survivors: each is judged with the row at hand, the last of a matrix when all of its row pointers are told.

    Members, beside those of every model:
        move: ``In``; see :class:`PointerModel`; what the oldest row pointer says is told, in a cycle with *take* after it.
        take: ``In``; a survivor is judged, which makes a beat.

    Attributes:
        teller: The model of the row pointers.
        shares: The other encoded streams.
        beats: The output beats that are owed.
        working, matrix, number: Something was told of a matrix; what was told first, whose shape it is; its survivors that were judged.
        row, open, started, before: The row at hand; it has survivors left; one was judged; the column of that.
        done, code, extra: The end of the row pointers was told; its error; and there was a row beyond the last survivor.
        first: The first error so far.
        final: The next survivor is the last, or there is none.
        can_take: A survivor can be judged.
        coming: The row that a survivor waits for, or the end that the last waits for, is on its way.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        p = self.parameters = parameters
        self.teller = PointerModel(p)
        self.shares = {port.name: Share(port) for port in p.inputs[1:]}
        self.streams = {"pointer": self.teller.pointers} | {name: share.beats for name, share in self.shares.items()}
        self.shapes, self.beats = self.teller.shapes, Queue(payload(p.output), 2 + 2 * p.skid)
        self.matrix, self.row = Signal(told_layout(p)), Signal(told_layout(p))
        self.number, self.before = Signal(p.count_bits), Signal(p.column_bits)
        self.code, self.first = Signal(CsrError), Signal(CsrError)
        self.working, self.open, self.started, self.done, self.extra, self.final, self.can_take, self.coming = (
            Signal(name=name) for name in ("working", "open", "started", "done", "extra", "final", "can_take", "coming")
        )
        beats = {f"{port.name}_beat": In(payload(port)) for port in p.inputs}
        flags = dict.fromkeys(("shape", "pointer", "column", "value", "taken", "move", "take"), In(1))
        super().__init__(flags | beats | {"count": In(self.shapes.entry0.shape()), "unasked": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.teller, m.submodules.beats = teller, beats = self.teller, self.beats
        column, value = join_shares(m, self, self.final)
        m.d.comb += [getattr(teller, name).eq(getattr(self, name)) for name in ("shape", "count", "pointer", "pointer_beat", "move")]
        knows = (self.open & ~self.final) | self.done
        m.d.comb += [
            self.final.eq(self.number + 1 >= self.matrix.survivors),
            self.can_take.eq(column.there & value.there & self.working & knows), beats.push.eq(self.take), beats.pop.eq(self.taken),
        ]
        self._give(m, column, value, self._judge(m, column, value))
        lost = self._tell(m)
        m.d.comb += self.unasked.eq((self.take & ~self.can_take) | lost | column.unasked | value.unasked)
        self._come(m)
        return m

    def _judge(self, m: Module, column: Share, value: Share) -> Signal:
        """The first error so far, that of the survivor included."""
        survivors, error = self.matrix.survivors, Signal(CsrError)
        with m.If(self.first != CsrError.NONE):
            m.d.comb += error.eq(self.first)
        with m.Elif(~self.open & (self.code != CsrError.NONE)):
            m.d.comb += error.eq(self.code)
        with m.Elif((self.open | (survivors != 0)) & ~(self.open & (survivors != 0))):
            m.d.comb += error.eq(CsrError.COUNT)
        with m.Elif(survivors == 0):
            m.d.comb += error.eq(Mux(column.missing & value.missing, CsrError.NONE, CsrError.LONG))
        with m.Elif(self.final & ((self.row.end != survivors) | self.extra)):
            m.d.comb += error.eq(CsrError.COUNT)
        with m.Elif(self.final & (self.code != CsrError.NONE)):
            m.d.comb += error.eq(self.code)
        with m.Elif(column.missing | (self.final & column.more)):
            m.d.comb += error.eq(Mux(column.missing, CsrError.SHORT, CsrError.LONG))
        with m.Elif(value.missing | (self.final & value.more)):
            m.d.comb += error.eq(Mux(value.missing, CsrError.SHORT, CsrError.LONG))
        with m.Elif(column.number >= self.matrix.columns):
            m.d.comb += error.eq(CsrError.RANGE)
        with m.Elif(self.started & (column.number <= self.before)):
            m.d.comb += error.eq(CsrError.ORDER)
        return error

    def _give(self, m: Module, column: Share, value: Share, error: Signal) -> None:
        """Make the beat of the survivor."""
        new, some = self.beats.new, self.matrix.survivors != 0
        m.d.comb += [new.keep.eq(some), new.last.eq(self.final), new.error.eq(Mux(self.final, error, CsrError.NONE))]
        with m.If(some & (error == CsrError.NONE)):
            m.d.comb += Value.cast(new.data).eq(Cat(self.row.row, column.number, value.number))
        with m.If(self.take):
            m.d.sync += [self.number.eq(self.number + 1), self.started.eq(1), self.before.eq(column.number), self.first.eq(error)]
            with m.If(self.final):
                m.d.sync += self.first.eq(CsrError.NONE)

    def _tell(self, m: Module) -> Value:
        """What the oldest row pointer says goes to the matrix at work or, if that is complete, begins one; 1 if it has no place."""
        told = self.teller.stages[0]
        real, done = self.move & self.teller.full[0] & told.real, self.move & self.teller.full[0] & told.done
        working, open_, done_before, last = (Signal(name=f"{name}_after") for name in ("working", "open", "done", "last"))
        complete = self.take & self.final
        m.d.comb += [
            working.eq(self.working & ~complete), done_before.eq(self.done & ~complete),
            open_.eq(self.open & ~(self.take & (self.final | (self.number + 1 == self.row.end)))),
            last.eq(self.number + self.take + 1 >= self.matrix.survivors),
        ]
        m.d.sync += [self.working.eq(working | real | done), self.open.eq(open_ | real), self.done.eq(done_before | done)]
        m.d.sync += self.extra.eq(working & (self.extra | (real & open_)))
        with m.If(real & ~open_):
            m.d.sync += [self.row.eq(told), self.started.eq(0)]
        with m.If(done):
            m.d.sync += self.code.eq(told.error)
        with m.Elif(complete):
            m.d.sync += self.code.eq(CsrError.NONE)
        with m.If(~working):
            m.d.sync += [self.matrix.eq(told), self.number.eq(0)]
        return (real & open_ & ~last) | ((real | done) & done_before)

    def _come(self, m: Module) -> None:
        oldest, some, done = Signal(told_layout(self.parameters)), Signal(), Signal()
        stages = [*zip(self.teller.stages, self.teller.full, strict=True), (self.teller.new, self.teller.there)]
        for told, there in reversed(stages):
            with m.If(there & (told.real | told.done)):
                m.d.comb += [oldest.eq(told), some.eq(1)]
        m.d.comb += done.eq(Cat(there & told.done for told, there in stages).any())
        waits = Mux(self.working, self.final, oldest.survivors <= 1)
        m.d.comb += self.coming.eq(~self.done & some & (~waits | done))
