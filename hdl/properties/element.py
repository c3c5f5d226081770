"""One element of one matrix, whichever the solver picks, is what the format's definition makes of the beats that came in.

Nothing of the decoder is looked into: what a stream held is watched as it is taken, and stands in a few registers until the element comes
out.
"""

from dataclasses import dataclass
from typing import Any

from amaranth.asserts import AnyConst
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data

from golden.params.base import Port
from hdl.properties.count import Offered
from hdl.properties.stream import channels
from hdl.properties.truth import taken_beat
from hdl.stream import payload

NUMBER_BITS = 4  # of a matrix, and of a beat in it: more than come out within the cycles of a claim


@dataclass(frozen=True)
class Element:
    """An element of a share: it was taken, and what it is."""

    there: Signal
    held: Signal


@dataclass(frozen=True)
class Share:
    """The share of one stream for the matrix that is followed, as it is taken.

    Attributes:
        lanes: Elements of a full beat.
        takes: A beat of it is taken.
        beat: That beat; ``keep`` is set from lane 0 upward, or the matrix is not followed.
        number: Beats with data before that one.
        ended: The last one was taken.
        more: That had no data, though others had.
        gap, gapped: The first element that is not there, and that this is known: what a beat that is not full lacks does not come later.
    """

    lanes: int
    takes: Value
    beat: Any
    number: Signal
    ended: Signal
    more: Signal
    gap: Signal
    gapped: Signal

    def element(self, m: Module, place: Any) -> Element:
        """That at *place*, from 0."""
        there, held = Signal(), Signal(len(self.beat.data[0]))
        lane = place % self.lanes
        with m.If(self.takes & (self.number == place // self.lanes) & self.beat.keep.bit_select(lane, 1)):
            m.d.sync += [there.eq(1), held.eq(self.beat.data[lane] if self.lanes > 1 else self.beat.data[0])]
        return Element(there, held)

    def is_of(self, elements: Any) -> Value:
        """It has ended, and was of so many *elements*, no more and no fewer."""
        beats = (self.number * self.lanes < elements + self.lanes) & ~(self.more & (elements != 0))
        whole: Value = self.ended & self.gapped & (self.gap == elements) & beats
        return whole


class Followed:
    """The matrix that the solver picks to follow.

    Attributes:
        known: No beat of any of its shares has ``tkeep`` set above a lane without it.
    """

    def __init__(self, m: Module, design: Any) -> None:
        self._module, self._design, self._matrix = m, design, AnyConst(NUMBER_BITS)
        self.known = Signal(init=1)

    def shape(self, port: Port) -> Any:
        """Its shape beat, in the cycle in which that is taken and from then on."""
        m, channel, shape = self._module, channels(self._design)[f"s_axis_{port.name}"], Signal(payload(port))
        number, held = Signal(NUMBER_BITS + 1), Signal.like(Value.cast(shape))
        now = channel.transfer & (number == self._matrix)
        m.d.sync += number.eq(number + channel.transfer)
        with m.If(now):
            m.d.sync += held.eq(taken_beat(self._design, port))
            m.d.comb += Value.cast(shape).eq(taken_beat(self._design, port))
        with m.Else():
            m.d.comb += Value.cast(shape).eq(held)
        return shape

    def share(self, port: Port) -> Share:
        """Its share of the encoded stream of *port*."""
        channel = channels(self._design)[f"s_axis_{port.name}"]
        return self.watch(port.name, channel.transfer, data.View(payload(port), taken_beat(self._design, port)))

    def watch(self, name: str, transfer: Value, beat: Any) -> Share:
        """Its share of a stream, where *transfer* tells that *beat* is taken."""
        m = self._module
        lanes = len(beat.keep)
        ends, number = Signal(NUMBER_BITS + 1, name=f"{name}_ends"), Signal(NUMBER_BITS + 1, name=f"{name}_number")
        ended, more, gapped = (Signal(name=f"{name}_{what}") for what in ("ended", "more", "gapped"))
        gap = Signal(range(lanes << NUMBER_BITS + 1), name=f"{name}_gap")
        takes, some = transfer & (ends == self._matrix), beat.keep.any()
        with m.If(transfer & beat.last):
            m.d.sync += ends.eq(ends + 1)
        with m.If(takes):
            m.d.sync += [number.eq(number + some), ended.eq(beat.last), more.eq(beat.last & ~some & (number != 0))]
            with m.If(~gapped & (beat.last | some & ~beat.keep.all())):
                m.d.sync += [gapped.eq(1), gap.eq(number * lanes + sum(beat.keep))]
            with m.If((beat.keep & (beat.keep + 1)).any()):
                m.d.sync += self.known.eq(0)
        return Share(lanes, takes, beat, number, ended, more, gap, gapped)

    def comes_out(self, offered: Offered) -> Value:
        """The output offers a beat of it."""
        m, number = self._module, Signal(NUMBER_BITS + 1)
        with m.If(offered.output.transfer & offered.last):
            m.d.sync += number.eq(number + 1)
        here: Value = offered.output.valid & (number == self._matrix) & self.known
        return here
