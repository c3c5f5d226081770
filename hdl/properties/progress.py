"""Something moves: for decoders that have no model of their elements, and so little else that many cycles can be searched."""

from typing import Any

from amaranth.hdl import Assert, Cat, Const, Cover, Module, Mux, ResetSignal, Signal, Value, signed
from amaranth.lib import data

from golden.params.base import Parameters
from hdl.properties.spec import Internals, Spec
from hdl.properties.stream import Channel, channels, port_rules
from hdl.properties.truth import taken_beat
from hdl.stream import payload

BEHIND = signed(7)  # of shares that have ended: more matrices than come within the cycles of a claim


class Progress(Spec):
    """Something moves at least every :attr:`most_idle` cycles, while the output accepts and each input that is wanted offers.

    An encoded stream is wanted while fewer of its shares have ended than shapes were taken, the shape stream only when no stream is and no
    output is owed: so a matrix is completed, and what is left of it dropped, whether or not another one comes; and where all that it has
    was taken, its next beat is offered within that time. Asserted for any beats on the inputs, malformed ones included, under every pattern
    of stalls and resets, with the stream rules of the output. It can only be violated from cycle ``latency + 7`` on, :meth:`silent` apart.

    Attributes:
        claim: What a claim of it is called.
    """

    claim = "progress"

    def __init__(self, design: Any, parameters: Parameters, *, invariants: bool = False, legal_inputs: bool = False) -> None:
        self.parameters = parameters
        self.most_idle = parameters.latency + 4
        super().__init__(design, invariants=invariants, legal_inputs=legal_inputs)

    def silent(self, m: Module, shape: Channel) -> Value:
        """Cycles more, of CSR's dense rows: survivors that are missing, and rows without columns, are counted off one a cycle. So a matrix
        that promises more of them than a claim has cycles to spare is not found hanging by it.
        """
        p = self.parameters
        if not getattr(p, "dense", False) or len(p.shape.fields) < 3:
            return Const(0)
        fields = data.View(payload(p.shape), taken_beat(self.design, p.shape)).data[0]
        rows, _, survivors = (fields[field.name] for field in p.shape.fields)
        promised = rows + survivors
        most = Signal.like(promised)
        with m.If(shape.transfer & (promised > most)):
            m.d.sync += most.eq(promised)
        return most

    def specify(self, m: Module, internals: Internals) -> None:
        p = self.parameters
        port_rules(m, self)
        streams = channels(self.design)
        shape, *inputs = (streams[f"s_axis_{port.name}"] for port in (p.shape, *p.inputs))
        output = streams[f"m_axis_{p.output.name}"]
        behind = []
        for stream in (*inputs, output):
            number = Signal(BEHIND, name=f"behind_{stream.name}")
            m.d.sync += number.eq(number + shape.transfer - (stream.transfer & getattr(self.design, f"{stream.name}_tlast")))
            behind.append(number > 0)
        offers = Cat(~wanted | stream.valid for wanted, stream in zip(behind, inputs, strict=False)).all()
        moves = Cat(stream.transfer for stream in (shape, *inputs, output)).any()
        waits = offers & (Cat(behind).any() | shape.valid) & output.ready & ~moves
        most = self.silent(m, shape) + self.most_idle
        idle, completed, again = Signal(len(most) + 1), Signal(), Signal()
        m.d.sync += idle.eq(Mux(waits, idle + (idle <= most), 0))
        with m.If(output.transfer & getattr(self.design, f"{output.name}_tlast")):
            m.d.sync += completed.eq(1)
        with m.If(completed & shape.transfer):
            m.d.sync += again.eq(1)
        with m.If(~ResetSignal()):
            m.d.comb += Assert(idle <= most, "something moves while the inputs that are wanted offer and the output accepts")
        m.d.comb += [
            Cover(~ResetSignal() & again & waits & Cat(behind).any() & ~shape.valid, "a second matrix is waited for, and no third offered"),
            Cover(~ResetSignal() & completed & ~Cat(behind).any(), "a matrix is done with, and so are its streams"),
        ]
