"""The coordinate decoder: position and value of each survivor in; the survivors out, counted and checked, or all weights."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.params.base import Field, Port
from golden.params.coo import CooError, CooParameters
from hdl.compare import below
from hdl.coo_dense import FlatBeats
from hdl.intake import Intake, registers
from hdl.stream import decoder_members, payload


def survivor_layout(parameters: CooParameters) -> data.StructLayout:
    """A survivor as the checker gives it; with *dense* also ``furthest``, the position of its matrix's last weight, or ``none``."""
    position, value = (field.bits for field in parameters.entry)
    matrix = {"furthest": position, "none": 1} if parameters.dense else {}
    return data.StructLayout({"position": position, "value": value, "keep": 1, "last": 1, "error": 3} | matrix)


class SurvivorChecker(wiring.Component):
    """Counts the entries off against the shape, checks their positions, and gives as many survivors as the shape says.

    One survivor per cycle, without an idle cycle between matrices. Latency 3 from ``entry``.

    Members:
        shape, entry: Those of the decoder. Their ready follows ``survivor.ready`` combinationally.
        survivor: See :func:`survivor_layout`; from registers. ``keep`` is 0 where the matrix has no survivor. From the first error on
            position and value are 0; with *dense* ``keep`` is 0 then, and the position that of the survivor before. ``error`` on the last.
    """

    def __init__(self, parameters: CooParameters) -> None:
        self._parameters = parameters
        ports = (parameters.shape, *parameters.inputs)
        survivor = {"survivor": Out(stream.Signature(survivor_layout(parameters)))}
        super().__init__({port.name: In(stream.Signature(payload(port))) for port in ports} | survivor)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self._parameters
        position, value = (field.bits for field in p.entry)
        m.submodules.intake = intake = Intake(Port("entry", (Field("entry", position + value),)))
        m.d.comb += [
            intake.i.valid.eq(self.entry.valid),
            intake.i.payload.data[0].eq(self.entry.payload.data.as_value()),
            intake.i.payload.keep.eq(self.entry.payload.keep),
            intake.i.payload.last.eq(self.entry.payload.last),
            self.entry.ready.eq(intake.i.ready),
        ]
        advance = Signal()
        take = Signal()
        m.d.comb += advance.eq(~self.survivor.valid | self.survivor.ready)
        matrix = self._count(m, take)
        m.d.comb += [
            take.eq(advance & matrix.active & intake.valid),
            intake.take.eq(take),
            intake.complete.eq(matrix.final),
        ]
        self._give(m, self._compare(m, matrix, intake, take), advance, take)
        return m

    def _count(self, m: Module, take: Signal) -> Any:
        """Hold the shape of the matrix at hand, if there is one (``active``); its ``final`` survivor, or ``empty`` one, is known ahead."""
        shape = self.shape.payload.data[0]
        flags = dict.fromkeys(("empty", "started", "final"), 1)
        matrix = registers("matrix", {"count": len(shape.count)} | flags | self._told())
        matrix.active = active = Signal()
        following = Signal(signed(len(shape.survivors) + 1), reset_less=True)  # survivors after the next one, less 1
        start = Signal()
        m.d.comb += [start.eq(~active | (take & matrix.final)), self.shape.ready.eq(start), matrix.final.eq(following[-1])]
        with m.If(start):
            m.d.sync += [
                active.eq(self.shape.valid),
                following.eq(shape.survivors - 2),
                matrix.count.eq(shape.count),
                matrix.empty.eq(shape.survivors == 0),
                matrix.started.eq(0),
            ]
            if self._parameters.dense:
                m.d.sync += [matrix.furthest.eq(shape.count - 1), matrix.none.eq(shape.count == 0)]
        with m.Elif(take):
            m.d.sync += [following.eq(following - 1), matrix.started.eq(1)]
        return matrix

    def _told(self) -> dict[str, int]:
        """What of a matrix goes with its survivors, in bits."""
        return {"furthest": self._parameters.count_bits, "none": 1} if self._parameters.dense else {}

    def _compare(self, m: Module, matrix: Any, intake: Intake, take: Signal) -> Any:
        """Register an entry and how its position compares."""
        bits, value = (field.bits for field in self._parameters.entry)
        flags = dict.fromkeys(("first", "last", "empty", "void", "short", "long", "beyond", "unordered"), 1)
        staged = registers("staged", {"position": bits, "value": value} | flags | self._told())
        position = intake.number[:bits]
        short = intake.missing & ~matrix.empty
        long = matrix.final & ~intake.missing & (intake.more | matrix.empty)
        with m.If(take):
            m.d.sync += [
                Cat(staged.position, staged.value).eq(intake.number),
                staged.last.eq(matrix.final),
                staged.empty.eq(matrix.empty),
                staged.first.eq(~matrix.started),
                staged.void.eq(matrix.empty | short | long),  # there is no survivor, whatever its position
                staged.short.eq(short),
                staged.long.eq(long),
                staged.beyond.eq(~below(m, "beyond", position, matrix.count)),
                staged.unordered.eq(matrix.started & ~below(m, "unordered", staged.position, position)),
                *(getattr(staged, name).eq(getattr(matrix, name)) for name in self._told()),
            ]
        return staged

    def _give(self, m: Module, staged: Any, advance: Signal, take: Signal) -> None:
        """Register a survivor as output, as zero from the first error on."""
        given = Signal(survivor_layout(self._parameters), reset_less=True)
        valid = Signal()
        failed = Signal()
        code = Signal(3, reset_less=True)  # the first error of the matrix so far, if it has failed
        error = Signal(3)
        zero = Signal()
        place = Mux(staged.beyond, CooError.RANGE, Mux(staged.unordered, CooError.ORDER, CooError.NONE)) & (~staged.empty).replicate(3)
        mine = Mux(staged.short, CooError.SHORT, Mux(staged.long, CooError.LONG, place))
        # What comes again while nothing is taken is the same as before.
        stays = Mux(staged.first, 0, given.position) if self._parameters.dense else Const(0)
        m.d.comb += [
            error.eq(Mux(failed, code, mine)),
            zero.eq(failed | staged.void | staged.beyond | staged.unordered),
            self.survivor.payload.eq(given),
        ]
        with m.If(advance):
            m.d.sync += [
                valid.eq(take),
                self.survivor.valid.eq(valid),
                given.position.eq(Mux(zero, stays, staged.position)),
                given.value.eq(Mux(zero, 0, staged.value)),
                given.keep.eq(~(zero if self._parameters.dense else staged.empty)),
                given.last.eq(staged.last),
                given.error.eq(Mux(staged.last, error, 0)),
                *(given[name].eq(getattr(staged, name)) for name in self._told()),
            ]
            with m.If(valid):
                m.d.sync += [failed.eq(~staged.last & (failed | (zero & ~staged.empty))), code.eq(error)]


class CooDecoder(wiring.Component):
    """Coordinate decoder: position and value of a survivor per clock cycle.

    Rate: one survivor per clock cycle, from matrix to matrix. With ``dense`` a beat of ``lanes`` weights takes as many cycles as it has
    survivors, at least one.
    Latency: 3 clock cycles from shape and entry to the survivor; with ``dense`` 3 more, to the beat before that of the entry,
    or 4 more to the beat of the matrix's last entry.
    Without ``dense`` the ready of all inputs follows that of the output combinationally (``parameters.skid`` cuts that outside, see
    hdl.axis); with it none does.

    Members:
        shape: One beat starts a matrix: its numbers of weights and of survivors.
        entry: Position, row-major, and value of each survivor, positions increasing; ``last`` with the last of a matrix. A matrix without
            survivors has one beat without ``keep``.
        survivor: Without ``dense``: as ``entry``, (0, 0) from the first error on.
        weight: With ``dense``: ``lanes`` weights a beat; after the first error no survivor is put in its place any more.

    ``error`` on the last beat is a code of :class:`golden.params.coo.CooError`.
    """

    def __init__(self, parameters: CooParameters) -> None:
        self.parameters = parameters
        super().__init__(decoder_members(parameters))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.checker = checker = SurvivorChecker(self.parameters)
        wiring.connect(m, wiring.flipped(self.shape), checker.shape)
        wiring.connect(m, wiring.flipped(self.entry), checker.entry)
        given = checker.survivor
        if self.parameters.dense:
            m.submodules.beats = beats = FlatBeats(self.parameters, given.payload.shape())
            wiring.connect(m, given, beats.survivor)
            wiring.connect(m, beats.weight, wiring.flipped(self.weight))
            return m
        out = self.survivor.payload
        m.d.comb += [self.survivor.valid.eq(given.valid), given.ready.eq(self.survivor.ready)]
        m.d.comb += [out.data[0][name].eq(given.payload[name]) for name in ("position", "value")]
        m.d.comb += [getattr(out, name).eq(given.payload[name]) for name in ("keep", "last", "error")]
        return m


DECODER = CooDecoder
