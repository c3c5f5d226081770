"""The register that an encoded stream of numbers comes in through, and how a set of registers is named."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Port
from hdl.stream import payload


def registers(prefix: str, widths: Mapping[str, int]) -> Any:
    """Registers named PREFIX_NAME, as attributes; without reset, since a flag beside them says whether they hold something."""
    return SimpleNamespace(**{name: Signal(width, name=f"{prefix}_{name}", reset_less=True) for name, width in widths.items()})


class Intake(wiring.Component):
    """One register that holds the next number of an encoded stream, or the next beat of several, and knows where a matrix ends in it.

    Beats without data are skipped. Where the stream ends before the matrix is complete, ``missing`` stays up in place of every further
    number; what it has left when the matrix is complete is dropped up to its ``last``. Latency 1, one beat per cycle.

    Members:
        i: The stream. Its ready follows ``take`` combinationally.
        valid: There is a beat, or one is missing.
        missing: Of each lane: no number, since the stream has ended or the lane is not kept.
        more: The beat has no ``last``.
        number: The number of each lane, one after the other.
        take: Take it; only while ``valid``.
        complete: The matrix needs no further beat after this one.
    """

    def __init__(self, port: Port) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(payload(port))),
                "valid": Out(1),
                "missing": Out(port.lanes),
                "more": Out(1),
                "number": Out(port.fields[0].bits * port.lanes),
                "take": In(1),
                "complete": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        drain = Signal()  # drop what comes, up to its last
        dropped = Signal()
        beat = self.i.payload
        held = registers("held", {"kept": len(self.missing), "last": 1, "number": len(self.number)})
        # A last beat that is taken too early stays, as the mark that the next number is missing.
        m.d.comb += [
            self.i.ready.eq(~self.valid | (self.take & (self.more | self.complete))),
            dropped.eq(drain | (self.take & self.more & self.complete)),
            self.missing.eq(~held.kept),
            self.more.eq(~held.last),
            self.number.eq(held.number),
        ]
        m.d.sync += drain.eq(dropped & ~(self.i.valid & beat.last))  # what is dropped is taken
        with m.If(self.i.ready):
            m.d.sync += [
                self.valid.eq(self.i.valid & (beat.keep[0] | beat.last) & ~dropped),
                held.kept.eq(beat.keep),
                held.last.eq(beat.last),
                held.number.eq(beat.data.as_value()),
            ]
        with m.If(self.take & held.last & ~self.complete):
            m.d.sync += held.kept.eq(0)
        return m
