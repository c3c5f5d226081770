"""The skid buffer: what goes in comes out, in order, and never more than two transfers are inside."""

from functools import partial
from typing import Any

from amaranth.asserts import AnyConst
from amaranth.hdl import Assert, Cover, Module, Mux, ResetSignal, Signal, unsigned

from hdl.properties.claims import Claim, Tamper, Tampered
from hdl.properties.spec import Internals, Spec
from hdl.properties.stream import Channel, StreamRules, channels, port_rules
from hdl.stream import SkidBuffer

WIDTH = 4  # of the payload; the buffer moves it whole, so its width proves nothing more
CAPACITY = 2
NUMBER_BITS = 3  # transfers are counted modulo 8, more than can be inside at once


class SkidContract(Spec):
    """The solver picks a transfer, by its number modulo 8, and follows it through the buffer.

    Invariants read ``o__valid``, ``o__payload``, ``spare_valid`` and ``spare`` of the buffer.
    """

    def specify(self, m: Module, internals: Internals) -> None:
        port_rules(m, self)
        i, o = channels(self.design).values()
        followed = AnyConst(NUMBER_BITS)
        taken, given = Signal(NUMBER_BITS), Signal(NUMBER_BITS)
        followed_payload = Signal(WIDTH)
        inside = Signal(NUMBER_BITS)
        m.d.comb += inside.eq(taken - given)
        m.d.sync += [taken.eq(taken + i.transfer), given.eq(given + o.transfer)]
        with m.If(i.transfer & (taken == followed)):
            m.d.sync += followed_payload.eq(i.payload)

        with m.If(~ResetSignal()):
            m.d.comb += [
                Assert(inside <= CAPACITY, "no more than two transfers are inside"),
                Assert(o.valid == (inside != 0), "a transfer that is inside is offered, and nothing else is"),
                Assert(i.ready | (inside == CAPACITY), "the buffer takes a transfer unless it is full"),
            ]
            with m.If(o.valid & (given == followed)):
                m.d.comb += Assert(o.payload == followed_payload, "the transfer that is followed comes out as it went in")
            if self.invariants:
                spare_valid, spare = internals["spare_valid"], internals["spare"]
                m.d.comb += Assert(inside == o.valid + spare_valid, "invariant: the registers hold what is inside")
                with m.If(spare_valid & ((given + 1)[:NUMBER_BITS] == followed)):
                    m.d.comb += Assert(spare == followed_payload, "invariant: the second transfer waits in the spare register")
        self._cover(m, i, o, inside)

    def _cover(self, m: Module, i: Channel, o: Channel, inside: Signal) -> None:
        streak = Signal(3)
        m.d.sync += streak.eq(Mux(i.transfer & o.transfer, streak + (streak != 7), 0))
        was_full = Signal()
        with m.If(inside == CAPACITY):
            m.d.sync += was_full.eq(1)
        m.d.comb += Cover(was_full & (inside == 0) & ~ResetSignal(), "full, then empty")
        m.d.comb += Cover(was_full & (streak == 3), "after a stall, a transfer in every cycle on both sides")


def _loses(m: Module, outer: Any, _: Any) -> None:
    m.d.comb += outer.i.ready.eq(1)


def _withdraws(m: Module, outer: Any, inner: Any) -> None:
    stalled = Signal()
    m.d.sync += stalled.eq(inner.o.valid & ~outer.o.ready & ~stalled)
    m.d.comb += [outer.o.valid.eq(inner.o.valid & ~stalled), inner.o.ready.eq(outer.o.ready & ~stalled)]


def _offers(m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += outer.o.valid.eq(inner.o.valid | inner.i.valid)


def _repeats(m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += inner.o.ready.eq(outer.o.ready & inner.i.valid)


def _alters(m: Module, outer: Any, inner: Any) -> None:
    m.d.comb += outer.o.payload.eq(inner.o.payload | ~outer.o.ready)


BROKEN: dict[str, tuple[type[Spec], Tamper, str]] = {
    "a transfer that comes when it is full is lost": (SkidContract, _loses, "no more than two transfers are inside"),
    "a beat that was taken comes again": (SkidContract, _repeats, "a transfer that is inside is offered, and nothing else is"),
    "a beat is withdrawn in a stall": (StreamRules, _withdraws, "offered is offered until it is taken"),
    "a beat changes in a stall": (StreamRules, _alters, "does not change until it is taken"),
    "a beat is offered in reset": (StreamRules, _offers, "during reset"),
}


def _sound(*, legal_inputs: bool = False) -> Spec:
    return SkidContract(SkidBuffer(unsigned(WIDTH)), legal_inputs=legal_inputs)


def _broken(spec: type[Spec], tamper: Tamper) -> Spec:
    return spec(Tampered(SkidBuffer(unsigned(WIDTH)), tamper), invariants=False)


def claims() -> list[Claim]:
    """The skid buffer's claims."""
    sound = [
        Claim("contract", "skid", partial(_sound), "prove", 2),
        Claim("contract", "skid", partial(_sound, legal_inputs=True), "cover", 12),
    ]
    broken = [Claim(what, "skid", partial(_broken, spec, tamper), "bmc", 8, rejects=seen) for what, (spec, tamper, seen) in BROKEN.items()]
    return sound + broken
