"""The bit-plane format by its definition: beats of weights from mask and words alone, one after the other, then mended by the patches."""


from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Error, Port
from golden.params.planes import PlanesParameters
from hdl.properties.model import Model
from hdl.properties.queue import Queue
from hdl.stream import payload

SHAPES = 6  # that a decoder may have taken before all beats of the first are joined: one at work, five waiting
JOINED = 3  # beats that it may have joined before the first is mended


class Shares(wiring.Component):
    """A stream, share by share: what a share has left when its matrix needs no more of it is dropped, up to its last beat.

    Members:
        comes, beat: ``In``; a beat is taken, and what it holds. One without data that does not end a share is not kept.
        pop: ``In``; the oldest beat is done with.
        ends: ``In``; the matrix needs no more of this share.
        over: ``Out``; the last beat of this share is done with.

    Attributes:
        queue: The beat not yet done with.
        dropping: What comes is dropped.
    """

    def __init__(self, port: Port) -> None:
        beat = payload(port)
        self.queue, self.dropping = Queue(beat, 1), Signal()
        super().__init__({"comes": In(1), "beat": In(beat), "pop": In(1), "ends": In(1), "over": Out(1)})

    @property
    def there(self) -> Value:
        """1 where a beat of this share can be used."""
        return (self.queue.level != 0) & ~self.over

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = self.queue
        drop, ended, rest, waits = (Signal(name=name) for name in ("drop", "ended", "rest", "waits"))
        m.d.comb += [
            ended.eq(self.over | (self.pop & queue.entry0.last)),
            rest.eq(self.ends & ~ended),
            waits.eq(rest & ~self.pop & (queue.level != 0)),
            drop.eq(self.dropping | (rest & ~(waits & queue.entry0.last))),
            queue.new.eq(self.beat), queue.push.eq(self.comes & (self.beat.keep.any() | self.beat.last) & ~drop),
            queue.pop.eq(self.pop | waits),
        ]
        m.d.sync += [self.over.eq(ended & ~self.ends), self.dropping.eq(drop & ~(self.comes & self.beat.last))]
        return m


class JoinModel(Model):
    """The weights without patches: every beat takes the next mask and the next word.

    Members, beside those of every model:
        step: ``In``; a beat is made.

    Attributes:
        joined: The shares of the mask and of the words.
        survive: Of the beat that is made: the lanes that patches can change.
        windows: Of each plane the last ``k + p`` input bits.
        position: The steps of the block so far.
    """

    parameters: PlanesParameters

    def __init__(self, parameters: PlanesParameters) -> None:
        p = parameters
        super().__init__(p, shapes=SHAPES, held=1, room=1, hints={"step": 1}, direct=[port.name for port in p.inputs])
        self.joined = [Shares(port) for port in p.inputs[:2]]
        self.survive = Signal(p.lanes)
        self.windows = [Signal(p.k + p.p, name=f"window_{plane}") for plane in range(p.value_bits)]
        self.position = Signal(range(p.block_steps))

    @property
    def can_step(self) -> Value:
        """1 where a beat can be made."""
        return (self.shapes.level != 0) & Cat(one.over | one.there for one in self.joined).all()

    def decode(self, m: Module) -> None:
        masks, words = self.joined
        for name, one in zip(("mask", "word"), self.joined, strict=True):
            m.submodules[name] = one
            m.d.comb += [
                one.comes.eq(getattr(self, name)), one.beat.eq(getattr(self, f"{name}_beat")), one.pop.eq(self.step & ~one.over),
                one.ends.eq(self.ends),
            ]
        nothing, missing = self.left == 0, Cat(one.over | ~one.queue.entry0.keep for one in self.joined)
        # The beat that completes the matrix has to be the share's last, and a matrix without weights has none.
        more = ~missing & (Cat(~one.queue.entry0.last for one in self.joined) | nothing.replicate(2))
        short = ~nothing & missing.any()
        m.d.comb += [
            self.unasked.eq(self.step & ~self.can_step), self.makes.eq(self.step), self.ends.eq(self.step & self.complete),
            self.error.eq(Mux(short, Error.SHORT, Mux(more.any(), Error.LONG, Error.NONE))),
            self.survive.eq(Cat(bit & (self.left > lane) & ~short for lane, bit in enumerate(masks.queue.entry0.data[0]))),
        ]
        levels = self._expand(m, words.queue.entry0.data[0])
        m.d.comb += [mine.eq(Mux(bit, level, 0)) for mine, bit, level in zip(self.data, self.survive, levels, strict=True)]

    def _expand(self, m: Module, word: Value) -> list[Value]:
        """Take a word's steps one after the other; gives what the lanes' weights would be."""
        p = self.parameters
        seen: list[Value] = list(self.windows)
        position: Value = self.position
        levels: list[Value] = []
        for step in range(p.steps):
            outputs = []
            for plane in range(p.value_bits):
                window = Mux(position == 0, 0, seen[plane])
                for bit in word.word_select(step * p.value_bits + plane, p.p):
                    window = Cat(bit, window)[: p.k + p.p]
                seen[plane] = Signal(p.k + p.p, name=f"seen_{step}_{plane}")
                m.d.comb += seen[plane].eq(window)
                outputs.append([(seen[plane] & tap).xor() for tap in p.taps])
            levels += [Cat(bits) for bits in zip(*outputs, strict=True)]
            position = Mux(position == p.block_steps - 1, 0, position + 1)
        with m.If(self.ends):
            m.d.sync += self.position.eq(0)
        with m.Elif(self.step):
            m.d.sync += [self.position.eq(position), *(window.eq(last) for window, last in zip(self.windows, seen, strict=True))]
        return levels


class PlanesModel(wiring.Component):
    """All weights: the oldest joined beat is mended by the patches that are for it.

    Members, beside those of every model:
        step: ``In``; see :class:`JoinModel`.
        mend: ``In``; the oldest beat of patches is used for the oldest joined beat, which stays.
        give: ``In``; the oldest joined beat is given, with the patches of the oldest beat of them that are for it.

    Attributes:
        join: The model of the beats without patches; its own are taken at once.
        joined: The beats that no beat was given for yet, and the lanes of each that patches can change.
        patches: The shares of the patches.
        beats: The output beats that are owed.
        flips: The bits of the oldest joined beat that patches have flipped, lane after lane.
        gap: How many beats further on than that the next patch is.
        used: The patches of the oldest beat of them that are done with.
        can_mend, can_give: The step can be taken.
    """

    def __init__(self, parameters: PlanesParameters) -> None:
        p = self.parameters = parameters
        self.join, self.patches = JoinModel(p), Shares(p.inputs[2])
        masks, words = self.join.joined
        self.shapes, self.streams = self.join.shapes, {"mask": masks.queue, "word": words.queue, "patch": self.patches.queue}
        self.joined = Queue(data.StructLayout({"beat": payload(p.output), "survive": p.lanes}), JOINED)
        self.beats = Queue(payload(p.output), 1 + 2 * p.skid)
        self.flips, self.gap, self.used = Signal(p.lanes * p.value_bits), Signal(p.gap_bits), Signal(p.patches)
        self.can_mend, self.can_give = Signal(), Signal()
        beats = {f"{port.name}_beat": In(payload(port)) for port in p.inputs}
        flags = dict.fromkeys(("shape", "mask", "word", "patch", "taken", "step", "mend", "give"), In(1))
        super().__init__(flags | beats | {"count": In(p.count_bits), "unasked": Out(1)})

    @property
    def asks(self) -> Value:
        """1 where the oldest joined beat cannot go on without a beat of patches."""
        return (self.joined.level != 0) & ~self.patches.over & (self.gap == 0)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.join, m.submodules.joined, m.submodules.beats = join, joined, beats = self.join, self.joined, self.beats
        m.submodules.patches = patches = self.patches
        unasked = Signal(name="unasked_here")
        m.d.comb += [getattr(join, name).eq(getattr(self, name)) for name in ("shape", "count", "mask", "mask_beat", "word", "word_beat")]
        m.d.comb += [
            join.step.eq(self.step), join.taken.eq(join.beats.level), joined.push.eq(join.makes),
            joined.new.beat.eq(join.beats.new), joined.new.survive.eq(join.survive), joined.pop.eq(self.give),
            patches.comes.eq(self.patch), patches.beat.eq(self.patch_beat), patches.ends.eq(self.give & joined.entry0.beat.last),
            beats.push.eq(self.give), beats.pop.eq(self.taken),
            unasked.eq((self.mend & (~self.can_mend | self.give)) | (self.give & ~self.can_give)),
            self.unasked.eq(join.unasked | joined.overflows | unasked),
        ]
        self._mend(m)
        return m

    def _mend(self, m: Module) -> None:
        """Flip what the patches at hand say."""
        beat, new, patches = self.joined.entry0.beat, self.beats.new, self.patches
        flips, gap, used = self._read(m)
        uses, spent, over, more = (Signal(name=name) for name in ("uses", "spent", "over", "more"))
        m.d.comb += [
            self.can_mend.eq(self.asks & patches.there),
            uses.eq(self.can_mend & (self.mend | self.give)),
            spent.eq((patches.queue.entry0.keep & ~used) == 0),
            over.eq(patches.over | (self.can_mend & spent & patches.queue.entry0.last)),
            self.can_give.eq((self.joined.level != 0) & (~self.asks | (self.can_mend & (over | (gap != 0))))),
            patches.pop.eq(uses & spent), more.eq(~over),
            Value.cast(new).eq(Value.cast(beat)),
            Value.cast(new.data).eq(Value.cast(beat.data) ^ Mux(self.can_mend, flips, self.flips)),
        ]
        with m.If(beat.last & more & (beat.error == Error.NONE)):
            m.d.comb += new.error.eq(Error.LONG)
        with m.If(self.give):
            further = Mux(self.can_mend, gap, self.gap)
            m.d.sync += [self.flips.eq(0), self.gap.eq(Mux(beat.last | over, 0, further - 1))]
        with m.Elif(self.mend):
            m.d.sync += [self.flips.eq(flips), self.gap.eq(gap)]
        with m.If(self.give & beat.last):
            m.d.sync += self.used.eq(0)
        with m.Elif(uses):
            m.d.sync += self.used.eq(Mux(spent, 0, used))

    def _read(self, m: Module) -> tuple[Value, Value, Value]:
        """Read the oldest beat of patches, one after the other, up to one with a gap; gives what then are the flips, gap and *used*."""
        p, patches, survive = self.parameters, self.patches.queue.entry0, self.joined.entry0.survive
        flips: Value = self.flips
        gap: Value = self.gap
        used: list[Value] = []
        for i, patch in enumerate(patches.data):
            lane, plane = patch[: p.lane_bits], patch[p.lane_bits : p.lane_bits + p.plane_bits]
            takes, flipped, further = Signal(name=f"takes_{i}"), Signal(len(flips), name=f"flips_{i}"), Signal(p.gap_bits, name=f"gap_{i}")
            hits = Cat((lane == at) & (plane == bit) & survive[at] for at in range(p.lanes) for bit in range(p.value_bits))
            m.d.comb += [
                takes.eq(patches.keep[i] & ~self.used[i] & (gap == 0)),
                flipped.eq(flips ^ Mux(takes, hits, 0)),
                further.eq(Mux(takes, patch[p.lane_bits + p.plane_bits :], gap)),
            ]
            flips, gap = flipped, further
            used.append(self.used[i] | takes)
        return flips, gap, Cat(used)
