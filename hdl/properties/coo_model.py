"""Coordinates by their definition: entries are judged one after the other, and with *dense* their survivors are put in their places."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.params.coo import CooError, CooParameters
from hdl.properties.model import Model, Phase
from hdl.properties.queue import Queue
from hdl.stream import payload


class CooModel(Model):
    """The survivors: one entry after the other is judged and given. After an error it gives (0, 0), so there is no phase PAD.

    Args:
        room: Survivors that the decoder may have made before the first is taken.

    Members, beside those of every model:
        step: ``In``; the oldest entry is judged and given or, once the last one is done with, what is missing.

    Attributes:
        over: The last of the matrix's entries is done with, and survivors are missing.
        before: Position of the entry before.
        first: The matrix's first error so far.
        good: The entry at hand is a survivor, and without error.
        can_give: There is something to judge.
    """

    parameters: CooParameters

    def __init__(self, parameters: CooParameters, room: int) -> None:
        super().__init__(parameters, shapes=2, held=1, room=room, hints={"step": 1})
        self.over, self.before, self.first = Signal(), Signal(parameters.count_bits), Signal(CooError)
        self.good, self.can_give = Signal(), Signal()

    def elements(self, shape: Any) -> Value:
        survivors: Value = shape.survivors
        return survivors

    def decode(self, m: Module) -> None:
        entries = self.streams["entry"]
        entry, there = entries.entry0, entries.level != 0
        error = self._judge(m, entry)
        m.d.comb += [
            self.error.eq(error), self.good.eq((error == CooError.NONE) & (self.left != 0)),
            Value.cast(self.data[0]).eq(Mux(self.good, Value.cast(entry.data[0]), 0)),
        ]
        with m.If(self.phase == Phase.READ):
            m.d.comb += [
                self.can_give.eq((self.shapes.level != 0) & (self.over | there)), self.unasked.eq(self.step & ~self.can_give),
                self.makes.eq(self.step), entries.pop.eq(self.step & ~self.over),
                self.ends.eq(self.step & self.complete & (self.over | entry.last)),
            ]
            with m.If(self.step):
                m.d.sync += [self.before.eq(entry.data[0].position), self.first.eq(error), self.over.eq(self.over | entry.last)]
                with m.If(self.complete):
                    m.d.sync += self.phase.eq(Phase.DROP)
        with m.Else():
            m.d.comb += [self.unasked.eq(self.step), entries.pop.eq(there), self.ends.eq(there & entry.last)]
        with m.If(self.ends):
            m.d.sync += [self.first.eq(CooError.NONE), self.over.eq(0)]

    def _judge(self, m: Module, entry: Any) -> Value:
        """The first error so far, that of the oldest entry included."""
        shape, position = self.shapes.entry0, entry.data[0].position
        error, missing = Signal(CooError), self.over | ~entry.keep
        with m.If(self.first != CooError.NONE):
            m.d.comb += error.eq(self.first)
        with m.Elif(self.left == 0):
            m.d.comb += error.eq(Mux(missing, CooError.NONE, CooError.LONG))
        with m.Elif(missing):
            m.d.comb += error.eq(CooError.SHORT)
        with m.Elif(self.complete & ~entry.last):
            m.d.comb += error.eq(CooError.LONG)
        with m.Elif(position >= shape.count):
            m.d.comb += error.eq(CooError.RANGE)
        with m.Elif(self.begun & (position <= self.before)):
            m.d.comb += error.eq(CooError.ORDER)
        return error


class DenseModel(wiring.Component):
    """All weights: each survivor that :class:`CooModel` gives without error is put in its place, and all others are 0.

    Members, beside those of every model:
        step: ``In``; see :class:`CooModel`.
        give: ``In``; the beat at hand is made: the oldest survivor is of a later one, or the matrix has no more.
        put: ``In``; the oldest survivor is put into the beat at hand; beside *give*, into that after it.

    Attributes:
        judge: The model of the survivors; its own beats are of no use here, and taken at once.
        found: The survivors that are not put yet, oldest first. One that is not *good*, because of an error or as its matrix has none,
            is put nowhere. *count* is the weights of its matrix.
        beats: The output beats that are owed.
        start, held: The beat at hand: the position of its first weight, and what was put in it.
        open: Survivors of the matrix at hand were put, others are to come.
        ending, count_at_hand, code: The matrix's last survivor was put; its weights, and its error.
        can_give: The beat at hand can be made.
    """

    def __init__(self, parameters: CooParameters) -> None:
        p = self.parameters = parameters
        self.judge = CooModel(replace(p, name="", dense=False, lanes=1), 1)
        self.shapes, self.streams = self.judge.shapes, self.judge.streams
        found = {"position": p.count_bits, "value": p.value_bits, "good": 1, "last": 1, "error": 3, "count": p.count_bits}
        self.found, self.beats = Queue(data.StructLayout(found), 5), Queue(payload(p.output), 1 + 2 * p.skid)
        self.start, self.held = Signal(p.count_bits + 1), Signal(payload(p.output)["data"].shape)
        self.open, self.ending, self.count_at_hand, self.code = Signal(), Signal(), Signal(p.count_bits), Signal(3)
        self.can_give = Signal()
        beats = {"count": In(self.shapes.entry0.shape()), "entry_beat": In(self.streams["entry"].entry0.shape())}
        super().__init__(dict.fromkeys(("shape", "entry", "taken", "step", "give", "put"), In(1)) | beats | {"unasked": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.judge, m.submodules.found, m.submodules.beats = judge, found, beats = self.judge, self.found, self.beats
        m.d.comb += [getattr(judge, name).eq(getattr(self, name)) for name in ("shape", "count", "entry", "entry_beat", "step")]
        m.d.comb += [
            judge.taken.eq(judge.beats.level), found.push.eq(judge.makes), found.new.good.eq(judge.good),
            Cat(found.new.position, found.new.value).eq(judge.beats.new.data), found.new.last.eq(judge.beats.new.last),
            found.new.error.eq(judge.beats.new.error), found.new.count.eq(self.shapes.entry0.count),
            found.pop.eq(self.put), beats.push.eq(self.give), beats.pop.eq(self.taken),
        ]
        self._place(m)
        return m

    def _place(self, m: Module) -> None:
        oldest, there, new, lanes = self.found.entry0, self.found.level != 0, self.beats.new, self.parameters.lanes
        complete, after, can_put = Signal(), Signal.like(self.start), Signal()
        m.d.comb += [
            complete.eq(self.ending & (self.count_at_hand <= self.start + lanes)),
            self.can_give.eq(self.ending | (there & oldest.good & (oldest.position >= self.start + lanes))),
            after.eq(Mux(self.give, Mux(complete, 0, self.start + lanes), self.start)),
            can_put.eq(there & (~self.ending | (complete & self.give)) & (~oldest.good | (oldest.position < after + lanes))),
            self.unasked.eq(self.judge.unasked | self.found.overflows | (self.give & ~self.can_give) | (self.put & ~can_put)),
            new.data.eq(self.held), new.last.eq(complete), new.error.eq(Mux(complete, self.code, 0)),
            new.keep.eq(Cat(~self.ending | (self.count_at_hand > self.start + lane) for lane in range(lanes))),
        ]
        m.d.sync += self.start.eq(after)
        with m.If(self.give):
            m.d.sync += [Value.cast(self.held).eq(0), self.ending.eq(self.ending & ~complete)]
        with m.If(self.put):
            m.d.sync += [
                self.open.eq(~oldest.last), self.ending.eq(oldest.last), self.count_at_hand.eq(oldest.count), self.code.eq(oldest.error),
            ]
            for lane, held in enumerate(self.held):
                with m.If(oldest.good & (oldest.position == after + lane)):
                    m.d.sync += held.eq(oldest.value)
