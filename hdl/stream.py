"""What the streams of all decoders share: their payloads, and the skid buffer."""

from typing import Any

from amaranth.hdl import Module, Mux, ShapeCastable, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Parameters, Port


def payload(port: Port) -> data.StructLayout:
    """The payload of *port* inside the hardware, without the padding that AXI4-Stream adds.

    Members: ``data``, an array of lanes, each a number or, with several fields, a struct of them; ``keep``, one bit a lane, and
    ``last`` where the port is framed; ``error`` where it has user bits.
    """
    numbers = {f.name: unsigned(f.bits) for f in port.fields}
    lane: Any = data.StructLayout(numbers) if len(numbers) > 1 else unsigned(port.fields[0].bits)
    members: dict[str, Any] = {"data": data.ArrayLayout(lane, port.lanes)}
    if port.framed:
        members |= {"keep": unsigned(port.lanes), "last": unsigned(1)}
    if port.user_bits:
        members["error"] = unsigned(port.user_bits)
    return data.StructLayout(members)


def decoder_members(parameters: Parameters) -> dict[str, Any]:
    """The members of a decoder's signature: ``shape`` and the encoded streams in, the decoded stream out."""
    inputs = (parameters.shape, *parameters.inputs)
    return {p.name: In(stream.Signature(payload(p))) for p in inputs} | {
        parameters.output.name: Out(stream.Signature(payload(parameters.output)))
    }


class SkidBuffer(wiring.Component):
    """Cuts every combinational path between two streams; one transfer a cycle, one cycle of latency.

    A second register takes the transfer that arrives in the cycle in which the consumer stalls.

    Members:
        i: ``In(stream.Signature(shape))``; its ready comes from a register.
        o: ``Out(stream.Signature(shape))``; its valid and payload come from registers.
    """

    def __init__(self, shape: ShapeCastable | Any) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # What a stream carries needs no reset, only what says that there is something.
        front, spare = (Signal.like(self.i.payload, name=name, reset_less=True) for name in ("front", "spare"))
        spare_valid = Signal()
        m.d.comb += [self.i.ready.eq(~spare_valid), self.o.payload.eq(front)]
        # Written without conditions, so that neither bit waits for an enable or a synchronous reset.
        m.d.sync += [
            self.o.valid.eq(spare_valid | self.i.valid | (self.o.valid & ~self.o.ready)),
            spare_valid.eq((spare_valid | self.i.valid) & self.o.valid & ~self.o.ready),
        ]
        with m.If(~spare_valid):
            m.d.sync += spare.eq(self.i.payload)  # of use or not: so the enable of a wide register is a register
        with m.If(~self.o.valid | self.o.ready):
            # The consumer can take more: first what was set aside, else what arrives now.
            m.d.sync += front.eq(Mux(spare_valid, spare, self.i.payload))
        return m
