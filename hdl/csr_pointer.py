"""The pointer side of the CSR decoder: row pointers in, rows that are not empty out; and the register that streams come in through."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Port
from golden.params.csr import CsrError, CsrParameters
from hdl.stream import payload


def registers(prefix: str, widths: Mapping[str, int]) -> Any:
    """Registers named PREFIX_NAME, as attributes; without reset, since a flag beside them says whether they hold something."""
    return SimpleNamespace(**{name: Signal(width, name=f"{prefix}_{name}", reset_less=True) for name, width in widths.items()})


class Intake(wiring.Component):
    """One register that holds the next number of an encoded stream, and knows where a matrix ends in it.

    Beats without data are skipped. Where the stream ends before the matrix is complete, ``missing`` stays up in place of every further
    number; what it has left when the matrix is complete is dropped up to its ``last``. Latency 1, one number per cycle.

    Members:
        i: The stream. Its ready follows ``take`` combinationally.
        valid: There is a number, or one is missing.
        missing: No number: the stream has ended.
        more: The number's beat has no ``last``.
        number: The number.
        take: Take it; only while ``valid``.
        complete: The matrix needs no further number after this one.
    """

    def __init__(self, port: Port) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(payload(port))),
                "valid": Out(1),
                "missing": Out(1),
                "more": Out(1),
                "number": Out(port.fields[0].bits),
                "take": In(1),
                "complete": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        drain = Signal()  # drop what comes, up to its last
        dropped = Signal()
        beat = self.i.payload
        held = registers("held", {"missing": 1, "last": 1, "number": len(self.number)})
        # A last beat that is taken too early stays, as the mark that the next number is missing.
        m.d.comb += [
            self.i.ready.eq(~self.valid | (self.take & (self.more | self.complete))),
            dropped.eq(drain | (self.take & self.more & self.complete)),
            self.missing.eq(held.missing),
            self.more.eq(~held.last),
            self.number.eq(held.number),
        ]
        m.d.sync += drain.eq(dropped & ~(self.i.valid & self.i.ready & beat.last))
        with m.If(self.i.ready):
            m.d.sync += [
                self.valid.eq(self.i.valid & (beat.keep | beat.last) & ~dropped),
                held.missing.eq(~beat.keep),
                held.last.eq(beat.last),
                held.number.eq(beat.data[0]),
            ]
        with m.Elif(self.take):
            m.d.sync += held.missing.eq(1)
        return m


def shape_widths(parameters: CsrParameters) -> dict[str, int]:
    """What travels with each row of the matrix's shape, in bits; the number of rows only where dense rows have to be counted."""
    rows = {"rows": parameters.row_bits} if parameters.dense else {}
    return rows | {"columns": parameters.column_bits, "survivors": parameters.count_bits}


def row_widths(parameters: CsrParameters) -> dict[str, int]:
    """What the pointer side tells the element side of each row that is not empty, and of the end of the matrix, in bits.

    ``row``; ``end``, the number of the survivor after its last; ``single``, it has one survivor; ``rowless``, there is no row, only an
    end; ``closing``, all row pointers are read, and ``error`` is the first error among them; ``empty`` and ``few``, the matrix has no
    survivor, at most one; and the shape.
    """
    flags = dict.fromkeys(("single", "rowless", "closing", "empty", "few"), 1)
    return {"row": parameters.row_bits, "end": parameters.count_bits, "error": 3} | flags | shape_widths(parameters)


def row_signature(parameters: CsrParameters) -> wiring.Signature:
    """``valid`` and ``ready`` as of a stream, and the members of :func:`row_widths`."""
    return wiring.Signature({"valid": Out(1), "ready": In(1)} | {name: Out(width) for name, width in row_widths(parameters).items()})


class RowFinder(wiring.Component):
    """The pointer side: reads a row pointer per cycle, checks it, and waits only while a row that it found has not been taken.

    Latency 3 from ``pointer``, its intake included.

    Members:
        shape, pointer: Those of the decoder. Their ready follows ``rows.ready`` combinationally.
        rows: See :func:`row_widths`; from registers.
    """

    def __init__(self, parameters: CsrParameters) -> None:
        self._parameters = parameters
        shape, pointer = (In(stream.Signature(payload(port))) for port in (parameters.shape, parameters.inputs[0]))
        super().__init__({"shape": shape, "pointer": pointer, "rows": Out(row_signature(parameters))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        read = Signal()  # the pipeline moves: nothing waits at its end
        m.d.comb += read.eq(~self.rows.valid | self.rows.ready)
        entry_valid = Signal()
        entry = self._compare(m, read, entry_valid)
        self._decide(m, read, entry_valid, entry)
        return m

    def _compare(self, m: Module, read: Signal, entry_valid: Signal) -> Any:
        """Read a row pointer and register how it compares with the one before and with the number of rows.

        ``row``, the number of the row that it ends; ``end``, itself; ``length``, it less the one before, signed; ``first``, ``closing``, it
        is the matrix's first, last; ``missing``, the stream had ended before it; ``long``, the matrix's last has no ``last``.
        """
        p, given = self._parameters, self.shape.payload.data[0]
        m.submodules.intake = intake = Intake(p.inputs[0])
        wiring.connect(m, wiring.flipped(self.pointer), intake.i)
        flags = dict.fromkeys(("first", "closing", "missing", "long"), 1)
        entry = registers("entry", {"row": p.row_bits, "end": p.count_bits, "length": p.count_bits + 1} | flags | shape_widths(p))
        shape = registers("shape", {"rows": p.row_bits} | shape_widths(p))
        counts = registers("pointer", {"number": p.row_bits, "number_before": p.row_bits})  # of the next one, and one less
        shape_valid = Signal()
        first = Signal(init=1)
        last = Signal()
        step = Signal()
        m.d.comb += [
            last.eq(counts.number == shape.rows),
            step.eq(shape_valid & intake.valid & read),
            intake.take.eq(step),
            intake.complete.eq(last),
            self.shape.ready.eq(~shape_valid | (step & last)),
        ]
        with m.If(self.shape.ready):
            m.d.sync += [shape_valid.eq(self.shape.valid), counts.number.eq(0)]
            m.d.sync += [register.eq(given[name]) for name, register in vars(shape).items()]
        with m.Elif(step):
            m.d.sync += counts.number.eq(counts.number + 1)
        with m.If(step):
            m.d.sync += [first.eq(last), counts.number_before.eq(counts.number), entry.end.eq(intake.number)]
        with m.If(read):
            m.d.sync += [
                entry_valid.eq(step),
                entry.row.eq(counts.number_before),
                entry.length.eq(intake.number - Mux(first, 0, entry.end)),
                entry.first.eq(first),
                entry.closing.eq(last),
                entry.missing.eq(intake.missing),
                entry.long.eq(last & intake.more),
                *(getattr(entry, name).eq(getattr(shape, name)) for name in shape_widths(p)),
            ]
        return entry

    def _decide(self, m: Module, read: Signal, entry_valid: Signal, entry: Any) -> None:
        """Register what the row pointer is, a row, an end or nothing; keep the first error to the end of the matrix."""
        error = Signal(3)
        failed = Signal(3)
        some = entry.length.any()
        with m.If(failed != 0):
            m.d.comb += error.eq(failed)
        with m.Elif(entry.missing):
            m.d.comb += error.eq(CsrError.SHORT)
        with m.Elif(entry.long):
            m.d.comb += error.eq(CsrError.LONG)
        with m.Elif(entry.first & some):
            m.d.comb += error.eq(CsrError.FIRST)
        with m.Elif(entry.length[-1]):
            m.d.comb += error.eq(CsrError.DECREASE)
        found = registers("found", row_widths(self._parameters))
        m.d.comb += [getattr(self.rows, name).eq(register) for name, register in vars(found).items()]
        with m.If(read):
            m.d.sync += [
                self.rows.valid.eq(entry_valid & (entry.closing | (some & (error == 0)))),
                found.row.eq(entry.row),
                found.end.eq(entry.end),
                found.single.eq(entry.length == 1),
                found.rowless.eq(~some | (error != 0)),
                found.closing.eq(entry.closing),
                found.empty.eq(entry.survivors == 0),
                found.few.eq(entry.survivors[1:] == 0),
                found.error.eq(error),
                *(getattr(found, name).eq(getattr(entry, name)) for name in shape_widths(self._parameters)),
            ]
            with m.If(entry_valid):
                m.d.sync += failed.eq(Mux(entry.closing, 0, error))
