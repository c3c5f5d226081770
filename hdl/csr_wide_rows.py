"""The CSR decoder of dense rows, wide: several survivors that come in together are put into their beat at once."""

from functools import reduce
from operator import or_
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.params.csr import CsrError
from hdl.compare import equal
from hdl.csr_dense import DenseRows


class WideDenseRows(DenseRows):
    """Puts all survivors that came in together and are of the beat in the making into their lanes at once.

    Of the survivors in ``pair`` those that are ``used`` are before the others, and the first of the others is the *head*. Those that go
    together with it, by their links, are its ``chain``; whether the head is of the beat in the making is known from the cycle before. The
    chain is put up to the end of the row. So a beat takes as many cycles as input beats that it has survivors of, at least one; where
    the next input beat is not there to say whether it has any of it, and the row goes on, the beat waits for that. The last input beat of
    a matrix stays until the matrix is complete. Latency 2 from ``rows``, 1 from ``pair``.

    Members:
        rows, pair, behind_valid, behind, weight: See :class:`hdl.csr_dense.DenseRows` and :class:`hdl.csr_wide_pairs.WidePairReader`.
    """

    def _row_widths(self) -> dict[str, int]:
        """``high``: of the number of the row's last survivor that of its input beat; ``within``: the pairs of that beat up to it."""
        p = self._parameters
        self._low = p.pairs.bit_length() - 1
        return {"high": p.count_bits - self._low, "within": p.pairs}

    def _look(self, s: Any, row: Any, failed: Value) -> Any:
        pair, pairs = self.pair.payload, self._parameters.pairs
        self.wants = Signal(name="wants", reset_less=True)  # the row has survivors that are not put yet, and nothing was wrong till now
        self.used, self.chain, self.then_used = (Signal(pairs, name=name) for name in ("used", "chain", "then_used"))
        self.ends_here = Signal(reset_less=True)  # the row's last survivor is in this input beat
        self.goes_on = Signal()  # the row has survivors after those of the chain
        self.mask = self.chain & (row.within | (~self.ends_here).replicate(pairs))
        top = self.chain[-1] & ~pair.final  # the chain may go on in the next input beat
        all_put = top & (row.within[-1] | ~self.ends_here)
        # The head, and the one after the chain; there may be none.
        self.heads = self._heads(self.used), self._heads(self.then_used)
        return SimpleNamespace(
            put=self.wants & self.pair.valid & self.fits,
            # In its last beat a row that goes on in the same input beat is wrong, and that is known at once.
            more=top & ~self.ends_here & (s.last_beat | (self.behind.joins & self.behind.good[0]) | ~self.behind_valid),
            unknown=Const(0),
            # The last beat says whether there was an error: it waits until it is seen whether survivors are left.
            lacks=~self.pair.valid & (self.wants | (row.last & s.last_beat)),
            pop=s.drain | s.done | (~pair.final & s.row_valid & failed) | (s.step & s.put & all_put),
            after=[s.drain.eq(Mux(s.drain, ~(self.pair.valid & pair.final), s.done & ~pair.final))],
        )

    @staticmethod
    def _heads(used: Value) -> list[Value]:
        """For each pair whether it is the first that is not *used*."""
        return [~used[0], *(used[i - 1] & ~used[i] for i in range(1, len(used)))]

    def _of_head(self, which: int, each: Any) -> Value:
        """Of what is known of *each* pair that of the head, or if *which* of the one after the chain; 0 where there is none."""
        chosen = [Mux(head, each[i], 0) for i, head in enumerate(self.heads[which])]
        return Cat(Cat(one[bit] for one in chosen).any() for bit in range(len(chosen[0])))

    def _judge(self, s: Any, row: Any) -> tuple[Value, Value, Value]:
        pair = self.pair.payload
        left = [(pair.there & ~used).any() for used in (self.used, self.then_used)]
        reasons = [Mux(some, self._of_head(i, pair.code), CsrError.COUNT) for i, some in enumerate(left)]
        self.known = row.error.any() | Mux(s.put, self.goes_on, self.wants)
        known = Mux(row.error.any(), row.error, Mux(self.known, Mux(s.put, reasons[1], reasons[0]), CsrError.NONE))
        over = Mux(s.put, left[1], left[0]) | ~pair.final
        return self.known, known, Mux(over, CsrError.COUNT, Mux(pair.empty, pair.code[0], CsrError.NONE))

    def _count(self, m: Module, s: Any, row: Any) -> tuple[Value, list[Any], list[Any]]:
        """Count input beats."""
        self._moves = Signal(name="moves")
        m.d.comb += self._moves.eq(s.pop & ~s.drain)
        self._base, self._after = base, after = [Signal(len(row.high), name=name, reset_less=True) for name in ("base", "after_base")]
        return self._moves, [base.eq(0), after.eq(1)], [base.eq(after), after.eq(after + 1)]

    def _follow_end(self, m: Module, s: Any, row: Any) -> None:
        """See whether the row ends in the input beat at hand; follow which pairs of that are used."""
        pair, end = self.pair.payload, self.rows.end
        high, low = end[self._low :], end[: self._low]
        here, next_here = equal(m, "row_here", high, self._base), equal(m, "row_next", high, self._after)
        still = equal(m, "row_still", row.high, self._after)
        rest = row.within & ~self.used & ~self.chain
        m.d.comb += [self.goes_on.eq(~self.ends_here | rest.any()), self.then_used.eq(self.used | self.mask)]
        with m.If(s.load):
            m.d.sync += self.ends_here.eq(Mux(s.begin, ~high.any(), Mux(self._moves, next_here, here)))
            m.d.sync += [row.high.eq(high), row.within.eq(Cat(Const(1, 1), *(low >= i for i in range(1, len(row.within)))))]
        with m.Elif(self._moves):
            m.d.sync += self.ends_here.eq(still)
        with m.If(s.load):
            earlier = Mux(s.row_done, self.known, row.error.any()) & ~s.begin
            m.d.sync += self.wants.eq(self.rows.some & ~self.rows.error.any() & ~earlier)
        with m.Elif(s.row_done):
            m.d.sync += self.wants.eq(0)
        with m.Elif(s.put & s.step):
            m.d.sync += self.wants.eq(self.goes_on)
        follows = Cat(Const(1, 1), *(link | used for link, used in zip(pair.links, self.then_used, strict=False)))
        with m.If(s.pop | ~self.pair.valid):
            chain = Cat(self.behind.good[: i + 1].all() & self.behind.links[:i].all() for i in range(len(self.chain)))
            m.d.sync += [self.used.eq(0), self.chain.eq(chain)]
        with m.Elif(s.put & s.step):
            chain = Cat(~self.then_used[i] & pair.good[i] & follows[: i + 1].all() for i in range(len(self.chain)))
            m.d.sync += [self.used.eq(self.then_used), self.chain.eq(chain)]

    def _fit(self, m: Module, s: Any, beat: Signal, after: Signal) -> None:
        """See a cycle ahead whether the head is good and of the beat that is then in the making.

        After one that is put it is in the next beat, as is known of it, or in one that is compared while it waits. Where a head comes late
        a row begins: within a row those that are missing are waited for.
        """
        pair, behind = self.pair.payload, self.behind
        head_beat = Signal(len(behind.beat), reset_less=True)
        fits_later = equal(m, "fits_later", head_beat, after) & self.chain.any()
        starts, behind_starts = pair.origin & pair.good, behind.origin & behind.good[0]
        joins = behind.joins & behind.good[0]
        follows = Cat(Const(0, 1), pair.follows)
        comes = s.pop | ~self.pair.valid  # the head is of the pairs behind
        with m.If(s.step & ~s.complete):
            m.d.sync += self.fits.eq(comes & joins)
        with m.Elif(s.row_done):
            m.d.sync += self.fits.eq(Mux(comes, behind_starts, Mux(s.put, self._of_head(1, starts), self._of_head(0, starts))))
        with m.Elif(s.step):
            m.d.sync += self.fits.eq(Mux(comes, behind.follows & behind.good[0], Mux(s.put, self._of_head(1, follows), fits_later)))
        with m.Elif(comes):
            m.d.sync += self.fits.eq(Mux(s.begun, joins, behind_starts))
        with m.If(comes):
            m.d.sync += head_beat.eq(behind.beat)
        with m.Elif(s.put & s.step):
            m.d.sync += head_beat.eq(self._of_head(1, pair.beat))

    def _put(self, m: Module, s: Any) -> None:
        """Put survivors into their lanes; in a beat that has none yet the others are 0.

        Until the step is made this is done again, to the same end, so that the registers need not wait for what says that it is.
        """
        pair, out = self.pair.payload, self.weight.payload
        with m.If(s.advance):
            for lane in range(self._parameters.lanes):
                chosen = [s.put & put & (at == lane) for put, at in zip(self.mask, pair.lane, strict=True)]
                new = (value & one.replicate(len(value)) for one, value in zip(chosen, pair.value, strict=True))
                m.d.sync += out.data[lane].eq(reduce(or_, new, out.data[lane] & s.begun.replicate(len(out.data[lane]))))
