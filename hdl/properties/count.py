"""Exact count, in order, with nothing left out, whatever comes in: for decoders that have no model of their elements."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Assert, Cat, Const, Cover, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data

from golden.params.base import Parameters
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals, Spec
from hdl.properties.stream import Channel, channels, port_rules
from hdl.properties.truth import taken_beat
from hdl.stream import payload

WAITING = 24  # shapes that a decoder may have taken before it is done with the first one's matrix


@dataclass(frozen=True)
class Offered:
    """What the output offers, and what of the matrix it is.

    Attributes:
        output: The stream.
        data, code: What the beat holds; the code is of no matrix but that which it completes.
        row, done: Rows given before, and elements of this one.
        last: It completes the matrix.
        kept: Elements that it has, a bit a lane.
    """

    output: Channel
    data: Signal
    code: Signal
    row: Signal
    done: Signal
    last: Value
    kept: Value


class Count(Spec):
    """The decoder gives the beats that the shapes promise, and no other.

    Asserted for any beats on the inputs, malformed ones included, under every pattern of stalls and resets: the stream rules of the
    output; for each shape, in order, exactly its elements, kept from lane 0 upward, and ``tlast`` on the beat that completes them;
    ``tuser`` 0 on all others, and a code of the format on that; lanes without an element hold 0. What the elements are is for a subclass
    to assert (:mod:`hdl.properties.element`), and that something moves is for :mod:`hdl.properties.progress`, which looks at more cycles.

    Attributes:
        claim: What a claim of it is called.
    """

    claim = "count"

    def __init__(self, design: Any, parameters: Parameters, *, invariants: bool = False, legal_inputs: bool = False) -> None:
        self.parameters = parameters
        super().__init__(design, invariants=invariants, legal_inputs=legal_inputs)

    def promised(self, shape: Any) -> Any:
        """Rows and their elements, of a shape beat; a format without rows has one."""
        p = self.parameters
        fields = [shape.data[0][f.name] for f in p.shape.fields] if len(p.shape.fields) > 1 else [shape.data[0]]
        if getattr(p, "dense", False) and len(fields) == 3:  # CSR's dense rows, or rows of groups
            return Cat(fields[0], Const(0, getattr(p, "group", 1).bit_length() - 1), fields[1]), len(fields[0])
        elements = fields[0] if getattr(p, "dense", True) else fields[-1]
        return Cat(Const(1, 1), elements), 1

    def elements(self, m: Module, internals: Internals, offered: Offered) -> None:
        """Assert what they are."""

    def specify(self, m: Module, internals: Internals) -> None:
        p, design = self.parameters, self.design
        port_rules(m, self)
        streams = channels(design)
        output, lanes = streams[f"m_axis_{p.output.name}"], p.output.lanes
        given = {name: getattr(design, f"m_axis_{p.output.name}_{name}") for name in ("tdata", "tkeep", "tlast", "tuser")}
        shape, row_bits = self.promised(data.View(payload(p.shape), taken_beat(design, p.shape)))
        m.submodules.shapes = shapes = Queue(len(shape), WAITING)
        rows, columns = shapes.entry0[:row_bits], shapes.entry0[row_bits:]
        row, done = Signal(row_bits), Signal(len(columns))  # of the matrix at work: rows that are complete, elements given of this one
        left = Mux(rows == 0, 0, columns - done)
        ends_row, nothing = left <= lanes, (rows == 0) | (columns == 0)
        last = nothing | (ends_row & (row + 1 >= rows))
        has = Cat(left > lane for lane in range(lanes))
        kept = Cat(bit.replicate(p.output.lane_bytes) for bit in has)
        m.d.comb += [shapes.push.eq(streams["s_axis_shape"].transfer), shapes.new.eq(shape), shapes.pop.eq(output.transfer & last)]
        with m.If(output.transfer):
            m.d.sync += [done.eq(Mux(ends_row, 0, done + lanes)), row.eq(Mux(last, 0, row + ends_row))]
        codes = Cat(given["tuser"] == error.value for error in p.errors).any()
        with m.If(~ResetSignal()):
            m.d.comb += Assert(~shapes.overflows, "no more shapes are taken than can wait")
            with m.If(output.valid):
                m.d.comb += [
                    Assert(shapes.level != 0, "nothing comes out that is not owed"),
                    Assert(given["tkeep"] == kept, "what is kept are the elements that the matrix has"),
                    Assert(given["tlast"] == last, "tlast stands on the beat that completes the count, and on no other"),
                    Assert(Mux(last, codes, given["tuser"] == 0), "a code of the format stands on the last beat, and 0 on all others"),
                    Assert((given["tdata"] & ~Cat(keep.replicate(8) for keep in kept)) == 0, "the elements that there are not are 0"),
                ]
        self.elements(m, internals, Offered(output, given["tdata"], given["tuser"], row, done, last, has))
        self._covers(m, output.transfer & ~ResetSignal(), last, nothing, given)

    def _covers(self, m: Module, taken: Any, last: Any, nothing: Any, given: dict[str, Any]) -> None:
        after_last, several = Signal(), Signal()
        m.d.sync += after_last.eq(taken & last)
        with m.If(taken):
            m.d.sync += several.eq(~last)
        good = taken & last & several & (given["tuser"] == 0) & given["tdata"].any()
        m.d.comb += [
            Cover(good, "a good matrix of several beats"),
            Cover(taken & after_last, "a matrix begins in the cycle after another's last beat"),
            Cover(taken & nothing, "a matrix without elements"),
            Cover(taken & last & (given["tuser"] == 1), "a matrix whose stream ends early"),
            Cover(taken & last & (given["tuser"] == 2), "a matrix whose stream goes on"),
        ]
