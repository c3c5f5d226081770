"""The sparse view behind any stream of dense beats: equal to its definition for ever.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`SparseModel` is the definition. The decoder that is viewed is
:class:`hdl.properties.dense.Dense`, which gives whatever the solver likes; where rows start new beats, so that the weights of a beat
are counted, its lanes are kept from lane 0 upward: that is assumed.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

from amaranth.hdl import Assert, Assume, Cat, Const, Cover, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.params.sparse import SparseParameters
from hdl.properties.broken import broken_claims, proof_claims, wrong_claims
from hdl.properties.claims import Claim
from hdl.properties.dense import DenseParameters
from hdl.properties.invariants import Slot, holds, skid_slots
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals
from hdl.properties.truth import Truth
from hdl.sparse import SparseView
from hdl.stream import payload


class Survivors(wiring.Component):
    """The survivors of dense beats that have not come out, oldest first.

    Members:
        push, beat: ``In``; a dense beat is taken, and what it holds; its survivors show in the next cycle, all of them.
        pop: ``In``; the oldest has come out.
        level: ``Out``; how many there are. Among them is the beat without data of a matrix without survivors.
        open: ``Out``; of the newest it is not known whether it is its matrix's last.
        base: ``Out``; the position of lane 0 of the next dense beat.
        overflows: ``Out``; there is no room for all.
        entry0, entry1, ...: ``Out``; the beats of the output that they are.
    """

    def __init__(self, parameters: SparseParameters, room: int) -> None:
        p = self.parameters = parameters
        entries = {f"entry{i}": Out(payload(p.output)) for i in range(room)}
        outputs = {"level": Out(range(room + 1)), "open": Out(1), "base": Out(p.position_bits), "overflows": Out(1)}
        super().__init__({"push": In(1), "beat": In(payload(p.of.inputs[0])), "pop": In(1)} | outputs | entries)
        self.entries = [getattr(self, f"entry{i}") for i in range(room)]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat, lanes = self.beat, len(self.beat.keep)
        here = [beat.keep[lane] & (one.value != 0) for lane, one in enumerate(beat.data)]
        some, ends = Cat(here).any(), self.push & beat.last
        for older, newer in pairwise(self.entries):
            with m.If(self.pop):
                m.d.sync += older.eq(newer)
        stay = self.level - self.pop
        level: Value = stay
        nothing = Signal.like(self.entries[0], name="nothing")  # of a matrix without survivors
        m.d.comb += [nothing.last.eq(1), nothing.error.eq(beat.data[0].code)]
        for new, flag in [*zip(self._found(m, here), here, strict=True), (nothing, beat.last & ~some & ~self.open)]:
            for i, entry in enumerate(self.entries):
                with m.If(self.push & flag & (level == i)):
                    m.d.sync += entry.eq(new)
            level = level + (self.push & flag)
        for i, entry in enumerate(self.entries):
            with m.If(ends & ~some & self.open & (stay == i + 1)):  # so the newest is the last
                m.d.sync += [entry.last.eq(1), entry.error.eq(beat.data[0].code)]
        m.d.comb += self.overflows.eq(level > len(self.entries))
        m.d.sync += self.level.eq(level)
        with m.If(self.push):
            m.d.sync += [self.base.eq(Mux(beat.last, 0, self.base + self._before(lanes))), self.open.eq(~beat.last & (some | self.open))]
        return m

    def _before(self, lane: int) -> Value | int:
        """How many weights the dense beat has below *lane*."""
        return sum(self.beat.keep[:lane], Const(0)) if self.parameters.of.rows_apart else lane

    def _found(self, m: Module, here: list[Value]) -> list[Any]:
        """What comes out for each lane of the dense beat, if it has a survivor."""
        made, beat = [], self.beat
        for lane, one in enumerate(beat.data):
            found = Signal.like(self.entries[0], name=f"found_{lane}")
            last = beat.last & ~Cat(here[lane + 1 :]).any()
            m.d.comb += [
                found.data[0].position.eq(self.base + self._before(lane)), found.data[0].value.eq(one.value), found.keep.eq(1),
                found.last.eq(last), found.error.eq(Mux(last, beat.data[0].code, 0)),
            ]
            made.append(found)
        return made


class SparseModel(wiring.Component):
    """The sparse view by its definition: the weights of a dense beat that are kept and not 0, the lowest lane first. It takes no hints.

    Members: as in :class:`hdl.properties.model.Model`; the dense stream is ``dense``.

    Attributes:
        shapes: Of no matter to the view; each is taken with its matrix's last beat.
        beats: What is owed.
    """

    def __init__(self, parameters: SparseParameters) -> None:
        p = self.parameters = parameters
        dense = p.of.inputs[0]
        self.shapes = Queue(p.count_bits, 1)
        self.beats = Survivors(p, dense.lanes + 2 + 2 * p.skid)
        members = {"shape": In(1), "count": In(p.count_bits), "taken": In(1), "dense": In(1), "dense_beat": In(payload(dense))}
        super().__init__(members | {"unasked": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.shapes, m.submodules.beats = shapes, beats = self.shapes, self.beats
        m.d.comb += [
            beats.push.eq(self.dense), beats.beat.eq(self.dense_beat), beats.pop.eq(self.taken),
            shapes.push.eq(self.shape), shapes.new.eq(self.count), shapes.pop.eq(self.dense & self.dense_beat.last),
        ]
        return m


class SparseTruth(Truth):
    """The sparse view gives what :class:`SparseModel` owes."""

    parameters: SparseParameters
    model: SparseModel
    definition = SparseModel

    def watch(self, m: Module, internals: Internals) -> None:
        if not self.parameters.of.rows_apart:
            return
        beat, taken, partial = self.model.dense_beat, self.model.dense, Signal()
        m.d.comb += Assume(beat.keep & (beat.keep + 1) == 0, "lanes are kept from lane 0 upward")
        with m.If(taken):
            m.d.sync += partial.eq(~beat.last & (partial | (beat.keep[0] & ~beat.keep.all())))
        ends = taken & beat.last & beat.keep[0] & beat.data[0].value.any() & ~ResetSignal()
        m.d.comb += Cover(ends & partial, "a survivor after a partial beat in the midst of its matrix")

    def wants(self) -> dict[str, Value]:
        waits = ~self.owed()
        return {"shape": waits, "dense": waits}

    def owed(self) -> Value:
        """A survivor is followed by another one or the matrix's end."""
        return self.model.beats.level > self.model.beats.open

    def invariants_hold(self, m: Module, internals: Internals) -> None:
        p, beats = self.parameters, self.model.beats
        names = ("left", "few", "last", "values", "base", "error", "there", "some", "final", "held", "code", "next_base")
        left, few, last, values, base, error, there, some, final, held, code, next_base = (internals[f"decoder.{n}"] for n in names)
        of, bits = p.of.output, p.of.output.fields[0].bits
        m.d.comb += Assert(few == (Cat(left).as_unsigned() & (left - 1)[: len(left)] == 0), "invariant: how many survivors are left")
        m.d.comb += Assert(next_base == beats.base, "invariant: the position of the next beat")
        ends = last & ~left.any()
        closed = ends & there & ~final
        slots: list[Slot] = [
            ("output register", internals["decoder.survivor__valid"], internals["decoder.survivor__payload"]),
            ("survivor held back", there, Cat(Mux(some, held, 0), some, final | closed, Mux(final, code, Mux(closed, error, 0)))),
        ]
        for lane in range(of.lanes):
            end = last & ~left[lane + 1 :].any()
            value = values[lane * bits : (lane + 1) * bits]
            found = Cat((base + lane)[: p.position_bits], value, Const(1), end, Mux(end, error, 0))
            slots.append((f"survivor of lane {lane}", left[lane], found))
        slots.append(("beat of a matrix without survivors", ends & ~closed, Cat(Const(0, len(held) + 1), Const(1), error)))
        newest = Mux(left.any(), ~last, Mux(ends, 0, there & ~final))
        m.d.comb += Assert(beats.open == newest, "invariant: whether the newest may be the last")
        m.d.comb += Assert(~there | some | final, "invariant: something is held back")
        holds(m, beats, (skid_slots(m, internals, "skid") if p.skid else []) + slots)


class Endless(SparseView):
    """A view that overlooks the end of a matrix that comes with a survivor."""

    def _give(self, m: Module, advance: Signal, found: Signal, end: Any, survivor: Any, error: Any) -> None:
        super()._give(m, advance, found, end & ~found, survivor, error)


class Silent(SparseView):
    """A view that does not pass errors on."""

    def _give(self, m: Module, advance: Signal, found: Signal, end: Any, survivor: Any, error: Any) -> None:
        super()._give(m, advance, found, end, survivor, Signal.like(error, name="no_error"))


class Crossed(SparseView):
    """A view that exchanges the positions of neighbours."""

    def _scan(self, m: Module, weight: Any, advance: Signal, found: Signal, end: Signal, survivor: Any, error: Signal) -> None:
        turned = Signal.like(survivor, name="turned")
        super()._scan(m, weight, advance, found, end, turned, error)
        m.d.comb += [survivor.value.eq(turned.value), survivor.position.eq(turned.position ^ 1)]


def all_lanes(parameters: SparseParameters) -> SparseView:
    """A view that takes every beat for a whole one."""
    of = cast(DenseParameters, parameters.of)
    return SparseView(replace(parameters, of=replace(of, rows_apart=False)))


SMALL = SparseParameters(name="sparse_broken", of=DenseParameters(count_bits=3))
WRONG = {
    "an end together with a survivor is overlooked": (Endless, "tlast"),
    "errors are not passed on": (Silent, "first error's code"),
    "positions of neighbours are exchanged": (Crossed, "the elements"),
}


ROWS = SparseParameters(name="sparse_rows_broken", of=DenseParameters(lanes=4, count_bits=4, rows_apart=True))
WRONG_ROWS = {"partial beats are counted as whole ones": (all_lanes, "the elements")}


def designs() -> list[SparseParameters]:
    """Views of two, one, eight lanes, of four with skid, and of four where rows start new beats."""
    return [
        replace(SMALL, name="sparse_view"),
        SparseParameters(name="sparse_one_lane", of=DenseParameters(lanes=1, value_bits=2, count_bits=3)),
        SparseParameters(name="sparse_four_skid", of=DenseParameters(lanes=4, value_bits=2, count_bits=4), skid=True),
        SparseParameters(name="sparse_eight_lanes", of=DenseParameters(lanes=8, value_bits=2, count_bits=8)),
        replace(ROWS, name="sparse_rows"),
    ]


def claims() -> list[Claim]:
    """The sparse view's claims."""
    made = proof_claims(SparseTruth, designs(), covered_in=16)
    return made + broken_claims(SparseTruth, SMALL, WRONG, depth=12) + wrong_claims(SparseTruth, ROWS, WRONG_ROWS, depth=12)
