"""Any one element of a CSR matrix: the survivor of any number, and the weight of any place in dense rows of several survivors a cycle."""

from dataclasses import dataclass
from typing import Any

from amaranth.asserts import AnyConst
from amaranth.hdl import Assert, Cover, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import data

from golden.params.csr import CsrParameters
from hdl.properties.count import Count, Offered
from hdl.properties.element import NUMBER_BITS, Element, Followed, Share
from hdl.properties.spec import Internals


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
    row's end are right: an element that is not 0 is what was stored for it, and where it is 0 instead the matrix has an error. No error
    have just those matrices whose row pointers are right, whose columns and values are as many as they have to be, and whose columns are
    below their number and increase within a row; that the latter have none is asserted where columns increase from row to row too, or no
    row has two survivors. Which code an error has is not asserted.
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
        sound = whole & self._within(m, columns, shape, rows.single)
        zeroed = self._told(m, here, offered, Picked(row, number, rows, of_row, column, value, columns))
        lost = Signal()  # an element that was not 0 was given as 0
        with m.If(here & offered.output.transfer):
            m.d.sync += lost.eq(~offered.last & (lost | zeroed))
        with m.If(here & offered.last & (offered.code == 0)):
            m.d.comb += [
                Assert(whole & lawful, "the first error's code: what is malformed has one"),
                Assert(~lost & ~zeroed, "the elements are those of the definition, none missing where there is no error"),
            ]
        with m.If(here & offered.last & sound):
            m.d.comb += Assert(offered.code == 0, "the first error's code: what is sound has none")

    def _within(self, m: Module, columns: Share, shape: Any, single: Signal) -> Value:
        """Columns are below their number, and need no comparison within rows."""
        below, increasing, before = Signal(init=1), Signal(init=1), Signal(self.parameters.column_bits + 1)
        with m.If(columns.takes):
            previous: Any = before
            fine: Any = below
            rises: Any = increasing
            for lane in range(columns.lanes):
                here, column = columns.beat.keep[lane], columns.beat.data[lane]
                fine, rises = fine & (~here | (column < shape.columns)), rises & (~here | (column >= previous))
                previous = Mux(here, column + 1, previous)
            m.d.sync += [below.eq(fine), increasing.eq(rises), before.eq(previous)]
        within: Value = below & (increasing | single)
        return within

    def _told(self, m: Module, here: Value, offered: Offered, picked: Picked) -> Value:
        """Assert that an element that is picked is right or 0; whether it is 0 where it should not be."""
        layout = data.StructLayout({field.name: 8 * field.bytes for field in self.parameters.output.fields})
        shown = data.View(layout, offered.data)
        at = here & (offered.done == picked.number)
        right = picked.column.there & picked.value.there & (shown.row == picked.row)
        right &= (shown.column == picked.column.held) & (shown.value == picked.value.held)
        with m.If(at & offered.data.any()):
            m.d.comb += Assert(~picked.of_row | right, "the elements are those of the definition")
            m.d.comb += Assert((shown.row != picked.row) | picked.of_row, "the elements are those of the definition, each of its row")
        seen = at & picked.of_row & right & offered.output.transfer
        m.d.comb += Cover(seen & (picked.row > 1) & (picked.number != 0) & offered.data.any(), "a survivor of a later row")
        zeroed: Value = at & picked.of_row & ~right
        return zeroed


class DenseElement(CsrElement):
    """The same of dense rows: the solver picks a column too, and where the row begins and ends."""

    def _told(self, m: Module, here: Value, offered: Offered, picked: Picked) -> Value:
        p, columns = self.parameters, picked.columns
        column, begin, end = AnyConst(p.column_bits), AnyConst(p.count_bits), AnyConst(p.count_bits)
        shift = p.lanes.bit_length() - 1
        hit, place = Signal(), Signal(p.count_bits + 1)  # the first survivor of the row that has the column
        lanes = [columns.number * columns.lanes + lane for lane in range(columns.lanes)]
        hits = [
            columns.beat.keep[lane] & (columns.beat.data[lane] == column) & (begin <= at) & (at < end) for lane, at in enumerate(lanes)
        ]
        with m.If(columns.takes & ~hit):
            for one, at in reversed([*zip(hits, lanes, strict=True)]):
                with m.If(one):
                    m.d.sync += [hit.eq(1), place.eq(at)]
        row = picked.rows.told & (picked.rows.begin == begin) & (picked.rows.end == end)
        weight = offered.data.word_select(column % p.lanes, 8 * p.output.lane_bytes)
        at = here & (offered.row == picked.row) & (offered.done[shift:] == column[shift:]) & offered.kept.bit_select(column % p.lanes, 1)
        chosen = hit & (place == picked.number)
        right = chosen & picked.value.there & (weight == picked.value.held)
        with m.If(at & row & weight.any()):
            m.d.comb += Assert(hit & (right | ~chosen), "the elements are those of the definition")
        seen = at & row & right & weight.any() & offered.output.transfer
        m.d.comb += Cover(seen & (picked.row != 0) & (picked.number > 1), "a survivor of a later row")
        zeroed: Value = at & row & chosen & ~right
        return zeroed
