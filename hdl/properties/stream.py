"""The contract of a stream's source, written once: asserted of the outputs of a design, assumed of what drives its inputs."""

from dataclasses import dataclass

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Flow, Out

from hdl.properties.spec import Internals, Spec


@dataclass(frozen=True)
class Channel:
    """A stream as the rules see it: its handshake, and all that goes with valid as one number."""

    name: str
    valid: Value
    ready: Value
    payload: Value
    flow: Flow  # of valid and payload: Out where the design is the source

    @property
    def transfer(self) -> Value:
        """1 in a cycle whose end passes a beat on."""
        return self.valid & self.ready


def channels(component: wiring.Component) -> dict[str, Channel]:
    """Every stream among the ports of *component*, under its name: Amaranth's own (``o``) and AXI4-Stream (``m_axis_mask``)."""
    flat = {"__".join(map(str, path)): (member.flow, Value.cast(value)) for path, member, value in component.signature.flatten(component)}
    made = {}
    for prefix in (name.removesuffix("valid") for name in flat if name.endswith(("__valid", "_tvalid"))):
        flow, valid = flat[f"{prefix}valid"]
        _, ready = flat[f"{prefix}ready"]
        beside = [value for name, (_, value) in flat.items() if name.startswith(prefix) and not name.endswith(("valid", "ready"))]
        name = prefix.removesuffix("__").removesuffix("_t")
        made[name] = Channel(name, valid, ready, Cat(beside), flow)
    return made


def source_rules(m: Module, role: type[Assert] | type[Assume], source: Channel) -> Value:
    """Hold the source of a stream to the bus contract; gives a signal that is 1 in the cycle after a stall.

    Args:
        role: ``Assert`` where the design is the source, ``Assume`` where the environment is.
    """
    was_reset, was_stalled, was_payload = Signal(reset_less=True), Signal(reset_less=True), Signal(len(source.payload), reset_less=True)
    m.d.sync += [
        was_reset.eq(ResetSignal()), was_stalled.eq(source.valid & ~source.ready & ~ResetSignal()), was_payload.eq(source.payload),
    ]
    # Reset is synchronous: its first cycle may still show a beat, later ones and the first cycle after it may not.
    with m.If(was_reset):
        m.d.comb += role(~source.valid, f"{source.name}: no beat is offered during reset or in the cycle after it")
    # A consumer may look at a beat, decide, and take it later: what was offered stays, unless reset withdraws it.
    with m.If(was_stalled & ~ResetSignal()):
        m.d.comb += [
            role(source.valid, f"{source.name}: a beat that was offered is offered until it is taken"),
            role(source.payload == was_payload, f"{source.name}: a beat that was offered does not change until it is taken"),
        ]
    return was_stalled


def port_rules(m: Module, spec: Spec) -> None:
    """Assert the rules of all outputs of the design in *spec*, and assume them of its inputs where it was made with ``legal_inputs``.

    Covers: each output is stalled and then taken.
    """
    for channel in channels(spec.design).values():
        if channel.flow == Out:
            was_stalled = source_rules(m, Assert, channel)
            m.d.comb += Cover(was_stalled & channel.transfer & ~ResetSignal(), f"{channel.name}: a beat is stalled and then taken")
        elif spec.legal_inputs:
            source_rules(m, Assume, channel)


class StreamRules(Spec):
    """The outputs of any design keep the rules, whatever its inputs do. Inductive as it stands, without invariants."""

    def specify(self, m: Module, internals: Internals) -> None:
        port_rules(m, self)
