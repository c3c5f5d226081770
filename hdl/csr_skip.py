"""Several row pointers a beat: those that end rows with survivors come out one by one, runs of empty rows are skipped."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrParameters
from hdl.compare import equal
from hdl.stream import payload


def pointer_layout(p: CsrParameters) -> data.StructLayout:
    """A row pointer: ``number``, its ``index`` and the ``row`` that it ends; ``first`` of its matrix; ``keep`` of its beat; ``final``, the
    index of the last of its beat; ``last``, it ends its matrix, and so do those after it in its beat, which are the same.
    """
    most = (1 << p.row_bits) - 1 + 3 * p.pointers  # by then one that is too many has come out
    index, flags = most.bit_length(), dict.fromkeys(("first", "last", "keep"), 1)
    return data.StructLayout({"number": p.count_bits, "index": index, "final": index, "row": p.row_bits} | flags)


class PointerSkipper(wiring.Component):
    """Takes beats of row pointers apart, and leaves out those that are the same as the one before.

    One row pointer per cycle; a beat takes as many cycles as it has pointers that are not left out, at least one. The first of a matrix is
    left out where it is 0. Of a matrix's last beat one is not, and says that the matrix ends. Latency 1.

    Members:
        i: The stream of the decoder. Its ready follows ``o.ready`` combinationally.
        o: See :func:`pointer_layout`. ``index``, ``final`` and ``row`` count those left out.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        members = {"i": In(stream.Signature(payload(parameters.inputs[0])))}
        super().__init__(members | {"o": Out(stream.Signature(pointer_layout(parameters)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self._parameters.pointers
        beat, out = self.i.payload, self.o.payload
        held = Signal.like(beat.data, name="held")
        keep = Signal(lanes, name="held_keep")
        last = Signal(name="held_last", init=1)
        closes = Signal(name="held_closes")  # the end of the matrix has to be told
        starts = Signal(name="held_starts")  # lane 0 is the first of its matrix
        pending = Signal(lanes)
        row = Signal(len(out.index))  # that lane 0 ends, all ones where it is the first of its matrix
        rest = pending & (pending - 1)[:lanes]
        lane = Signal(range(lanes))
        more = Signal(range(lanes))
        some = pending.any() | closes
        begins = last | (starts & ~keep[0])  # the next lane 0 is the first of its matrix
        follows = keep[-1] & ~last  # the next lane 0 comes after the upmost one
        same = [(follows & equal(m, "same_0", beat.data[0], held[lanes - 1])) | (begins & (beat.data[0] == 0))]
        same += [equal(m, f"same_{i}", beat.data[i], beat.data[i - 1]) for i in range(1, lanes)]
        # Where there are more than a matrix can have none is left out any more, so that the index cannot come round.
        beyond = row[len(out.row) :].any() & ~starts
        events = beat.keep & ~(Cat(same) & (~beyond).replicate(lanes))
        choices = [held[i] for i in range(lanes)]
        for bit in lane:
            choices = [Mux(bit, odd, even) for even, odd in zip(choices[::2], choices[1::2], strict=True)]
        m.d.comb += [
            self.o.valid.eq(some),
            self.i.ready.eq(~some | (self.o.ready & ~rest.any())),
            *(lane[bit].eq(Cat(pending[i] & ~pending[:i].any() for i in range(lanes) if i >> bit & 1).any()) for bit in range(len(lane))),
            out.number.eq(choices[0]),
            out.index.eq(_sum(m, "index_sum", row, lane, Const(1, 1))),
            out.final.eq(_sum(m, "final_sum", row, more, keep[0] | closes)),
            more.eq(sum(keep[1:])),
            out.row.eq(row + lane),
            out.first.eq(starts & pending[0]),
            out.last.eq(closes & ~rest.any()),
            out.keep.eq(keep[0]),
        ]
        with m.If(self.i.ready):
            m.d.sync += [pending.eq(events & self.i.valid.replicate(lanes)), closes.eq(beat.last & self.i.valid)]
        with m.Elif(self.o.ready):
            m.d.sync += pending.eq(rest)
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [held.eq(beat.data), keep.eq(beat.keep), last.eq(beat.last), starts.eq(begins)]
            m.d.sync += row.eq(out.final | begins.replicate(len(row)))
        return m


def _sum(m: Module, name: str, a: Value, b: Value, carry: Value) -> Value:
    """Of three, as wide as *a*, in one carry chain: into its lowest place goes *carry* twice."""
    total = Signal(len(a) + 1, name=name)
    unused_low = Signal(name=f"unused_{name}", attrs={"keep": 1})  # for linters
    m.d.comb += [total.eq(Cat(carry, a) + Cat(carry, b)), unused_low.eq(total[0])]
    return total[1:]
