"""Any one weight of a bitmap, of any number of lanes and values a beat: the value that its mask bit and those before it say, or 0."""

from typing import Any

from amaranth.asserts import AnyConst
from amaranth.hdl import Assert, Assume, Cover, Module, Mux, ResetSignal, Signal, Value

from golden.params.base import Error
from golden.params.bitmap import BitmapParameters
from hdl.properties.count import Count, Offered
from hdl.properties.element import NUMBER_BITS, Followed, Share
from hdl.properties.spec import Internals


class BitmapElement(Count):
    """Beside the count: any weight of any matrix, and the code of that matrix.

    The solver picks a matrix, a beat and a lane of it, and the number of a survivor. Asserted is what golden's ``expand`` says of the
    shares that were taken: where the weight's mask bit is 1 and the survivors before it are as many as that number, it is that value;
    where the bit is 0 it is 0; and so it is from the first beat on that lacks its mask or a value. The code is SHORT where something
    lacks, else NONE where both shares have ended and have nothing more, else LONG.
    """

    claim = "element"
    parameters: Any

    @property
    def sizes(self) -> BitmapParameters:
        """Parameters of the bitmap."""
        sizes: BitmapParameters = self.parameters
        return sizes

    def elements(self, m: Module, internals: Internals, offered: Offered) -> None:
        p, followed = self.sizes, Followed(m, self.design)
        count = followed.shape(p.shape).data[0]
        mask, value = self.mask(m, internals, followed), followed.share(p.inputs[1])
        beat, lane, rank = AnyConst(NUMBER_BITS), AnyConst(range(p.lanes)), AnyConst(range(p.values << NUMBER_BITS))
        m.d.comb += Assume(lane < p.lanes)
        found, bit, first, through, ones = self._masks(m, mask, count, beat, lane)
        picked = value.element(m, rank)

        here = followed.comes_out(offered) & ~ResetSignal()
        mine = here & (offered.done == beat * p.lanes) & offered.kept.bit_select(lane, 1)
        weight = offered.data.word_select(lane, 8 * p.output.lane_bytes)
        lacks = ~found | (value.gapped & (value.gap < through))
        told = ~bit | (first == rank)
        with m.If(mine & told):
            m.d.comb += [
                Assert(found | mask.ended, "the elements: no weight comes before its mask"),
                Assert(lacks | ~bit | picked.there, "the elements: no weight comes before its value"),
                Assert(weight == Mux(bit & ~lacks, picked.held, 0), "the elements are those of the definition"),
            ]
        few, whole = self.judged(m, mask, count)
        short, good = few | (value.gapped & (value.gap < ones)), whole & value.is_of(ones)
        with m.If(here & offered.last):
            code = Mux(short, Error.SHORT, Mux(good, Error.NONE, Error.LONG))
            m.d.comb += Assert(offered.code == code, "the first error's code is that of the definition")
        long = Signal()  # was told of it
        with m.If(here & offered.last & offered.output.transfer):
            m.d.sync += long.eq(offered.code == Error.LONG)
        m.d.comb += Assert(ResetSignal() | ~(long & followed.known & good), "the first error's code: nothing was too long")
        taken = mine & told & bit & offered.output.transfer
        m.d.comb += [
            Cover(taken & (beat != 0) & (rank >= p.values) & (weight != 0), "a value of a later beat goes to a later beat"),
            Cover(taken & offered.last & (offered.code == Error.SHORT) & lacks, "a weight whose value is missing"),
        ]

    def mask(self, m: Module, internals: Internals, followed: Followed) -> Share:
        """The mask's share."""
        return followed.share(self.sizes.inputs[0])

    def judged(self, m: Module, mask: Share, count: Any) -> tuple[Value, Value]:
        """Whether the mask's share has ended with too few masks, and whether with all that there have to be and no more."""
        lanes = self.sizes.lanes
        whole = mask.ended & ~(mask.more & (count != 0)) & (mask.number * lanes < count + lanes)
        return mask.ended & (mask.number * lanes < count), whole

    def _masks(self, m: Module, mask: Share, count: Any, beat: Value, lane: Value) -> tuple[Signal, ...]:
        """Of the weight that is followed, whether its mask is known, its bit, the survivors before it, and those up to its beat's last; and
        the survivors of all masks that are known.
        """
        p = self.sizes
        found, bit = Signal(), Signal()
        first, through, ones = (Signal(range(p.lanes << NUMBER_BITS + 1), name=name) for name in ("first", "through", "ones"))
        bits = [mask.beat.data[0][i] & (mask.number * p.lanes + i < count) for i in range(p.lanes)]
        with m.If(mask.takes & mask.beat.keep[0]):
            m.d.sync += ones.eq(ones + sum(bits))
            with m.If(mask.number == beat):
                before = ones + sum(one & (lane > i) for i, one in enumerate(bits))
                m.d.sync += [found.eq(1), bit.eq(mask.beat.data[0].bit_select(lane, 1)), first.eq(before), through.eq(ones + sum(bits))]
        return found, bit, first, through, ones


class ViterbiWeightElement(BitmapElement):
    """The same of the Viterbi weight decompressor, whose masks are those that the Viterbi decompressor inside gives.

    They are always as many as there have to be, and the last of them says what was wrong with the index. That they are the right ones is
    for :mod:`hdl.properties.viterbi` to prove.
    """

    @property
    def sizes(self) -> BitmapParameters:
        sizes: BitmapParameters = self.parameters.expansion
        return sizes

    def mask(self, m: Module, internals: Internals, followed: Followed) -> Share:
        inner = internals.part("decoder.bitmap").mask
        return followed.watch("mask", inner.valid & inner.ready, inner.payload)

    def judged(self, m: Module, mask: Share, count: Any) -> tuple[Value, Value]:
        code = Signal(len(mask.beat.error))
        with m.If(mask.takes):
            m.d.sync += code.eq(mask.beat.error)
        return mask.ended & (code == Error.SHORT), mask.ended & (code == Error.NONE)
