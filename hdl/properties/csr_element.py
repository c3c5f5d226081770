"""Any one element of a CSR matrix: the survivor of any number, and the weight of any place in dense rows of several survivors a cycle."""

from dataclasses import dataclass
from typing import Any

from amaranth.asserts import AnyConst
from amaranth.hdl import Assert, Cat, Cover, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data

from golden.params.csr import CsrParameters
from hdl.properties.count import Count, Offered
from hdl.properties.element import NUMBER_BITS, Element, Followed, Share
from hdl.properties.spec import Internals
from hdl.properties.truth import padded


@dataclass(frozen=True)
class Rows:
    """What the row pointers of the matrix that is followed say, and of one row that the solver picks.

    Attributes:
        begin, end: The row pointers around that.
        told: Both were taken, and nothing was wrong with these or any before.
        whole: All were taken: as many as there are rows and one more, the first 0, none below the one before, the last the survivors.
        single: No row has more than one survivor.
    """

    begin: Signal
    end: Signal
    told: Signal
    whole: Value
    single: Signal


@dataclass(frozen=True)
class Picked:
    """What the solver picks: a row and the number of a survivor, which is of that row where *of_row* says so; what was stored for it."""

    row: Value
    number: Value
    rows: Rows
    of_row: Value
    column: Element
    value: Element
    columns: Share


def rows_of(m: Module, share: Share, shape: Any, row: Value) -> Rows:
    """Watch the row pointers; what a beat that is not full lacks comes in the next."""
    pointers = share.beat.data
    number = Signal(range(share.lanes << NUMBER_BITS + 1), name="pointers")
    before, begin, end = (Signal(len(pointers[0]), name=name) for name in ("before", "begin", "end"))
    right, told, single = Signal(init=1, name="right"), Signal(name="told"), Signal(init=1, name="single")
    previous: Any = before
    fine: Any = right
    with m.If(share.takes):
        for lane in range(share.lanes):
            pointer, here, at = pointers[lane], share.beat.keep[lane], number + lane
            fine = fine & (~here | Mux(at == 0, pointer == 0, pointer >= previous))
            with m.If(here & (at == row)):
                m.d.sync += begin.eq(pointer)
            with m.If(here & (at == row + 1)):
                m.d.sync += [end.eq(pointer), told.eq(fine)]
            with m.If(here & (pointer > previous + 1)):
                m.d.sync += single.eq(0)
            previous = Mux(here, pointer, previous)
        m.d.sync += [right.eq(fine), before.eq(previous), number.eq(number + sum(share.beat.keep))]
    whole = share.ended & ~share.more & right & (number == shape.rows + 1) & (before == shape.survivors)
    return Rows(begin, end, told, whole, single)


class CsrElement(Count):
    """Beside the count: any element of any matrix, and that errors are told.

    The solver picks a matrix, a row and the number of a survivor. What the format says of them is asserted where the row pointers up to the
    row's end are right: an element that is not 0 is what was stored for it, and in a matrix without a code all are that. A matrix without a
    code has right row pointers, as many columns and values as it has to, and columns that are below their number and increase within a
    row. The reverse is asserted where columns decrease at most once, where the picked row begins, or no row has two survivors. Which code
    an error has is not asserted.
    """

    claim = "element"
    parameters: CsrParameters

    def elements(self, m: Module, internals: Internals, offered: Offered) -> None:
        p, followed = self.parameters, Followed(m, self.design)
        shape = followed.shape(p.shape).data[0]
        pointers, columns, values = (followed.share(port) for port in p.inputs)
        row, number = AnyConst(p.row_bits), AnyConst(p.count_bits)
        rows = rows_of(m, pointers, shape, row)
        column, next_column, value = columns.element(m, number), columns.element(m, number + 1), values.element(m, number)
        of_row = rows.told & (rows.begin <= number) & (number < rows.end)
        here = followed.comes_out(offered) & ~ResetSignal()
        whole = rows.whole & columns.is_of(shape.survivors) & values.is_of(shape.survivors)
        ordered = ~(of_row & next_column.there & (number + 1 < rows.end)) | (column.held < next_column.held)
        lawful = (column.held < shape.columns) & ordered | (number >= shape.survivors)
        sound = whole & self._within(m, columns, shape, rows, number)
        mine, shown, due, stored = self._element(m, here, offered, Picked(row, number, rows, of_row, column, value, columns))
        gave, failed, told = Signal(len(shown)), Signal(), here & offered.last
        with m.If(mine & offered.output.transfer):
            m.d.sync += gave.eq(shown)
        with m.If(told & offered.output.transfer):
            m.d.sync += failed.eq(offered.code != 0)
        with m.If(told & (offered.code == 0)):
            m.d.comb += [
                Assert(whole & lawful, "the first error's code: what is malformed has one"),
                Assert(~due | (Mux(mine, shown, gave) == stored), "the elements are those of the definition, and none is missing"),
            ]
        wrong = told & (offered.code != 0) | failed
        m.d.comb += [
            Assert(ResetSignal() | ~(followed.known & sound & wrong), "the first error's code: what is sound has none"),
            Cover(told & offered.output.transfer & sound & (shape.survivors > 1) & ~rows.single, "a sound matrix"),
        ]

    def _within(self, m: Module, columns: Share, shape: Any, rows: Rows, number: Value) -> Value:
        """Columns are below their number and increase, but for the first of the picked row; or need not, with rows of one survivor."""
        rising, fell = Signal(init=1), Signal()
        before, beyond = (Signal(self.parameters.column_bits + 1, name=name) for name in ("before_column", "beyond"))
        with m.If(columns.takes):
            previous: Any = before
            most: Any = beyond
            rises: Any = rising
            falls: Any = fell
            for lane in range(columns.lanes):
                here, column = columns.beat.keep[lane], columns.beat.data[lane]
                down, first = here & (column < previous), columns.number * columns.lanes + lane == number
                rises, falls = rises & (~down | first), falls | (down & first)
                most = Mux(here & (column >= most), column + 1, most)
                previous = Mux(here, column + 1, previous)
            m.d.sync += [rising.eq(rises), fell.eq(falls), before.eq(previous), beyond.eq(most)]
        within: Value = (beyond <= shape.columns) & (rows.single | rising & (~fell | rows.told & (rows.begin == number)))
        return within

    def _element(self, m: Module, here: Value, offered: Offered, picked: Picked) -> tuple[Value, Value, Value, Value]:
        """Assert that an element that is not 0 is right. Gives whether the one that is picked is offered, what is shown for it, whether
        something is due there, and that.
        """
        p = self.parameters
        mine = here & (offered.done == picked.number)
        stored = padded(Cat(picked.row, picked.column.held, picked.value.held), p.output)
        right = picked.column.there & picked.value.there & (offered.data == stored)
        its_row = data.View(data.StructLayout({field.name: 8 * field.bytes for field in p.output.fields}), offered.data).row
        with m.If(mine & offered.data.any()):
            m.d.comb += [
                Assert(~picked.of_row | right, "the elements are those of the definition"),
                Assert((its_row != picked.row) | picked.of_row, "the elements are those of the definition, each of its row"),
            ]
        seen = mine & picked.of_row & right & offered.output.transfer
        m.d.comb += Cover(seen & (picked.row > 1) & (picked.number != 0) & offered.data.any(), "a survivor of a later row")
        return mine, offered.data, picked.of_row, stored


class DenseElement(CsrElement):
    """The same of dense rows: the solver picks a column too, and where the row begins and ends."""

    def _element(self, m: Module, here: Value, offered: Offered, picked: Picked) -> tuple[Value, Value, Value, Value]:
        p, columns = self.parameters, picked.columns
        column, begin, end = AnyConst(p.column_bits), AnyConst(p.count_bits), AnyConst(p.count_bits)
        shift = p.lanes.bit_length() - 1
        hit, place = Signal(), Signal(p.count_bits + 1)  # the first survivor of the row that has the column
        with m.If(columns.takes & ~hit):
            for lane in reversed(range(columns.lanes)):
                at = columns.number * columns.lanes + lane
                with m.If(columns.beat.keep[lane] & (columns.beat.data[lane] == column) & (begin <= at) & (at < end)):
                    m.d.sync += [hit.eq(1), place.eq(at)]
        of_row = picked.rows.told & (picked.rows.begin == begin) & (picked.rows.end == end)
        weight = offered.data.word_select(column % p.lanes, 8 * p.output.lane_bytes)
        mine = here & (offered.row == picked.row) & (offered.done[shift:] == column[shift:]) & offered.kept.bit_select(column % p.lanes, 1)
        chosen = hit & (place == picked.number)
        right = chosen & picked.value.there & (weight == picked.value.held)
        with m.If(mine & weight.any()):
            m.d.comb += [
                Assert(~of_row | (hit & (right | ~chosen)), "the elements are those of the definition"),
                Assert(picked.rows.told, "the elements are those of the definition, each of its row"),
            ]
        seen = mine & of_row & right & weight.any() & offered.output.transfer
        m.d.comb += Cover(seen & (picked.row != 0) & (picked.number > 1), "a survivor of a later row")
        return mine, weight, of_row & chosen, picked.value.held
