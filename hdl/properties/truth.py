"""A decoder behind its AXI4-Stream ports gives what its format's model owes, nothing else, and in time: what all formats share."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Assert, Cat, Const, Cover, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data

from golden.params.base import Parameters, Port
from hdl.properties.spec import Internals, Spec
from hdl.properties.stream import channels, port_rules
from hdl.stream import payload


def taken_beat(design: Any, port: Port) -> Value:
    """What the input *port* of *design* holds, in the order of :func:`hdl.stream.payload`: lanes without their padding, keep and last."""
    name = f"s_axis_{port.name}"
    tdata, fields, position = getattr(design, f"{name}_tdata"), [], 0
    for f in port.fields * port.lanes:
        fields.append(tdata[position : position + f.bits])
        position += 8 * f.bytes
    if port.framed:
        fields += [getattr(design, f"{name}_tkeep")[:: port.lane_bytes], getattr(design, f"{name}_tlast")]
    return Cat(fields)


def padded(lanes: Value, port: Port) -> Value:
    """``tdata`` for the *lanes* of *port*: every field in whole bytes."""
    fields, position = [], 0
    for f in port.fields * port.lanes:
        fields += [lanes[position : position + f.bits], Const(0, 8 * f.bytes - f.bits)]
        position += f.bits
    return Cat(fields)


class Truth(Spec):
    """The decoder gives what the model owes. A format says which model, and what of the decoder's registers it needs.

    Asserted for any sequence of beats on the inputs, malformed ones included, under every pattern of stalls and resets: the stream rules of
    the output; exactly the beats of the model in its order, with data, ``tkeep``, ``tlast`` and ``tuser``; none later than the latency that
    the parameters state; never more than :attr:`most_idle` cycles without any transfer while the output accepts and every input that is
    wanted offers.

    Attributes:
        definition: Makes the model of the parameters.
        model: What is owed.
        latency: From the cycle in which the model can make a beat; that of the parameters unless a format says otherwise.
        most_idle: See above; ``latency + 1`` of the parameters unless a format says otherwise.
    """

    definition: Callable[[Any], Any]
    model: Any

    def __init__(self, design: Any, parameters: Any, *, invariants: bool = True, legal_inputs: bool = False) -> None:
        self.parameters: Parameters = parameters
        self.model = self.definition(parameters)
        self.latency, self.most_idle = parameters.latency, parameters.latency + 1
        super().__init__(design, invariants=invariants, legal_inputs=legal_inputs)

    def watch(self, m: Module, internals: Internals) -> None:
        """Tell the model when the decoder takes its steps; to one without hints there is nothing to tell."""

    def wants(self) -> dict[str, Value]:
        """For the name of each input, whether nothing goes on without a beat of it."""
        raise NotImplementedError

    def able(self) -> Value:
        """Whether another output beat can be made of what was taken."""
        return Const(0)

    def works(self) -> Value:
        """Whether something else goes on, of which there is only so much before the next transfer."""
        return Const(0)

    def owed(self) -> Value:
        """Whether a beat is to be offered, at once or within the latency."""
        owed: Value = (self.model.beats.level != 0) | self.able()
        return owed

    def codes(self) -> list[Any]:
        """The error codes that there can be."""
        return [error for error in self.parameters.errors if error.value]

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        """Assert what induction needs beside the ports' properties."""
        raise NotImplementedError

    def expected(self) -> Value:
        """The oldest beat owed, in the order of :func:`hdl.stream.payload`."""
        return Value.cast(self.model.beats.entry0)

    def specify(self, m: Module, internals: Internals) -> None:
        p, design = self.parameters, self.design
        port_rules(m, self)
        m.submodules.model = model = self.model
        streams = channels(design)
        output = streams[f"m_axis_{p.output.name}"]
        inputs = {port.name: streams[f"s_axis_{port.name}"] for port in (p.shape, *p.inputs)}
        m.d.comb += [model.shape.eq(inputs["shape"].transfer), model.taken.eq(output.transfer)]
        m.d.comb += Value.cast(model.count).eq(taken_beat(design, p.shape))
        self._connect_streams(m)
        self.watch(m, internals)
        with m.If(~ResetSignal()):
            self._truth(m, output.valid)
            offered = Cat(~wanted | inputs[name].valid for name, wanted in self.wants().items()).all() & output.ready
            moves = Cat(*(stream.transfer for stream in (*inputs.values(), output)), self.works()).any()
            self._progress(m, output.valid, offered, moves)
            if self.invariants:
                self.invariants_hold(m, internals)
        self._covers(m, output.transfer)

    def _connect_streams(self, m: Module) -> None:
        """Show the model the beats of the encoded streams as they are taken."""
        streams = channels(self.design)
        for port in self.parameters.inputs:
            m.d.comb += getattr(self.model, port.name).eq(streams[f"s_axis_{port.name}"].transfer)
            m.d.comb += Value.cast(getattr(self.model, f"{port.name}_beat")).eq(taken_beat(self.design, port))

    def _signal(self, name: str) -> Signal:
        signal: Signal = getattr(self.design, f"m_axis_{self.parameters.output.name}_{name}")
        return signal

    def _truth(self, m: Module, valid: Value) -> None:
        """What comes out is the oldest beat owed."""
        port, model = self.parameters.output, self.model
        expected = data.View(payload(port), self.expected())
        kept = Cat(keep.replicate(port.lane_bytes) for keep in expected.keep)
        m.d.comb += [
            Assert(~model.unasked, "a beat is taken only for a matrix that wants one, and a step only where it can be"),
            Assert(~model.shapes.overflows, "no more shapes are taken than can wait"),
            Assert(~model.beats.overflows, "no more is owed than the registers hold"),
        ]
        for name, queue in getattr(model, "streams", {}).items():
            m.d.comb += Assert(~queue.overflows, f"no more beats of {name} are taken than the registers hold")
        with m.If(valid):
            m.d.comb += [
                Assert(model.beats.level != 0, "nothing comes out that is not owed"),
                Assert(self._signal("tdata") == padded(Value.cast(expected.data), port), "the elements are those of the definition"),
                Assert(self._signal("tkeep") == kept, "what is kept are the elements that the matrix has"),
                Assert(self._signal("tlast") == expected.last, "tlast stands on the beat that completes the count, and on no other"),
                Assert(self._signal("tuser") == expected.error, "the first error's code stands on the last beat, and 0 on all others"),
            ]

    def _progress(self, m: Module, valid: Value, offered: Value, moves: Value) -> None:
        """Nothing owed is late, and nothing hangs."""
        latency = self.latency
        late, idle = Signal(range(latency + 2)), Signal(range(self.most_idle + 2))
        m.d.sync += [
            late.eq(Mux(self.owed() & ~valid, late + (late <= latency), 0)),
            idle.eq(Mux(offered & ~moves, idle + (idle <= self.most_idle), 0)),
        ]
        m.d.comb += [
            Assert(late < latency, "what is owed is offered within the latency"),
            Assert(idle <= self.most_idle, "something moves while the inputs that are wanted offer and the output accepts"),
        ]

    def _covers(self, m: Module, taken: Value) -> None:
        """The telling cases; *good* completes a matrix without error, an element of it not 0, in several beats where one can have them."""
        p, error, last = self.parameters, self._signal("tuser"), self._signal("tlast")
        first, previous, after_last = Signal(init=1), Signal(p.output.user_bits), Signal()
        several, survivor = Signal(), Signal()
        m.d.sync += after_last.eq(taken & last)
        with m.If(taken):
            m.d.sync += [several.eq(~last), survivor.eq(~last & (survivor | self._signal("tdata").any()))]
            with m.If(last):
                m.d.sync += [previous.eq(error), first.eq(0)]
        long_enough = several if p.rate < (1 << p.count_bits) - 1 else Const(1)
        taken = taken & ~ResetSignal()
        good = taken & last & (error == 0) & long_enough & (survivor | self._signal("tdata").any())
        m.d.comb += [
            Cover(good & ~first & (previous == 0), "two good matrices, one after the other"),
            Cover(taken & after_last, "a matrix begins in the cycle after another's last beat"),
            Cover(taken & last & ~self._signal("tkeep")[0], "a matrix without elements"),
            *(Cover(good & ~first & (previous == e.value), f"a good matrix right after one that ended in {e.name}") for e in self.codes()),
        ]
