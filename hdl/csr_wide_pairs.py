"""The element side of the dense CSR decoder, wide: beats of columns and values in, beats of survivors that know their beats out."""

import itertools
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data

from golden.params.csr import CsrError, CsrParameters
from hdl.compare import compare, equal
from hdl.csr_pairs import PairReader
from hdl.intake import Intake
from hdl.stream import SkidBuffer


def wide_pair_layout(p: CsrParameters) -> data.StructLayout:
    """Survivors on their way to their beats, as many as come in together.

    Of each ``beat`` and ``lane`` of its column; ``value``; ``origin``: its beat is number 0; ``there``: it is one of the matrix; ``good``:
    and nothing is wrong with it; ``code``: what is, and where nothing is ORDER, for then it is that if the survivor fits in no beat.
    ``links``, of all but the first: it and the one before are good, of the same beat and on lanes that increase, so that in the same row
    they go together; ``follows``: it is good, and of the beat after that of the one before. ``final``: no survivors of the matrix follow;
    ``empty``: it has none, and then the first ``code`` says whether its streams have.
    """
    lane_bits = p.lanes.bit_length() - 1
    widths = {"beat": p.column_bits - lane_bits, "lane": lane_bits, "value": p.value_bits, "code": 3}
    each: dict[str, Any] = {name: data.ArrayLayout(unsigned(width), p.pairs) for name, width in widths.items()}
    flags = dict.fromkeys(("origin", "good", "there"), p.pairs) | {"links": p.pairs - 1, "follows": p.pairs - 1, "final": 1, "empty": 1}
    return data.StructLayout(each | flags)


def wide_behind_layout(p: CsrParameters) -> data.StructLayout:
    """What is known of the survivors behind those: ``beat`` and ``origin`` of the first; all ``good`` and ``links``, and of the first

    ``joins``: it goes together with the last one before; ``follows`` as of the others. Of survivors that are not good the last three say
    nothing yet: that takes a stage more.
    """
    beat = p.column_bits - p.lanes.bit_length() + 1
    return data.StructLayout({"beat": beat, "origin": 1, "good": p.pairs, "links": p.pairs - 1, "joins": 1, "follows": 1})


class WidePairReader(PairReader):
    """Joins beats of columns and values, counts them off against the shape, and judges each survivor: *pairs* of them per cycle.

    Beat for beat as :class:`hdl.csr_pairs.PairReader` does one by one: so many as the shape's survivors take, at least one.

    Members:
        shape, column, value, behind_valid: See there; their ready comes from registers of this part alone.
        pair: The next survivors, see :func:`wide_pair_layout`; from registers.
        behind: Of those after them, see :func:`wide_behind_layout`; from registers.
    """

    def _layouts(self, p: CsrParameters) -> tuple[data.StructLayout, data.StructLayout]:
        return wide_pair_layout(p), wide_behind_layout(p)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        column, value = self._take_in(m)
        layout = wide_pair_layout(self._parameters)
        take = Signal()
        # Its spare register keeps what judges and counts from what is put.
        m.submodules.waiting = waiting = SkidBuffer(data.StructLayout({"pair": layout, "joins": 1, "follows": 1}))
        pair, behind = Signal(layout, name="pair", reset_less=True), waiting.o.payload.pair
        last, empty, columns = self._follow_shape(m, waiting.i.ready & column.valid & value.valid, take)
        for intake in (column, value):
            m.d.comb += [intake.take.eq(take), intake.complete.eq(last)]
        m.d.comb += [waiting.i.valid.eq(take), waiting.o.ready.eq(~self.pair.valid | self.pair.ready), self.pair.payload.eq(pair)]
        with m.If(waiting.o.ready):
            m.d.sync += [pair.eq(behind), self.pair.valid.eq(waiting.o.valid)]
            m.d.sync += pair.links.eq(behind.links & behind.good[:-1] & behind.good[1:])
            m.d.sync += pair.follows.eq(behind.follows & behind.good[1:])
        pairs, *of_first = self._judge_pairs(m, take, column, value, last, empty, columns)
        m.d.comb += waiting.i.payload.as_value().eq(Cat(*(pairs[name] for name, _ in layout), *of_first))
        m.d.comb += [
            self.behind_valid.eq(waiting.o.valid),
            self.behind.beat.eq(behind.beat[0]),
            self.behind.origin.eq(behind.origin[0]),
            self.behind.good.eq(behind.good),
            self.behind.links.eq(behind.links),
            self.behind.joins.eq(waiting.o.payload.joins),
            self.behind.follows.eq(waiting.o.payload.follows),
        ]
        return m

    @staticmethod
    def _together(m: Module, name: str, before: tuple[Value, Value], after: tuple[Value, Value]) -> Value:
        """Whether two survivors, each given by beat and lane, are of the same beat and in order."""
        same: Value = equal(m, name, before[0], after[0]) & (after[1] > before[1])
        return same

    def _judge_pairs(
        self, m: Module, take: Value, column: Intake, value: Intake, last: Value, empty: Value, columns: Value
    ) -> tuple[dict[str, Value], Value, Value]:
        """The pairs of a beat of columns and one of values, and whether the first joins or follows the last of the *take* before."""
        p = self._parameters
        pairs, lane_bits, codes = range(p.pairs), p.lanes.bit_length() - 1, []
        numbers = [column.number.word_select(pair, p.column_bits) for pair in pairs]
        places = [(number[lane_bits:], number[:lane_bits]) for number in numbers]
        exists, good, at_origin = (Signal(p.pairs, name=name) for name in ("exists", "good", "at_origin"))
        going_together, following = (Signal(p.pairs - 1, name=name) for name in ("going_together", "following"))
        before = Signal(p.column_bits, reset_less=True)
        for pair in pairs:
            final = last & (self._last_lane == pair)
            _, beyond = compare(m, f"range_{pair}", numbers[pair], columns)
            code, wrong = Mux(beyond, CsrError.RANGE, CsrError.ORDER), beyond
            for one in (value, column):
                goes_on = final & (one.more | (~one.missing[pair + 1] if pair + 1 < p.pairs else 0))
                code = Mux(one.missing[pair], CsrError.SHORT, Mux(goes_on, CsrError.LONG, code))
                wrong = one.missing[pair] | goes_on | wrong
            codes.append(code)
            m.d.comb += [
                exists[pair].eq(~empty & (~last | (self._last_lane >= pair) if pair else 1)),
                good[pair].eq(exists[pair] & ~wrong),
                at_origin[pair].eq(~places[pair][0].any()),
            ]
        of_none = Mux(column.missing[0] & value.missing[0], CsrError.NONE, CsrError.LONG)
        neighbours = list(itertools.pairwise([(before[lane_bits:], before[:lane_bits]), *places]))
        joins, *links = (self._together(m, f"same_{pair}", *both) for pair, both in enumerate(neighbours))
        # One number is 1 above the other where the bits that differ are those that the carry comes to: no sum is needed for that.
        first_follows, *follows = ((a ^ b) == Cat(Const(1, 1), (a & ~b)[:-1]) for (a, _), (b, _) in neighbours)
        m.d.comb += [going_together.eq(Cat(links)), following.eq(Cat(follows))]
        with m.If(take):
            m.d.sync += before.eq(numbers[-1])
        pairs_made = {
            "beat": Cat(beat for beat, _ in places), "lane": Cat(lane for _, lane in places), "value": value.number,
            "code": Cat(Mux(empty, of_none, codes[0]), *codes[1:]), "origin": at_origin, "good": good,
            "there": exists, "links": going_together, "follows": following, "final": last, "empty": empty,
        }  # fmt: skip
        return pairs_made, joins, first_follows
