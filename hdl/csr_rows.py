"""The pointer side of the dense CSR decoder: row pointers in, every row and what is wrong with it out."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.csr import CsrParameters
from hdl.csr_pointer import PointerEntry
from hdl.intake import registers
from hdl.stream import payload


class RowReader(wiring.Component):
    """The pointer side: every row, empty or not, and what is wrong with its row pointer; one row per cycle.

    Nothing comes after the row with an error, up to the next matrix. Latency 3 from ``pointer``.

    Members:
        shape, pointer: Numbers of rows and columns; that of the decoder. Their ready follows ``rows.ready`` combinationally.
        rows: ``end``, the number of the survivor after its last, with several ``pairs`` that of its last; ``some``, ``one``: it has a
            survivor, exactly one (``one`` not with several ``pairs``); ``error``: of its row pointer; ``closing``: no row of the matrix
            follows; ``short``: and one should. ``rows``, ``columns`` of the shape; ``few``: it has one row or none;
            ``narrow``: a row is one beat; ``tight``: its last beat is full; ``void``: the matrix has no weight.
            From registers.
    """

    def __init__(self, p: CsrParameters) -> None:
        self._parameters = p
        streams = {"shape": data.StructLayout({"rows": p.row_bits, "columns": p.column_bits}), "pointer": payload(p.inputs[0])}
        members = {name: In(stream.Signature(layout)) for name, layout in streams.items()}
        flags = dict.fromkeys(("some", *["one"] * (p.pairs == 1), "closing", "short", "narrow", "tight", "void", "few"), 1)
        self.widths = {"end": p.count_bits, "error": 3, "rows": p.row_bits, "columns": p.column_bits} | flags
        rows = wiring.Signature({"valid": Out(1), "ready": In(1)} | {name: Out(width) for name, width in self.widths.items()})
        super().__init__(members | {"rows": Out(rows)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p, rows = self._parameters, self.rows
        entry = PointerEntry(p, self.shape.payload.shape(), "rows", "columns")
        entry.hold(m, self.shape, self.pointer)
        found = registers("found", self.widths)
        ended = Signal()
        early = entry.last & ~entry.final
        error = entry.error(Cat(entry.first & early, Const(0, 2)))  # SHORT, where more than the first should follow
        high = entry.sides.columns[p.lanes.bit_length() - 1 :]
        low = entry.sides.columns[: p.lanes.bit_length() - 1]
        m.d.comb += [
            entry.read.eq(~rows.valid | rows.ready),
            *(getattr(rows, name).eq(register) for name, register in vars(found).items()),
        ]
        with m.If(entry.read):
            m.d.sync += [
                rows.valid.eq(entry.valid & ~ended & (~entry.first | entry.final | error.any())),
                found.end.eq(entry.end if p.pairs == 1 else entry.end - 1),
                found.some.eq(entry.above),
                *([found.one.eq(entry.single)] if p.pairs == 1 else []),
                found.error.eq(error),
                found.closing.eq(entry.last | entry.final | error.any()),
                found.short.eq(early),
                found.rows.eq(entry.sides.rows),
                found.columns.eq(entry.sides.columns),
                found.few.eq(~entry.sides.rows[1:].any()),
                found.narrow.eq(~entry.sides.rows.any() | ~high.any() | ((high == 1) & ~low.any())),
                found.tight.eq(~low.any()),
                found.void.eq(~entry.sides.rows.any() | ~entry.sides.columns.any()),
            ]
            with m.If(entry.valid):
                m.d.sync += ended.eq(~entry.last & (ended | error.any()))
        return m
