"""How the Viterbi weight decompressor joins its parts: each of the two gets every shape, in order, and nothing else stands in between.

No property is about what the parts, a Viterbi decompressor and a bitmap decoder, make of a stream; induction starts them in any state. The
decompressor is proven by itself in :mod:`hdl.properties.viterbi`.
"""

from functools import partial
from typing import Any

from amaranth.hdl import Assert, Assume, Cover, Module, Mux, ResetSignal, Signal

from golden.catalog import CATALOG
from golden.params.viterbi_weight import ViterbiWeightParameters
from hdl.properties.claims import Claim
from hdl.properties.invariants import holds
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals, Spec
from hdl.properties.stream import Channel, channels, source_rules
from hdl.viterbi_weight import QUEUE, ViterbiWeightDecompressor

PATIENCE = 2  # cycles after which the bitmap decoder is offered a shape that is there
# The stages of a stream: of which part, () for the decompressor as a whole, and which of its ports.
JOINED = [(("", "index"), ("decompressor", "index")), (("decompressor", "mask"), ("bitmap", "mask")), (("", "value"), ("bitmap", "value"))]
JOINED += [(("bitmap", "weight"), ("", "weight"))]


class JoinSpec(Spec):
    """The parts of *design* are joined as they have to be.

    Asserted, where the shape stream's source keeps the stream rules and whatever all others do: both parts are offered every shape that is
    taken, once and in order, by the stream rules; a shape is taken when the decompressor takes it, and that is offered it where there is
    room; it is offered to the bitmap decoder within :data:`PATIENCE` cycles; all other streams go from port to port.
    """

    def specify(self, m: Module, internals: Internals) -> None:
        parts = {"": channels(self.design)} | {name: channels(internals.part(name)) for name in ("decompressor", "bitmap")}
        port, first, second = (parts[name]["shape"] for name in ("", "decompressor", "bitmap"))
        source_rules(m, Assume, port)
        source_rules(m, Assert, first)
        source_rules(m, Assert, second)
        m.submodules.waiting = waiting = Queue(len(second.payload), QUEUE)
        late = Signal(range(PATIENCE + 2))
        m.d.comb += [waiting.push.eq(port.transfer), waiting.new.eq(port.payload[: len(second.payload)]), waiting.pop.eq(second.transfer)]
        m.d.sync += late.eq(Mux((waiting.level != 0) & ~second.valid, late + (late <= PATIENCE), 0))
        with m.If(~ResetSignal()):
            self._shapes(m, port, first, second, waiting)
            m.d.comb += Assert(late < PATIENCE, "a shape that waits is offered to the bitmap decoder in time")
            for (part, name), (other, its) in JOINED:
                one, another = parts[part][name], parts[other][its]
                same = (one.valid == another.valid) & (one.ready == another.ready) & (one.payload == another.payload)
                m.d.comb += Assert(same, f"{name} goes from port to port")
            if self.invariants:
                self._queue(m, internals, waiting)
        m.d.comb += [
            Cover((waiting.level == 3) & second.transfer & ~ResetSignal(), "three shapes wait, and one of them is taken"),
            Cover(port.transfer & second.transfer & ~ResetSignal(), "a shape goes in while another one leaves"),
        ]

    def _shapes(self, m: Module, port: Channel, first: Channel, second: Channel, waiting: Queue) -> None:
        oldest = (waiting.level != 0) & (second.payload == waiting.entry0)
        m.d.comb += [
            Assert(~first.valid | port.valid & (first.payload == port.payload), "the decompressor is offered what the port offers"),
            Assert(port.transfer == first.transfer, "a shape is taken when the decompressor takes it"),
            Assert(~waiting.overflows, "no more shapes wait than there is room for"),
            Assert(~second.valid | oldest, "the bitmap decoder is offered the oldest shape"),
        ]
        # The queue's output register may be empty for a cycle, so that one entry less counts as room.
        there = port.valid & (waiting.level < QUEUE - 1)
        m.d.comb += Assert(~there | first.valid, "the decompressor is offered a shape where there is room")

    def _queue(self, m: Module, internals: Internals, waiting: Queue) -> None:
        """The queue's registers and memory hold what waits."""
        places = QUEUE - 1
        inner, head, tail = (internals[f"shapes.{name}"] for name in ("inner_level", "consume", "produce"))
        around = head + inner
        m.d.comb += [
            Assert((head < places) & (inner <= places), "invariant: the queue's memory"),
            Assert(tail == Mux(around >= places, around - places, around), "invariant: the queue's end"),
        ]
        slots = [("register", internals["shapes.r_rdy"], internals["shapes.storage.r_port__data"])]
        for i in range(places):
            oldest = internals["shapes.storage[0]"]
            for row in range(1, places):
                oldest = Mux(head == (row - i) % places, internals[f"shapes.storage[{row}]"], oldest)
            slots.append((f"row {i} after the oldest", inner > i, oldest))
        holds(m, waiting, slots)


class Hasty(ViterbiWeightDecompressor):
    """Takes a shape whether or not the decompressor does."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.shape.ready.eq(m.submodules.shapes.w_rdy)
        return m


class Forgetful(ViterbiWeightDecompressor):
    """Loses a shape that comes while another one waits."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        shapes = m.submodules.shapes
        m.d.comb += shapes.w_en.eq(self.shape.valid & self.shape.ready & ~shapes.r_rdy)
        return m


class Direct(ViterbiWeightDecompressor):
    """Shows the bitmap decoder the shape at the port."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += m.submodules.bitmap.shape.payload.eq(self.shape.payload)
        return m


class Deaf(ViterbiWeightDecompressor):
    """Does not tell the bitmap decoder of the index's errors."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += m.submodules.bitmap.mask.payload.error.eq(0)
        return m


WRONG: dict[str, tuple[type[ViterbiWeightDecompressor], str]] = {
    "a shape is taken before the decompressor takes it": (Hasty, "a shape is taken when the decompressor takes it"),
    "a shape is lost": (Forgetful, "offered to the bitmap decoder in time"),
    "the bitmap decoder gets a shape that is not its": (Direct, "offered the oldest shape"),
    "errors of the index are dropped": (Deaf, "mask goes from port to port"),
}


SMALL = ViterbiWeightParameters(
    name="viterbi_weight_small", k=1, q=1, taps=(0b11,), block_steps=1, count_bits=2, value_bits=1, values=1
)


def _join(p: ViterbiWeightParameters, made: type[ViterbiWeightDecompressor] = ViterbiWeightDecompressor, **options: bool) -> Spec:
    return JoinSpec(made(p), **options)


def claims() -> list[Claim]:
    """The claims of how the parts are joined: of the smallest parts, and of the smallest in the catalogue."""
    found: Any = CATALOG["viterbi_weight_k3q4"]
    sound = [Claim("joint", p.name, partial(_join, p), "prove", 3) for p in (SMALL, found)]
    sound += [Claim("joint", p.name, partial(_join, p, legal_inputs=True), "cover", 12) for p in (SMALL, found)]
    broken = [
        Claim(what, "viterbi_weight_broken", partial(_join, SMALL, made, invariants=False), "bmc", 12, rejects=seen)
        for what, (made, seen) in WRONG.items()
    ]
    return sound + broken
