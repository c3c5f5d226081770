"""What the models of all formats share: matrices one after the other, the count, the first error, and the beats that are owed.

A model is only meant to be believed. It takes beats as they pass a decoder's ports and makes of them what the format's definition says, one
step after the other. Only *when* it takes a step is told by the decoder, in one-bit hints: that can change when something comes out, never
what. A hint for a step that the model cannot take is a fault (``unasked``).
"""

from collections.abc import Collection, Mapping
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Parameters
from hdl.properties.queue import Queue
from hdl.stream import payload


class Phase(enum.Enum, shape=2):  # type: ignore[call-arg]
    """The streams of a matrix are read; after an error zeros complete it; it is complete, and what follows is dropped."""

    READ = 0
    PAD = 1
    DROP = 2


class Model(wiring.Component):
    """What a decoder owes. A format's model says in :meth:`decode` what a step does.

    Args:
        shapes: Shapes that a decoder may have taken before it is done with the first one's matrix.
        held: Beats of each encoded stream that it may have taken before it is done with the first.
        room: Output beats that it may have made before the first is taken.
        hints: Name and width of what the decoder tells of its steps.
        direct: The encoded streams whose beats are used as they are taken.

    Members:
        shape, count: ``In``; a shape beat is taken, and what it holds: the count, or a struct of several fields.
        NAME, NAME_beat: ``In``; of each encoded stream: a beat is taken, and what it holds.
        taken: ``In``; an output beat is taken.
        unasked: ``Out``; a hint asks for what cannot be done.
        phase, left: ``Out``; of the matrix at work: where it stands, and its elements that no beat has given yet.

    Attributes:
        shapes: What the shape beats held of the matrices not yet done with, that at work first.
        streams: Of each encoded stream the beats not yet done with; those without data that do not end a share are not kept.
        beats: The output beats that are owed.
        makes, data, error: For :meth:`decode` to drive: a beat is made; its lanes; the code that it has if it is the matrix's last.
        ends: For :meth:`decode` to drive: the matrix is done with.
        begun: A beat of the matrix was made.
    """

    def __init__(
        self, parameters: Parameters, *, shapes: int, held: int, room: int, hints: Mapping[str, int], direct: Collection[str] = ()
    ) -> None:
        p = self.parameters = parameters
        self.count_bits: int = p.count_bits
        shape = payload(p.shape)["data"].shape.elem_shape
        self.shapes, self.beats = Queue(shape, shapes), Queue(payload(p.output), room)
        self.streams = {port.name: Queue(payload(port), held) for port in p.inputs if port.name not in direct}
        members: dict[str, Any] = {"shape": In(1), "count": In(shape), "taken": In(1)}
        members |= {name: In(bits) for name, bits in hints.items()}
        for port in p.inputs:
            members |= {port.name: In(1), f"{port.name}_beat": In(payload(port))}
        super().__init__(members | {"unasked": Out(1), "phase": Out(Phase), "left": Out(p.count_bits)})
        self.makes, self.ends, self.error = Signal(), Signal(), Signal(p.output.user_bits)
        self.data = Signal(payload(p.output)["data"].shape)
        self.begun = Signal()

    @property
    def complete(self) -> Any:
        """1 where the next beat is the matrix's last."""
        return self.left <= self.parameters.output.lanes

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, beats, new = self.shapes, self.beats, self.beats.new
        m.submodules.shapes, m.submodules.beats = shapes, beats
        for name, queue in self.streams.items():
            m.submodules[f"stream_{name}"] = queue
            beat = getattr(self, f"{name}_beat")
            m.d.comb += [queue.new.eq(beat), queue.push.eq(getattr(self, name) & (beat.keep[0] | beat.last))]
        begun, remaining = self.begun, Signal(self.count_bits)
        m.d.comb += [
            shapes.push.eq(self.shape), shapes.new.eq(self.count), shapes.pop.eq(self.ends),
            beats.push.eq(self.makes), beats.pop.eq(self.taken),
            self.left.eq(Mux(begun, remaining, self.elements(shapes.entry0))),
            new.last.eq(self.complete), new.error.eq(Mux(self.complete, self.error, 0)),
            new.keep.eq(Cat(self.left > lane for lane in range(len(new.keep)))),
            *(
                Value.cast(mine).eq(Mux(self.left > lane, Value.cast(made), 0))
                for lane, (mine, made) in enumerate(zip(new.data, self.data, strict=True))
            ),
        ]
        with m.If(self.makes):
            m.d.sync += [begun.eq(1), remaining.eq(self.left - len(new.keep))]
        self.decode(m)
        with m.If(self.ends):
            m.d.sync += [begun.eq(0), self.phase.eq(Phase.READ)]
        return m

    def elements(self, shape: Any) -> Value:
        """How many elements a matrix of that shape has."""
        return Value.cast(shape)

    def decode(self, m: Module) -> None:
        """Take the steps that the hints ask for."""
        raise NotImplementedError
