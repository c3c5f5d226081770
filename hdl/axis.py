"""A decoder's streams as AXI4-Stream ports, named so that vendor tools recognise the interfaces unaided."""

import importlib
from typing import Any

from amaranth.hdl import Cat, ClockDomain, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Parameters, Port
from hdl.stream import SkidBuffer, payload


def decoder(parameters: Parameters) -> wiring.Component:
    """The decoder that *parameters* describe: ``DECODER`` of the module of ``hdl`` that is named like the format."""
    component: wiring.Component = importlib.import_module(f"hdl.{parameters.format}").DECODER(parameters)
    return component


def axis_members(port: Port, *, slave: bool) -> dict[str, Any]:
    """The signals of *port* as an AXI4-Stream slave (``s_axis_*``) or master (``m_axis_*``)."""
    prefix = f"{'s' if slave else 'm'}_axis_{port.name}"
    forward, backward = (In, Out) if slave else (Out, In)
    members = {f"{prefix}_tdata": forward(8 * port.beat_bytes), f"{prefix}_tvalid": forward(1), f"{prefix}_tready": backward(1)}
    if port.framed:
        members |= {f"{prefix}_tkeep": forward(port.beat_bytes), f"{prefix}_tlast": forward(1)}
    if port.user_bits:
        members[f"{prefix}_tuser"] = forward(port.user_bits)
    return members


class AxiDecoder(wiring.Component):
    """A decoder with AXI4-Stream ports, ``aclk`` and ``aresetn`` (synchronous, active low).

    Every field of a lane is padded to whole bytes and ``tkeep`` is repeated for each byte of its lane; of an incoming ``tkeep``
    only the bit of a lane's lowest byte is read. With ``parameters.skid`` a skid buffer follows the decoder.
    """

    def __init__(self, parameters: Parameters, component: wiring.Component | None = None) -> None:
        self.parameters = parameters
        self.decoder = component if component is not None else decoder(parameters)
        members: dict[str, Any] = {"aclk": In(1), "aresetn": In(1)}
        for port in (parameters.shape, *parameters.inputs):
            members |= axis_members(port, slave=True)
        super().__init__(members | axis_members(parameters.output, slave=False))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain("sync")
        m.d.comb += [domain.clk.eq(self.aclk), domain.rst.eq(~self.aresetn)]
        m.submodules.decoder = self.decoder
        for port in (self.parameters.shape, *self.parameters.inputs):
            self._connect_input(m, port, getattr(self.decoder, port.name))
        output = getattr(self.decoder, self.parameters.output.name)
        if self.parameters.skid:
            m.submodules.skid = skid = SkidBuffer(payload(self.parameters.output))
            wiring.connect(m, output, skid.i)
            output = skid.o
        self._connect_output(m, self.parameters.output, output)
        return m

    def _axis(self, prefix: str, port: Port, name: str) -> Signal:
        signal: Signal = getattr(self, f"{prefix}_axis_{port.name}_{name}")
        return signal

    def _connect_input(self, m: Module, port: Port, inner: stream.Interface) -> None:
        tdata = self._axis("s", port, "tdata")
        position = 0
        for lane in range(port.lanes):
            for f in port.fields:
                m.d.comb += _field(inner.payload.data[lane], port, f.name).eq(tdata[position : position + f.bits])
                position += 8 * f.bytes
        m.d.comb += [inner.valid.eq(self._axis("s", port, "tvalid")), self._axis("s", port, "tready").eq(inner.ready)]
        if port.framed:
            m.d.comb += [
                inner.payload.keep.eq(self._axis("s", port, "tkeep")[:: port.lane_bytes]),
                inner.payload.last.eq(self._axis("s", port, "tlast")),
            ]

    def _connect_output(self, m: Module, port: Port, inner: stream.Interface) -> None:
        tdata = self._axis("m", port, "tdata")
        position = 0
        for lane in range(port.lanes):
            for f in port.fields:
                m.d.comb += tdata[position : position + 8 * f.bytes].eq(_field(inner.payload.data[lane], port, f.name))
                position += 8 * f.bytes
        m.d.comb += [
            self._axis("m", port, "tvalid").eq(inner.valid),
            inner.ready.eq(self._axis("m", port, "tready")),
            self._axis("m", port, "tkeep").eq(Cat(inner.payload.keep[lane].replicate(port.lane_bytes) for lane in range(port.lanes))),
            self._axis("m", port, "tlast").eq(inner.payload.last),
            self._axis("m", port, "tuser").eq(inner.payload.error),
        ]


def _field(lane: Any, port: Port, name: str) -> Value:
    """The field *name* of a lane; a lane of one field is the number itself."""
    value: Value = lane if len(port.fields) == 1 else lane[name]
    return value
