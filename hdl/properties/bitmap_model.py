"""The bitmap format by its definition, for one lane and one value a beat: masks are told from the mask stream, then given their values."""

from itertools import pairwise
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Error
from golden.params.bitmap import BitmapParameters
from hdl.properties.model import Model, Phase
from hdl.properties.queue import Queue
from hdl.stream import payload

WAITING, MOVING = 2, 5  # masks that wait behind the decoder's stages, and in these


class Stages(wiring.Component):
    """A queue whose entries wait, and then go on together, gaps and all, whenever the decoder's stages do.

    A plain queue would do, but that reachability then has to find out where in it each stage's entry is, for all gaps that there can be.

    Members:
        push, new: ``In``; *new* goes in behind the others.
        move: ``In``; the stages go on, and the first takes the oldest entry that waits.
        pop: ``In``; the oldest entry leaves, from the last stage; only with *move*.
        level: ``Out``; how many wait.
        full: ``Out``; a bit a stage, that of the last lowest: it has an entry.
        oldest: ``Out``; the entry in the last stage.
        lost: ``Out``; an entry goes on past the last stage or has no room.

    Attributes:
        depth: How many can wait.
    """

    def __init__(self, shape: Any) -> None:
        self.depth, self._waiting = WAITING, Queue(shape, WAITING)
        self._entries = [Signal(shape, name=f"entry_{i}") for i in range(MOVING)]
        inputs = dict.fromkeys(("push", "move", "pop"), In(1)) | {"new": In(shape)}
        super().__init__(inputs | {"level": Out(range(WAITING + 1)), "full": Out(MOVING), "oldest": Out(shape), "lost": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.waiting = waiting = self._waiting
        arrives = waiting.level != 0
        m.d.comb += [
            waiting.push.eq(self.push), waiting.new.eq(self.new), waiting.pop.eq(self.move & arrives),
            self.level.eq(waiting.level), self.oldest.eq(self._entries[0]),
            self.lost.eq(waiting.overflows | (self.move & self.full[0] & ~self.pop) | (self.pop & ~self.move)),
        ]
        with m.If(self.move):
            m.d.sync += self.full.eq(Cat(self.full[1:], arrives))
            m.d.sync += [entry.eq(behind) for entry, behind in pairwise([*self._entries, waiting.entry0])]
        return m


class MaskModel(Model):
    """The masks: as many as the matrix has weights. A beat of the mask stream is judged as it is taken.

    Members, beside those of every model:
        pad: ``In``; the mask stream has ended, and one of the masks that are missing is told.

    Attributes:
        bit: Of the mask that is told: the weight has a value.
    """

    parameters: BitmapParameters

    def __init__(self, parameters: BitmapParameters) -> None:
        super().__init__(parameters, shapes=3, held=1, room=1, hints={"pad": 1}, direct=["mask"])
        self.bit = Signal()

    def decode(self, m: Module) -> None:
        beat, at_work = self.mask_beat, self.shapes.level != 0
        nothing = self.left == 0
        with m.Switch(self.phase):
            with m.Case(Phase.READ):
                m.d.comb += [
                    self.unasked.eq(self.pad | (self.mask & ~at_work)),
                    self.makes.eq(self.mask & (beat.keep | (nothing & beat.last))),
                    self.bit.eq(beat.data[0] & ~nothing),
                    self.error.eq(Mux(~beat.last | (nothing & beat.keep), Error.LONG, Error.NONE)),
                    self.ends.eq(self.makes & self.complete & beat.last),
                ]
                with m.If(self.mask & beat.last):
                    m.d.sync += self.phase.eq(Phase.PAD)
                with m.Elif(self.makes & self.complete):
                    m.d.sync += self.phase.eq(Phase.DROP)
            with m.Case(Phase.PAD):
                m.d.comb += [self.unasked.eq(self.mask), self.makes.eq(self.pad), self.error.eq(Error.SHORT)]
                m.d.comb += self.ends.eq(self.pad & self.complete)
            with m.Case(Phase.DROP):
                m.d.comb += [self.unasked.eq(self.pad), self.ends.eq(self.mask & beat.last)]


class BitmapModel(wiring.Component):
    """All weights: the oldest mask gets the next value if it has one.

    Members, beside those of every model:
        pad: ``In``; see :class:`MaskModel`.
        move: ``In``; the masks in the decoder's stages go on.
        step: ``In``; the oldest mask, which is in the last stage, is given its value, which makes a beat.

    Attributes:
        teller: The model of the masks; its own beats are of no use here, and taken at once.
        masks: The masks that no beat was made for yet. *some*: the matrix has weights at all.
        beats: The output beats that are owed.
        opened, over, short: Of the matrix at hand: a value beat was used; the last was; a value was missing.
        dropping: The rest of the values of a matrix that is complete is dropped.
        needs: The oldest mask cannot go on without a value beat.
        wants_mask: A beat of the mask stream can be judged.
        can_give: A beat can be made.
        comes: A mask is on its way, and nothing holds it up.
    """

    def __init__(self, parameters: BitmapParameters) -> None:
        p = self.parameters = parameters
        self.teller = MaskModel(p)
        self.shapes, self.streams = self.teller.shapes, self.teller.streams
        self.masks = Stages(data.StructLayout({"bit": 1, "some": 1, "last": 1, "error": 2}))
        self.beats = Queue(payload(p.output), 2 + 2 * p.skid)
        self.opened, self.over, self.short, self.dropping, self.needs, self.can_give = (
            Signal(name=name) for name in ("opened", "over", "short", "dropping", "needs", "can_give")
        )
        beats = {f"{port.name}_beat": In(payload(port)) for port in p.inputs}
        flags = dict.fromkeys(("shape", "mask", "value", "taken", "pad", "move", "step"), In(1))
        super().__init__(flags | beats | {"count": In(p.count_bits), "unasked": Out(1)})

    @property
    def comes(self) -> Value:
        return ((self.masks.level != 0) | self.masks.full.any()) & ~self.masks.full[0]

    @property
    def wants_mask(self) -> Value:
        return (self.shapes.level != 0) & (self.teller.phase != Phase.PAD)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.teller, m.submodules.masks, m.submodules.beats = teller, masks, beats = self.teller, self.masks, self.beats
        names = ("shape", "count", "mask", "mask_beat", "value", "value_beat", "pad")
        m.d.comb += [getattr(teller, name).eq(getattr(self, name)) for name in names]
        m.d.comb += [
            teller.taken.eq(teller.beats.level), masks.push.eq(teller.makes), masks.new.bit.eq(teller.bit),
            masks.new.some.eq(teller.left != 0), masks.new.last.eq(teller.beats.new.last), masks.new.error.eq(teller.beats.new.error),
            masks.pop.eq(self.step), masks.move.eq(self.move), beats.push.eq(self.step), beats.pop.eq(self.taken),
        ]
        self._fill(m, masks.oldest, self.streams["value"])
        return m

    def _fill(self, m: Module, mask: Any, values: Queue) -> None:
        value, there, new = values.entry0, values.level != 0, self.beats.new
        uses, short, ended, more = (Signal(name=name) for name in ("uses", "found_short", "found_end", "more"))
        m.d.comb += [
            uses.eq((mask.bit | (mask.last & ~self.opened)) & ~self.over),
            self.needs.eq(self.masks.full[0] & ~self.dropping & uses),
            self.can_give.eq(self.masks.full[0] & ~self.dropping & (~uses | there)),
            short.eq(self.short | (mask.bit & (self.over | ~value.keep))), ended.eq(self.over | (uses & value.last)),
            more.eq(~ended | (uses & ~mask.bit & value.keep)),
            values.pop.eq(Mux(self.dropping, there, self.step & uses)),
            self.unasked.eq(self.teller.unasked | self.masks.lost | (self.step & ~self.can_give)),
            new.last.eq(mask.last), new.keep.eq(mask.some), new.data[0].eq(Mux(mask.bit & ~short, value.data[0], 0)),
        ]
        with m.If(mask.last):
            m.d.comb += new.error.eq(
                Mux(short | (mask.error == Error.SHORT), Error.SHORT, Mux(more | (mask.error == Error.LONG), Error.LONG, Error.NONE))
            )
        with m.If(self.step):
            go_on: Value = ~mask.last
            m.d.sync += [self.opened.eq(go_on & (self.opened | uses)), self.over.eq(go_on & ended), self.short.eq(go_on & short)]
            m.d.sync += self.dropping.eq(mask.last & ~ended)
        with m.If(self.dropping & there & value.last):
            m.d.sync += self.dropping.eq(0)
